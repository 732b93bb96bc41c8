package tui

import (
	"fmt"
	"strings"
	"time"

	"ringback/callback"
)

// story says in a sentence where a call stands.
func (d *desk) story(v *callback.CallView) string {
	now := d.now()
	when := func(t time.Time) string { return d.clock.When(t, now) }
	a := last(v)
	how := "not tried yet"
	if a != nil {
		how = fmt.Sprintf("attempt %d: %s after %s", a.Number, outcome(a), Latency(a.Duration))
	}
	switch v.State {
	case callback.StateDelivered:
		return how
	case callback.StateResolved:
		s := "resolved"
		if v.ResolvedBy != "" {
			s += " by " + v.ResolvedBy
		}
		return s + " " + when(v.Finished) + "; " + how
	case callback.StateGaveUp:
		switch v.Reason {
		case callback.RetriesOff:
			return how + "; retries are off, so it is not sent again by itself"
		case callback.Reopened:
			return how + "; reopened after its time was over"
		}
		return how + "; given up " + when(v.Finished)
	case callback.StateCancelled:
		return how + "; its callback was deleted"
	case callback.StateDamaged:
		return "its stored response cannot be read"
	case callback.StateDelivering:
		return fmt.Sprintf("attempt %d is under way", v.Entry.Attempts+1)
	case callback.StateHeld:
		return how + "; held " + d.behind(v, true)
	}
	next, _ := Countdown(v.Due, now)
	return how + "; next try " + next + " (" + when(v.Due) + ")"
}

// outlook says what comes next for a call, in a few words.
func (d *desk) outlook(v *callback.CallView) (s string, late bool) {
	now := d.now()
	switch v.State {
	case callback.StateHeld:
		return d.behind(v, true), false
	case callback.StateScheduled, callback.StateRetrying:
		s, late = Countdown(v.Due, now)
		return "next try " + s + " (" + d.clock.When(v.Due, now) + ")", late
	case callback.StateResolved:
		return "by " + orNobody(v.ResolvedBy), false
	case callback.StateGaveUp:
		return v.Reason.String(), false
	}
	return "", false
}

// stages says how long each stage of an attempt took, and to where.
func stages(a *callback.Attempt) string {
	var b strings.Builder
	ended := failedAt(a)
	left := a.Duration - a.Timing.DNS - a.Timing.Connect - a.Timing.TLS
	for _, s := range []struct {
		name string
		took time.Duration
	}{{"dns", a.Timing.DNS}, {"connect", a.Timing.Connect}, {"tls", a.Timing.TLS}, {"first byte", a.Timing.FirstByte}} {
		took := absent
		switch {
		case s.name == ended && s.took == 0: // it did not come to its end
			took = "failed after " + Latency(left)
		case s.name == ended:
			took = "failed after " + Latency(s.took)
		case s.took > 0:
			took = Latency(s.took)
		}
		b.WriteString(s.name + " " + took + "   ")
	}
	if rest := left - a.Timing.FirstByte; a.Code != 0 && rest > 0 {
		b.WriteString("send and read " + Latency(rest) + "   ")
	}
	b.WriteString("all " + Latency(a.Duration))
	if a.Peer != "" {
		b.WriteString("   to " + a.Peer)
	}
	if a.TLS != "" {
		b.WriteString("   " + a.TLS)
	}
	if a.Reused {
		b.WriteString("   on a kept connection")
	}
	return b.String()
}

// answer says what an attempt was answered.
func answer(a *callback.Attempt) string {
	switch {
	case a.Code == 0:
		return "no answer"
	case a.Excerpt == "":
		return fmt.Sprintf("answer %d %s, nothing in it", a.Code, a.Reason)
	}
	return fmt.Sprintf("answer %d %s: %s", a.Code, a.Reason, a.Excerpt)
}

// about says what the response is.
func about(v *callback.CallView) string {
	r := &v.Response
	s := "reply"
	if r.Kind() == callback.KindUndeliverable {
		s = "notice of failed delivery"
	}
	if r.Message.Channel != "" {
		s = r.Message.Channel + " " + s
	}
	f := &r.From
	who := 0
	for _, part := range []string{f.Name, f.Mobile, f.Email} {
		if part == "" {
			continue
		}
		if who == 0 {
			s += " from"
		}
		s += " " + part
		who++
	}
	if r.Message.Content != "" {
		s += `: "` + callback.Sanitize(r.Message.Content, 200) + `"`
	}
	return s
}

// belongs says what a response belongs to: the message that it answers, and
// what its sender put on it.
func belongs(r *callback.Response) string {
	var parts []string
	if r.MessageID != "" {
		parts = append(parts, "message "+r.MessageID)
	}
	for _, p := range r.Params {
		parts = append(parts, callback.Sanitize(p.Key, 60)+"="+callback.Sanitize(p.Value, 60))
	}
	return strings.Join(parts, "   ")
}

// happened is one line of a call's history.
type happened struct {
	at   time.Time
	what string
	role Role
}

// history tells what happened to a call, oldest first.
func history(v *callback.CallView) []happened {
	out := []happened{{v.Enqueued, "received", RoleText}}
	if v.Enqueued.IsZero() {
		out[0].at = v.ID.Time()
	}
	for i := range v.Attempts {
		a := &v.Attempts[i]
		by := ""
		if a.Manual {
			by = ", asked for by hand,"
		}
		end := a.Started.Add(a.Duration)
		if a.OK {
			out = append(out, happened{end, fmt.Sprintf("attempt %d%s succeeds: %s", a.Number, by, outcome(a)), RoleOK})
			continue
		}
		out = append(out, happened{end, fmt.Sprintf("attempt %d%s fails: %s", a.Number, by, outcome(a)), RoleText})
	}
	if r := v.Run; r != nil {
		out = append(out, happened{r.Since, fmt.Sprintf("attempt %d begins", v.Entry.Attempts+1), RoleText})
	}
	switch v.State {
	case callback.StateResolved:
		out = append(out, happened{v.Finished, "resolved by " + orNobody(v.ResolvedBy), RoleOK})
	case callback.StateGaveUp:
		out = append(out, happened{v.Finished, "given up: " + v.Reason.String(), RoleDown})
	case callback.StateCancelled:
		out = append(out, happened{v.Finished, "cancelled: its callback was deleted", RoleDown})
	case callback.StateScheduled, callback.StateRetrying:
		out = append(out, happened{v.Due, fmt.Sprintf("attempt %d is due", v.Entry.Attempts+1), RoleDim})
	}
	return out
}

func orNobody(s string) string {
	if s == "" {
		return "an operator"
	}
	return s
}
