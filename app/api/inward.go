package api

import (
	"slices"
	"time"

	"ringback/callback"
)

// This file turns shapes that a Client received into the domain's values. Words
// that it does not know, of a newer server, become the zero value.

func at(s stamp) time.Time { return time.Time(s) }

func (s *callbackShape) domain() callback.Health {
	h := callback.Health{Callback: callback.Callback{
		ID: s.ID, Version: s.Version, Name: s.Name, URL: s.URL, Email: s.Email, Description: s.Description,
		RemoveHTML: s.RemoveHTML == "enabled", Retries: s.RetriesEnabled,
		NoReplies: s.Callbacks.Reply == "disabled", NoUndelivers: s.Callbacks.Undeliverable == "disabled",
		Alerts: s.Alerts, SigningSecret: callback.MaskedSecret(s.SigningSecret), PreviousSecret: callback.MaskedSecret(s.PreviousSigningSecret),
		MaxInFlight: s.MaxInFlight, RatePerSecond: s.RatePerSecond, Ordered: s.Ordered, CA: s.CA, Headers: s.Headers,
		CreatedAt: at(s.CreatedAt), UpdatedAt: at(s.UpdatedAt),
	}}
	h.ConnectTimeout, _ = time.ParseDuration(s.ConnectTimeout)   // "" is none
	h.ResponseTimeout, _ = time.ParseDuration(s.ResponseTimeout) // likewise
	if s.ContentType == callback.XML.String() {
		h.ContentType = callback.XML
	}
	if s.Auth != nil && s.Auth.Type != nil {
		h.Auth.Type, _ = callback.ParseAuthType(*s.Auth.Type)
	}
	if s.Auth != nil && s.Auth.Key != nil {
		h.Auth.Key = callback.MaskedSecret(*s.Auth.Key)
	}
	h.Live.State, _ = callback.ParseState(s.State)
	h.Live.Since = at(s.StateSince)
	if s.Health != nil {
		s.Health.into(&h)
	}
	return h
}

func (s *healthShape) into(h *callback.Health) {
	state, _ := callback.ParseState(s.State)
	h.Live = callback.Live{
		State: state, Since: at(s.StateSince), Deleted: s.Deleted, Counts: callback.Counts(s.Counts),
		Gate: callback.Gate{
			Limit: s.Gate.Limit, Good: s.Gate.Good,
			OpenedAt: at(s.Gate.Opened), Probe: at(s.Gate.NextProbe), Last: at(s.Gate.Last),
		},
		Suspended: s.Suspended, SuspendedBy: s.SuspendedBy, SuspendedAt: at(s.SuspendedDate),
		SuspendedTotal: time.Duration(s.SuspendedMs), ResumedAt: at(s.ResumedDate),
		LastSuccess: at(s.LastSuccessDate), LastFailure: at(s.LastFailureDate), Running: s.Running, Manual: s.RunningManual,
	}
	for g := callback.Closed; g <= callback.Ramp; g++ {
		if g.String() == s.Gate.State {
			h.Live.Gate.State = g
		}
	}
	if s.Outage != nil {
		h.Live.Outage = s.Outage.domain()
	}
	if r := s.Retry; r != nil {
		h.Live.Requeued = callback.Requeued{
			Began: at(r.Began), Last: at(r.Last), Calls: r.Calls, Delivered: r.Delivered, Failed: r.Failed, Resolved: r.Resolved, Once: r.Once,
		}
	}
	if e := s.LastError; e != nil {
		h.Live.LastClass, _ = callback.ParseClass(e.Class)
		h.Live.LastCode, h.Live.LastError = e.StatusCode, e.Message
	}
	h.NextTick, h.ExpireAt = at(s.NextTickDate), at(s.ExpireDate)
}

func (s *outageState) domain() callback.OutageState {
	first, _ := callback.ParseClass(s.First.Class)
	return callback.OutageState{
		Phase: callback.OutagePhase(max(slices.Index(phaseWords, s.Phase), 0)), N: s.Number,
		Started: at(s.StartedDate), Healthy: at(s.HealthyDate), Closed: at(s.ClosedDate),
		Failures: s.Failures, Calls: s.Calls, Delivered: s.Delivered, GivenUp: s.GivenUp,
		First: first, FirstCode: s.First.StatusCode, FirstText: s.First.Message, Acked: s.AcknowledgedBy,
	}
}

func (s *outageShape) domain() callback.OutageView {
	return callback.OutageView{
		Outage:     callback.Outage{Ended: at(s.Ended), OutageState: s.State.domain()},
		CallbackID: s.Callback.ID, Callback: s.Callback.Name, Alerts: alertsIn(s.Alerts),
	}
}

func alertsIn(list []alertView) []callback.Alert {
	var out []callback.Alert
	for i := range list {
		out = append(out, list[i].domain())
	}
	return out
}

func (s *alertView) domain() callback.Alert {
	a := callback.Alert{
		Key: callback.ParseAlertID(s.ID), Kind: s.Kind, Callback: s.CallbackID, Outage: s.Outage, Attempt: s.Attempt,
		Created: at(s.Created), Since: at(s.Since), Until: at(s.Until),
		Delivered: s.Delivered, StillFailed: s.StillFailed, GivenUp: s.GivenUp, Failures: s.Failures,
		To: s.To, Tries: s.Tries, Mails: s.Mails, Next: at(s.NextTry), Sent: at(s.Sent), Reply: s.Reply,
	}
	if s.CallID != nil {
		a.Call = *s.CallID
	}
	for st := callback.AlertWaiting; st <= callback.AlertExpired; st++ {
		if st.String() == s.Status {
			a.Status = st
		}
	}
	return a
}

