package tui

import (
	"ringback/callback"
)

// callInWords returns a row of a list of calls as it is pasted into a message.
func (d *desk) callInWords(v *callback.CallView) string {
	at := v.Enqueued
	if at.IsZero() {
		at = v.ID.Time()
	}
	s := "call " + v.ID.String() + " to " + v.Callback + " of " + d.clock.Exact(at) + ": " + callMood(v, &asciiGlyphs).word + ", " + d.story(v)
	if who := sender(&v.Response); who != "" {
		s += "; from " + who
	}
	return s
}

// outageInWords returns an outage as it is pasted into a message.
func (d *desk) outageInWords(o *callback.OutageView) string {
	s := outageName(o) + ": from " + d.clock.Exact(o.OutageState.Started)
	if o.Phase != callback.OutageOpen {
		s += " to " + d.clock.Exact(endOf(o))
	}
	return s + ", " + d.lasted(o) + ", " + plural(o.Calls, "call") + "; " + o.FirstText
}
