package queue

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

	"ringback/callback"
)

var _ callback.Store = (*Engine)(nil)

// Options say how an engine is opened.
type Options struct {
	Dir    string          // made if missing, with mode 0700
	Now    time.Time       // when it is opened; what ran before was interrupted then
	Policy callback.Policy // the configuration's
	// Secret turns a stored key into a Secret; nil: without a fingerprint key.
	Secret func(string) callback.Secret
	// Free returns the free bytes of the disk; nil: the file system's.
	Free func() (uint64, error)
	// LowWater is the number of free bytes below which nothing is accepted; below half
	// of it no attempt starts. 0: no mark.
	LowWater uint64
	Log      *slog.Logger // nil: silent
	// Committing is told how many operations a commit has, before it, and what it
	// returns is called when it is done; nil: nobody. One commit follows the other,
	// so it must be quick.
	Committing func(operations int) (done func())

	// noSync commits without fsync. For tests: it shows that a rig sees lost writes.
	noSync bool

	// headStep is how many calls may leave a class before its head is looked for
	// anew; 0: headStep. For tests, which do not have so many.
	headStep int
}

// Engine is a callback.Store on Badger. Open makes one. It holds the folder
// exclusively until Close.
type Engine struct {
	db     *badger.DB
	lock   *os.File // locked until Close
	opt    Options
	ops    chan *op
	done   chan struct{} // closed when the writer has ended
	failed chan struct{} // closed when the engine has stopped by itself
	fail   sync.Once

	manifest *manifestKeeper
	enqueues sync.Pool // of *enqueue, to be used again
	results  sync.Pool // of *result, the same

	broken      atomic.Bool  // a read panicked, and Badger may hold locks that it took for it
	interrupted int          // attempts, by the end of the process before
	removed     atomic.Int64 // bytes of what retention removed since all tables were compacted

	mentions block              // the last of the index of message ids; the writer's
	crowds   crowds             // message ids of many calls
	swept    [2]callback.CallID // where the next walk of each horizon over that index begins; the goroutine's that purges

	// sending guards ops against being closed while somebody sends.
	sending sync.RWMutex
	closed  bool

	err error // why it failed; read when failed is closed

	// index guards houses, names and ids beside mu. Who asks for one callback takes
	// it alone: the writer holds mu for a whole group, and takes index to change these.
	index  sync.RWMutex
	houses []*house // by Num-1; nil where retention removed the callback
	names  map[string]*house
	ids    map[callback.CallbackID]*house

	// mu guards what follows. Only the writer changes it.
	mu     sync.RWMutex
	disp   callback.Dispatcher
	policy callback.Policy
	runs   map[callback.CallID]*run
	ending [2]map[callback.CallID]*run // they take turns: whose results are in the group that is filled, and in the one before it
	last   callback.CallID
	lastIn time.Time            // when the last call was enqueued, since Open
	lastAt [256]callback.CallID // what each slot's record of last says
	claims map[claimRef]int
	seq    uint64
	outbox [256]int          // alerts that wait, by slot
	keys   []callback.APIKey // by name; replaced, never changed

	latest time.Time // of all operations since Open; the writer's own
	stale  []*house  // callbacks whose head bounds are to be raised; the writer's own
	held   *op       // did not fit into the group before; the writer's own

	operations map[string]*operation // by id
	opSeq      uint64                // of the last one
	active     int                   // of them, those that run
}

// run is a call whose attempt runs.
type run struct {
	entry callback.Entry
	claim claimRef
}

// claimRef names one claim record.
type claimRef struct {
	slot byte
	seq  uint64
}

// filled returns the options with what stands for nil.
func (opt Options) filled() Options {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Secret == nil {
		opt.Secret = func(s string) callback.Secret { return callback.NewSecret(s, nil) }
	}
	if opt.Free == nil {
		opt.Free = func() (uint64, error) { return freeBytes(opt.Dir) }
	}
	if opt.Committing == nil {
		opt.Committing = func(int) func() { return func() {} }
	}
	if opt.headStep == 0 {
		opt.headStep = headStep
	}
	return opt
}

