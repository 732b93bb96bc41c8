package tui

import (
	"fmt"
	"time"

	"ringback/callback"
)

// ago returns an instant before noon.
func ago(d time.Duration) time.Time { return noon.Add(-d) }

// clockAt returns an instant of noon's day, or of another one days before.
func clockAt(days, h, m, s int) time.Time {
	return time.Date(2026, 3, 3-days, h, m, s, 0, aest)
}

// idOf is the id of the n-th call, of noon and some milliseconds before it.
func idOf(back time.Duration, n int) callback.CallID {
	return callback.FirstCallID(ago(back)) + callback.CallID(n)
}

// cellsOf makes a last hour out of a pattern: # all failed, - all well,
// a digit that many tenths failed, . no calls.
func cellsOf(pattern string) []callback.Cell {
	var cells []callback.Cell
	for i := range hourCells {
		switch p := pattern[i*len(pattern)/hourCells]; {
		case p == '#':
			cells = append(cells, callback.Cell{Bad: 5})
		case p == '-':
			cells = append(cells, callback.Cell{OK: uint32(20 + i*7%31)})
		case p >= '1' && p <= '9':
			cells = append(cells, callback.Cell{OK: 10 * uint32('9'-p+1), Bad: 10 * uint32(p-'0')})
		default:
			cells = append(cells, callback.Cell{})
		}
	}
	return cells
}

// callbackSeed is one row of the fixture.
type callbackSeed struct {
	name     string
	shown    callback.State
	ok, bad  uint64
	cells    string
	waiting  uint64
	oldest   time.Duration
	next     time.Duration
	p50, p95 time.Duration
}

var seeds = []callbackSeed{
	{"airport-ops", callback.Healthy, 18400, 0, "-", 0, 0, 0, 41 * time.Millisecond, 96 * time.Millisecond},
	{"bank-otp-ack", callback.Healthy, 201300, 34, "-", 0, 0, 0, 12 * time.Millisecond, 44 * time.Millisecond},
	{"billing-eu", callback.Failing, 2147, 57, "-13-24-1-3-1", 12, 6*time.Minute + 2*time.Second, 41 * time.Second, 84 * time.Millisecond, 1900 * time.Millisecond},
	{"council-flood", callback.Healthy, 64, 0, ".-...-...-..", 0, 0, 0, 203 * time.Millisecond, 880 * time.Millisecond},
	{"crm-prod", callback.Down, 0, 311, "#", 1284, 4*time.Hour + 51*time.Minute, 130 * time.Second, 0, 0},
	{"fleet-xml", callback.Healthy, 4410, 0, "-", 0, 0, 0, 66 * time.Millisecond, 140 * time.Millisecond},
	{"hospital-roster", callback.Healthy, 9121, 0, "-", 0, 0, 0, 38 * time.Millisecond, 71 * time.Millisecond},
	{"incident-desk", callback.Healthy, 1093, 0, "-", 0, 0, 0, 55 * time.Millisecond, 132 * time.Millisecond},
	{"rail-disrupt", callback.Healthy, 33840, 30, "-", 0, 0, 0, 71 * time.Millisecond, 310 * time.Millisecond},
	{"sms-portal", callback.Suspended, 0, 0, ".", 310, 51 * time.Hour, 0, 0, 0},
	{"staging-echo", callback.Healthy, 0, 0, ".", 0, 0, 0, 0, 0},
	{"uni-alerts", callback.Healthy, 118, 0, ".-...-...-..", 0, 0, 0, 90 * time.Millisecond, 240 * time.Millisecond},
}

func callbackIDOf(name string) callback.CallbackID {
	id := callback.CallbackID(0xB384FD38DCB00000)
	for i, s := range seeds {
		if s.name == name {
			id += callback.CallbackID(i + 1)
		}
	}
	return id
}

func fixtureCallback(s callbackSeed) callback.HealthView {
	v := callback.HealthView{Shown: s.shown, OK: s.ok, Bad: s.bad, Cells: cellsOf(s.cells), P50: s.p50, P95: s.p95}
	v.ID, v.Name, v.Retries, v.Email = callbackIDOf(s.name), s.name, true, "noc@example.eu"
	v.URL, v.Version = "https://"+s.name+".example.com/in/whispir", 3
	v.Live.State, v.Live.Since, v.Live.LastSuccess = s.shown, clockAt(2, 10, 0, 0), ago(3*time.Second)
	v.Live.Counts = callback.Counts{Accepted: s.ok + s.bad + s.waiting, Pending: s.waiting, Delivered: s.ok}
	if s.shown == callback.Down {
		v.Live.Counts.Pending, v.Live.Counts.Retrying = 0, s.waiting
	}
	if s.oldest > 0 {
		v.Oldest = ago(s.oldest)
	}
	if s.next > 0 {
		v.NextTry = noon.Add(s.next)
	}
	return v
}

