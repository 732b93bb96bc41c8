package callback

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Operation is one change to all calls of a callback that a filter selects, or
// that are named. It is worked off page by page in the order of ids, survives a
// restart, and can be stopped between two pages.
type Operation struct {
	ID     string // 1 to MaxOperationID of A-Z, a-z, 0-9, _ and -
	Num    Num
	Kind   OperationKind
	Filter Filter
	Named  int      // calls that it names by their ids, in place of a Filter; see Name
	Names  [32]byte // SHA-256 of those ids: whether a start that is repeated names the same
	Extend bool     // OperationRetry: see Step.Requeue
	Rate   int      // OperationRetry: calls let go a second; 0: as fast as they can be stored
	By     string
	Remark string // what By has to say of it

	State    OperationState
	Created  time.Time
	Finished time.Time // when it ended, its undo apart; zero while it runs
	Note     string    // why it ended early, "" where a person wanted it

	Upto  CallID // the newest call when it began: later ones are not touched
	After CallID // how far it came, in the order of ids
	Total uint64 // calls with the status it looks for when it began: no more can match

	Matched uint64 // calls that the filter selected so far
	Changed uint64 // of these, those that were changed
	Undone  uint64 // of these, those that an undo took back
	Missed  uint64 // and those that it could not, for they changed since
	Kept    uint64 // calls whose state before is kept for an undo
}

// OperationKind says what an operation does to each call.
type OperationKind string

// The kinds of operation.
const (
	OperationRetry   OperationKind = "retry"
	OperationResolve OperationKind = "resolve"
)

// OperationState is where an operation stands.
type OperationState string

// The states of an operation.
const (
	OperationRunning OperationState = "running"
	OperationDone    OperationState = "done"
	OperationStopped OperationState = "stopped" // by a person, or because its callback was deleted
	OperationFailed  OperationState = "failed"
	OperationUndoing OperationState = "undoing"
	OperationUndone  OperationState = "undone"
)

// OperationStates are all of them.
var OperationStates = []OperationState{
	OperationRunning, OperationDone, OperationStopped, OperationFailed, OperationUndoing, OperationUndone,
}

// Limits of operations.
const (
	MaxOperationID    = 64
	MaxOperationPage  = 500    // calls changed in one commit
	MaxRunning        = 64     // operations that run, or wait for their turn
	MaxOperations     = 10_000 // remembered
	KeepOperations    = 1_000  // ended ones that retention leaves
	UndoFor           = 24 * time.Hour
	KeepOperationsFor = 30 * 24 * time.Hour
	MaxOperationRate  = 1_000 // calls a second
	MaxRemark         = 240   // bytes
)

// Active reports whether there is work left to do.
func (o *Operation) Active() bool {
	return o.State == OperationRunning || o.State == OperationUndoing
}

// Skipped returns how many calls matched and had nothing to change.
func (o *Operation) Skipped() uint64 { return o.Matched - o.Changed }

// Bounded returns o as an engine keeps it: times to the millisecond, texts
// bounded, and FAILED where neither a status nor a call is named.
func (o Operation) Bounded() Operation {
	if o.Filter.Status == 0 && o.Named == 0 {
		o.Filter.Status = ListFailed
	}
	o.By, o.Note, o.Remark = Sanitize(o.By, 120), Sanitize(o.Note, 240), Sanitize(o.Remark, MaxRemark)
	for _, t := range []*time.Time{&o.Filter.From, &o.Filter.To} {
		if !t.IsZero() {
			*t = t.Truncate(time.Millisecond).UTC()
		}
	}
	return o
}

