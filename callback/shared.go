package callback

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"
)

// What every engine says and does alike stands here, so that they cannot differ.

// NoCallback is the fault of naming a callback that does not exist.
func NoCallback(ref string) error {
	return Errorf(CodeNotFound, "no callback has the id or name %q", Sanitize(ref, 60))
}

// NoCall is the fault of naming a call that does not exist.
func NoCall(id CallID) error { return Errorf(CodeNotFound, "no call has the id %s", id) }

// NoCalls is the fault of naming several calls of which some do not exist.
func NoCalls(ids []CallID) error {
	err := &Error{Code: CodeInvalid, Message: "nothing was changed: some calls do not exist"}
	for _, id := range ids {
		err.Fields = append(err.Fields, FieldError{Field: "id", Message: "no call has the id " + id.String()})
	}
	return err
}

// NoAlert is the fault of naming an alert that does not exist.
func NoAlert(key string) error { return Errorf(CodeNotFound, "no alert %q", Sanitize(key, 80)) }

// NameTaken is the fault of giving a callback a name in use.
func NameTaken(name string) error {
	return &Error{
		Code: CodeConflict, Message: fmt.Sprintf("the name %q is taken", Sanitize(name, 60)),
		Fields: []FieldError{{Field: "name", Message: "is the name of another callback"}},
	}
}

// KeyReused is the fault of using an idempotency key for another body.
func KeyReused(key string) error {
	return &Error{
		Code: CodeInvalid, Message: "the idempotency key was used for another response",
		Fields: []FieldError{{Field: "id", Message: fmt.Sprintf("%q was used with another body", Sanitize(key, 80))}},
	}
}

// MayUpdate says whether stored may be replaced by who last saw version (0:
// whoever asks may).
func MayUpdate(stored *Callback, deleted bool, version uint64) error {
	if deleted {
		return NoCallback(stored.Name)
	}
	if version != 0 && version != stored.Version {
		return Errorf(CodeStale, "the callback is at version %d, not %d: somebody changed it first", stored.Version, version)
	}
	return nil
}

// InterruptedAttempt is the record of the last attempt of e, which the end of
// the process cut off: Step.Interrupted was told. manual says how it was claimed.
func (e *Entry) InterruptedAttempt(manual bool) Attempt {
	return Attempt{
		Number: e.Attempts, Started: e.LastAt, Class: ClassInterrupted, Manual: manual, Reason: "interrupted",
		Error: "The server stopped while this attempt ran: whether the endpoint got it is not known.",
	}
}

// Number makes the attempts made for a claim of e as they are kept: numbered on
// from those before, their times to the millisecond and none before the call was
// accepted, whatever the clock did since. Lists by time rely on that.
func (e *Entry) Number(attempts []Attempt) {
	for i := range attempts {
		a := &attempts[i]
		a.Number, a.Manual = e.Attempts+1+i, e.Manual
		a.Started = later(a.Started, e.Enqueued).UTC().Truncate(time.Millisecond)
	}
}

// Fingerprint is a hash over everything of r but its key: two responses with
// the same are the same.
func Fingerprint(r *Response) [32]byte {
	h := sha256.New()
	put := func(parts ...string) {
		for _, s := range parts {
			h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(s)))) // so that moving a byte between parts changes it
			h.Write([]byte(s))
		}
	}
	f, m := &r.From, &r.Message
	put(r.MessageID, r.MessageLocation, f.Name, f.MRI, f.Mobile, f.Email, f.Voice)
	put(m.Channel, m.Acknowledged, m.Undeliverable, m.Content)
	for _, p := range r.Params {
		put(p.Key, p.Value)
	}
	if !r.DeliverAt.IsZero() {
		put(r.DeliverAt.UTC().Format(time.RFC3339Nano))
	}
	return [32]byte(h.Sum(nil))
}

// DueKey returns e's place among the waiting calls of its class.
func (e *Entry) DueKey() DueKey { return DueKey{Due: e.Due, ID: e.ID} }

// Before reports whether k comes before o.
func (k DueKey) Before(o DueKey) bool {
	if c := k.Due.Compare(o.Due); c != 0 {
		return c < 0
	}
	return k.ID < o.ID
}

// Waits lowers Oldest where e is a tried call that waits with an older window,
// and may be given up when that ends.
func (l *Live) Waits(e *Entry) {
	if e.Status == Ready && e.tried() && e.Was == NoReason && !e.Window.IsZero() && (l.Oldest.IsZero() || e.Window.Before(l.Oldest)) {
		l.Oldest = e.Window
	}
}

// Purge counts a finished call as removed, with its attempts.
func (l *Live) Purge(e *Entry) {
	*l.Counts.of(e)--
	l.Counts.Purged++
	l.Attempts -= uint64(e.Attempts)
	l.Good -= e.Good()
}

// Trim counts the last attempts of a finished call as removed: those that after
// has no more.
func (l *Live) Trim(before, after *Entry) {
	l.Attempts -= uint64(before.Attempts - after.Attempts)
	l.Good -= before.Good() - after.Good()
}

// Good returns how many attempts of e succeeded: the last one, or none, for
// nothing is sent again that was delivered.
func (e *Entry) Good() uint64 {
	if e.tried() && e.LastClass == ClassOK {
		return 1
	}
	return 0
}