// newFake returns the service that the golden frames show.
func newFake() *fake {
	f := &fake{
		server: callback.Server{
			Name: "gw1", Version: "v0.1.0", ID: "5F0C6A1B", Started: clockAt(5, 8, 0, 0), Now: noon,
			DataDir: "/var/lib/ringback", Listen: "127.0.0.1:8480", MailServer: "mail.example.com:587",
			Interval: 5 * time.Minute, Window: 24 * time.Hour, Connect: 5 * time.Second, Response: time.Minute, KeyHeader: "X-Whispir-Callback-Key",
		},
		overview: callback.Overview{Accepted: 142.4, Sent: 140, Running: 17, Waiting: 1606, DueNow: 3, MailOK: true},
	}
	for _, s := range seeds {
		f.overview.Callbacks = append(f.overview.Callbacks, fixtureCallback(s))
	}
	f.fixOutages()
	f.overview.Events = []callback.Event{
		{At: clockAt(0, 13, 57, 25), Callback: "billing-eu", State: callback.Failing, Text: "failing: 503 Service Unavailable"},
		{At: clockAt(0, 11, 2, 19), Callback: "rail-disrupt", State: callback.Healthy, Text: "recovered after 14m08s; 902 calls delivered since it began"},
		{At: clockAt(0, 9, 12, 4), Callback: "crm-prod", State: callback.Down, Text: "DOWN: Connection refused: nothing listens on 203.0.113.9:443 (crm.example.com)."},
	}
	f.calls = fixtureCalls()
	f.fixInside()
	f.fixCauses()
	f.ops.preview = failedCalls()
	f.fixEditing()
	return f
}

func (f *fake) health(name string) *callback.HealthView {
	for i := range f.overview.Callbacks {
		if f.overview.Callbacks[i].Name == name {
			return &f.overview.Callbacks[i]
		}
	}
	panic("no callback " + name)
}

const refusedText = "Connection refused: nothing listens on 203.0.113.9:443 (crm.example.com)."

// fixOutages puts the outages in, and what the callbacks know of them.
func (f *fake) fixOutages() {
	sent := func(kind callback.AlertKind, to string, at time.Time) callback.Alert {
		return callback.Alert{Kind: kind, To: to, Status: callback.AlertSent, Tries: 1, Created: at.Add(-2 * time.Second), Sent: at, Reply: "250 2.0.0 Ok: queued as 4F2C1"}
	}
	outage := func(name string, n uint32, from, to time.Time, calls uint64, class callback.Class, code int, text string, mails ...callback.Alert) callback.OutageView {
		o := callback.OutageView{CallbackID: callbackIDOf(name), Callback: name, Alerts: mails}
		o.OutageState = callback.OutageState{N: n, Started: from, Failures: calls * 3, Calls: calls, First: class, FirstCode: code, FirstText: text, Phase: callback.OutageOpen}
		if !to.IsZero() {
			o.Ended, o.Healthy, o.Closed, o.Phase = to, to, to.Add(15*time.Minute), callback.NoOutage
		}
		return o
	}
	none := time.Time{}
	f.outages = []callback.OutageView{
		outage("billing-eu", 9, clockAt(0, 13, 57, 25), none, 12, callback.ClassStatus, 503, "503 Service Unavailable: the endpoint answered with an error.", sent(callback.AlertOutage, "noc@example.eu", clockAt(0, 13, 57, 27))),
		outage("rail-disrupt", 4, clockAt(0, 10, 48, 11), clockAt(0, 11, 2, 19), 902, callback.ClassConnectTimeout, 0, "No connection within 5 s to 203.0.113.80:443; firewall or host down.",
			sent(callback.AlertRecovered, "rail@example.net", clockAt(0, 11, 17, 20)), sent(callback.AlertOutage, "rail@example.net", clockAt(0, 10, 48, 13))),
		outage("crm-prod", 40, clockAt(0, 9, 12, 4), none, 1284, callback.ClassRefused, 0, refusedText, sent(callback.AlertOutage, "ops@example.com", clockAt(0, 9, 12, 6))),
		outage("sms-portal", 2, clockAt(2, 11, 20, 40), none, 310, callback.ClassConnectTimeout, 0, "No connection within 5 s to 10.4.0.17:443; firewall or host down.",
			callback.Alert{Kind: callback.AlertOutage, To: "jo@exmaple.com", Status: callback.AlertRefused, Tries: 1, Created: clockAt(2, 11, 20, 41), Reply: "550 5.1.1 <jo@exmaple.com>: user unknown"}),
		outage("crm-prod", 39, clockAt(4, 3, 10, 40), clockAt(4, 3, 22, 51), 44, callback.ClassStatus, 503, "503 Service Unavailable: the endpoint answered with an error.", sent(callback.AlertOutage, "ops@example.com", clockAt(4, 3, 10, 44))),
		outage("uni-alerts", 1, clockAt(5, 17, 3, 0), clockAt(5, 17, 8, 49), 3, callback.ClassStatus, 404, "404: nothing is at the callback's path.",
			callback.Alert{Kind: callback.AlertOutage, To: "help@example.edu", Status: callback.AlertWaiting, Tries: 3, Next: noon.Add(7 * time.Minute), Created: clockAt(5, 17, 3, 2), Reply: "451 4.7.1 greylisted, try again later"}),
	}
	for i := len(f.outages) - 1; i >= 0; i-- {
		o := &f.outages[i]
		h := f.health(o.Callback)
		h.Live.Outage = o.OutageState
		if o.Phase == callback.OutageOpen {
			h.Live.Since, h.Live.LastError, h.Live.LastFailure = o.OutageState.Started, o.FirstText, ago(130*time.Second)
			h.Alert = &o.Alerts[0]
		}
	}
	crm := f.health("crm-prod")
	crm.Email, crm.URL, crm.Live.Gate.State = "ops@example.com", "https://crm.example.com/in/whispir", callback.Open
	crm.Auth = callback.Auth{Type: callback.AuthHeader, Key: callback.MaskedSecret("******#4f2a1b")}
	crm.ExpireAt = clockAt(-1, 9, 12, 4)
	f.health("billing-eu").Live.Counts.Failed = 3
	sms := f.health("sms-portal")
	sms.Live.Suspended, sms.Live.SuspendedBy, sms.Live.SuspendedAt, sms.Live.Since = true, "ana", clockAt(2, 11, 40, 0), clockAt(2, 11, 40, 0)
}