// Validate returns an *Error that names every field at fault, or nil. A retry
// without a filter is of all that failed; a resolve must say what it means.
func (o *Operation) Validate() error {
	var f faults
	if !validOperationID(o.ID) {
		f.add("Operation-Id", "must be 1 to %d of the characters A-Z, a-z, 0-9, _ and -", MaxOperationID)
	}
	switch o.Kind {
	case OperationRetry:
		if o.Filter.Status&^ListFailed != 0 {
			f.add("status", "must be FAILED: other calls were delivered, or not tried yet")
		}
	case OperationResolve:
		if o.Filter == (Filter{}) && o.Named == 0 {
			f.add("status", "is needed where nothing else says which calls are meant: FAILED, PENDING or both")
		}
		if o.Filter.Status&ListSuccess != 0 {
			f.add("status", "must be FAILED or PENDING: calls with SUCCESS are done")
		}
		if o.Extend {
			f.add("extend", "is for a retry")
		}
		if o.Rate != 0 {
			f.add("ratePerSecond", "is for a retry")
		}
	default:
		f.add("kind", "must be retry or resolve")
	}
	if o.Rate < 0 || o.Rate > MaxOperationRate {
		f.add("ratePerSecond", "must be a whole number from 1 to %d, or 0 for as fast as can be", MaxOperationRate)
	}
	if len(o.Remark) > MaxRemark {
		f.add("remark", "is longer than %d bytes", MaxRemark)
	}
	o.validateNames(&f)
	if s := o.Filter.State; s != "" {
		for word := range strings.SplitSeq(string(s), ",") {
			if !slices.Contains(CallStates, CallState(word)) {
				f.add("state", "must be one of %s, or several with commas between", CallStateWords())
				break
			}
		}
	}
	if _, ok := ParseClass(o.Filter.Class); !ok {
		f.add("class", "is not the word of an error")
	}
	for _, t := range []struct{ field, value string }{{"messageId", o.Filter.MessageID}, {"statusMessage", o.Filter.Reason}, {"q", o.Filter.Text}} {
		if len(t.value) > MaxField {
			f.add(t.field, "is longer than %d bytes", MaxField)
		}
	}
	return f.err("the operation")
}

func validOperationID(id string) bool {
	for _, c := range []byte(id) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_-", c) >= 0) {
			return false
		}
	}
	return id != "" && len(id) <= MaxOperationID
}

// Begin makes o one that runs from now on. last is the newest call there is,
// which bounds o where Upto does not; c counts the calls of its callback.
func (o *Operation) Begin(now time.Time, last CallID, c *Counts) {
	o.State, o.Created = OperationRunning, now
	if o.Upto == 0 || o.Upto > last {
		o.Upto = last
	}
	o.Total = uint64(o.Named)
	if o.Filter.Status&ListFailed != 0 {
		o.Total += c.Failed + c.Retrying
	}
	if o.Filter.Status&ListPending != 0 {
		o.Total += c.Pending
	}
}

// Came notes that a page was worked off, of which n calls were still there.
func (o *Operation) Came(now time.Time, p *OperationPage, n int) {
	o.After, o.Matched = max(p.After, o.After), o.Matched+uint64(n)
	if p.Last {
		o.End(now, OperationDone, "")
	}
}

// Apply does to e what o is for, and reports whether that changed anything.
func (o *Operation) Apply(s *Step, e *Entry) bool {
	if o.Kind == OperationRetry {
		return s.Requeue(e, o.Extend, o.Changed == 0)
	}
	return s.Resolve(e, o.By)
}

// Repeats says whether starting o again, as asked, is the same request. What is
// said of it, and by whom, does not matter; nor does a bound that had no effect.
func (o *Operation) Repeats(asked *Operation) error {
	if o.Num != asked.Num || o.Kind != asked.Kind || o.Filter != asked.Filter || o.Names != asked.Names || o.Extend != asked.Extend ||
		o.Rate != asked.Rate || asked.Upto != 0 && asked.Upto < o.Upto {
		return Errorf(CodeConflict, "the operation %s was started for something else", o.ID)
	}
	return nil
}

// End ends o, or its undo, early.
func (o *Operation) End(now time.Time, state OperationState, note string) {
	o.State, o.Note = state, Sanitize(note, 240)
	if o.Finished.IsZero() {
		o.Finished = now
	}
}

