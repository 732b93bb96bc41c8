package tui

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"ringback/callback"
)

// always returns a hint that does not depend on the form.
func always(s string) func(*form) string { return func(*form) string { return s } }

// textField and those that follow return the specs of plain fields; set says
// where in a Draft they go.
func textField(name, label, flag string, get func(*callback.Callback) string, set func(*callback.Draft) **string) fieldSpec {
	return fieldSpec{
		name: name, label: label, flag: flag, get: get,
		put: func(d *callback.Draft, v string) error {
			*set(d) = &v
			return nil
		},
	}
}

func secretField(name, label, flag string, get func(*callback.Callback) callback.Secret, set func(*callback.Draft) **string) fieldSpec {
	s := textField(name, label, flag, func(cb *callback.Callback) string { return get(cb).String() }, set)
	s.kind = fieldSecret
	s.hint = func(f *form) string {
		switch at := f.field(name); {
		case at.drop:
			return "is removed"
		case at.was == "" || len(at.text) > 0:
			return "never shown"
		}
		return "empty keeps it"
	}
	s.help = "It is never shown. Empty keeps what is stored; Ctrl+U removes that."
	return s
}

func flagField(name, label, flag string, get func(*callback.Callback) bool, set func(*callback.Draft) **bool) fieldSpec {
	return fieldSpec{
		name: name, label: label, flag: flag, kind: fieldFlag,
		get: func(cb *callback.Callback) string {
			if get(cb) {
				return flagOn
			}
			return flagOff
		},
		put: func(d *callback.Draft, v string) error {
			on := v == flagOn
			*set(d) = &on
			return nil
		},
	}
}

// A number or a time limit that is 0 is the configuration's, and empty here.
func wholeOf(v string) (int, error) {
	if v = strings.TrimSpace(v); v == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		return 0, errors.New("must be a whole number, such as 16")
	}
	return n, nil
}

func numberOf(v string) (float64, error) {
	if v = strings.TrimSpace(v); v == "" {
		return 0, nil
	}
	n, err := strconv.ParseFloat(v, 64)
	if err != nil {
		return 0, errors.New("must be a number, such as 5 or 0.5")
	}
	return n, nil
}

func limitOf(v string) (time.Duration, error) {
	if v = strings.TrimSpace(v); v == "" {
		return 0, nil
	}
	if _, err := strconv.ParseFloat(v, 64); err == nil {
		v += "s"
	}
	t, err := time.ParseDuration(v)
	if err != nil {
		return 0, errors.New("must be a time such as 5s, 500ms or 2m")
	}
	return t, nil
}

// lengthText writes a time limit as it is typed: 1m, and not 1m0s.
func lengthText(t time.Duration) string {
	if t == 0 {
		return ""
	}
	s := t.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	return s
}

func limitField(name, label, flag string, get func(*callback.Callback) time.Duration, set func(*callback.Draft) **time.Duration) fieldSpec {
	return fieldSpec{
		name: name, label: label, flag: flag, zero: "0",
		get: func(cb *callback.Callback) string { return lengthText(get(cb)) },
		put: func(d *callback.Draft, v string) error {
			t, err := limitOf(v)
			*set(d) = &t
			return err
		},
	}
}

// headerText writes headers as lines.
func headerText(headers []callback.Param) string {
	lines := make([]string, len(headers))
	for i, h := range headers {
		lines[i] = strings.TrimSpace(callback.Sanitize(h.Key+": "+h.Value, maxInput))
	}
	return strings.Join(lines, "\n")
}