// callSeed is one call of the fixture.
type callSeed struct {
	back  time.Duration // before noon
	name  string
	state callback.CallState
	tries int
	code  int
	class callback.Class
	took  time.Duration
	from  string
	next  time.Duration
}

var callSeeds = []callSeed{
	{89 * time.Millisecond, "bank-otp-ack", callback.StateDelivered, 1, 200, 0, 12 * time.Millisecond, "Mei Tan", 0},
	{95 * time.Millisecond, "bank-otp-ack", callback.StateDelivered, 1, 200, 0, 14 * time.Millisecond, "", 0},
	{130 * time.Millisecond, "billing-eu", callback.StateRetrying, 1, 503, callback.ClassStatus, 84 * time.Millisecond, "Jonas Weber", 299 * time.Second},
	{134 * time.Millisecond, "rail-disrupt", callback.StateDelivered, 1, 200, 0, 70 * time.Millisecond, "(undeliverable)", 0},
	{141 * time.Millisecond, "council-flood", callback.StateDelivering, 0, 0, 0, 0, "Ivy Chan", 0},
	{198 * time.Millisecond, "airport-ops", callback.StateDelivered, 1, 200, 0, 41 * time.Millisecond, "Gate 14", 0},
	{210 * time.Millisecond, "crm-prod", callback.StateResolved, 58, 0, callback.ClassRefused, 3 * time.Millisecond, "Kim Lee", 0},
	{229 * time.Millisecond, "sms-portal", callback.StateGaveUp, 289, 0, callback.ClassConnectTimeout, 5 * time.Second, "Lou Reyes", 0},
	{232 * time.Millisecond, "fleet-xml", callback.StateDelivered, 1, 200, 0, 66 * time.Millisecond, "Truck 221", 0},
	{250 * time.Millisecond, "crm-prod", callback.StateHeld, 3, 0, callback.ClassRefused, 3 * time.Millisecond, "Fred Waters", 170 * time.Second},
	{256 * time.Millisecond, "bank-otp-ack", callback.StateDelivered, 1, 200, 0, 11 * time.Millisecond, "Omar Aziz", 0},
	{269 * time.Millisecond, "billing-eu", callback.StateScheduled, 0, 0, 0, 0, "Zoë Ng", 300 * time.Millisecond},
	{280 * time.Millisecond, "hospital-roster", callback.StateDelivered, 1, 200, 0, 38 * time.Millisecond, "陳大文", 0},
}

