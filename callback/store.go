package callback

import (
	"context"
	"iter"
	"time"
)

// Store is an engine: it keeps callbacks, calls, attempts, outages, alerts and API keys,
// and moves them by the state machine. It never reads a clock: now is given,
// and must not go back from one call to the next.
//
// Every method that changes something returns once the change is durable, or
// with an error and nothing changed. An *Error is the caller's fault; any other
// error means that the engine has stopped, for it never goes on after a failed
// commit. All methods may be called by several goroutines at once.
type Store interface {
	Registry
	Queue
	Ledger
	Outbox
	Keyring
	Operations
	Figures

	// Close writes what is left and releases the folder. Nothing else may be
	// called after it.
	Close() error
}

// Registry keeps the callbacks. Reads come from memory, and show each change once
// whoever made it was answered, at the latest. Callback, Find and Past wait for no
// change that is being made; Callbacks and All may show more of those.
type Registry interface {
	// Callbacks returns all callbacks with their live state in order of Num,
	// deleted ones included until PurgeOutages removes them. A number is never
	// given again.
	Callbacks() []Health
	// All gives them one by one, without a copy of all of them at once: each may
	// have changed since the one before, and holds until the next is asked for.
	All() iter.Seq[*Health]
	// Callback returns one of them. It is CodeNotFound when none has that
	// number.
	Callback(num Num) (Health, error)
	// Find returns the live callback with that id or name, or CodeNotFound.
	Find(ref string) (Health, error)
	// Past returns the callback with that id, be it deleted, or CodeNotFound.
	Past(id CallbackID) (Health, error)

	// Create stores a new callback; its Num, Version and times are set. ID is
	// the caller's, random. CodeConflict: the name is taken.
	Create(ctx context.Context, now time.Time, cb Callback) (Callback, error)
	// Update replaces the callback with cb.Num. CodeStale when version is not 0
	// and not the stored one; CodeConflict when the name is taken.
	Update(ctx context.Context, now time.Time, cb Callback, version uint64) (Callback, error)
	// Delete marks the callback deleted, and frees its name; its waiting calls
	// are given up by Sweep.
	Delete(ctx context.Context, now time.Time, num Num) error
	// Suspend and Resume report nothing when there is nothing to change.
	Suspend(ctx context.Context, now time.Time, num Num, by string) error
	Resume(ctx context.Context, now time.Time, num Num) error
	// Acknowledge notes who knows of the outage with that number, as
	// Step.Acknowledge says.
	Acknowledge(ctx context.Context, now time.Time, num Num, outage uint32, by string) error
	// SetPolicy replaces the configuration's policy, to which every callback's
	// own settings are applied. It is called once, before anything else.
	SetPolicy(p Policy)
}

// Health is a callback with how it does, as copies.
type Health struct {
	Callback
	Live Live
	// NextTick and ExpireAt are those of its Step; zero: never.
	NextTick, ExpireAt time.Time
}

// NewCall is one response to enqueue.
type NewCall struct {
	Num      Num
	Response Response
}

// Enqueued is what became of one NewCall: an id, or why it was not stored.
type Enqueued struct {
	ID      CallID
	Repeat  bool // the key was used before; ID is the first call's
	Skipped bool // the callback does not want this kind: counted, not stored
	Err     error
}

// Claim is a call whose attempt may be made now; the claim is durable.
type Claim struct {
	Entry    Entry
	Response Response
	Test     string // webhook-id of a test, which is no call; "": the call's id
}

// DueClass sorts waiting calls within a callback.
type DueClass uint8

// The classes of waiting calls, in the order in which a lane takes them.
const (
	Fresh DueClass = iota // never tried
	Tried                 // tried, waiting for the next attempt
)

// DueClass returns the class e waits in.
func (e *Entry) DueClass() DueClass {
	if e.Attempts == 0 {
		return Fresh
	}
	return Tried
}

// DueKey is a place in the order of a callback's waiting calls of one class.
type DueKey struct {
	Due time.Time
	ID  CallID
}

