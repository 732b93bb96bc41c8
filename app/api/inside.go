package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"ringback/callback"
)

func (q *request) queueShape() error {
	s, err := q.svc.QueueShape(q.ctx())
	if err != nil {
		return err
	}
	return q.send(http.StatusOK, queueOf(&s))
}

func (q *request) system() error {
	s, err := q.svc.System(q.ctx())
	if err != nil {
		return err
	}
	return q.send(http.StatusOK, systemOf(&s))
}

// number returns a number of 64 bits, 0 where there is none.
func (q *query) number(name string) uint64 {
	s := q.one(name)
	if s == "" {
		return 0
	}
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil || strconv.FormatUint(v, 10) != s {
		q.fail(name, "must be a whole number")
	}
	return v
}

// choreNames are the last parts of the paths that begin chores.
var choreNames = map[string]callback.Chore{
	"collect-garbage": callback.ChoreGarbage,
	"backup":          callback.ChoreBackup,
	"mail":            callback.ChoreMail,
}

// do begins the chore that the path ends in.
func (q *request) do() error {
	path := q.r.URL.Path
	chore := choreNames[path[strings.LastIndexByte(path, '/')+1:]]
	if err := q.svc.Do(q.ctx(), chore, q.by()); err != nil {
		return err
	}
	return q.send(http.StatusAccepted, begunShape{chore})
}

func queueOf(s *callback.QueueShape) queueShape {
	out := queueShape{
		Now: stamp(s.Now), Counted: stamp(s.Counted), Waiting: s.Waiting, Held: s.Held, Due: s.Due[:], Partial: s.Partial,
		Callbacks: make([]queueRow, len(s.Callbacks)), More: s.More, Running: s.Running, MaxInFlight: s.MaxInFlight,
		InFlight: make([]inFlightShape, len(s.InFlight)), FullSeconds: s.FullSeconds, Flow: make([]flowShape, len(s.Flow)),
	}
	for i := range s.Callbacks {
		r := &s.Callbacks[i]
		out.Callbacks[i] = queueRow{
			Callback: namedShape{r.CallbackID, r.Callback}, State: r.State.String(), Held: r.Held, Waiting: r.Waiting,
			Ages: r.Ages[:], Partial: r.Partial, GivesUp: stamp(r.GivesUp),
		}
	}
	for i := range s.InFlight {
		f := &s.InFlight[i]
		out.InFlight[i] = inFlightShape{
			Callback: namedShape{f.CallbackID, f.Callback}, Since: stamp(f.Since), Stage: f.Stage, To: f.To, CallID: callOf(f.Call),
		}
	}
	for i, f := range s.Flow {
		out.Flow[i] = flowShape{stamp(f.At), f.In, f.Out, f.Left}
	}
	return out
}

// callOf returns a call that may be none.
func callOf(id callback.CallID) *callback.CallID {
	if id == 0 {
		return nil
	}
	return &id
}

func throughputOf(t *callback.Throughput) throughputShape {
	s := throughputShape{
		Now: finite(t.Now), Minute: finite(t.Minute), Hour: finite(t.Hour), Peak: finite(t.Peak), PeakAt: stamp(t.PeakAt),
		Cells: make([]float64, len(t.Cells)),
	}
	for i, c := range t.Cells {
		s.Cells[i] = finite(c)
	}
	return s
}

func digestOf(d *callback.Digest) digestShape {
	return digestShape{d.Count, millis(d.P50), millis(d.P90), millis(d.P99), millis(d.Max)}
}

func systemOf(s *callback.System) systemShape {
	out := systemShape{
		Now:      stamp(s.Now),
		Accepted: throughputOf(&s.Accepted), Delivered: throughputOf(&s.Delivered), Failed: throughputOf(&s.Failed),
		Accept: digestOf(&s.Accept), Commit: digestOf(&s.Commit), Lag: digestOf(&s.Lag), Answer: digestOf(&s.Answer),
		Storage: storageOf(&s.Storage), Process: processOf(&s.Process),
		Mail: mailShape{
			Server: s.Mail.Server, OK: s.Mail.OK, Note: s.Mail.Note, Sent: s.Mail.Sent, LastSent: stamp(s.Mail.LastSent),
			Waiting: s.Mail.Waiting, Failed: s.Mail.Failed, CertEnds: stamp(s.Mail.CertEnds),
		},
		API: apiShape{Listen: s.API.Listen, Answers: make([]answerShape, len(s.API.Answers)), Keys: slices.Clone(s.API.Keys)},
	}
	for i, a := range s.API.Answers {
		out.API.Answers[i] = answerShape(a)
	}
	out.Viewers = make([]viewerShape, len(s.Viewers))
	for i := range s.Viewers {
		v := &s.Viewers[i]
		out.Viewers[i] = viewerShape{v.By, v.From, v.Role, v.ReadOnly, v.Embedded, stamp(v.Since)}
	}
	out.Chores = make([]choreShape, len(s.Chores))
	for i := range s.Chores {
		c := &s.Chores[i]
		out.Chores[i] = choreShape{c.Chore, c.By, stamp(c.Started), stamp(c.Ended), c.OK, c.Said, c.Bytes}
	}
	return out
}

func storageOf(s *callback.Storage) storageShape {
	return storageShape{
		Dir: s.Dir, Free: s.Free, Total: s.Total, Refuses: s.Refuses, Used: s.Used, Grows: s.Grows, GrowsSince: stamp(s.GrowsSince),
		LSM: s.LSM, ValueLog: s.ValueLog, Tables: s.Tables, Files: s.Files, Calls: s.Calls, Oldest: stamp(s.Oldest),
		KeepDoneMs: millis(s.KeepDone), KeepFailedMs: millis(s.KeepFailed),
		Cleaned: stamp(s.Cleanup.At), CleanupMs: millis(s.Cleanup.Took), Removed: s.Cleanup.Removed,
	}
}

func processOf(p *callback.Process) processShape {
	s := processShape{
		PID: p.PID, Version: p.Version, Started: stamp(p.Started), Cores: p.Cores, RSS: p.RSS, Heap: p.Heap, Goroutines: p.Goroutines,
		Files: p.Files, MaxFiles: p.MaxFiles, FewFiles: p.FewFiles, GCPauseMs: millis(p.GCPause), ClockDoubtful: p.ClockDoubtful, Starts: make([]startShape, len(p.Starts)),
	}
	if cpu := finite(p.CPU); cpu >= 0 {
		s.CPU = &cpu
	}
	for i := range p.Starts {
		t := &p.Starts[i]
		s.Starts[i] = startShape{stamp(t.At), stamp(t.Ended), t.Version, t.Interrupted}
	}
	return s
}

func logLineOf(l *callback.LogLine) logLine {
	return logLine{l.Seq, stamp(l.At), l.Level, l.Part, l.Text, l.Callback, callOf(l.Call), l.Operation}
}