// Sum returns the number of calls that are stored.
func (c Counts) Sum() uint64 {
	return c.Pending + c.Retrying + c.Delivered + c.Resolved + c.Failed
}

// In returns how many calls there are in a set of statuses.
func (c Counts) In(s CallStatus) (n uint64) {
	if s&ListSuccess != 0 {
		n += c.Delivered + c.Resolved
	}
	if s&ListFailed != 0 {
		n += c.Failed + c.Retrying
	}
	if s&ListPending != 0 {
		n += c.Pending
	}
	return n
}

// AttemptsIn returns how many attempts there are that a Filter selects by
// nothing but s.
func (l *Live) AttemptsIn(s CallStatus) (n uint64) {
	if s == 0 || s&ListSuccess != 0 {
		n += l.Good
	}
	if s == 0 || s&ListFailed != 0 {
		n += l.Attempts - l.Good
	}
	return n
}

// Bounded returns q with its defaults and bounds applied.
func (q CallQuery) Bounded() CallQuery {
	if q.Status == 0 {
		q.Status = ListSuccess | ListFailed
	}
	bound(&q.Limit, &q.Offset, &q.Scan)
	if q.Bytes <= 0 || q.Bytes > MaxPageBytes {
		q.Bytes = MaxPageBytes
	}
	return q
}

// Bounded returns q with its defaults and bounds applied.
func (q AttemptQuery) Bounded() AttemptQuery {
	bound(&q.Limit, &q.Offset, &q.Scan)
	return q
}

func bound(limit, offset, scan *int) {
	if *limit <= 0 || *limit > MaxPage {
		*limit = MaxPage
	}
	if *scan <= 0 {
		*scan = UsualScan
	}
	*scan = min(*scan, MaxScan)
	*offset = min(max(*offset, 0), MaxOffset)
}

// Bounded returns q with its bounds applied.
func (q Newest[T]) Bounded() Newest[T] {
	if q.Limit <= 0 || q.Limit > MaxPage {
		q.Limit = MaxPage
	}
	q.Offset = min(max(q.Offset, 0), MaxOffset)
	return q
}

// Selects reports whether row is among what q asks for.
func (q Newest[T]) Selects(row *T) bool { return q.Match == nil || q.Match(row) }

// Page returns the page that q asks for out of rows that all match, as many as
// are known: one more than the page holds says that there are more.
func (q Newest[T]) Page(rows []T) Listing[T] {
	from := min(q.Offset, len(rows))
	l := Listing[T]{Rows: rows[from:min(from+q.Limit, len(rows))], More: len(rows) > q.Offset+q.Limit}
	l.Total, l.Exact = uint64(from+len(l.Rows)), !l.More
	return l
}

// Key returns the place of a.
func (a *CallAttempt) Key() AttemptKey { return AttemptKey{a.Started, a.ID, a.Number} }

// Compare returns -1 where k is before o, 1 where it is behind, else 0.
func (k AttemptKey) Compare(o AttemptKey) int {
	return cmp.Or(k.At.Compare(o.At), cmp.Compare(k.ID, o.ID), cmp.Compare(k.Number, o.Number))
}

// Order compares two attempts in the order q asks for.
func (q AttemptQuery) Order(a, b CallAttempt) int {
	if q.Oldest {
		return a.Key().Compare(b.Key())
	}
	return b.Key().Compare(a.Key())
}

// Selects reports whether a, an attempt for c, a call of a callback in state l,
// is among what q asks for. (All of q but paging.)
func (q AttemptQuery) Selects(a *CallAttempt, c *Call, l *Live) bool {
	if q.After != (AttemptKey{}) && q.Oldest != (a.Key().Compare(q.After) > 0) || a.Key().Compare(q.After) == 0 {
		return false
	}
	return q.MatchesAttempt(&a.Attempt) && (q.State == "" || q.State.Has(c.State(l))) && q.MatchesResponse(&c.Response)
}

// Order compares two calls in the order q asks for.
func (q CallQuery) Order(a, b Call) int {
	if q.Oldest {
		return cmp.Compare(a.ID, b.ID)
	}
	return cmp.Compare(b.ID, a.ID)
}

// Behind reports whether a call lies behind the one that q goes on from.
func (q CallQuery) Behind(id CallID) bool {
	return q.After == 0 || id != q.After && q.Oldest == (id > q.After)
}

// Selects reports whether c, a call of a callback in state l, is among what q
// asks for. (All of q but paging.)
func (q CallQuery) Selects(c *Call, l *Live) bool {
	if q.IDs != nil {
		if _, ok := slices.BinarySearch(q.IDs, c.ID); !ok {
			return false
		}
	}
	return q.Behind(c.ID) && q.Matches(c, l)
}

// NewestOutage sorts outages, the one that began last first.
func NewestOutage(a, b Outage) int {
	if c := b.OutageState.Started.Compare(a.OutageState.Started); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(a.Num, b.Num), cmp.Compare(b.N, a.N))
}

// NewestAlert sorts alerts, the one that arose last first.
func NewestAlert(a, b Alert) int {
	return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.Num, b.Num),
		cmp.Compare(AlertHash(a.Key), AlertHash(b.Key)), strings.Compare(a.Key, b.Key))
}

// AlertHash tells alerts apart that arose at the same instant.
func AlertHash(key string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(key)) // a hash never fails
	return h.Sum32()
}
