package tui

import (
	"context"
	"slices"
	"time"

	"ringback/callback"
)

// inside is what the fake tells of the appliance itself.
type inside struct {
	queue  callback.QueueShape
	system callback.System
	lines  []callback.LogLine
	denied error // of questions for the log
}

func (f *fake) QueueShape(context.Context) (callback.QueueShape, error) {
	if err := f.enter("QueueShape"); err != nil {
		return callback.QueueShape{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.inside.queue
	s.Callbacks = slices.Clone(s.Callbacks)
	return s, nil
}

func (f *fake) System(context.Context) (callback.System, error) {
	if err := f.enter("System"); err != nil {
		return callback.System{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.inside.system
	s.Chores = slices.Clone(s.Chores)
	return s, nil
}

func (f *fake) Log(_ context.Context, after uint64, _ int) ([]callback.LogLine, error) {
	if err := f.enter("Log"); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []callback.LogLine
	for _, l := range f.inside.lines {
		if l.Seq > after {
			out = append(out, l)
		}
	}
	return out, f.inside.denied
}

func (f *fake) Do(_ context.Context, c callback.Chore, by string) error {
	return f.act("%s by %s", c, by)
}

// logs adds a line to the log.
func (f *fake) logs(at time.Time, level callback.LogLevel, part, name string, call callback.CallID, text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := uint64(1)
	if k := len(f.inside.lines); k > 0 {
		n = f.inside.lines[k-1].Seq + 1
	}
	f.inside.lines = append(f.inside.lines, callback.LogLine{Seq: n, At: at, Level: level, Part: part, Callback: name, Call: call, Text: text})
}

// fixInside puts in what the appliance tells of itself.
func (f *fake) fixInside() {
	f.inside.queue = fixtureQueue()
	f.inside.system = fixtureSystem()
	for _, l := range []struct {
		at    time.Time
		level callback.LogLevel
		part  string
		name  string
		back  time.Duration // of its call; 0: none
		text  string
	}{
		{clockAt(0, 3, 10, 41), callback.LevelInfo, "upkeep", "", 0, "clean-up removed 340,882 calls in 41 s"},
		{clockAt(0, 9, 12, 4), callback.LevelError, "outage", "crm-prod", 0, "DOWN: connection refused"},
		{clockAt(0, 9, 12, 6), callback.LevelInfo, "mail", "crm-prod", 0, "outage #40 to ops@example.com: 250 2.0.0 Ok: queued as 4F2C1"},
		{clockAt(0, 10, 48, 11), callback.LevelError, "outage", "rail-disrupt", 0, "DOWN: no connection within 5 s"},
		{clockAt(0, 11, 2, 19), callback.LevelInfo, "outage", "rail-disrupt", 0, "recovered after 14m08s"},
		{clockAt(0, 12, 40, 3), callback.LevelInfo, "upkeep", "", 0, "value log gc freed 1.3 GiB in 4.1s"},
		{clockAt(0, 13, 20, 11), callback.LevelInfo, "api", "", 0, "viewer jo attached from 10.0.0.9, read-only"},
		{clockAt(0, 13, 57, 25), callback.LevelError, "outage", "billing-eu", 0, "failing: 503 Service Unavailable"},
		{clockAt(0, 14, 2, 41), callback.LevelInfo, "operation", "crm-prod", 0, `ana resolved 1 call, note "ticket 4471"`},
		{clockAt(0, 14, 3, 20), callback.LevelWarn, "delivery", "billing-eu", 8 * time.Minute, "attempt 3: 503 in 84ms, next 14:08:26; the endpoint answered with an error, and says to come again later"},
	} {
		id := callback.CallID(0)
		if l.back > 0 {
			id = idOf(l.back, 7)
		}
		f.logs(l.at, l.level, l.part, l.name, id, l.text)
	}
}

func fixtureQueue() callback.QueueShape {
	q := callback.QueueShape{
		Now: noon, Counted: noon, Waiting: 1606, Held: 310, Due: [...]uint64{0, 3, 214, 260, 271, 255, 276, 0},
		Running: 17, MaxInFlight: 512, FullSeconds: 0,
		Callbacks: []callback.QueueRow{
			{Callback: "crm-prod", State: callback.Down, Waiting: 1284, Ages: [...]uint64{27, 54, 210, 812, 181, 0, 0}, GivesUp: clockAt(-1, 9, 12, 4)},
			{Callback: "sms-portal", State: callback.Suspended, Held: true, Waiting: 310, Ages: [...]uint64{0, 0, 0, 0, 0, 12, 298}},
			{Callback: "billing-eu", State: callback.Failing, Waiting: 12, Ages: [...]uint64{12, 0, 0, 0, 0, 0, 0}, GivesUp: clockAt(0, 14, 57, 25)},
		},
	}
	for i := range q.Callbacks {
		q.Callbacks[i].CallbackID = callbackIDOf(q.Callbacks[i].Callback)
	}
	for _, r := range []struct {
		name  string
		since time.Duration
		stage callback.Stage
		to    string
	}{
		{"council-flood", 12400 * time.Millisecond, callback.StageAnswer, "192.0.2.44:443"},
		{"rail-disrupt", 60 * time.Millisecond, callback.StageBody, "198.51.100.31:443"},
		{"bank-otp-ack", 10 * time.Millisecond, callback.StageDNS, ""},
	} {
		q.InFlight = append(q.InFlight, callback.InFlight{
			Call: idOf(r.since, 3), CallbackID: callbackIDOf(r.name), Callback: r.name, Since: ago(r.since), Stage: r.stage, To: r.to,
		})
	}
	for i := range 50 {
		q.Flow = append(q.Flow, callback.Flow{At: ago(time.Duration(50-i) * time.Minute), In: uint64(8000 + i*37%600), Out: uint64(8000 + i*31%590), Left: uint64(900 + 14*i)})
	}
	return q
}

func fixtureSystem() callback.System {
	through := func(now, minute, hour, peak float64, at time.Time) callback.Throughput {
		t := callback.Throughput{Now: now, Minute: minute, Hour: hour, Peak: peak, PeakAt: at}
		for i := range callback.QueueMinutes {
			t.Cells = append(t.Cells, hour*(1+float64(i*7%11)/20))
		}
		return t
	}
	digest := func(p50, p90, p99, top float64) callback.Digest {
		ms := func(f float64) time.Duration { return time.Duration(f * float64(time.Millisecond)) }
		return callback.Digest{Count: 1000, P50: ms(p50), P90: ms(p90), P99: ms(p99), Max: ms(top)}
	}
	const gib = 1 << 30
	return callback.System{
		Now:       noon,
		Accepted:  through(142.4, 141, 139, 611, clockAt(0, 8, 30, 0)),
		Delivered: through(139, 138, 136, 598, clockAt(0, 8, 31, 0)),
		Failed:    through(0.42, 0.3, 0.2, 44, clockAt(0, 9, 12, 0)),
		Accept:    digest(0.9, 2.2, 4.1, 31), Commit: digest(0.6, 1.4, 2.9, 28), Lag: digest(1, 3, 6, 44), Answer: digest(14, 84, 880, 60000),
		Storage: callback.Storage{
			Dir: "/var/lib/ringback", Free: 100*gib - 182*gib/10, Total: 100 * gib, Refuses: 2 * gib, Used: 174 * gib / 10, Grows: 9 * gib / 10,
			GrowsSince: clockAt(3, 0, 0, 0), LSM: 11 * gib / 10, ValueLog: 159 * gib / 10, Tables: []int{2, 5, 31, 0, 0, 0, 0},
			Calls: 31204118, Oldest: clockAt(89, 0, 0, 0), KeepDone: 30 * 24 * time.Hour, KeepFailed: 365 * 24 * time.Hour,
			Cleanup: callback.Cleanup{At: clockAt(0, 3, 10, 0), Took: 41 * time.Second, Removed: 340882},
		},
		Process: callback.Process{
			PID: 812, Version: "v0.1.0", Started: ago(12*24*time.Hour + 4*time.Hour), CPU: 0.31, Cores: 2, RSS: 412 << 20, Heap: 201 << 20,
			Goroutines: 611, Files: 402, MaxFiles: 65536, GCPause: 400 * time.Microsecond,
			Starts: []callback.Start{
				{At: ago(12*24*time.Hour + 4*time.Hour), Version: "v0.1.0", Interrupted: 17},
				{At: clockAt(32, 22, 17, 0), Version: "v0.0.9"},
				{At: clockAt(60, 10, 1, 0), Ended: clockAt(32, 22, 16, 50), Version: "v0.0.9"},
			},
		},
		Mail: callback.MailState{Server: "mail.example.com:587", OK: true, Sent: 5, LastSent: clockAt(0, 13, 57, 27), Waiting: 1, Failed: 1, CertEnds: clockAt(-161, 0, 0, 0)},
		API:  callback.APIState{Listen: "127.0.0.1:8480", Answers: []callback.AnswerCount{{Status: 202, Count: 8431}, {Status: 400, Count: 2}}, Keys: []string{"whispir-in", "portal"}},
		Viewers: []callback.Viewer{
			{By: "ana", Role: callback.RoleAdmin, Embedded: true, Since: clockAt(0, 8, 0, 0)},
			{By: "jo", From: "10.0.0.9", Role: callback.RoleRead, ReadOnly: true, Since: clockAt(0, 13, 20, 0)},
		},
		Chores: []callback.ChoreRun{
			{Chore: callback.ChoreGarbage, Started: clockAt(0, 12, 40, 0), Ended: clockAt(0, 12, 40, 4), OK: true, Said: "freed 1.3 GiB", Bytes: 13 * gib / 10},
			{Chore: callback.ChoreBackup, By: "jo", Started: clockAt(1, 3, 0, 0), Ended: clockAt(1, 3, 3, 10), OK: true, Said: "17.4 GiB to backups/20260302.backup"},
		},
	}
}
