package servicetest

import (
	"net/http"
	"strings"
	"testing"

	"ringback/callback"
)

func queueShape(t *testing.T, b *bench) {
	if s, err := b.svc.QueueShape(b.ctx); err != nil || s.Waiting != 0 || s.Held != 0 || len(s.Callbacks) != 0 || len(s.InFlight) != 0 {
		t.Fatalf("of nothing: %+v, %v", s, err)
	}
	h := b.callback("crm", retries)
	if err := b.svc.Suspend(b.ctx, "crm", "ana"); err != nil {
		t.Fatal(err)
	}
	b.enqueue(response("crm", "one"), response("crm", "two"), response("crm", "three"))
	s, err := b.svc.QueueShape(b.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if s.Waiting != 3 || s.Held != 3 || s.Partial || s.Due != [callback.DueBuckets]uint64{} || s.MaxInFlight == 0 || s.Counted.IsZero() {
		t.Errorf("three are held: %+v", s)
	}
	if len(s.Callbacks) != 1 {
		t.Fatalf("callbacks: %+v", s.Callbacks)
	}
	row := s.Callbacks[0]
	if row.CallbackID != h.ID || row.Callback != "crm" || row.State != callback.Suspended || !row.Held || row.Waiting != 3 || !row.GivesUp.IsZero() {
		t.Errorf("its row: %+v", row)
	}
}

func system(t *testing.T, b *bench) {
	b.callback("crm", nil)
	b.ended("crm", b.enqueue(response("crm", "one"))[0], 1)
	s, err := b.svc.System(b.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if s.Accepted.Peak != 1 || len(s.Accepted.Cells) != callback.QueueMinutes || len(s.Delivered.Cells) != callback.QueueMinutes {
		t.Errorf("accepted: %+v", s.Accepted)
	}
	if s.Storage.Calls != 1 || s.Process.PID == 0 || s.Process.Goroutines == 0 || s.Process.Cores == 0 || s.Now.IsZero() {
		t.Errorf("storage %+v, process %+v", s.Storage, s.Process)
	}
	if s.Mail.Server != "" || s.Mail.OK || s.Mail.Sent != 0 {
		t.Errorf("mail without a server: %+v", s.Mail)
	}
}

func logTells(t *testing.T, b *bench) {
	b.hook.answer(http.StatusBadGateway)
	b.callback("crm", func(d *callback.Draft) {
		retries(d)
		d.AuthType, d.AuthKey = ptr(callback.AuthQuery), ptr("canary-key")
	})
	id := b.enqueue(response("crm", "one"))[0]
	var all []callback.LogLine
	b.until("a line of the attempt that failed", func() bool {
		var err error
		if all, err = b.svc.Log(b.ctx, 0, 0); err != nil {
			t.Fatal(err)
		}
		for _, l := range all {
			if l.Call == id && l.Callback == "crm" && strings.Contains(l.Text, "502") {
				return true
			}
		}
		return false
	})
	for i, l := range all {
		if l.Seq == 0 || i > 0 && l.Seq != all[i-1].Seq+1 || l.At.IsZero() || l.Level == "" || strings.Contains(l.Text, "canary") {
			t.Errorf("line %d: %+v", i, l)
		}
	}
	last := all[len(all)-1]
	if got, err := b.svc.Log(b.ctx, 0, 1); err != nil || len(got) != 1 || got[0].Seq < last.Seq {
		t.Errorf("the last line: %+v, %v", got, err)
	}
	if got, err := b.svc.Log(b.ctx, last.Seq-1, 1); err != nil || len(got) != 1 || got[0] != last {
		t.Errorf("the line behind %d: %+v, %v; want %+v", last.Seq-1, got, err, last)
	}
	if got, err := b.svc.Log(b.ctx, last.Seq+1_000_000, 10); err != nil || len(got) != 0 {
		t.Errorf("behind the end: %+v, %v", got, err)
	}
}

func choresRefused(t *testing.T, b *bench) {
	b.wantCode("a test mail without a mail server", b.svc.Do(b.ctx, callback.ChoreMail, "ana"), callback.CodeConflict)
	b.wantCode("a backup where none can be written", b.svc.Do(b.ctx, callback.ChoreBackup, "ana"), callback.CodeConflict)
	b.wantCode("what nobody knows", b.svc.Do(b.ctx, "dance", "ana"), callback.CodeInvalid)
}