func (s *attemptShape) domain() callback.Attempt {
	a := callback.Attempt{
		Number: s.Number, Started: at(s.AttemptedDate), Duration: time.Duration(s.DurationMs), OK: s.Error == nil,
		Code: s.StatusCode, Reason: s.StatusMessage, Reused: s.Reused, Peer: s.Peer, TLS: s.TLS, CertEnds: at(s.CertificateEnds),
		Excerpt: s.ResponseExcerpt, Manual: s.Manual,
		Timing: callback.Timing{
			DNS: time.Duration(s.Timing.DNS), Connect: time.Duration(s.Timing.Connect),
			TLS: time.Duration(s.Timing.TLS), FirstByte: time.Duration(s.Timing.FirstByte),
		},
	}
	if s.Error != nil {
		a.Class, _ = callback.ParseClass(s.Error.Class)
		a.Error = s.Error.Message
	}
	return a
}

func (s *callShape) domain() callback.CallView {
	v := callback.CallView{
		CallbackID: s.Callback.ID, Callback: s.Callback.Name, URL: s.Callback.URL,
		State: s.State, GivesUp: at(s.GiveUpDate), RequestBody: s.RequestBody,
	}
	v.Entry = callback.Entry{
		ID: s.ID, Attempts: s.AttemptCount, Enqueued: at(s.EnqueuedDate), Due: at(s.NextAttemptDate),
		FirstFailed: at(s.FirstFailedDate), Finished: at(s.FinishedDate), ResolvedBy: s.ResolvedBy,
		Running: s.Running, Manual: s.Manual,
	}
	for r := callback.NoReason; r <= callback.Damaged; r++ {
		if r.String() == s.Reason {
			v.Reason = r
		}
	}
	switch v.Reason { // it tells where the call stands: FAILED is what a waiting call reads as, too
	case callback.NoReason:
		v.Entry.Status = callback.Ready
	case callback.Delivered, callback.Resolved:
		v.Entry.Status = callback.Success
	default:
		v.Entry.Status = callback.Failed
	}
	v.Response = callback.Response{
		MessageID: s.MessageID, MessageLocation: s.MessageLocation, From: callback.From(s.From),
		Message: callback.Message(s.ResponseMessage), Params: s.CustomParameters,
		DeliverAt: at(s.DeliverAt), Key: s.IdempotencyKey,
	}
	v.Damaged = s.Damaged
	if r := s.Run; r != nil {
		v.Run = &callback.InFlight{Call: s.ID, CallbackID: s.Callback.ID, Callback: s.Callback.Name, Since: at(r.Since), Stage: r.Stage, To: r.To}
	}
	for i := range s.Attempts {
		a := s.Attempts[i].domain()
		v.Attempts = append(v.Attempts, a)
		v.LastAt, v.LastCode, v.LastClass = a.Started, a.Code, a.Class
	}
	return v
}

func (s *serverShape) domain() callback.Server {
	return callback.Server{
		Name: s.Name, Version: s.Version, ID: s.ID, Started: at(s.Started), Now: at(s.Now), DataDir: s.DataDir,
		Listen: s.Listen, MailServer: s.MailServer, Role: s.Role, ReadOnly: s.ReadOnly, Demo: s.Demo, Running: s.Running,
		MaxInFlight: s.MaxInFlight, Interval: time.Duration(s.IntervalMs), Window: time.Duration(s.WindowMs),
		Connect: time.Duration(s.ConnectTimeoutMs), Response: time.Duration(s.ResponseTimeoutMs), KeyHeader: s.KeyHeader, ClockDoubtful: s.ClockDoubtful,
	}
}

func (s *overviewShape) domain() callback.Overview {
	o := callback.Overview{
		Now: at(s.Now), Accepted: s.AcceptedPerSecond, Sent: s.SentPerSecond, Running: s.Running,
		Waiting: s.Waiting, DueNow: s.DueNow, MailOK: s.MailOK, MailNote: s.MailNote,
	}
	for i := range s.Callbacks {
		row := &s.Callbacks[i]
		v := callback.HealthView{
			Health: row.Callback.domain(), OK: row.OK, Bad: row.Bad,
			P50: time.Duration(row.P50), P95: time.Duration(row.P95), Oldest: at(row.Oldest), NextTry: at(row.NextTry), LastTry: row.LastTry,
		}
		v.Shown, _ = callback.ParseState(row.Shown)
		for _, c := range row.Cells {
			v.Cells = append(v.Cells, callback.Cell{OK: c[0], Bad: c[1]})
		}
		if row.Alert != nil {
			a := row.Alert.domain()
			v.Alert = &a
		}
		if row.Latest != nil {
			a := row.Latest.domain()
			v.Latest = &a
		}
		o.Callbacks = append(o.Callbacks, v)
	}
	for _, e := range s.Events {
		state, _ := callback.ParseState(e.State)
		o.Events = append(o.Events, callback.Event{At: at(e.At), Callback: e.Callback, State: state, Text: e.Text})
	}
	return o
}