// Open opens the engine in a folder, and records as interrupted what ran when
// it was left. A folder in use is a *LockedError.
func Open(opt Options) (e *Engine, err error) {
	opt = opt.filled()
	held, err := lock(opt.Dir)
	if err != nil {
		return nil, err
	}
	err = checkRoom(&opt)
	if err == nil {
		err = inspect(opt.Dir)
	}
	if err != nil {
		return nil, errors.Join(err, held.Close())
	}
	e = &Engine{
		lock: held, opt: opt, ops: make(chan *op, 1024), done: make(chan struct{}), failed: make(chan struct{}),
		policy: opt.Policy, names: map[string]*house{}, ids: map[callback.CallbackID]*house{},
		runs: map[callback.CallID]*run{}, ending: [2]map[callback.CallID]*run{{}, {}}, claims: map[claimRef]int{},
		operations: map[string]*operation{},
	}
	if e.db, err = openBadger(opt, e.badgerFailed); err != nil {
		return nil, errors.Join(err, held.Close())
	}
	if err := e.load(); err != nil {
		return nil, errors.Join(err, e.closeBadger(), held.Close())
	}
	e.manifest = keepManifest(opt.Dir, func(err error) { opt.Log.Error("the note of the MANIFEST is not up to date", "err", err) })
	go e.write()
	if err := e.countAttempts(); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	if err := e.recover(); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// openBadger opens the database with the options that measurement chose (see
// docs/storage.md). Badger panics on some damaged files; that is an error here.
func openBadger(opt Options, failed func(string)) (db *badger.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("open %s: a file is damaged: %v; restore a backup, or keep a copy of the folder and ask", opt.Dir, p)
		}
	}()
	db, err = badger.Open(badger.DefaultOptions(opt.Dir).
		WithSyncWrites(!opt.noSync).
		WithDetectConflicts(false). // there is one writer
		WithNumVersionsToKeep(1).
		WithMemTableSize(memtableSize). // large mapped files make msync rewrite whole folios on ext4
		WithNumMemtables(3).
		WithNumCompactors(2).
		WithValueThreshold(valueThreshold).
		WithValueLogFileSize(16 << 20).
		WithVerifyValueChecksum(true).
		WithCompression(options.None).
		WithBlockCacheSize(0).
		WithIndexCacheSize(0).
		WithMetricsEnabled(false).
		WithLogger(logger{opt.Log, failed}))
	if err != nil {
		return nil, explainOpen(opt.Dir, err)
	}
	return db, nil
}

// Close implements callback.Store: what was submitted is committed first.
func (e *Engine) Close() error {
	e.sending.Lock()
	if e.closed {
		e.sending.Unlock()
		return nil
	}
	e.closed = true
	close(e.ops)
	e.sending.Unlock()
	<-e.done
	e.manifest.close()
	err := e.closeBadger()
	e.manifest.look()
	if err == nil {
		err = e.Err()
	}
	return errors.Join(err, e.lock.Close())
}

// closeBadger leaves the database as a kill would where it would wait for what a
// read that panicked has locked: the next start replays its logs.
func (e *Engine) closeBadger() error {
	if e.broken.Load() {
		return nil
	}
	return e.db.Close()
}

// Interrupted returns how many attempts ran when the folder was left, and were
// recorded as interrupted by Open.
func (e *Engine) Interrupted() int { return e.interrupted }

// Failed is closed when the engine stops by itself after a failed write; Err
// says why. The process should end then: a restart replays what is on disk.
func (e *Engine) Failed() <-chan struct{} { return e.failed }

// Err returns why the engine stopped by itself, or nil.
func (e *Engine) Err() error {
	if over(e.failed) {
		return e.err
	}
	return nil
}

// stop ends all service for good. A failed commit is not a rollback: Badger may
// have it in memory already, so nothing may go on from here.
func (e *Engine) stop(err error) {
	e.fail.Do(func() {
		e.err = fmt.Errorf("the store stopped, nothing more is accepted: %w", err)
		e.opt.Log.Error("store stopped", "err", err)
		close(e.failed)
	})
}

// badgerFailed is told of errors that Badger only logs.
func (e *Engine) badgerFailed(line string) { e.stop(errors.New(line)) }

// SetPolicy implements callback.Registry.
func (e *Engine) SetPolicy(p callback.Policy) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.policy = p
	for _, h := range e.houses {
		if h != nil {
			h.seen.Store(nil) // it says what the policy before made of the times
		}
	}
}

// SetDispatcher implements callback.Queue.
func (e *Engine) SetDispatcher(d callback.Dispatcher) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.disp = d
}

// DiskLow reports whether the disk is so full that nothing is accepted.
func (e *Engine) DiskLow() bool {
	free, err := e.opt.Free()
	return err != nil || free < e.opt.LowWater
}

// FreeDisk returns the free bytes of the disk.
func (e *Engine) FreeDisk() (uint64, error) { return e.opt.Free() }

// AlertsWaiting returns how many alerts wait to be sent, from memory.
func (e *Engine) AlertsWaiting() (n int) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for _, waiting := range e.outbox {
		n += waiting
	}
	return n
}
