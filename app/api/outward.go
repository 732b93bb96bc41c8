package api

import (
	"math"

	"ringback/callback"
)

// This file turns the domain's values into shapes; inward.go the other way.

func attemptOf(a *callback.Attempt) attemptShape {
	s := attemptShape{
		Number: a.Number, AttemptedDate: stamp(a.Started), StatusCode: a.Code, StatusMessage: a.Reason,
		DurationMs: millis(a.Duration), Reused: a.Reused, Peer: a.Peer, TLS: a.TLS, CertificateEnds: stamp(a.CertEnds),
		ResponseExcerpt: a.Excerpt, Manual: a.Manual,
		Timing: timingShape{
			DNS: millis(a.Timing.DNS), Connect: millis(a.Timing.Connect),
			TLS: millis(a.Timing.TLS), FirstByte: millis(a.Timing.FirstByte),
		},
	}
	if !a.OK {
		s.Error = &errorShape{Class: a.Class.String(), Message: a.Error}
	}
	return s
}

func healthOf(h *callback.Health) *healthShape {
	l := &h.Live
	s := &healthShape{
		ID: h.ID, Name: h.Name, State: l.State.String(), StateSince: stamp(l.ShownSince()), Deleted: l.Deleted,
		Gate: gateShape{
			State: l.Gate.State.String(), Limit: l.Gate.Limit, Good: l.Gate.Good,
			Opened: stamp(l.Gate.OpenedAt), NextProbe: stamp(l.Gate.Probe), Last: stamp(l.Gate.Last),
		},
		Counts:    countsShape(l.Counts),
		Suspended: l.Suspended, SuspendedBy: l.SuspendedBy, SuspendedDate: stamp(l.SuspendedAt),
		SuspendedMs: millis(l.SuspendedTotal), ResumedDate: stamp(l.ResumedAt),
		LastSuccessDate: stamp(l.LastSuccess), LastFailureDate: stamp(l.LastFailure),
		Running: l.Running, RunningManual: l.Manual, NextTickDate: stamp(h.NextTick), ExpireDate: stamp(h.ExpireAt),
	}
	if l.Outage.N > 0 {
		o := outageStateOf(&l.Outage)
		s.Outage = &o
	}
	if r := &l.Requeued; r.Calls > 0 {
		s.Retry = &retryShape{
			Began: stamp(r.Began), Last: stamp(r.Last), Calls: r.Calls,
			Delivered: r.Delivered, Failed: r.Failed, Resolved: r.Resolved, Waiting: r.Waiting(), Once: r.Once,
		}
	}
	if !l.LastFailure.IsZero() {
		s.LastError = &errorShape{Class: l.LastClass.String(), StatusCode: l.LastCode, Message: l.LastError}
	}
	return s
}

// phaseWords are the words for a callback.OutagePhase.
var phaseWords = []string{"over", "open", "recovering"}

func outageStateOf(o *callback.OutageState) outageState {
	return outageState{
		Number: o.N, Phase: phaseWords[o.Phase], StartedDate: stamp(o.Started), HealthyDate: stamp(o.Healthy), ClosedDate: stamp(o.Closed),
		Failures: o.Failures, Calls: o.Calls, Delivered: o.Delivered, GivenUp: o.GivenUp,
		First:          errorShape{Class: o.First.String(), StatusCode: o.FirstCode, Message: o.FirstText},
		AcknowledgedBy: o.Acked,
	}
}

func outageOf(o *callback.OutageView) outageShape {
	return outageShape{
		ID: callback.OutageID(o.CallbackID.String(), o.N), Callback: namedShape{o.CallbackID, o.Callback},
		Ended: stamp(o.Ended), State: outageStateOf(&o.OutageState), Alerts: alertsOf(o.Alerts),
	}
}

func alertsOf(list []callback.Alert) []alertView {
	out := make([]alertView, len(list))
	for i := range list {
		out[i] = alertOf(&list[i])
	}
	return out
}

func alertOf(a *callback.Alert) alertView {
	v := alertView{
		ID: a.ID(), Kind: a.Kind, CallbackID: a.Callback, Outage: a.Outage, Attempt: a.Attempt,
		Created: stamp(a.Created), Since: stamp(a.Since), Until: stamp(a.Until),
		Delivered: a.Delivered, StillFailed: a.StillFailed, GivenUp: a.GivenUp, Failures: a.Failures,
		Status: a.Status.String(), To: a.To, Tries: a.Tries, Mails: a.Mails, NextTry: stamp(a.Next), Sent: stamp(a.Sent), Reply: a.Reply,
	}
	if a.Call != 0 {
		v.CallID = &a.Call
	}
	return v
}

func serverOf(s *callback.Server) serverShape {
	return serverShape{
		Name: s.Name, Version: s.Version, ID: s.ID, Started: stamp(s.Started), Now: stamp(s.Now), DataDir: s.DataDir,
		Listen: s.Listen, MailServer: s.MailServer, Role: s.Role, ReadOnly: s.ReadOnly, Demo: s.Demo, Running: s.Running,
		MaxInFlight: s.MaxInFlight, IntervalMs: millis(s.Interval), WindowMs: millis(s.Window),
		ConnectTimeoutMs: millis(s.Connect), ResponseTimeoutMs: millis(s.Response), KeyHeader: s.KeyHeader, ClockDoubtful: s.ClockDoubtful,
	}
}

// finite returns f, or 0 where it is not a number that can be written.
func finite(f float64) float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	return f
}

func (q *request) overviewOf(o *callback.Overview) overviewShape {
	s := overviewShape{
		Now: stamp(o.Now), AcceptedPerSecond: finite(o.Accepted), SentPerSecond: finite(o.Sent), Running: o.Running, Waiting: o.Waiting,
		DueNow: o.DueNow, MailOK: o.MailOK, MailNote: o.MailNote,
		Callbacks: make([]healthRow, len(o.Callbacks)), Events: make([]eventOutline, len(o.Events)),
	}
	for i := range o.Callbacks {
		v := &o.Callbacks[i]
		row := healthRow{
			Callback: q.callback(&v.Health, true), Shown: v.Shown.String(), OK: v.OK, Bad: v.Bad,
			Cells: make([][2]uint32, len(v.Cells)), P50: millis(v.P50), P95: millis(v.P95),
			Oldest: stamp(v.Oldest), NextTry: stamp(v.NextTry), LastTry: v.LastTry,
		}
		for j, c := range v.Cells {
			row.Cells[j] = [2]uint32{c.OK, c.Bad}
		}
		if v.Alert != nil {
			a := alertOf(v.Alert)
			row.Alert = &a
		}
		if v.Latest != nil {
			a := alertOf(v.Latest)
			row.Latest = &a
		}
		s.Callbacks[i] = row
	}
	for i, e := range o.Events {
		s.Events[i] = eventOutline{At: stamp(e.At), Callback: e.Callback, State: e.State.String(), Text: e.Text}
	}
	return s
}