// MayUndo returns nil where an undo of o may begin at now, or why not.
func (o *Operation) MayUndo(now time.Time) error {
	switch {
	case o.Kind != OperationResolve:
		return Errorf(CodeConflict, "only a resolve can be undone")
	case o.State == OperationRunning:
		return Errorf(CodeConflict, "the operation %s still runs; stop it first", o.ID)
	case !now.Before(o.Finished.Add(UndoFor)):
		return Errorf(CodeConflict, "the time to undo the operation %s is over: it was 24 hours", o.ID)
	case o.Kept == 0:
		return Errorf(CodeConflict, "the operation %s has nothing left to undo", o.ID)
	}
	return nil
}

// Kept is a call as it was before an operation resolved it.
type Kept struct {
	Entry
	At time.Time // when it was resolved
}

// Undo takes back what o did to e, and reports whether it could: not where
// somebody changed e since, or resolved it anew.
func (o *Operation) Undo(s *Step, e *Entry, before Kept) bool {
	return e.Finished.Equal(before.At) && e.ResolvedBy == o.By && s.Undo(e, before.Entry) == nil
}

// Forgets reports whether what o keeps for an undo can be dropped at now. young:
// it is among the last KeepOperations.
func (o *Operation) Forgets(now time.Time, young bool) bool {
	return !o.Active() && (!young || !now.Before(o.Finished.Add(UndoFor)))
}

// Expired reports whether o can be forgotten altogether.
func (o *Operation) Expired(now time.Time, young bool) bool {
	return !o.Active() && (!young || !now.Before(o.Finished.Add(KeepOperationsFor)))
}

// Page returns the part of a list that a page shows; a limit of 0 is MaxPage.
func Page[T any](all []T, offset, limit int) []T {
	if limit <= 0 || limit > MaxPage {
		limit = MaxPage
	}
	all = all[min(max(offset, 0), len(all)):]
	return all[:min(limit, len(all))]
}

// NoOperation is the fault of naming an operation that does not exist.
func NoOperation(id string) error {
	return Errorf(CodeNotFound, "no operation has the id %q", Sanitize(id, MaxOperationID))
}

// MayOperate returns nil where one more operation may begin beside those that
// are active, and known says how many would be remembered then.
func MayOperate(active, known int) error {
	switch {
	case active >= MaxRunning:
		return Errorf(CodeUnavailable, "at most %d operations run or wait at once; try again when one has ended", MaxRunning)
	case known > MaxOperations:
		return Errorf(CodeUnavailable, "at most %d operations are remembered; try again when retention has removed those that ended", MaxOperations)
	}
	return nil
}

// OperationQuery selects operations.
type OperationQuery struct {
	Ref           string // callback, in a Service; "": of all
	Num           Num    // callback, in a Store; 0: of all
	State         OperationState
	Limit, Offset int
}

// Selects reports whether o is among what q asks for.
func (q *OperationQuery) Selects(o *Operation) bool {
	return (q.Num == 0 || q.Num == o.Num) && (q.State == "" || q.State == o.State)
}

// OperationPage is what an operation does next: calls that its filter selects.
type OperationPage struct {
	From  CallID   // Operation.After when the page was read
	Calls []CallID // at most MaxOperationPage
	After CallID   // where it goes on
	Last  bool     // nothing is left
}

// Bounded returns p as an engine works it off: each call once, in the order of
// ids. Too many are CodeInvalid.
func (p OperationPage) Bounded() (OperationPage, error) {
	p.Calls = slices.Compact(slices.Sorted(slices.Values(p.Calls)))
	if len(p.Calls) > MaxOperationPage {
		return p, Errorf(CodeInvalid, "%d calls are too many for one page", len(p.Calls))
	}
	return p, nil
}

