package tui

import (
	"ringback/callback"
)

// waits says what becomes of the calls that are not delivered yet, and how many
// nothing more will be done about.
func (d *desk) waits(h *callback.HealthView) string {
	s, lost := d.waiting(h), h.Live.Counts.Failed
	them := "them"
	if lost == 1 {
		them = "it"
	}
	switch n, sure := resent(h); {
	case lost == 0:
		return s
	case d.retrying(h.ID):
		return Count(lost) + " given up, some to be sent again. " + s
	case h.Live.Counts.Waiting() > 0 || !d.may(actRetryAll):
		return Count(lost) + " given up. " + s // in front, for the end may be cut
	case !sure || n != lost:
		return s + " " + Count(lost) + " given up: r sends again what this outage left."
	}
	return s + " " + Count(lost) + " given up: r sends " + them + " again, x resolves " + them + "."
}

// resent returns how many calls of a callback r sends again; false: how many is not
// known before they are counted, for it leaves out what was given up before the
// present outage.
func resent(h *callback.HealthView) (n uint64, sure bool) {
	l := &h.Live
	n = l.Counts.Retrying + l.Counts.Failed
	n -= min(l.Requeued.Waiting(), n) // asked for already
	return n, l.Outage.Phase == callback.NoOutage || l.Outage.N == 1 || l.Counts.Failed == 0
}

func (d *desk) waiting(h *callback.HealthView) string {
	l, now := &h.Live, d.now()
	n := l.Counts.Waiting()
	switch {
	case n == 0 && l.Outage.Phase != callback.NoOutage:
		return "No call is left to try it." // so it stays down whatever its endpoint does
	case n == 0:
		return "No call waits."
	case l.Suspended:
		limits, until := "their time limits stand", "z resumes it"
		if n == 1 {
			limits = "its time limit stands"
		}
		if !d.may(actSuspend) {
			until = "the callback is resumed"
		}
		return plural(n, "call") + " held, oldest " + Age(h.Oldest, now) + "; " + limits + " still until " + until + "."
	}
	verb, oldest := "wait", ", oldest "+Age(h.Oldest, now)
	if n == 1 {
		verb, oldest = "waits", ", "+Age(h.Oldest, now)+" old"
	}
	pace, until := d.tries(h)
	end := ""
	if until != "" {
		end = " first gives up "
	}
	switch held := l.Gate.State == callback.Open && n > 1; {
	case held && until != "":
		return plural(n, "call") + " wait behind one " + d.probe(h) + pace + "; oldest " + Age(h.Oldest, now) + "," + end + until + "."
	case held && h.Retries:
		return plural(n, "call") + " wait behind one " + d.probe(h) + pace + "; oldest " + Age(h.Oldest, now) + "."
	case held:
		return plural(n, "call") + " wait behind one " + d.probe(h) + "; oldest " + Age(h.Oldest, now) + pace + "."
	case until != "" && n > 1:
		end = "; first gives up "
	case until != "":
		end = "; given up "
	}
	tried, comma := "", "; "
	if l.Outage.Phase == callback.OutageOpen && !l.LastFailure.IsZero() {
		tried, comma = "; last try "+Age(l.LastFailure, now)+" ago", ", "
	}
	next, late := Countdown(h.NextTry, now)
	switch {
	case late && l.Running > 0:
		next = comma + "one is being tried"
	case late:
		next = comma + "next is " + next
	case next == absent:
		next = ""
	default:
		next = comma + "next " + next
	}
	return plural(n, "call") + " " + verb + oldest + tried + next + pace + end + until + "."
}

// tries says how often calls of a callback are tried, and until when.
func (d *desk) tries(h *callback.HealthView) (pace, until string) {
	each := " each"
	if h.Live.Counts.Waiting() == 1 {
		each = ""
	}
	switch {
	case !h.Retries && each == "":
		return ". Retries are off: it is tried once", ""
	case !h.Retries:
		return ". Retries are off: each is tried once", ""
	case h.Live.Requeued.Once >= h.Live.Counts.Waiting():
		if h.Live.Requeued.Once == 1 {
			return ", for one attempt: it had been given up", ""
		}
		return ", for one attempt each: they had been given up", ""
	case d.known && d.server.Interval > 0:
		pace = ", then every " + every(d.server.Interval) + " for " + every(d.server.Window) + each
	}
	if once := h.Live.Requeued.Once; once > 0 {
		pace += " (" + Count(once) + " that had been given up: once)"
	} else if h.LastTry && each == "" {
		pace = "; its " + every(d.server.Window) + " are over: one attempt"
	} else if h.LastTry {
		pace = "; those whose " + every(d.server.Window) + " are over get one attempt each"
	}
	if now := d.now(); !h.ExpireAt.IsZero() && h.ExpireAt.After(now) {
		until = d.clock.WhenShort(h.ExpireAt, now)
	}
	return pace, until
}
