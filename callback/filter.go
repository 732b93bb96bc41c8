package callback

import (
	"slices"
	"strings"
	"time"
)

// Filter selects calls, or attempts. Zero fields do not select.
//
// Of calls it looks at the last attempt; of attempts at each, Status being
// whether it succeeded, while State, MessageID and Text are those of its call.
type Filter struct {
	Status    CallStatus
	State     CallState // one, or several as AnyState puts them together
	MessageID string
	Code      int       // status code of the attempt; NoAnswer: there was none
	Reason    string    // status message of the attempt
	Class     string    // machine word of the attempt's class
	From, To  time.Time // bounds of the attempt's time: From itself is within, To is not
	Text      string    // words, each in a name, number, address or the content, any case
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
	return f.MatchesEntry(&c.Entry, l.Holds()) && f.MatchesReason(c.Attempts) && f.MatchesResponse(&c.Response)
}

// MatchesEntry is the part of Matches that needs no more than a call's entry;
// held: its callback holds calls (Live.Holds).
func (f *Filter) MatchesEntry(e *Entry, held bool) bool {
	return (f.Status == 0 || e.Listed()&f.Status != 0) &&
		(f.State == "" || f.State.Has(e.state(held))) &&
		(!f.Tried() || e.tried() && f.matches(e.LastAt, e.LastCode, e.LastClass))
}

// MatchesReason is the part of Matches that needs a call's last attempt, the
// last of attempts.
func (f *Filter) MatchesReason(attempts []Attempt) bool {
	n := len(attempts)
	return f.Reason == "" || n > 0 && f.Reason == attempts[n-1].Reason
}

// MatchesResponse is the part of Matches that needs what was enqueued.
func (f *Filter) MatchesResponse(r *Response) bool {
	if f.MessageID != "" && f.MessageID != r.MessageID {
		return false
	}
	for word := range strings.FieldsSeq(strings.ToLower(f.Text)) {
		if !r.contains(word) {
			return false
		}
	}
	return true
}

// MatchesAttempt reports whether what f asks of an attempt is true of a.
func (f *Filter) MatchesAttempt(a *Attempt) bool {
	status := ListFailed
	if a.OK {
		status = ListSuccess
	}
	return (f.Status == 0 || f.Status&status != 0) &&
		f.matches(a.Started, a.Code, a.Class) && (f.Reason == "" || f.Reason == a.Reason)
}

func (f *Filter) matches(at time.Time, code int, class Class) bool {
	return (f.Code == 0 || max(f.Code, 0) == code) &&
		(f.Class == "" || f.Class == class.String()) &&
		(f.From.IsZero() || !at.Before(f.From)) &&
		(f.To.IsZero() || at.Before(f.To))
}

// Tried reports whether f asks anything of an attempt, so that it selects no
// call without one.
func (f *Filter) Tried() bool {
	return f.Code != 0 || f.Reason != "" || f.Class != "" || !f.From.IsZero() || !f.To.IsZero()
}

// Where returns the statuses of the calls that f can select.
func (f *Filter) Where() CallStatus {
	s := f.Status
	if f.State != "" {
		s &= f.State.Listed()
	}
	if f.Tried() {
		s &^= ListPending
	}
	return s
}

// AnyState returns what selects calls in one of states: each once, in the order of
// CallStates, with commas between.
func AnyState(states ...CallState) CallState {
	var words []string
	for _, s := range CallStates {
		if slices.Contains(states, s) {
			words = append(words, string(s))
		}
	}
	return CallState(strings.Join(words, ","))
}

// ParseStates reads one state or several with commas between, in any case, as AnyState
// returns them.
func ParseStates(text string) (CallState, bool) {
	var states []CallState
	for word := range strings.SplitSeq(text, ",") {
		at := slices.IndexFunc(CallStates, func(s CallState) bool { return strings.EqualFold(strings.TrimSpace(word), string(s)) })
		if at < 0 {
			return "", false
		}
		states = append(states, CallStates[at])
	}
	return AnyState(states...), true
}

// Has reports whether one is among the states that s selects.
func (s CallState) Has(one CallState) bool {
	for word := range strings.SplitSeq(string(s), ",") {
		if word == string(one) {
			return true
		}
	}
	return false
}

// Listed returns the statuses that calls in the states s are listed under.
func (s CallState) Listed() (all CallStatus) {
	for word := range strings.SplitSeq(string(s), ",") {
		all |= CallState(word).listed()
	}
	return all
}

func (s CallState) listed() CallStatus {
	switch s {
	case StateDelivered, StateResolved:
		return ListSuccess
	case StateGaveUp, StateCancelled, StateDamaged, StateRetrying:
		return ListFailed
	case StateScheduled:
		return ListPending
	case StateHeld, StateDelivering:
		return ListPending | ListFailed
	}
	return 0
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
