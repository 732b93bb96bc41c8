package queue

import (
	"time"

	"ringback/callback"
)

// encodePayload writes a response together with when it was enqueued.
func encodePayload(r *callback.Response, num callback.Num, at time.Time) []byte {
	return appendPayload(make([]byte, 0, 256+len(r.Message.Content)), r, num, at)
}

// appendPayload is encodePayload behind what stands in b.
func appendPayload(b []byte, r *callback.Response, num callback.Num, at time.Time) []byte {
	w := appendWriter(b)
	w.uint(uint64(num))
	w.time(at)
	w.time(r.DeliverAt)
	f, m := &r.From, &r.Message
	for _, s := range [...]string{
		r.Key, r.MessageID, r.MessageLocation, f.Name, f.MRI, f.Mobile, f.Email, f.Voice,
		m.Channel, m.Acknowledged, m.Undeliverable, m.Content,
	} {
		w.string(s)
	}
	w.params(r.Params)
	return w.seal()
}

func decodePayload(b []byte) (r callback.Response, num callback.Num, at time.Time, err error) {
	rd := open(b)
	num, at = callback.Num(rd.uint()), rd.time()
	r.DeliverAt = rd.time()
	f, m := &r.From, &r.Message
	rd.share()
	for _, s := range []*string{
		&r.Key, &r.MessageID, &r.MessageLocation, &f.Name, &f.MRI, &f.Mobile, &f.Email, &f.Voice,
		&m.Channel, &m.Acknowledged, &m.Undeliverable, &m.Content,
	} {
		*s = rd.string()
	}
	r.Params = rd.params()
	return r, num, at, rd.err
}

func (w *writer) params(ps []callback.Param) {
	w.int(len(ps))
	for _, p := range ps {
		w.string(p.Key)
		w.string(p.Value)
	}
}

func (r *reader) params() []callback.Param {
	n := r.int()
	if r.err != nil || n < 0 || n > len(r.b) {
		return nil
	}
	var ps []callback.Param
	for range n {
		ps = append(ps, callback.Param{Key: r.string(), Value: r.string()})
	}
	return ps
}

// asEnqueued is the record of a call to which nothing happened since it was enqueued,
// and that is due at once: its id tells the rest. Nearly all calls that wait are such
// ones, and their record would be a third of all that is sorted of them.
var asEnqueued = []byte{0xe0}

func isAsEnqueued(e *callback.Entry) bool {
	rest := *e
	rest.Enqueued, rest.Due = time.Time{}, time.Time{}
	rest.Running, rest.Manual, rest.Extend = false, false, false
	at := ms(e.ID.Time())
	return rest == callback.Entry{ID: e.ID, Num: e.Num} && ms(e.Enqueued) == at && ms(e.Due) == at
}

// encodeEntry writes what an index holds of a call besides its id and callback,
// which stand in the key.
func encodeEntry(e *callback.Entry) []byte {
	if isAsEnqueued(e) {
		return asEnqueued
	}
	w := newWriter(64)
	w.entry(e)
	return w.seal()
}

// encodeKept writes the state of a call before an operation resolved it.
func encodeKept(k *callback.Kept) []byte {
	w := newWriter(72)
	w.entry(&k.Entry)
	w.time(k.At)
	return w.seal()
}

func (w *writer) entry(e *callback.Entry) {
	w.uint(uint64(e.Status))
	w.uint(uint64(e.Reason))
	w.int(e.Attempts)
	w.time(e.Enqueued)
	w.time(e.Due)
	w.time(e.Window)
	w.time(e.FirstFailed)
	w.time(e.Finished)
	w.bool(e.Second, e.Renew, e.Requeued)
	w.string(callback.Sanitize(e.ResolvedBy, 120))
	w.uint(uint64(e.Was))
	w.time(e.LastAt)
	w.int(e.LastCode)
	w.uint(uint64(e.LastClass))
}

func decodeEntry(b []byte, num callback.Num, id callback.CallID) (callback.Entry, error) {
	if string(b) == string(asEnqueued) {
		at := id.Time()
		return callback.Entry{ID: id, Num: num, Enqueued: at, Due: at}, nil
	}
	r := open(b)
	e := r.entry(num, id)
	return e, r.err
}