// Dispatcher is told by a Store, in its writer, of what may be sent. None of
// its methods may block or call the Store.
type Dispatcher interface {
	// Slot is asked for each new call that is due. may: the state machine lets
	// its attempt begin; size: of its response, in bytes. It reports whether it may
	// begin at once, and reserves that if so: the claim then rides in the commit of
	// the enqueue.
	Slot(num Num, may bool, size int) bool
	// Start gets each call for which Slot said yes, once its claim is durable.
	Start(c Claim)
	// Wake says that something of the callback may start sooner than it seemed:
	// refused calls for which Slot said no are durable now, or, where refused is
	// 0, it was made or changed.
	Wake(num Num, refused int)
	// Next is asked when an attempt has ended and leaves room for another: it
	// returns the call that stands next, one never tried, as Due and Responses
	// gave it, to be claimed in the commit of that result and given to Start; nil:
	// none. Missed takes a Next back whose call does not wait any more.
	Next(num Num) *Claim
	Missed(c *Claim)
}

// Queue holds what is to be delivered.
type Queue interface {
	// Enqueue stores all that can be stored, in one commit as far as it fits.
	// The results stand in the order of calls.
	Enqueue(ctx context.Context, now time.Time, calls []NewCall) ([]Enqueued, error)
	// SetDispatcher says whom to tell of what may be sent. It is called once,
	// before anything else.
	SetDispatcher(d Dispatcher)
	// Due returns at most limit waiting calls of one class that do not run, in
	// order of due time and id, from the place from on, inclusive.
	Due(ctx context.Context, num Num, class DueClass, from DueKey, limit int) ([]Entry, error)
	// Responses returns the responses of calls, in order. It stops before one that is
	// damaged or gone, and before they have more than that many bytes, about.
	Responses(ctx context.Context, num Num, ids []CallID, bytes int) ([]Response, error)
	// Claim claims those of the calls, as Due returned them, that may start at
	// now, as Step.MayStart says, and gives up those whose time is over. What is
	// not returned did not start: it changed since, or it has to wait. room is asked
	// for each in turn whether there is memory for a response of about so many bytes,
	// before that is read; where it says no, that one and all behind it are left. nil:
	// there is. It must not block, nor call the Store.
	Claim(ctx context.Context, now time.Time, num Num, calls []Entry, room func(size int) bool) ([]Claim, error)
	// ClaimManual claims one call for a person, as Step.StartManual says.
	ClaimManual(ctx context.Context, now time.Time, num Num, id CallID, extend bool) (Claim, error)
	// Record stores what came of a claim: one attempt, or two.
	Record(ctx context.Context, now time.Time, num Num, id CallID, attempts []Attempt) (Entry, error)
	// Tick does what Step.Tick says.
	Tick(ctx context.Context, now time.Time, num Num, drained bool) error
	// Sweep gives up all waiting calls whose time is over, or whose callback is
	// deleted, in commits of bounded size; it may be cut short and run again.
	Sweep(ctx context.Context, now time.Time, num Num) error

	// Resolve marks calls of one callback as a success, all or none. A call
	// that does not exist makes it CodeInvalid, with Fields that name each.
	Resolve(ctx context.Context, now time.Time, num Num, ids []CallID, by string) (changed int, err error)
	// Undo takes the resolve of a call back, to what before says.
	Undo(ctx context.Context, now time.Time, before Entry) error
	// Reopen makes resolved calls count as failed again, all or none.
	Reopen(ctx context.Context, now time.Time, num Num, ids []CallID) (changed int, err error)
	// Purge removes at most limit finished calls: delivered and resolved ones
	// finished before delivered, failed ones finished before failed.
	Purge(ctx context.Context, now, delivered, failed time.Time, limit int) (purged int, err error)
}

// Call is a call with everything that is known of it.
type Call struct {
	Entry
	Response Response
	Attempts []Attempt // oldest first; of many the last MaxCallAttempts, in a list the last one
	Damaged  bool      // its stored response failed its checksum
}