// operationScan is the work of one page at most (CallQuery.Scan): enough for a
// full one, and an operation that finds few can be stopped soon, too.
const operationScan = 20_000

// Operations keeps what is done to many calls. Operations are remembered for a
// while after they ended; they go on after a restart where they stood.
type Operations interface {
	// StartOperation stores a new operation as running; its State, Upto, Total
	// and times are set. One with that ID that Repeats says is the same is
	// returned as it stands, and fresh is false; else it is a CodeConflict. With
	// ids it is for those calls alone, as Operation.Name says.
	StartOperation(ctx context.Context, now time.Time, o Operation, ids ...CallID) (op Operation, fresh bool, err error)
	// Named returns at most limit of the calls that an operation names and has not
	// come to, behind after, in order. One that has ended names none any more.
	Named(ctx context.Context, id string, after CallID, limit int) ([]CallID, error)
	// Operation returns one, or CodeNotFound.
	Operation(ctx context.Context, id string) (Operation, error)
	// Operations returns a page, those begun last first, and how many there are
	// in all. A Limit of 0 is MaxPage.
	Operations(ctx context.Context, q OperationQuery) ([]Operation, int, error)
	// AdvanceOperation changes the calls of one page, and notes how far the
	// operation came, in one commit. Where it does not run, or has come further
	// than page.From, nothing is changed. It ends with its callback.
	AdvanceOperation(ctx context.Context, now time.Time, id string, page OperationPage) (Operation, error)
	// EndOperation ends one that is Active, or its undo, early. One that is not
	// stays as it is.
	EndOperation(ctx context.Context, now time.Time, id string, state OperationState, note string) (Operation, error)
	// UndoOperation lets the undo begin, where Operation.MayUndo says so.
	UndoOperation(ctx context.Context, now time.Time, id string) (Operation, error)
	// AdvanceUndo takes at most limit calls back, those enqueued first, in one commit.
	AdvanceUndo(ctx context.Context, now time.Time, id string, limit int) (Operation, error)
	// PurgeOperations forgets at most limit earlier states of calls that can no
	// longer be undone, and operations that ended long ago. It returns how much
	// it forgot.
	PurgeOperations(ctx context.Context, now time.Time, limit int) (int, error)
}

// NewOperation is what somebody wants done to many calls.
type NewOperation struct {
	ID     string // "": one is made up
	Ref    string // callback
	Kind   OperationKind
	Filter Filter
	IDs    []CallID // the calls that are meant, 1 to MaxNamed; nil: those that Filter selects
	Extend bool
	Rate   int    // see Operation.Rate
	Upto   CallID // calls enqueued later are not meant; 0: those there are at the start
	By     string
	Remark string // at most MaxRemark bytes
}

// OperationView is an operation as it is shown.
type OperationView struct {
	Operation
	CallbackID CallbackID
	Callback   string    // name
	UndoUntil  time.Time // zero: it cannot be undone
	MissingIDs []CallID  // as in Preview, when it was started, or started again; only from StartOperation
}

// Cause is why calls failed, with how many there are.
type Cause struct {
	Class string // machine word; "" where there was no attempt yet
	Code  int    // HTTP status, 0 without an answer
	Count uint64
}

// MaxCauses bounds the causes of a Preview.
const MaxCauses = 100

// Preview is what an operation would do.
type Preview struct {
	Matched uint64 // calls that the filter selects
	Changed uint64 // of these, those that it would change
	ByCause []Cause
	Other   uint64    // calls with a cause beyond MaxCauses
	Oldest  time.Time // when the first of them was enqueued
	Partial bool      // there may be more: counting took too long
	Missing uint64    // calls that are named and do not exist; 0 where Partial
	Upto    CallID    // for NewOperation.Upto, so that what is confirmed does not grow

	// MissingIDs are those calls, in order, MaxMissing of them at most.
	MissingIDs []CallID
}

// MaxMissing bounds how many calls that do not exist are told by their ids.
const MaxMissing = 100
