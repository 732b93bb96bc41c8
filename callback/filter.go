package callback

import (
	"strings"
	"time"
)

// Filter selects calls. Zero fields do not select.
type Filter struct {
	Status    CallStatus
	State     CallState
	MessageID string
	Code      int       // status code of the last attempt; NoAnswer: there was none
	Reason    string    // status message of the last attempt
	Class     string    // machine word of the last attempt's class
	From, To  time.Time // bounds of the last attempt's time: From itself is within, To is not
	Text      string    // in names, numbers, addresses and content, any case
}

// NoAnswer is the Filter.Code of calls whose last attempt got no HTTP answer,
// which is a status code of 0 elsewhere.
const NoAnswer = -1

// Plain reports whether f selects by nothing but status: by what is counted.
func (f *Filter) Plain() bool {
	rest := *f
	rest.Status = 0
	return rest == Filter{}
}

// Matches reports whether f selects c, a call of a callback in state l. c needs
// no more than its last attempt.
func (f *Filter) Matches(c *Call, l *Live) bool {
	if f.Status != 0 && c.Listed()&f.Status == 0 {
		return false
	}
	if f.Plain() {
		return true
	}
	var last *Attempt
	if len(c.Attempts) > 0 {
		last = &c.Attempts[len(c.Attempts)-1]
	}
	return (f.State == "" || f.State == c.State(l)) && f.MatchesAttempt(last) &&
		(f.MessageID == "" || f.MessageID == c.Response.MessageID) &&
		(f.Text == "" || c.Response.contains(strings.ToLower(f.Text)))
}

// MatchesAttempt reports whether what f asks of the last attempt is true of a.
// nil is a call that was never tried: no such condition selects it.
func (f *Filter) MatchesAttempt(a *Attempt) bool {
	if f.Code == 0 && f.Reason == "" && f.Class == "" && f.From.IsZero() && f.To.IsZero() {
		return true
	}
	return a != nil &&
		(f.Code == 0 || max(f.Code, 0) == a.Code) &&
		(f.Reason == "" || f.Reason == a.Reason) &&
		(f.Class == "" || f.Class == a.Class.String()) &&
		(f.From.IsZero() || !a.Started.Before(f.From)) &&
		(f.To.IsZero() || a.Started.Before(f.To))
}

// contains reports whether text, in lower case, stands in what people look for
// in a response.
func (r *Response) contains(text string) bool {
	for _, s := range []string{
		r.From.Name, r.From.Mobile, r.From.Email, r.From.Voice, r.From.MRI,
		r.Message.Content, r.MessageID,
	} {
		if strings.Contains(strings.ToLower(s), text) {
			return true
		}
	}
	return false
}