func decodeKept(b []byte, num callback.Num, id callback.CallID) (callback.Kept, error) {
	r := open(b)
	k := callback.Kept{Entry: r.entry(num, id), At: r.time()}
	return k, r.err
}

func (r *reader) entry(num callback.Num, id callback.CallID) callback.Entry {
	e := callback.Entry{
		ID: id, Num: num,
		Status: callback.Status(r.uint()), Reason: callback.Reason(r.uint()), Attempts: r.int(),
		Enqueued: r.time(), Due: r.time(), Window: r.time(), FirstFailed: r.time(), Finished: r.time(),
	}
	r.bool(&e.Second, &e.Renew, &e.Requeued)
	e.ResolvedBy = r.string()
	e.Was = callback.Reason(r.uint())
	e.LastAt, e.LastCode, e.LastClass = r.time(), r.int(), callback.Class(r.uint())
	return e
}

// encodeAttempt writes one attempt; before is when the one before it began.
func encodeAttempt(a *callback.Attempt, before time.Time) []byte {
	w := newWriter(96)
	w.time(a.Started)
	w.span(a.Duration)
	w.bool(a.OK, a.Reused, a.Manual)
	w.int(a.Code)
	w.uint(uint64(a.Class))
	t := &a.Timing
	for _, d := range []time.Duration{t.DNS, t.Connect, t.TLS, t.FirstByte} {
		w.span(d)
	}
	w.time(a.CertEnds)
	w.time(before)
	w.string(callback.Sanitize(a.TLS, 16))
	w.string(callback.Sanitize(a.Peer, 64))
	w.string(callback.Sanitize(a.Reason, callback.MaxReason))
	// What is left of an inline record is the sentence's.
	w.string(callback.Sanitize(a.Error, min(callback.MaxError, maxInline-len(w.b)-2)))
	return w.seal()
}

func decodeAttempt(b []byte, n int) (a callback.Attempt, before time.Time, err error) {
	r := open(b)
	a = callback.Attempt{Number: n, Started: r.time(), Duration: r.span()}
	r.bool(&a.OK, &a.Reused, &a.Manual)
	a.Code, a.Class = r.int(), callback.Class(r.uint())
	t := &a.Timing
	for _, d := range []*time.Duration{&t.DNS, &t.Connect, &t.TLS, &t.FirstByte} {
		*d = r.span()
	}
	a.CertEnds, before = r.time(), r.time()
	a.TLS, a.Peer, a.Reason, a.Error = r.string(), r.string(), r.string(), r.string()
	return a, before, r.err
}

func encodeCallback(cb *callback.Callback) []byte {
	w := newWriter(512)
	w.uint(uint64(cb.Num))
	w.uint(uint64(cb.ID))
	w.uint(cb.Version)
	for _, s := range []string{
		cb.Name, cb.URL, cb.Auth.Key.Reveal(), cb.Email, cb.Description, string(cb.Alerts),
		cb.SigningSecret.Reveal(), cb.PreviousSecret.Reveal(), cb.CA,
	} {
		w.string(s)
	}
	w.uint(uint64(cb.Auth.Type))
	w.uint(uint64(cb.ContentType))
	w.bool(cb.RemoveHTML, cb.Retries, cb.NoReplies, cb.NoUndelivers, cb.Ordered)
	w.int(cb.MaxInFlight)
	w.float(cb.RatePerSecond)
	w.span(cb.ConnectTimeout)
	w.span(cb.ResponseTimeout)
	w.params(cb.Headers)
	w.time(cb.CreatedAt)
	w.time(cb.UpdatedAt)
	w.time(cb.DeletedAt)
	return w.seal()
}