// CallStatus is the status by which calls are listed. It differs from
// Entry.Status in that a call that failed and waits for its next attempt is
// failed.
type CallStatus uint8

// The statuses of the contract, as a set of bits.
const (
	ListSuccess CallStatus = 1 << iota
	ListFailed
	ListPending
)

// Listed returns the one status under which e is listed.
func (e *Entry) Listed() CallStatus {
	switch {
	case e.Status == Success:
		return ListSuccess
	case e.Attempts == 0 && e.Status == Ready:
		return ListPending
	}
	return ListFailed
}

// CallQuery selects calls.
type CallQuery struct {
	Num    Num      // 0: of all callbacks
	Filter          // without a Status: ListSuccess | ListFailed
	IDs    []CallID // only these calls, in order, of the callback Num; nil: any
	After  CallID   // continue behind this call, in the order asked for
	Oldest bool     // oldest first; otherwise newest first
	Limit  int      // rows at most, 1 to MaxPage
	Offset int      // rows to skip, at most MaxOffset
	Scan   int      // work at most, to MaxScan; 0: UsualScan. A page may be short then
	Bytes  int      // of responses at most, to MaxPageBytes; 0: as many. A page has one row at least
}

// Bounds of one query. Work is counted in rows of an index; to read an attempt
// or a response counts as several.
const (
	MaxPage   = 500
	MaxOffset = 10_000
	UsualScan = 5_000 // a few milliseconds
	MaxScan   = 50_000

	MaxPageBytes    = 4 << 20 // of the responses of a page of calls, unless the first is longer
	MaxPageAttempts = 10_000  // where the rows of a page of calls have theirs
	MaxCallAttempts = 1_000   // that are read of one call; a window without a person's retries has some 300
)

// CallPage is one page of calls. Where More is set it may be short, even empty:
// the work that one query may cost is bounded, and so is what its rows hold.
type CallPage struct {
	Calls   []Call
	More    bool   // there may be more behind
	Next    CallID // continue here, as CallQuery.After, when More
	Skipped int    // how many rows of CallQuery.Offset were passed
	Total   uint64 // how many calls are in the statuses asked for
	Looked  uint64 // how many of them were looked at up to Next, or the end; an index may leave out most
}

// AttemptQuery selects attempts: see Filter.
type AttemptQuery struct {
	Num    Num        // 0: of all callbacks
	Filter            // conditions on attempts, and on their calls
	After  AttemptKey // continue behind this attempt, in the order asked for
	Oldest bool       // oldest first; otherwise newest first
	Limit  int        // rows at most, 1 to MaxPage
	Offset int        // rows to skip, at most MaxOffset
	Scan   int        // work at most, as in CallQuery
}

// AttemptKey is a place in the order of attempts: by when they began, to the
// millisecond, then by call, then by number.
type AttemptKey struct {
	At     time.Time
	ID     CallID
	Number int
}

// CallAttempt is an attempt with the call it was made for.
type CallAttempt struct {
	Attempt
	Num       Num
	ID        CallID
	MessageID string // of the call's response
}

// AttemptPage is one page of attempts. Where More is set it may be short, even
// empty, as a CallPage.
type AttemptPage struct {
	Attempts []CallAttempt
	More     bool       // there may be more behind
	Next     AttemptKey // continue here, as AttemptQuery.After, when More
	Skipped  int        // how many rows of AttemptQuery.Offset were passed
	Total    uint64     // how many attempts are in the statuses asked for
}

// Ledger holds what was done.
type Ledger interface {
	// Call returns one call with its attempts, the last MaxCallAttempts of them, or
	// CodeNotFound.
	Call(ctx context.Context, num Num, id CallID) (Call, error)
	// Calls returns a page of calls in the order of their ids, each with its
	// last attempt, that of a failure with the beginning of the answer.
	Calls(ctx context.Context, q CallQuery) (CallPage, error)
	// Attempts returns a page of attempts in the order of when they began, those
	// that failed with the beginning of the answer.
	Attempts(ctx context.Context, q AttemptQuery) (AttemptPage, error)
	// Outages returns a page of outages, newest first by start. Total is not
	// known but from what was seen.
	Outages(ctx context.Context, q Newest[Outage]) (Listing[Outage], error)
	// PurgeOutages removes at most limit outages, alerts and hours of causes that
	// ended before horizon, all such hours of a deleted callback of which nothing
	// else is left, and deleted callbacks of which nothing is left. The last outage of
	// each callback that is not deleted stays, and so does all that began after
	// one that stays.
	PurgeOutages(ctx context.Context, now, horizon time.Time, limit int) (purged int, err error)
}

