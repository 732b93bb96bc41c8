package alert

import (
	"fmt"
	"strings"
	"time"

	"ringback/callback"
)

var (
	began = time.Date(2026, 3, 4, 9, 12, 4, 0, time.UTC)
	aedt  = time.FixedZone("AEDT", 11*3600)
	kinds = []callback.AlertKind{
		callback.AlertOutage, callback.AlertRecovered, callback.AlertDigest,
		callback.AlertCall, callback.AlertSummary, callback.AlertSuspended,
	}
)

const secretKey = "canary-s3cr3t-key"

func policy() callback.Policy {
	return callback.Policy{
		Retries: true, MaxInFlight: 16, Interval: 5 * time.Minute, Window: 24 * time.Hour, Jitter: 0.1,
		Mode: callback.ModeOutage, MaxPerHour: 60, Recovery: true, RecoveryAfter: 15 * time.Minute,
		DigestEvery: time.Hour, SuspendAfter: 72 * time.Hour,
	}
}

// writer is an engine that renders two minutes after the alert arose.
func writer(change func(*Options)) *Engine {
	o := Options{
		From: "ringback@example.com", Admin: "admin@example.com", Policy: policy(),
		PublicURL: "https://ringback.example.com/", Listen: "127.0.0.1:8480", Name: "gate-1.example.com",
		Now: func() time.Time { return began.Add(2 * time.Minute) }, Zone: aedt,
	}
	if change != nil {
		change(&o)
	}
	return New(o)
}

// story is all that one mail can be made from.
type story struct {
	alert callback.Alert
	h     callback.Health
	call  *callback.Call
}

func (s *story) facts(e *Engine) *facts { return e.gather(&s.alert, &s.h, s.call, s.h.Email, "") }

func plain(kind callback.AlertKind) *story {
	const num, id, callID = 7, callback.CallbackID(0x9A0CFE1122334455), callback.CallID(0x0002D7A1B4C00001)
	s := &story{
		alert: callback.Alert{
			Key: fmt.Sprintf("%s/%s/3", kind, id), Kind: kind, Num: num, Callback: id, Outage: 3,
			Created: began, Since: began, Next: began,
		},
		h: callback.Health{
			Callback: callback.Callback{
				Num: num, ID: id, Version: 1, Name: "crm-prod", URL: "https://crm.example.com/hook?tenant=4",
				Auth: callback.Auth{Type: callback.AuthQuery, Key: callback.NewSecret(secretKey, []byte("k"))}, Retries: true,
				Email: "ops@example.com", CreatedAt: began.Add(-900 * time.Hour),
			},
			Live: callback.Live{
				Num: num, Gate: callback.Gate{State: callback.Open, OpenedAt: began, Probe: began.Add(5 * time.Minute)},
				Outage: callback.OutageState{
					Phase: callback.OutageOpen, N: 3, Started: began, Failures: 1, Calls: 1,
					First: callback.ClassRefused, FirstText: "The connection was refused by 203.0.113.9:443.",
				},
				Counts: callback.Counts{Accepted: 1420, Pending: 13, Retrying: 1, Delivered: 1406},
				State:  callback.Down, Since: began, LastClass: callback.ClassRefused,
				LastError: "The connection was refused by 203.0.113.9:443.",
			},
		},
	}
	a := &s.alert
	switch kind {
	case callback.AlertOutage, callback.AlertCall:
		a.Call, a.Attempt = callID, 1
		s.call = call(callID)
	case callback.AlertRecovered:
		a.Since, a.Until = began.Add(-(2*time.Hour + 13*time.Minute)), began
		a.Failures, a.Delivered, a.StillFailed, a.GivenUp = 27, 1284, 1, 0
		s.h.Live.Gate, s.h.Live.State, s.h.Live.Outage.Phase = callback.Gate{}, callback.Healthy, callback.NoOutage
	case callback.AlertDigest:
		a.Since, a.Until, a.GivenUp = began.Add(-3*time.Hour), began, 1204
	case callback.AlertSummary:
		a.Since, a.Until, a.Failures = began.Truncate(time.Hour), began.Truncate(time.Hour).Add(time.Hour), 340
	case callback.AlertSuspended:
		a.Since, a.Failures, a.StillFailed = began.Add(-72*time.Hour), 861, 14
		s.h.Live.Suspended, s.h.Live.SuspendedAt, s.h.Live.State = true, began, callback.Suspended
	}
	return s
}

func call(id callback.CallID) *callback.Call {
	return &callback.Call{
		Entry: callback.Entry{
			ID: id, Num: 7, Status: callback.Ready, Attempts: 1, Enqueued: began.Add(-time.Second),
			Due: began.Add(5 * time.Minute), Window: began, FirstFailed: began,
		},
		Response: callback.Response{
			MessageID: "ABC4857BCCF484575FCA", MessageLocation: "https://api.example.com/messages/ABC4857BCCF484575FCA",
			From: callback.From{
				Name: "Fred Waters", MRI: "Fred_Waters.528798.Sandbox@contact.example.com",
				Mobile: "0430984567", Email: "fred@example.com", Voice: "0430984567",
			},
			Message: callback.Message{
				Channel: "SMS", Acknowledged: "09/01/13 13:22",
				Content: "Yes, I accept.\nWill I need to bring steel cap boots?",
			},
		},
		Attempts: []callback.Attempt{{
			Number: 1, Started: began.Add(-40 * time.Millisecond), Duration: 38 * time.Millisecond,
			Reason: "connection refused", Class: callback.ClassRefused,
			Error: "The connection was refused by 203.0.113.9:443.", Peer: "203.0.113.9:443",
		}},
	}
}

// evil steers terminals, mail headers, HTML and the direction of text.
const evil = "\x1b]0;owned\x07\x1b[31m\r\nBcc: all@example.com\r\n\r\n<script>alert(1)</script>{{.Name}}\u202egnp.exe\u2066\u009b2J\xff\x00\u200f%s\U000e0041"

// hostile is plain with every text that somebody else can choose set to evil.
// Some of it no front end lets in; the mail must not depend on that.
func hostile(kind callback.AlertKind) *story {
	s := plain(kind)
	s.h.Name, s.h.URL = "n"+evil, "https://crm.example.com/"+evil
	s.h.Live.LastError, s.h.Live.Outage.FirstText = "e"+evil, "f"+evil
	if s.call == nil {
		return s
	}
	r := &s.call.Response
	for _, field := range []*string{
		&r.MessageID, &r.MessageLocation, &r.From.Name, &r.From.MRI, &r.From.Mobile, &r.From.Email, &r.From.Voice,
		&r.Message.Channel, &r.Message.Acknowledged, &r.Message.Undeliverable,
	} {
		*field = "v" + evil
	}
	r.Message.Content = "-- \r\nringback says: \x1b[2J" + evil + "\u2028" + strings.Repeat("0123456789abcde\u00e9", 640)
	t := &s.call.Attempts[0]
	t.Class, t.Code, t.Reason, t.Error = callback.ClassStatus, 503, "r"+evil, "s"+evil
	t.Peer, t.TLS, t.Excerpt = "p"+evil, "t"+evil, "x"+evil
	return s
}
