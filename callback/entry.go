package callback

import (
	"strings"
	"time"
)

// Entry is the changing part of a call.
type Entry struct {
	ID  CallID
	Num Num

	Status   Status
	Reason   Reason
	Attempts int       // attempts recorded
	Enqueued time.Time // when it was accepted
	Due      time.Time // while Ready: not before this

	// Window is when the call's retry window began, on its callback's active
	// clock (Live.active); zero: not yet.
	Window      time.Time
	FirstFailed time.Time
	Finished    time.Time // when it left Ready for the last time
	ResolvedBy  string

	// What the last attempt recorded said, so that a list need not read it: when
	// it began, to the millisecond, its status code and its class.
	LastAt    time.Time
	LastCode  int
	LastClass Class

	// Second says that the one attempt allowed after an interruption is owed,
	// or was made, although retries are off.
	Second bool

	// Was is the reason for which a call had been given up that is to be sent
	// again by Step.Requeue: it is owed one attempt, whatever its window says, and
	// goes back to that reason if that fails, or begins a new window where Renew
	// says so. NoReason: it is not such a call.
	Was   Reason
	Renew bool

	// Requeued says that it waits since Step.Requeue, and counts in Live.Requeued.
	Requeued bool

	// Running says that an attempt runs; Manual, that a person asked for it;
	// Extend, that its failure begins a new window. They are never stored.
	Running, Manual, Extend bool
}

// Status is where a call stands.
type Status uint8

// The statuses of a call.
const (
	Ready Status = iota // to be delivered
	Success
	Failed
)

// Reason says why a call is Success or Failed.
type Reason uint8

// The reasons.
const (
	NoReason Reason = iota
	Delivered
	Resolved
	RetriesOff
	Exhausted
	Reopened
	Deleted
	Damaged // its stored response cannot be read
)

// String returns the word of the reason.
func (r Reason) String() string {
	return [...]string{"", "delivered", "resolved", "retries off", "exhausted", "reopened", "deleted", "damaged"}[r]
}

// tried reports whether an attempt was recorded.
func (e *Entry) tried() bool { return e.Attempts > 0 }

// CallState is the state of a call as the contract shows it.
type CallState string

// The states of the contract.
const (
	StateScheduled  CallState = "scheduled"
	StateHeld       CallState = "held"
	StateDelivering CallState = "delivering"
	StateRetrying   CallState = "retrying"
	StateDelivered  CallState = "delivered"
	StateGaveUp     CallState = "gaveUp"
	StateResolved   CallState = "resolved"
	StateCancelled  CallState = "cancelled"
	StateDamaged    CallState = "damaged"
)

// CallStates are all of them.
var CallStates = []CallState{
	StateScheduled, StateHeld, StateDelivering, StateRetrying, StateDelivered, StateGaveUp, StateResolved, StateCancelled, StateDamaged,
}

// CallStateWords names all of them, for a person.
func CallStateWords() string {
	words := make([]string, len(CallStates))
	for i, s := range CallStates {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}

// State returns what the contract shows for a call of a callback in state l.
func (e *Entry) State(l *Live) CallState { return e.state(l.Holds()) }

func (e *Entry) state(held bool) CallState {
	switch {
	case e.Running && e.Status != Success:
		return StateDelivering
	case e.Status == Success && e.Reason == Resolved:
		return StateResolved
	case e.Status == Success:
		return StateDelivered
	case e.Reason == Deleted:
		return StateCancelled
	case e.Reason == Damaged:
		return StateDamaged
	case e.Status == Failed:
		return StateGaveUp
	case held:
		return StateHeld
	case e.Attempts == 0:
		return StateScheduled
	}
	return StateRetrying
}

// GivesUp returns when the call is given up if nothing changes, or zero when no
// window runs. While the callback is suspended the answer moves with time.
func (e *Entry) GivesUp(p Policy, l *Live, now time.Time) time.Time {
	if e.Status != Ready || e.Window.IsZero() || !p.Retries || e.Was != NoReason {
		return time.Time{}
	}
	left := p.Window - l.active(now).Sub(e.Window)
	return now.Add(left)
}
