package api

import (
	"context"
	"time"

	"ringback/callback"
)

func (f *fixed) QueueShape(context.Context) (callback.QueueShape, error) {
	s := callback.QueueShape{
		Now: clock("09:20:00"), Counted: clock("09:19:58"), Waiting: 5, Held: 3, Partial: true, More: 2, Running: 2, MaxInFlight: 512, FullSeconds: 7,
		Callbacks: []callback.QueueRow{{
			CallbackID: f.health.ID, Callback: "crm-prod", State: callback.Down, Held: true, Waiting: 3, Partial: true, GivesUp: clock("09:12:04").AddDate(0, 0, 1),
		}},
		InFlight: []callback.InFlight{
			{Call: 0x0328BA3200000001, CallbackID: f.health.ID, Callback: "crm-prod", Since: clock("09:19:47.6"), Stage: callback.StageAnswer, To: "192.0.2.44:443"},
			{CallbackID: f.health.ID, Callback: "crm-prod", Since: clock("09:19:59"), Stage: callback.StageDNS},
		},
		Flow: []callback.Flow{{At: clock("09:19:00"), In: 12, Out: 9, Left: 5}, {At: clock("09:20:00"), In: 1, Out: 1, Left: 5}},
	}
	for i := range s.Due {
		s.Due[i] = uint64(i)
	}
	for i := range s.Callbacks[0].Ages {
		s.Callbacks[0].Ages[i] = uint64(10 * i)
	}
	return s, nil
}

func (f *fixed) System(context.Context) (callback.System, error) {
	rate := callback.Throughput{Now: 142.5, Minute: 141, Hour: 139, Peak: 611, PeakAt: clock("08:30:00"), Cells: []float64{139, 142.5}}
	return callback.System{
		Now: clock("09:20:00"), Accepted: rate, Delivered: rate, Failed: callback.Throughput{Cells: []float64{0, 0}},
		Accept: callback.Digest{Count: 9, P50: 900 * time.Microsecond, P90: 2200 * time.Microsecond, P99: 4100 * time.Microsecond, Max: 31 * time.Millisecond},
		Commit: callback.Digest{Count: 4, P50: time.Millisecond, P90: time.Millisecond, P99: time.Millisecond, Max: time.Millisecond},
		Storage: callback.Storage{
			Dir: "ringback-data", Free: 81, Total: 100, Refuses: 2, Used: 18, Grows: -9, GrowsSince: clock("08:00:00"), LSM: 1, ValueLog: 15, Tables: []int{2, 0, 31}, Files: 40,
			Calls: 31204118, Oldest: clock("00:00:00"), KeepDone: 720 * time.Hour, KeepFailed: 8760 * time.Hour,
			Cleanup: callback.Cleanup{At: clock("03:10:00"), Took: 41 * time.Second, Removed: 340882},
		},
		Process: callback.Process{
			PID: 812, Version: "1.2.3", Started: clock("08:00:00"), CPU: 0.31, Cores: 2, RSS: 412, Heap: 201, Goroutines: 611, Files: 402, MaxFiles: 65536, FewFiles: true,
			GCPause: 400 * time.Microsecond, ClockDoubtful: true,
			Starts: []callback.Start{{At: clock("08:00:00"), Version: "1.2.3", Interrupted: 17}, {At: clock("07:00:00"), Ended: clock("07:30:00"), Version: "1.2.2"}},
		},
		Mail: callback.MailState{
			Server: "mail.example.com:587", Note: "it is down", Sent: 5, LastSent: clock("09:12:06"), Waiting: 1, Failed: 2, CertEnds: clock("00:00:00").AddDate(0, 5, 0),
		},
		API: callback.APIState{Listen: "127.0.0.1:8480", Answers: []callback.AnswerCount{{Status: 202, Count: 8431}, {Status: 400, Count: 2}}, Keys: []string{"portal"}},
		Viewers: []callback.Viewer{
			{By: "ana", Role: callback.RoleAdmin, Embedded: true, Since: clock("09:00:00")},
			{By: "jo", From: "10.0.0.9:4711", Role: callback.RoleRead, ReadOnly: true, Since: clock("09:10:00")},
		},
		Chores: []callback.ChoreRun{
			{Chore: callback.ChoreGarbage, Started: clock("09:10:00"), Ended: clock("09:10:04"), OK: true, Said: "12 bytes given back", Bytes: 12},
			{Chore: callback.ChoreMail, By: "ana", Started: clock("09:19:59")},
		},
	}, nil
}

func (f *fixed) Log(_ context.Context, after uint64, max int) ([]callback.LogLine, error) {
	lines := []callback.LogLine{
		{Seq: 4711, At: clock("09:12:04"), Level: callback.LevelError, Part: "outage", Text: "down: Connection refused", Callback: "crm-prod"},
		{Seq: 4712, At: clock("09:12:06"), Level: callback.LevelWarn, Part: "delivery", Text: "attempt 1: 503", Callback: "crm-prod", Call: 0x0328BA3200000001},
		{Seq: 4713, At: clock("09:13:00"), Level: callback.LevelInfo, Text: "operation ended", Operation: "resolve-2026-03-01"},
	}
	return lines[:min(max, len(lines))], nil
}

func (f *fixed) Do(context.Context, callback.Chore, string) error { return nil }