// decodeCallback reads a callback; secret makes its secrets.
func decodeCallback(b []byte, secret func(string) callback.Secret) (*callback.Callback, error) {
	r := open(b)
	cb := &callback.Callback{Num: callback.Num(r.uint()), ID: callback.CallbackID(r.uint()), Version: r.uint()}
	cb.Name, cb.URL = r.string(), r.string()
	cb.Auth.Key = secret(r.string())
	cb.Email, cb.Description, cb.Alerts = r.string(), r.string(), callback.AlertMode(r.string())
	cb.SigningSecret, cb.PreviousSecret, cb.CA = secret(r.string()), secret(r.string()), r.string()
	cb.Auth.Type, cb.ContentType = callback.AuthType(r.uint()), callback.ContentType(r.uint())
	r.bool(&cb.RemoveHTML, &cb.Retries, &cb.NoReplies, &cb.NoUndelivers, &cb.Ordered)
	cb.MaxInFlight, cb.RatePerSecond = r.int(), r.float()
	cb.ConnectTimeout, cb.ResponseTimeout = r.span(), r.span()
	cb.Headers = r.params()
	cb.CreatedAt, cb.UpdatedAt, cb.DeletedAt = r.time(), r.time(), r.time()
	return cb, r.err
}

func encodeAlert(a *callback.Alert) []byte {
	w := newWriter(160)
	w.string(a.Key)
	w.string(string(a.Kind))
	w.uint(uint64(a.Num))
	w.uint(uint64(a.Callback))
	w.uint(uint64(a.Outage))
	w.uint(uint64(a.Call))
	w.int(a.Attempt)
	for _, t := range []time.Time{a.Created, a.Since, a.Until, a.Next, a.Sent} {
		w.time(t)
	}
	for _, n := range []uint64{a.Delivered, a.StillFailed, a.GivenUp, a.Failures, uint64(a.Status), uint64(a.Tries)} {
		w.uint(n)
	}
	w.string(a.To)
	w.string(a.Reply)
	w.int(a.Mails)
	return w.seal()
}

func decodeAlert(b []byte) (callback.Alert, error) {
	r := open(b)
	a := callback.Alert{Key: r.string(), Kind: callback.AlertKind(r.string()), Num: callback.Num(r.uint())}
	a.Callback, a.Outage, a.Call, a.Attempt = callback.CallbackID(r.uint()), uint32(r.uint()), callback.CallID(r.uint()), r.int()
	for _, t := range []*time.Time{&a.Created, &a.Since, &a.Until, &a.Next, &a.Sent} {
		*t = r.time()
	}
	a.Delivered, a.StillFailed, a.GivenUp, a.Failures = r.uint(), r.uint(), r.uint(), r.uint()
	a.Status, a.Tries = callback.AlertStatus(r.uint()), r.int()
	a.To, a.Reply = r.string(), r.string()
	a.Mails = r.int()
	return a, r.err
}

func encodeOutage(o *callback.Outage) []byte {
	w := newWriter(128)
	w.uint(uint64(o.Num))
	w.time(o.Ended)
	w.outage(&o.OutageState)
	return w.seal()
}

func decodeOutage(b []byte) (callback.Outage, error) {
	r := open(b)
	o := callback.Outage{Num: callback.Num(r.uint()), Ended: r.time()}
	r.outage(&o.OutageState)
	return o, r.err
}

func (w *writer) outage(o *callback.OutageState) {
	w.uint(uint64(o.Phase))
	w.uint(uint64(o.N))
	w.time(o.Started)
	w.time(o.Healthy)
	w.time(o.Closed)
	for _, n := range []uint64{o.Failures, o.Calls, o.Delivered, o.GivenUp, uint64(o.First), uint64(o.FirstCode)} {
		w.uint(n)
	}
	w.string(o.FirstText)
	w.bool(o.Told)
	w.string(o.Acked)
}

func (r *reader) outage(o *callback.OutageState) {
	o.Phase, o.N = callback.OutagePhase(r.uint()), uint32(r.uint())
	o.Started, o.Healthy, o.Closed = r.time(), r.time(), r.time()
	o.Failures, o.Calls, o.Delivered, o.GivenUp = r.uint(), r.uint(), r.uint(), r.uint()
	o.First, o.FirstCode = callback.Class(r.uint()), r.int()
	o.FirstText = r.string()
	r.bool(&o.Told)
	o.Acked = r.string()
}

