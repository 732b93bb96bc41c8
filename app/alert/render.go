package alert

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	html "html/template"
	"strings"
	text "text/template"
	"unicode/utf8"

	"ringback/callback"
)

//go:embed words.tmpl mail.txt.tmpl mail.html.tmpl
var files embed.FS

// letter is a mail before it is set as text or as HTML.
type letter struct {
	Subject  string
	Lead     []string // paragraphs
	Sections []section
	Next     []string // what ringback does now: paragraphs
	Steps    []step   // what the reader can do
	Foot     []string
}

type section struct {
	Title   string
	Rows    []row
	Content []string // lines of a response; empty: none
	Cut     bool
}

type row struct{ Label, Value string }

// step is something the reader can do, with commands that do it.
type step struct {
	What     string
	Commands []string
}

var (
	textMail = text.Must(text.New("mail.txt.tmpl").Funcs(text.FuncMap{"wrap": wrap}).ParseFS(files, "mail.txt.tmpl"))
	htmlMail = html.Must(html.ParseFS(files, "mail.html.tmpl"))
	wording  = text.Must(text.New("words.tmpl").Funcs(text.FuncMap{
		"count": callback.Plural, "span": span, "after": after,
		"when": (&Engine{}).when, // stands in until inZone
	}).ParseFS(files, "words.tmpl"))
)

// inZone returns the wording with the times of e's zone.
func (e *Engine) inZone() *text.Template {
	return text.Must(wording.Clone()).Funcs(text.FuncMap{"when": e.when})
}

// mail renders the mail that tells f.
func (e *Engine) mail(f *facts) (callback.Mail, error) {
	l, err := e.letter(f)
	if err != nil {
		return callback.Mail{}, err
	}
	var t, h bytes.Buffer
	if err := textMail.Execute(&t, l); err != nil {
		return callback.Mail{}, fmt.Errorf("render text of alert: %w", err)
	}
	if err := htmlMail.Execute(&h, l); err != nil {
		return callback.Mail{}, fmt.Errorf("render html of alert: %w", err)
	}
	m := callback.Mail{
		MessageID: e.messageID(f.Key),
		From:      e.o.From, To: f.To, Date: f.Created,
		Subject: l.Subject, ListID: "ringback-alerts." + e.host,
		Text: t.String(), HTML: h.String(),
	}
	if f.Kind == callback.AlertRecovered {
		m.InReplyTo = e.messageID(fmt.Sprintf("%s/%s/%d", callback.AlertOutage, f.ID, f.Outage))
	}
	if f.Taken > 0 { // somebody asked for it again: mail systems drop what has an id that they know
		m.MessageID, m.InReplyTo = e.messageID(fmt.Sprintf("%s/again/%d", f.Key, f.Taken)), m.MessageID
	}
	return m, nil
}

// messageID is the same for a key as long as the appliance keeps its name.
func (e *Engine) messageID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16]) + "@" + e.host
}

func (e *Engine) letter(f *facts) (*letter, error) {
	lead, err := e.paragraphs(string(f.Kind), f)
	if err != nil {
		return nil, err
	}
	next, err := e.paragraphs("next", f)
	if err != nil {
		return nil, err
	}
	foot, err := e.paragraphs("foot", f)
	if err != nil {
		return nil, err
	}
	return &letter{
		Subject: f.subject(), Lead: lead, Sections: e.sections(f), Next: next, Steps: e.steps(f), Foot: foot,
	}, nil
}

// paragraphs executes a part of the wording. Blank lines part paragraphs, other
// line breaks are spaces; text from outside has neither.
func (e *Engine) paragraphs(part string, f *facts) ([]string, error) {
	var b strings.Builder
	if err := e.wording.ExecuteTemplate(&b, part, f); err != nil {
		return nil, fmt.Errorf("word the alert: %w", err)
	}
	var out []string
	for p := range strings.SplitSeq(b.String(), "\n\n") {
		if p = strings.Join(strings.Fields(p), " "); p != "" {
			out = append(out, p)
		}
	}
	return out, nil
}

func (e *Engine) sections(f *facts) []section {
	all := []section{e.callbackSection(f)}
	if a := f.Attempt; a != nil {
		all = append(all, e.attemptSection(a))
	}
	if r := f.Response; r != nil {
		all = append(all, e.responseSection(f.Call, r))
	}
	return all
}

func (e *Engine) callbackSection(f *facts) section {
	s := section{Title: "Callback"}
	if f.Known {
		s.add("Name", f.Name)
	}
	s.add("Id", f.ID)
	s.add("URL", f.URL)
	if f.State != "" && !f.StateSince.IsZero() {
		s.add("State now", f.State+" since "+e.when(f.StateSince))
	} else {
		s.add("State now", f.State)
	}
	if f.Known && !f.Gone {
		s.add("Waiting now", callback.Plural(f.Waiting, "response"))
	}
	return s
}

func (e *Engine) attemptSection(a *attemptFacts) section {
	s := section{Title: "The attempt that failed"}
	s.add("When", e.when(a.Started))
	s.add("Answer", a.Answer)
	s.add("Error", a.Error)
	s.add("Advice", a.Advice)
	s.add("Took", span(a.Took))
	s.add("Address", strings.TrimSpace(a.Peer+" "+a.Security))
	by := ""
	if a.Manual {
		by = ", asked for by hand"
	}
	s.add("Attempt", word(a.Number)+by)
	return s
}

func (e *Engine) responseSection(call string, r *responseFacts) section {
	s := section{Title: "The response that was not delivered", Content: r.Content, Cut: r.Cut}
	s.add("Call id", call)
	s.add("Received", e.when(r.Enqueued))
	if r.Damaged {
		s.add("Content", "cannot be read: its record on disk is damaged")
		return s
	}
	s.add("Message id", r.MessageID)
	s.add("Message location", r.Location)
	s.add("Name", r.Name)
	s.add("MRI", r.MRI)
	s.add("Mobile", r.Mobile)
	s.add("E-mail", r.Email)
	s.add("Voice", r.Voice)
	s.add("Channel", r.Channel)
	s.add("Acknowledged", r.Acknowledged)
	s.add("Undeliverable", r.Undelivered)
	return s
}

// add adds a row that has something to say.
func (s *section) add(label, value string) {
	if value != "" {
		s.Rows = append(s.Rows, row{label, value})
	}
}

// Pad fills a label up to the widest one of its section.
func (s section) Pad(label string) string {
	widest := 0
	for _, r := range s.Rows {
		widest = max(widest, len(r.Label))
	}
	return label + ":" + strings.Repeat(" ", widest-len(label))
}

// wrap breaks a paragraph into lines of at most 72 characters where its words
// allow it.
func wrap(p string) string {
	const width = 72
	var b strings.Builder
	used := 0
	for w := range strings.FieldsSeq(p) {
		n := utf8.RuneCountInString(w)
		switch {
		case used == 0:
		case used+1+n > width:
			b.WriteByte('\n')
			used = 0
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(w)
		used += n
	}
	return b.String()
}