// fixtureCalls returns the calls of the seeds and, behind them, sixty of
// crm-prod a minute apart and a long tail of delivered ones.
func fixtureCalls() []callback.CallView {
	var out []callback.CallView
	for i, s := range callSeeds {
		out = append(out, fixtureCall(s, i))
	}
	people := []string{"Fred Waters", "Ana Souza", "陳大文", "Zoë Ng", "Kim Lee", "Priya Nair", "O'Hara, Sean"}
	for i := range 60 {
		out = append(out, fixtureCall(callSeed{
			time.Duration(i+1) * time.Minute, "crm-prod", callback.StateHeld, 1 + i/5, 0, callback.ClassRefused,
			3 * time.Millisecond, people[i%len(people)], time.Duration(10+i*7%290) * time.Second,
		}, i))
	}
	for i := range 400 {
		out = append(out, fixtureCall(callSeed{
			2*time.Hour + time.Duration(i)*time.Second, seeds[i%2].name, callback.StateDelivered, 1, 200, 0,
			time.Duration(10+i%40) * time.Millisecond, people[i%len(people)], 0,
		}, i))
	}
	return out
}

func fixtureCall(s callSeed, n int) callback.CallView {
	v := callback.CallView{CallbackID: callbackIDOf(s.name), Callback: s.name, State: s.state, URL: "https://crm.example.com/in/whispir"}
	v.ID = idOf(s.back, 15-n%16)
	v.Entry.Enqueued, v.Entry.Attempts = ago(s.back), s.tries
	v.Response = callback.Response{
		MessageID: "ABC4857BCCF484575FCA", MessageLocation: "https://api.example.com/messages/ABC4857BCCF484575FCA",
		From:    callback.From{Name: s.from, MRI: "Fred_Waters.528798.Sandbox@contact.example.com", Mobile: "+61 4xx xxx 210"},
		Message: callback.Message{Channel: "SMS", Acknowledged: "03/03/26 13:51", Content: "Yes, I accept. Will I need to bring steel cap boots?"},
	}
	if s.from == "(undeliverable)" {
		v.Response.Message.Acknowledged, v.Response.Message.Undeliverable = "", "03/03/26 13:51"
	}
	switch s.state {
	case callback.StateDelivered:
		v.Status, v.Reason, v.Finished = callback.Success, callback.Delivered, ago(s.back-s.took)
	case callback.StateResolved:
		v.Status, v.Reason, v.ResolvedBy, v.Finished = callback.Success, callback.Resolved, "ana", clockAt(0, 14, 2, 0)
	case callback.StateGaveUp:
		v.Status, v.Reason, v.Finished = callback.Failed, callback.Exhausted, ago(20*time.Second)
	case callback.StateDelivering:
		v.Running = true
	default:
		v.Due = noon.Add(s.next)
	}
	for i := max(s.tries-3, 0); i < s.tries; i++ {
		v.Attempts = append(v.Attempts, fixtureAttempt(s, i+1))
	}
	if a := last(&v); a != nil {
		v.LastAt, v.LastCode, v.LastClass = a.Started, a.Code, a.Class
	}
	if s.tries > 0 && v.Status == callback.Ready {
		v.FirstFailed = ago(s.back)
		v.GivesUp = v.FirstFailed.Add(24 * time.Hour)
	}
	return v
}

func fixtureAttempt(s callSeed, n int) callback.Attempt {
	a := callback.Attempt{
		Number: n, Started: ago(s.back + time.Duration(s.tries-n)*5*time.Minute), Duration: s.took, Code: s.code, Class: s.class,
		OK: s.code == 200, Peer: "203.0.113.9:443", Timing: callback.Timing{DNS: time.Millisecond, Connect: 2 * time.Millisecond},
	}
	switch s.class {
	case callback.ClassOK:
		a.Reason = "OK"
	case callback.ClassRefused:
		a.Reason, a.Error = "connection refused", refusedText
	case callback.ClassStatus:
		a.Reason, a.Error = "Service Unavailable", fmt.Sprintf("%d Service Unavailable: the endpoint answered with an error.", s.code)
		a.Excerpt, a.TLS = "<html><head><title>503 Service Temporarily Unavailable</title></head><body>", "TLS 1.3"
		a.Timing = callback.Timing{DNS: time.Millisecond, Connect: 9 * time.Millisecond, TLS: 21 * time.Millisecond, FirstByte: 53 * time.Millisecond}
	case callback.ClassConnectTimeout:
		a.Reason, a.Error, a.Peer = "connect timeout after 5s", "No connection within 5 s to 10.4.0.17:443; firewall or host down.", "10.4.0.17:443"
	}
	return a
}