// Newest selects rows of a list that has no cursor and stands newest first.
// Zero fields do not select.
type Newest[T any] struct {
	Num    Num           // 0: of all callbacks
	Match  func(*T) bool // further conditions
	Limit  int           // rows at most, 1 to MaxPage
	Offset int           // rows to skip, at most MaxOffset
}

// Listing is a page of such a list.
type Listing[T any] struct {
	Rows  []T
	Total uint64 // how many there are in all
	Exact bool   // Total is exact, and not just "at least"
	More  bool   // there may be more behind
}

// Outbox holds the alerts.
type Outbox interface {
	// DueAlerts returns at most limit alerts that wait and are due at now,
	// oldest first, and when the next after them is due (zero: none).
	DueAlerts(ctx context.Context, now time.Time, limit int) ([]Alert, time.Time, error)
	// SetAlert replaces the outbox's part of the alert with that key.
	SetAlert(ctx context.Context, now time.Time, a Alert) error
	// SendAgain makes the alert with that key wait again, due at now, whatever
	// became of it; CodeNotFound when there is none.
	SendAgain(ctx context.Context, now time.Time, key string) error
	// Alerts returns a page of alerts, newest first. Total is not known but from
	// what was seen.
	Alerts(ctx context.Context, q Newest[Alert]) (Listing[Alert], error)
}

// Keyring holds the API keys. Reads come from memory.
type Keyring interface {
	// Keys returns all keys, hashes included, in order of name. The slice is
	// shared: it must not be changed.
	Keys() []APIKey
	// AddKey stores a key that MayAdd lets in; its Created is set to now.
	AddKey(ctx context.Context, now time.Time, k APIKey) (APIKey, error)
	// RemoveKey removes the key of that name, or is CodeNotFound.
	RemoveKey(ctx context.Context, now time.Time, name string) error
}

// Figures keeps what series are made of.
type Figures interface {
	// Causes returns why attempts of a callback failed that were recorded in the
	// hours that begin at from or later and before to, as SumFailures says. They are
	// counted in the commits of Record, and removed by PurgeOutages.
	Causes(ctx context.Context, num Num, from, to time.Time) ([]Failure, error)
	// PutMinute stores the figures of a minute, in place of what was stored of it.
	// What they mean is the caller's business; at most MaxMinute bytes.
	PutMinute(ctx context.Context, now time.Time, m Minute) error
	// Minutes returns at most limit stored minutes, from the time from on, oldest
	// first.
	Minutes(ctx context.Context, from time.Time, limit int) ([]Minute, error)
	// PurgeMinutes removes the oldest of the minutes before a time, at most limit.
	PurgeMinutes(ctx context.Context, now, before time.Time, limit int) (purged int, err error)
}

// Minute is what was counted in one minute.
type Minute struct {
	At      time.Time // when it began
	Figures []byte
}

// MaxMinute bounds the figures of one minute, in bytes.
const MaxMinute = 64 << 10

// Validate returns why m cannot be stored, or nil.
func (m *Minute) Validate() error {
	if len(m.Figures) > MaxMinute || !m.At.Equal(m.At.Truncate(time.Minute)) {
		return Errorf(CodeInvalid, "%d bytes of figures at %v: at most %d, on a full minute", len(m.Figures), m.At, MaxMinute)
	}
	return nil
}

// Compare puts minutes into the order of time.
func (m Minute) Compare(o Minute) int { return m.At.Compare(o.At) }
