package api

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"ringback/callback"
)

// QueueShape implements callback.Inspector.
func (c *Client) QueueShape(ctx context.Context) (callback.QueueShape, error) {
	var s queueShape
	err := c.call(ctx, exchange{method: "GET", path: "/queue", answer: &s})
	return s.domain(), err
}

// System implements callback.Inspector.
func (c *Client) System(ctx context.Context) (callback.System, error) {
	var s systemShape
	err := c.call(ctx, exchange{method: "GET", path: "/system", answer: &s})
	return s.domain(), err
}

// Log implements callback.Inspector.
func (c *Client) Log(ctx context.Context, after uint64, max int) ([]callback.LogLine, error) {
	if max <= 0 || max > callback.KeptLines {
		max = callback.KeptLines
	}
	q := url.Values{"limit": {strconv.Itoa(max)}}
	if after > 0 {
		q.Set("after", strconv.FormatUint(after, 10))
	}
	var s logShape
	if err := c.call(ctx, exchange{method: "GET", path: "/log", query: q, answer: &s}); err != nil {
		return nil, err
	}
	lines := make([]callback.LogLine, len(s.Lines))
	for i := range s.Lines {
		lines[i] = s.Lines[i].domain()
	}
	return lines, nil
}

// Do implements callback.Caretaker.
func (c *Client) Do(ctx context.Context, chore callback.Chore, by string) error {
	for name, known := range choreNames {
		if known == chore {
			return c.call(ctx, exchange{method: "POST", path: "/system/" + name, header: actor(by)})
		}
	}
	return callback.NoChore(chore)
}

func (s *queueShape) domain() callback.QueueShape {
	out := callback.QueueShape{
		Now: at(s.Now), Counted: at(s.Counted), Waiting: s.Waiting, Held: s.Held, Partial: s.Partial,
		More: s.More, Running: s.Running, MaxInFlight: s.MaxInFlight, FullSeconds: s.FullSeconds,
	}
	copy(out.Due[:], s.Due)
	for i := range s.Callbacks {
		r := &s.Callbacks[i]
		row := callback.QueueRow{
			CallbackID: r.Callback.ID, Callback: r.Callback.Name, Held: r.Held, Waiting: r.Waiting, Partial: r.Partial, GivesUp: at(r.GivesUp),
		}
		row.State, _ = callback.ParseState(r.State)
		copy(row.Ages[:], r.Ages)
		out.Callbacks = append(out.Callbacks, row)
	}
	for i := range s.InFlight {
		f := &s.InFlight[i]
		out.InFlight = append(out.InFlight, callback.InFlight{
			Call: callIn(f.CallID), CallbackID: f.Callback.ID, Callback: f.Callback.Name, Since: at(f.Since), Stage: f.Stage, To: f.To,
		})
	}
	for _, f := range s.Flow {
		out.Flow = append(out.Flow, callback.Flow{At: at(f.At), In: f.In, Out: f.Out, Left: f.Left})
	}
	return out
}

func callIn(id *callback.CallID) callback.CallID {
	if id == nil {
		return 0
	}
	return *id
}

func (s *throughputShape) domain() callback.Throughput {
	return callback.Throughput{Now: s.Now, Minute: s.Minute, Hour: s.Hour, Peak: s.Peak, PeakAt: at(s.PeakAt), Cells: s.Cells}
}

func (s *digestShape) domain() callback.Digest {
	return callback.Digest{
		Count: s.Count, P50: time.Duration(s.P50), P90: time.Duration(s.P90), P99: time.Duration(s.P99), Max: time.Duration(s.Max),
	}
}

func (s *systemShape) domain() callback.System {
	out := callback.System{
		Now:      at(s.Now),
		Accepted: s.Accepted.domain(), Delivered: s.Delivered.domain(), Failed: s.Failed.domain(),
		Accept: s.Accept.domain(), Commit: s.Commit.domain(), Lag: s.Lag.domain(), Answer: s.Answer.domain(),
		Storage: s.Storage.domain(), Process: s.Process.domain(),
		Mail: callback.MailState{
			Server: s.Mail.Server, OK: s.Mail.OK, Note: s.Mail.Note, Sent: s.Mail.Sent, LastSent: at(s.Mail.LastSent),
			Waiting: s.Mail.Waiting, Failed: s.Mail.Failed, CertEnds: at(s.Mail.CertEnds),
		},
		API: callback.APIState{Listen: s.API.Listen, Keys: s.API.Keys},
	}
	for _, a := range s.API.Answers {
		out.API.Answers = append(out.API.Answers, callback.AnswerCount(a))
	}
	for i := range s.Viewers {
		v := &s.Viewers[i]
		out.Viewers = append(out.Viewers, callback.Viewer{
			By: v.By, From: v.From, Role: v.Role, ReadOnly: v.ReadOnly, Embedded: v.Embedded, Since: at(v.Since),
		})
	}
	for i := range s.Chores {
		c := &s.Chores[i]
		out.Chores = append(out.Chores, callback.ChoreRun{
			Chore: c.Chore, By: c.By, Started: at(c.Started), Ended: at(c.Ended), OK: c.OK, Said: c.Said, Bytes: c.Bytes,
		})
	}
	return out
}

func (s *storageShape) domain() callback.Storage {
	return callback.Storage{
		Dir: s.Dir, Free: s.Free, Total: s.Total, Refuses: s.Refuses, Used: s.Used, Grows: s.Grows, GrowsSince: at(s.GrowsSince),
		LSM: s.LSM, ValueLog: s.ValueLog, Tables: s.Tables, Files: s.Files, Calls: s.Calls, Oldest: at(s.Oldest),
		KeepDone: time.Duration(s.KeepDoneMs), KeepFailed: time.Duration(s.KeepFailedMs),
		Cleanup: callback.Cleanup{At: at(s.Cleaned), Took: time.Duration(s.CleanupMs), Removed: s.Removed},
	}
}

func (s *processShape) domain() callback.Process {
	p := callback.Process{
		PID: s.PID, Version: s.Version, Started: at(s.Started), CPU: -1, Cores: s.Cores, RSS: s.RSS, Heap: s.Heap,
		Goroutines: s.Goroutines, Files: s.Files, MaxFiles: s.MaxFiles, FewFiles: s.FewFiles, GCPause: time.Duration(s.GCPauseMs), ClockDoubtful: s.ClockDoubtful,
	}
	if s.CPU != nil {
		p.CPU = *s.CPU
	}
	for i := range s.Starts {
		t := &s.Starts[i]
		p.Starts = append(p.Starts, callback.Start{At: at(t.At), Ended: at(t.Ended), Version: t.Version, Interrupted: t.Interrupted})
	}
	return p
}

func (l *logLine) domain() callback.LogLine {
	return callback.LogLine{
		Seq: l.Seq, At: at(l.At), Level: l.Level, Part: l.Part, Text: l.Text, Callback: l.Callback,
		Call: callIn(l.CallID), Operation: l.Operation,
	}
}
