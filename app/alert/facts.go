package alert

import (
	"strings"
	"time"
	"unicode/utf8"

	"ringback/callback"
)

const (
	maxContent = 2000 // bytes of a response's content in a mail
	maxLine    = 300  // bytes of any other text from outside
)

// facts is what a mail can tell. Every string in it is one sanitised line, so
// no template can let anything else through.
type facts struct {
	Kind  callback.AlertKind
	Key   string
	Taken int    // mails of it that were sent before
	Host  string // name of this appliance
	To    string
	Why   string // why it is not the callback's own address that it goes to; or empty
	Gone  bool   // the callback is deleted
	Known bool   // the callback is still stored

	// Of the callback. ID is set also when it is not Known.
	Name, ID, URL, State   string
	StateSince             time.Time
	Waiting                uint64
	Suspended, Down        bool
	Outage                 uint32 // number of the outage the alert is about
	Class                  callback.Class
	Code                   int    // HTTP status of the failure, or 0
	First                  string // how that outage began, or empty
	LastError              string
	Policy                 callback.Policy
	Created, Since, Until  time.Time
	Delivered, StillFailed uint64
	GivenUp, Failures      uint64

	// Of the call the alert is about. HasCall: it is about one. Call is set
	// also when the call is no longer kept.
	HasCall  bool
	Call     string
	Attempt  *attemptFacts
	Response *responseFacts
	Fate     fate
}

// attemptFacts is the attempt that caused an alert.
type attemptFacts struct {
	Number         int
	Manual         bool
	Started        time.Time
	Took           time.Duration
	Answer         string // code and message of the answer, or that there was none
	Error, Advice  string // sentences
	Peer, Security string
}

// responseFacts is the response that could not be delivered.
type responseFacts struct {
	MessageID, Location                string
	Name, MRI, Mobile, Email, Voice    string
	Channel, Acknowledged, Undelivered string
	Enqueued                           time.Time
	Damaged                            bool
	Content                            []string
	Cut                                bool // Content is not all of it
}

// fate is what becomes of the call, as things stood when the mail was written.
type fate struct {
	State   callback.CallState // "" when the call is no longer kept
	Reason  string
	By      string
	Until   time.Time // when it is given up; zero: no window runs
	Settled time.Time // when it ended
}

// gather makes the facts of a's mail. h is zero when its callback is no longer
// kept, call is nil when a is about no call or about one no longer kept.
func (e *Engine) gather(a *callback.Alert, h *callback.Health, call *callback.Call, to, why string) *facts {
	f := &facts{
		Kind: a.Kind, Key: a.Key, Taken: a.Taken(), Host: e.o.Name, To: to, Why: why,
		Known: h.ID != 0, Gone: h.ID == 0 || h.Live.Deleted,
		ID: a.Callback.String(), Outage: a.Outage,
		Policy:  e.o.Policy.For(&h.Callback),
		Created: a.Created, Since: a.Since, Until: a.Until,
		Delivered: a.Delivered, StillFailed: a.StillFailed, GivenUp: a.GivenUp, Failures: a.Failures,
		HasCall: a.Call != 0, Call: a.Call.String(),
	}
	f.Name = f.ID
	if f.Known {
		f.callback(h)
	}
	if call != nil {
		f.call(a, h, call, e.o.Now())
	}
	return f
}

func (f *facts) callback(h *callback.Health) {
	l := &h.Live
	f.Name = line(h.Name)
	f.URL = callback.Sanitize(h.MaskedURL(), callback.MaxURL+64)
	f.State, f.StateSince = l.State.String(), l.ShownSince()
	if l.Deleted {
		f.State, f.StateSince = "deleted", h.DeletedAt
	}
	f.Waiting = l.Counts.Waiting()
	f.Suspended, f.Down = l.Suspended, l.Gate.State == callback.Open
	f.LastError = callback.Sanitize(l.LastError, callback.MaxError)
	if l.Outage.N == f.Outage {
		f.Class, f.Code = l.Outage.First, l.Outage.FirstCode
		f.First = callback.Sanitize(l.Outage.FirstText, callback.MaxError)
	}
}

func (f *facts) call(a *callback.Alert, h *callback.Health, c *callback.Call, now time.Time) {
	for i := range c.Attempts {
		if t := &c.Attempts[i]; t.Number == a.Attempt {
			f.Class, f.Code = t.Class, t.Code
			f.Attempt = attemptOf(t)
		}
	}
	f.Response = responseOf(c)
	f.Fate = fate{
		State:   c.State(&h.Live),
		Reason:  c.Reason.String(),
		By:      line(c.ResolvedBy),
		Until:   c.GivesUp(f.Policy, &h.Live, now),
		Settled: c.Finished,
	}
}

func attemptOf(t *callback.Attempt) *attemptFacts {
	reason := callback.Sanitize(t.Reason, callback.MaxReason)
	answer := "none" + after(": ", reason)
	if t.Code != 0 {
		answer = word(t.Code) + after(" ", reason)
	}
	return &attemptFacts{
		Number: t.Number, Manual: t.Manual, Started: t.Started, Took: t.Duration,
		Answer: answer, Error: callback.Sanitize(t.Error, callback.MaxError), Advice: t.Advice(),
		Peer: line(t.Peer), Security: line(t.TLS),
	}
}

func responseOf(c *callback.Call) *responseFacts {
	r := &c.Response
	content, cut := lines(r.Message.Content, maxContent)
	return &responseFacts{
		MessageID: line(r.MessageID), Location: callback.Sanitize(r.MessageLocation, callback.MaxField),
		Name: line(r.From.Name), MRI: line(r.From.MRI), Mobile: line(r.From.Mobile),
		Email: line(r.From.Email), Voice: line(r.From.Voice),
		Channel: line(r.Message.Channel), Acknowledged: line(r.Message.Acknowledged), Undelivered: line(r.Message.Undeliverable),
		Enqueued: c.Enqueued, Damaged: c.Damaged, Content: content, Cut: cut,
	}
}

func line(s string) string { return callback.Sanitize(s, maxLine) }

// lines splits s at its line breaks into sanitised lines of at most max bytes
// in all, breaks included. cut: that is not all of it.
func lines(s string, max int) (out []string, cut bool) {
	s, cut = head(s, 8*max) // what is dropped from a line does not count
	s = strings.Trim(breaks.Replace(s), "\n")
	if s == "" {
		return nil, cut
	}
	for l := range strings.SplitSeq(s, "\n") {
		if max <= 0 {
			return out, true
		}
		whole := callback.Sanitize(l, 3*len(l)) // a byte that is not UTF-8 becomes three
		kept := callback.Sanitize(whole, max)
		out = append(out, kept)
		if len(kept) < len(whole) {
			return out, true
		}
		max -= len(kept) + 1
	}
	return out, cut
}

var breaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\u0085", "\n")

// head returns the whole characters in the first max bytes of s.
func head(s string, max int) (string, bool) {
	if len(s) <= max {
		return s, false
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return s[:max], true
}
