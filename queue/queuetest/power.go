package queuetest

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"ringback/callback"
)

// Power is a machine whose power can be cut.
type Power struct {
	Dir string // lies on its disk
	// Cut cuts it: from then on nothing reaches the disk, and what was not synced is
	// gone. Back brings it back; no process uses the disk meanwhile.
	Cut, Back func(tb testing.TB)
}

// worked is how many lines a child says at most before the power is cut.
const worked = 20_000

// cut cuts the power under a child, which may notice and end by itself.
func (p *Power) cut(t *testing.T, cmd *exec.Cmd) {
	p.Cut(t)
	killed(t, cmd)
}

// PowerCuts is Crash on a machine whose power is cut: nothing that was acknowledged
// is lost.
func PowerCuts(t *testing.T, rounds int, p *Power, spawn func(dir string) *exec.Cmd, open func(tb testing.TB, dir string, now time.Time) callback.Store) {
	crash(t, rounds, p.Dir, worked, spawn, p.cut, func(tb testing.TB, dir string, now time.Time) callback.Store {
		p.Back(tb)
		return open(tb, dir, now)
	})
}

// PowerLoss cuts the power once under an engine that syncs nothing, and returns how
// many calls were acknowledged, and how many of them are lost: none would mean that
// the machine keeps what it should lose. open may fail, for the folder may be
// damaged: then all are.
func PowerLoss(t *testing.T, p *Power, cmd *exec.Cmd, open func(dir string, now time.Time) (callback.Store, error)) (acknowledged, lost int) {
	l := newLog()
	l.run(t, cmd, worked, p.cut)
	p.Back(t)
	s, err := open(p.Dir, time.Now().UTC().Truncate(time.Millisecond))
	if err != nil {
		t.Logf("it does not open: %v", err)
		return len(l.known), len(l.known)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	for id, k := range l.known {
		if _, err := s.Call(context.Background(), k.num, id); err != nil {
			lost++
		}
	}
	return len(l.known), lost
}