// encodeLive writes a live state, and what the engine itself notes of a callback.
func encodeLive(l *callback.Live, m *marks) []byte {
	w := newWriter(400)
	w.uint(uint64(l.Num))
	w.uint(m.xor)
	w.uint(uint64(m.skew))
	for _, s := range m.spans {
		w.uint(s.low)
		w.uint(s.top)
	}
	g := &l.Gate
	w.uint(uint64(g.State))
	w.int(g.Limit)
	w.int(g.Good)
	w.time(g.OpenedAt)
	w.time(g.Probe)
	w.time(g.Last)
	w.int(g.RowN)
	for _, id := range g.Row {
		w.uint(uint64(id))
	}
	w.outage(&l.Outage)
	c := &l.Counts
	for _, n := range []uint64{c.Accepted, c.Pending, c.Retrying, c.Delivered, c.Resolved, c.Failed, c.Purged, c.Skipped} {
		w.uint(n)
	}
	p := &l.Pacing
	w.uint(p.GivenUp)
	w.time(p.DigestAt)
	w.time(p.LastDigest)
	w.time(p.Hour)
	w.int(p.Sent)
	w.uint(p.Suppressed)
	w.bool(l.Suspended, l.Deleted)
	w.string(l.SuspendedBy)
	w.time(l.SuspendedAt)
	w.span(l.SuspendedTotal)
	w.time(l.ResumedAt)
	w.uint(uint64(l.State))
	w.time(l.Since)
	w.time(l.LastSuccess)
	w.time(l.LastFailure)
	w.string(l.LastError)
	w.uint(uint64(l.LastClass))
	w.int(l.LastCode)
	w.uint(uint64(l.OutagesPurged))
	w.uint(l.Attempts)
	w.uint(l.Good)
	for _, h := range m.heads {
		w.uint(h.due)
		w.uint(h.id)
	}
	again := &l.Requeued
	w.time(again.Began)
	w.time(again.Last)
	for _, n := range []uint64{again.Calls, again.Delivered, again.Failed, again.Resolved, again.Once} {
		w.uint(n)
	}
	return w.seal()
}

// decodeLive reads a live state. counted: attempts were counted when it was
// written, which an older ringback did not do.
func decodeLive(b []byte) (l callback.Live, m marks, counted bool, err error) {
	r := open(b)
	l.Num, m.xor, m.skew = callback.Num(r.uint()), r.uint(), callback.CallID(r.uint())
	for i := range m.spans {
		m.spans[i].low, m.spans[i].top = r.uint(), r.uint()
	}
	g := &l.Gate
	g.State, g.Limit, g.Good = callback.GateState(r.uint()), r.int(), r.int()
	g.OpenedAt, g.Probe, g.Last, g.RowN = r.time(), r.time(), r.time(), r.int()
	for i := range g.Row {
		g.Row[i] = callback.CallID(r.uint())
	}
	r.outage(&l.Outage)
	c := &l.Counts
	for _, n := range []*uint64{&c.Accepted, &c.Pending, &c.Retrying, &c.Delivered, &c.Resolved, &c.Failed, &c.Purged, &c.Skipped} {
		*n = r.uint()
	}
	p := &l.Pacing
	p.GivenUp, p.DigestAt, p.LastDigest, p.Hour = r.uint(), r.time(), r.time(), r.time()
	p.Sent, p.Suppressed = r.int(), r.uint()
	r.bool(&l.Suspended, &l.Deleted)
	l.SuspendedBy, l.SuspendedAt, l.SuspendedTotal, l.ResumedAt = r.string(), r.time(), r.span(), r.time()
	l.State, l.Since = callback.State(r.uint()), r.time()
	l.LastSuccess, l.LastFailure, l.LastError = r.time(), r.time(), r.string()
	l.LastClass, l.LastCode = callback.Class(r.uint()), r.int()
	l.OutagesPurged = uint32(r.uint())
	counted = len(r.b) > 0
	l.Attempts, l.Good = r.uint(), r.uint()
	for i := range m.heads {
		m.heads[i].due, m.heads[i].id = r.uint(), r.uint()
	}
	again := &l.Requeued
	again.Began, again.Last = r.time(), r.time()
	again.Calls, again.Delivered, again.Failed, again.Resolved = r.uint(), r.uint(), r.uint(), r.uint()
	again.Once = r.uint()
	return l, m, counted, r.err
}
