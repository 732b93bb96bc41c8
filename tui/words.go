package tui

import (
	"strconv"
	"strings"
	"time"

	"ringback/callback"
)

// standing is how a callback is shown: the contract's states, and one more
// for those without calls. Their order is that of the table, worst first.
type standing uint8

const (
	standDown standing = iota
	standFailing
	standSuspended
	standHealthy
	standIdle
	standings
)

// standingOf returns how a callback is shown.
func standingOf(h *callback.HealthView) standing {
	switch h.Shown {
	case callback.Down:
		return standDown
	case callback.Failing:
		return standFailing
	case callback.Suspended:
		return standSuspended
	}
	if h.OK+h.Bad == 0 && h.Live.Counts.Waiting() == 0 {
		return standIdle
	}
	return standHealthy
}

func (s standing) word() string {
	return [...]string{"DOWN", "failing", "suspended", "healthy", "no calls"}[s]
}

func (s standing) role() Role {
	return [...]Role{RoleDown, RoleFailing, RoleSuspended, RoleOK, RoleSuspended}[s]
}

func (s standing) sign(g *Glyphs) rune {
	return [...]rune{g.Down, g.Failing, g.Suspended, g.OK, g.None}[s]
}

// stateOf returns the standing of a state, as events tell it.
func stateOf(s callback.State) standing {
	return [...]standing{standHealthy, standFailing, standDown, standSuspended}[s]
}

// mood is how the state of a call, or of an e-mail, is shown.
type mood struct {
	sign rune
	word string
	role Role
}

func (m mood) String() string { return string(m.sign) + " " + m.word }

// callMood returns how the state of a call is shown.
func callMood(v *callback.CallView, g *Glyphs) mood {
	switch v.State {
	case callback.StateScheduled:
		return mood{g.Queued, "queued", RoleText}
	case callback.StateHeld:
		if v.Entry.Attempts > 0 {
			return mood{g.Failing, "held", RoleFailing}
		}
		return mood{g.Suspended, "held", RoleSuspended}
	case callback.StateDelivering:
		return mood{g.InFlight, "in flight", RoleText}
	case callback.StateRetrying:
		return mood{g.Failing, "retrying", RoleFailing}
	case callback.StateDelivered:
		return mood{g.OK, "success", RoleOK}
	case callback.StateResolved:
		return mood{g.OK, "resolved", RoleOK}
	case callback.StateGaveUp:
		return mood{g.Down, "FAILED", RoleDown}
	case callback.StateCancelled:
		return mood{g.Down, "cancelled", RoleSuspended}
	case callback.StateDamaged:
		return mood{g.Down, "damaged", RoleDown}
	}
	return mood{g.None, string(v.State), RoleText}
}

// last returns the last attempt of a call, or nil.
func last(v *callback.CallView) *callback.Attempt {
	if n := len(v.Attempts); n > 0 {
		return &v.Attempts[n-1]
	}
	return nil
}

// result returns how the last attempt of a call went, in at most 14 cells or
// in words.
func result(v *callback.CallView, long bool) string {
	a := last(v)
	switch {
	case v.State == callback.StateDelivering && long:
		return "waiting for an answer"
	case v.State == callback.StateDelivering:
		return "..."
	case a == nil:
		return absent
	case long:
		return outcome(a)
	}
	return a.Short()
}

// outcome returns an attempt in a few words: 503 Service Unavailable, or
// refused (203.0.113.9:443).
func outcome(a *callback.Attempt) string {
	s := a.Short()
	switch {
	case a.Code != 0:
		return strings.TrimSpace(s + " " + a.Reason)
	case a.Class == callback.ClassRefused:
		s = "connection refused"
	}
	if a.Peer != "" {
		s += " (" + a.Peer + ")"
	}
	return s
}

// took returns how long the last attempt of a call took.
func took(v *callback.CallView) string {
	a := last(v)
	if a == nil || v.State == callback.StateDelivering {
		return absent
	}
	return Latency(a.Duration)
}

