package queue

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// Plain is what Badger can do, and the ceiling that benchmarks hold an Engine
// against: one goroutine folds what waits into one transaction with one sync,
// each operation a response and a small index entry, with the engine's own
// options and nothing of what makes it a queue. OpenPlain makes one.
type Plain struct {
	db      *badger.DB
	payload []byte
	ops     chan chan error
	done    chan struct{} // closed when the writer has ended
	failed  atomic.Bool   // Badger logged that it could not write
	seq     uint64
}

// OpenPlain opens a folder of its own, whose operations write r.
func OpenPlain(dir string, r *callback.Response) (*Plain, error) {
	p := &Plain{payload: encodePayload(r, 1, time.Time{}), ops: make(chan chan error, 1024), done: make(chan struct{})}
	var err error
	p.db, err = openBadger(Options{Dir: dir, Log: slog.New(slog.DiscardHandler)}, func(string) { p.failed.Store(true) })
	if err != nil {
		return nil, err
	}
	go func() {
		defer close(p.done)
		for first := range p.ops {
			p.commit(first)
		}
	}()
	return p, nil
}

// Put writes one operation, and returns when it is durable. It may be called by
// several goroutines at once.
func (p *Plain) Put() error {
	done := make(chan error, 1)
	p.ops <- done
	return <-done
}

// Close ends it. Nothing may be put any more.
func (p *Plain) Close() error {
	close(p.ops)
	<-p.done
	return p.db.Close()
}

// commit writes what waits, first in front, as far as a commit of the engine
// would take it.
func (p *Plain) commit(first chan error) {
	t := p.db.NewTransaction(true)
	defer t.Discard()
	waiting := []chan error{first}
	err := p.set(t)
	for len(waiting) < 1024 && len(waiting)*len(p.payload) < groupBytes {
		next := p.next()
		if next == nil {
			break
		}
		waiting = append(waiting, next)
		if err == nil {
			err = p.set(t)
		}
	}
	if err == nil {
		err = t.Commit()
	}
	if err == nil && p.failed.Load() {
		err = badger.ErrDBClosed // it acknowledges after some errors that it only logs
	}
	for _, w := range waiting {
		w <- err
	}
}

// next returns an operation that waits already, or nil.
func (p *Plain) next() chan error {
	select {
	case next := <-p.ops: // nil once closed
		return next
	default:
		return nil
	}
}

func (p *Plain) set(t *badger.Txn) error {
	p.seq++
	if err := t.Set(put64([]byte{0, 'r'}, p.seq), p.payload); err != nil {
		return err
	}
	return t.Set(put64([]byte{0, 'q'}, p.seq), make([]byte, 24))
}
