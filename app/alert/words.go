package alert

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"ringback/callback"
)

// word spells a number.
func word(n int) string { return strconv.Itoa(n) }

// span spells a duration in its two largest units. Up to two days it counts in
// hours, as windows and intervals are configured.
func span(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	units := []struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}}
	if d < 48*time.Hour {
		units = units[1:]
	}
	var parts []string
	for _, u := range units {
		n := d / u.unit
		d -= n * u.unit
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, u.name))
		}
		if len(parts) == 2 || len(parts) == 1 && n == 0 {
			break
		}
	}
	return strings.Join(parts, " ")
}

// when spells a time in UTC, and in the local zone where that differs.
func (e *Engine) when(t time.Time) string {
	const layout = "2006-01-02 15:04:05 MST"
	utc, local := t.UTC().Format(layout), t.In(e.o.Zone).Format(layout)
	if utc == local {
		return utc
	}
	return utc + " (" + local + ")"
}

// Cause says in at most 24 characters why attempts fail, in words of ours; ""
// when that is not known any more.
func (f *facts) Cause() string {
	switch f.Class {
	case callback.ClassDNS:
		return "host not found"
	case callback.ClassRefused:
		return "connection refused"
	case callback.ClassUnreachable:
		return "host unreachable"
	case callback.ClassConnectTimeout:
		return "no connection in time"
	case callback.ClassReset:
		return "connection reset"
	case callback.ClassTLS:
		return "TLS failed"
	case callback.ClassAnswerTimeout:
		return "no answer in time"
	case callback.ClassProtocol:
		return "the answer is not HTTP"
	case callback.ClassStatus:
		return "HTTP " + word(f.Code)
	case callback.ClassRedirect:
		return "HTTP " + word(f.Code) + " redirect"
	case callback.ClassDenied:
		return "forbidden address"
	case callback.ClassInternal:
		return "no request can be built"
	}
	return ""
}

// CauseInFull is Cause with the standard's own word for a status code, which
// an endpoint cannot choose.
func (f *facts) CauseInFull() string {
	if text := http.StatusText(f.Code); text != "" && f.Class == callback.ClassStatus {
		return f.Cause() + " (" + text + ")"
	}
	return f.Cause()
}

// Unreachable reports whether the endpoint could not be reached at all.
func (f *facts) Unreachable() bool { return f.Class.Unreachable() }

const maxSubject = 60 // characters

// subject returns the subject line. A long name gives way to what happened.
func (f *facts) subject() string {
	said := ""
	switch f.Kind {
	case callback.AlertOutage:
		said = " is failing"
		if f.Unreachable() {
			said = " is down"
		}
		said += after(": ", f.Cause())
	case callback.AlertRecovered:
		said = " works again after " + span(f.Until.Sub(f.Since))
	case callback.AlertDigest:
		said = ": " + callback.Plural(f.GivenUp, "response") + " given up"
	case callback.AlertCall:
		said = ": call failed" + after(", ", f.Cause())
	case callback.AlertSummary:
		said = ": " + callback.Plural(f.Failures, "more failure") + " in an hour"
	case callback.AlertSuspended:
		said = " is suspended"
	default:
		said = ": " + callback.Sanitize(string(f.Kind), 20)
	}
	const tag = "[ringback] "
	room := maxSubject - len(tag) - utf8.RuneCountInString(said)
	return shorten(tag+shorten(f.Name, max(room, 8))+said, maxSubject)
}

// after returns s behind sep; nothing for nothing.
func after(sep, s string) string {
	if s == "" {
		return ""
	}
	return sep + s
}

// shorten cuts s to max characters and shows that it did.
func shorten(s string, max int) string {
	r := []rune(s)
	if len(r) <= max {
		return s
	}
	return strings.TrimRight(string(r[:max-1]), " ") + "…"
}

// hostPart returns s as the right side of a message id, or "" when nothing of
// it can stand there.
func hostPart(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '.':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, s)
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '.' }), ".")
}