// next returns when a call is tried again, or why it is not.
func (d *desk) next(v *callback.CallView) (s string, late bool) {
	switch v.State {
	case callback.StateScheduled, callback.StateRetrying:
		return Countdown(v.Due, d.now())
	case callback.StateHeld:
		return d.behind(v, false), false
	case callback.StateGaveUp:
		return "gave up", false
	case callback.StateResolved:
		if v.ResolvedBy == "" {
			return "resolved", false
		}
		return "by " + v.ResolvedBy + " " + d.clock.WhenShort(v.Finished, d.now()), false
	case callback.StateCancelled:
		return "callback deleted", false
	}
	return absent, false
}

// sender returns who a response is from.
func sender(r *callback.Response) string {
	if r.Kind() == callback.KindUndeliverable {
		return "(undeliverable)"
	}
	f := &r.From
	for _, s := range []string{f.Name, f.Mobile, f.Email, f.Voice, f.MRI} {
		if s != "" {
			return s
		}
	}
	return absent
}

// failedAt names the stage that an attempt did not get past.
func failedAt(a *callback.Attempt) string {
	switch a.Class {
	case callback.ClassDNS:
		return "dns"
	case callback.ClassRefused, callback.ClassUnreachable, callback.ClassConnectTimeout:
		return "connect"
	case callback.ClassTLS:
		return "tls"
	case callback.ClassAnswerTimeout, callback.ClassReset, callback.ClassProtocol:
		return "first byte"
	case callback.ClassStatus, callback.ClassRedirect:
		return "answer"
	case callback.ClassDenied, callback.ClassInternal:
		return "not sent"
	}
	return absent
}

// mailMood returns where an e-mail stands.
func mailMood(a *callback.Alert, g *Glyphs) mood {
	switch a.Status {
	case callback.AlertSent:
		return mood{g.OK, "sent", RoleOK}
	case callback.AlertRefused:
		return mood{g.Down, "FAILED", RoleDown}
	case callback.AlertExpired:
		return mood{g.Down, "given up", RoleDown}
	}
	if a.Tries == 0 {
		return mood{g.Queued, "waiting", RoleText}
	}
	return mood{g.Failing, "trying " + strconv.Itoa(a.Tries+1), RoleFailing}
}

// mailRest returns what else there is to tell of an e-mail: to whom, when, and
// what the mail server said.
func (d *desk) mailRest(a *callback.Alert) string {
	colon := ""
	if a.Reply != "" {
		colon = ": "
	}
	switch {
	case a.Status == callback.AlertSent:
		return "to " + a.To + " " + d.clock.When(a.Sent, d.now()) + colon + a.Reply
	case a.Status == callback.AlertRefused && a.To == "":
		return "for good" + colon + a.Reply
	case a.Status == callback.AlertRefused:
		return "for good, to " + a.To + colon + a.Reply
	case a.Status == callback.AlertExpired:
		return "after " + Duration(callback.AlertLife) + colon + a.Reply
	case d.known && d.server.MailServer == "":
		return "for a mail server: none is configured"
	case a.Tries == 0:
		return "to be sent"
	}
	when, _ := Countdown(a.Next, d.now())
	return when + colon + a.Reply
}

// plural is callback.Plural: 1 call, 1,284 calls.
func plural(n uint64, noun string) string { return callback.Plural(n, noun) }

// every returns a length of time as people say it: 5 min, 24 h.
func every(t time.Duration) string {
	var room figure
	return string(appendEvery(room[:0], t))
}

func appendEvery(b []byte, t time.Duration) []byte {
	switch {
	case t >= time.Hour && t%time.Hour == 0:
		return append(strconv.AppendInt(b, int64(t/time.Hour), 10), " h"...)
	case t > time.Minute && t%time.Minute == 0:
		return append(strconv.AppendInt(b, int64(t/time.Minute), 10), " min"...)
	case t >= time.Second && t%time.Second == 0:
		return append(strconv.AppendInt(b, int64(t/time.Second), 10), " s"...)
	}
	return callback.AppendDuration(b, t)
}