func headersOf(v string) ([]callback.Param, error) {
	list := []callback.Param{}
	for line := range strings.Lines(v) {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		if !ok {
			return nil, errors.New("is written Name: value")
		}
		list = append(list, callback.Param{Key: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
	}
	return list, nil
}

// authTypes and alertModes are the choices, in the order that they are drawn.
var (
	authTypes  = []callback.AuthType{callback.AuthNone, callback.AuthQuery, callback.AuthHeader, callback.AuthBasic, callback.AuthBearer}
	alertModes = []callback.AlertMode{callback.ModeUnset, callback.ModeOutage, callback.ModeEveryCall, callback.ModeOff}
)

func authSpec() fieldSpec {
	s := fieldSpec{
		name: "auth.type", label: "Auth", kind: fieldChoice, flag: "auth", shown: []string{"none", "query", "header", "basic", "bearer"},
		help: "How the endpoint knows that it is us: where the key is put.",
		get:  func(cb *callback.Callback) string { return cb.Auth.Type.String() },
		put: func(d *callback.Draft, v string) error {
			t, _ := callback.ParseAuthType(v)
			if d.AuthType = &t; t == callback.AuthNone && d.AuthKey == nil {
				d.AuthKey = new(string) // a key has no place without a type
			}
			return nil
		},
		hint: func(f *form) string {
			return [...]string{"", "?auth=KEY", f.d.server.KeyHeader, "base64 user:password", "Bearer KEY"}[f.field("auth.type").pick]
		},
	}
	for _, t := range authTypes {
		s.words = append(s.words, t.String())
	}
	return s
}

func alertSpec() fieldSpec {
	s := fieldSpec{
		name: "alerts", label: "Mail me", kind: fieldChoice, flag: "alerts", shown: []string{"as configured", "per outage", "each failure", "never"},
		help: "When an e-mail is sent; as configured is what [alerts] mode says.",
		get:  func(cb *callback.Callback) string { return string(cb.Alerts) },
		put: func(d *callback.Draft, v string) error {
			mode := callback.AlertMode(v)
			d.Alerts = &mode
			return nil
		},
	}
	for _, m := range alertModes {
		s.words = append(s.words, string(m))
	}
	return s
}

// with returns s with its hint and help.
func (s fieldSpec) with(hint func(*form) string, help string) fieldSpec {
	s.hint, s.help = hint, help
	return s
}

// after returns s beside the field before it, or at the head of a section.
func (s fieldSpec) after(beside bool, rule string) fieldSpec {
	s.beside, s.rule = beside, rule
	return s
}

// fieldSpecs is every field, in the order of the screen.
var fieldSpecs = []fieldSpec{
	textField("name", "Name", "name", func(cb *callback.Callback) string { return cb.Name }, func(d *callback.Draft) **string { return &d.Name }).
		with(always("unique"), "1 to 50 characters. It may stand wherever an id may stand."),
	textField("url", "URL", "url", func(cb *callback.Callback) string { return cb.URL }, func(d *callback.Draft) **string { return &d.URL }).
		with(always("http(s)"), "Where responses are POSTed. Only 200 counts as success, unless configured otherwise."),
	authSpec(),
	secretField("auth.key", "Key", "auth-key-file", func(cb *callback.Callback) callback.Secret { return cb.Auth.Key }, func(d *callback.Draft) **string { return &d.AuthKey }),
	contentSpec(),
	flagField("removeHTML", "Strip HTML", "remove-html", func(cb *callback.Callback) bool { return cb.RemoveHTML }, func(d *callback.Draft) **bool { return &d.RemoveHTML }).
		with(nil, "Markup is taken out of a response's content before it is sent."),
	flagField("callbacks.reply", "Send replies", "replies", func(cb *callback.Callback) bool { return !cb.NoReplies }, func(d *callback.Draft) **bool { return &d.Reply }).
		with(nil, "Off: replies are counted, and neither stored nor sent."),
	flagField("callbacks.undeliverable", "undeliverable", "undeliverable", func(cb *callback.Callback) bool { return !cb.NoUndelivers }, func(d *callback.Draft) **bool { return &d.Undeliverable }).
		with(nil, "Off: notices that a message could not be delivered are counted, and neither stored nor sent.").after(true, ""),
	flagField("retriesEnabled", "Retries", "retries", func(cb *callback.Callback) bool { return cb.Retries }, func(d *callback.Draft) **bool { return &d.Retries }).
		with(retryHint, "What fails is tried again until it succeeds or its time is over. Off: each call is tried once."),
	textField("email", "E-mail", "email", func(cb *callback.Callback) string { return cb.Email }, func(d *callback.Draft) **string { return &d.Email }).
		with(always("empty: the admin"), "Where alerts about this callback go; empty: to the administrator of the configuration."),
	alertSpec(),
	textField("description", "Description", "description", func(cb *callback.Callback) string { return cb.Description }, func(d *callback.Draft) **string { return &d.Description }).
		with(nil, "A note for people.").after(false, "more"),
	flagField("ordered", "Strict order", "ordered", func(cb *callback.Callback) bool { return cb.Ordered }, func(d *callback.Draft) **bool { return &d.Ordered }).
		with(nil, "First in, first out: a call that fails blocks those behind it."),
	{
		name: "maxInFlight", label: "In flight", flag: "max-in-flight", zero: "0", hint: always("empty: configured"), help: "How many requests may be under way at the same time.",
		get: func(cb *callback.Callback) string {
			if cb.MaxInFlight == 0 {
				return ""
			}
			return strconv.Itoa(cb.MaxInFlight)
		},
		put: func(d *callback.Draft, v string) error {
			n, err := wholeOf(v)
			d.MaxInFlight = &n
			return err
		},
	},
	{
		name: "ratePerSecond", label: "Per second", flag: "rate", zero: "0", hint: always("empty: no limit"), help: "How many requests are begun in a second at most; 0.5 is one every 2 s.",
		get: func(cb *callback.Callback) string {
			if cb.RatePerSecond == 0 {
				return ""
			}
			return strconv.FormatFloat(cb.RatePerSecond, 'f', -1, 64)
		},
		put: func(d *callback.Draft, v string) error {
			n, err := numberOf(v)
			d.RatePerSecond = &n
			return err
		},
	},
	limitField("connectTimeout", "Connect in", "connect-timeout", func(cb *callback.Callback) time.Duration { return cb.ConnectTimeout }, func(d *callback.Draft) **time.Duration { return &d.ConnectTimeout }).
		with(limitHint(func(s *callback.Server) time.Duration { return s.Connect }), "How long connecting may take, 100ms to 60s."),
	limitField("responseTimeout", "Answer in", "response-timeout", func(cb *callback.Callback) time.Duration { return cb.ResponseTimeout }, func(d *callback.Draft) **time.Duration { return &d.ResponseTimeout }).
		with(limitHint(func(s *callback.Server) time.Duration { return s.Response }), "How long the answer may take, 1s to 10m."),
	secretField("signingSecret", "Sign with", "signing-secret-file", func(cb *callback.Callback) callback.Secret { return cb.SigningSecret }, func(d *callback.Draft) **string { return &d.SigningSecret }),
	secretField("previousSigningSecret", "and with", "previous-signing-secret-file", func(cb *callback.Callback) callback.Secret { return cb.PreviousSecret }, func(d *callback.Draft) **string { return &d.PreviousSecret }),
	{
		name: "ca", label: "Authorities", kind: fieldPaste, flag: "ca-file", hint: always("paste PEM"),
		help: "Paste the PEM of who signs the endpoint's certificate; Ctrl+U: the system's authorities.",
		get:  func(cb *callback.Callback) string { return cb.CA },
		put: func(d *callback.Draft, v string) error {
			d.CA = &v
			return nil
		},
	},
	{
		name: "headers", label: "Headers", kind: fieldLines, flag: "header", hint: always("Name: value"),
		help: "Sent with every attempt, one a line. An empty line is none.",
		get:  func(cb *callback.Callback) string { return headerText(callback.ShownHeaders(cb.Headers)) },
		put: func(d *callback.Draft, v string) error {
			list, err := headersOf(v)
			d.Headers = &list
			return err
		},
	},
}

func contentSpec() fieldSpec {
	return fieldSpec{
		name: "contentType", label: "Content type", kind: fieldChoice, flag: "content-type", words: []string{"json", "xml"}, shown: []string{"json", "xml"},
		help: "The form of what is POSTed.",
		get:  func(cb *callback.Callback) string { return cb.ContentType.String() },
		put: func(d *callback.Draft, v string) error {
			t := callback.JSON
			if v == callback.XML.String() {
				t = callback.XML
			}
			d.ContentType = &t
			return nil
		},
	}
}

func retryHint(f *form) string {
	s := &f.d.server
	if !f.d.known || s.Interval == 0 {
		return ""
	}
	return every(s.Interval) + " for " + every(s.Window)
}

func limitHint(get func(*callback.Server) time.Duration) func(*form) string {
	return func(f *form) string {
		if t := get(&f.d.server); t > 0 {
			return "empty: " + every(t)
		}
		return "empty: configured"
	}
}
