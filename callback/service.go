package callback

import (
	"context"
	"time"
)

// Service is what ringback can do, for every front end. app.App implements it
// inside the process, api.Client over HTTP; one suite runs against both.
//
// A ref is a callback's id or its name. Faults of the caller are *Error.
type Service interface {
	Reader
	Operator
	Admin
	Watcher
	Inspector
	Caretaker
}

// Reader answers questions. What it returns is the caller's to keep.
type Reader interface {
	// Server tells about the appliance itself.
	Server(ctx context.Context) (Server, error)
	// Overview returns every callback with figures of the last hour in cells
	// parts, from memory.
	Overview(ctx context.Context, cells int) (Overview, error)
	// Series returns how attempts went over time, in q.Cells parts.
	Series(ctx context.Context, q SeriesQuery) (Series, error)
	// Causes returns why attempts of a callback failed, or those of all for "",
	// within one of SeriesWindows up to now; it begins on a full hour.
	Causes(ctx context.Context, ref string, window time.Duration) (Failures, error)
	// Callbacks returns a page of live callbacks and how many match in all.
	Callbacks(ctx context.Context, q CallbackQuery) ([]Health, int, error)
	// Callback returns one live callback with how it does.
	Callback(ctx context.Context, ref string) (Health, error)
	// Calls returns a page of calls; rows carry their last attempt only. A page
	// may be short, even empty, although there is More: a filter that selects few
	// calls is worked on for a bounded time.
	Calls(ctx context.Context, q ListQuery) (CallList, error)
	// Attempts returns a page of attempts of one callback, or of all for "", in the
	// order of when they began; q.Num is not looked at. A page may be short as one
	// of Calls.
	Attempts(ctx context.Context, ref string, q AttemptQuery) (AttemptList, error)
	// Call returns one call with its attempts, the last MaxCallAttempts of them.
	Call(ctx context.Context, ref string, id CallID) (CallView, error)
	// Outages returns a page of outages, newest first.
	Outages(ctx context.Context, q OutageQuery) (Listing[OutageView], error)
	// Alerts returns a page of alerts, newest first.
	Alerts(ctx context.Context, q AlertQuery) (Listing[Alert], error)
	// Preview says what an operation would change if it were started now. It
	// stops counting after a while, and says so.
	Preview(ctx context.Context, o NewOperation) (Preview, error)
	// Operation returns one operation, or CodeNotFound.
	Operation(ctx context.Context, id string) (OperationView, error)
	// Operations returns a page of operations, those begun last first.
	Operations(ctx context.Context, q OperationQuery) (Listing[OperationView], error)
}

// Operator acts on calls and callbacks. by says who acts.
type Operator interface {
	// Enqueue stores responses, in order; each result tells of one. It returns
	// when all that is stored is on disk.
	Enqueue(ctx context.Context, items []NewResponse) ([]EnqueueResult, error)
	// SetStatus resolves calls (Success) or reopens them (Failed): all or none.
	SetStatus(ctx context.Context, ref string, ids []CallID, status Status, by string) (changed int, err error)
	// Retry starts one attempt of a call now. extend: a failed call gets a new
	// window if it fails again. It returns once the attempt is claimed.
	Retry(ctx context.Context, ref string, id CallID, extend bool) error
	// Suspend and Resume are no-ops where there is nothing to change.
	Suspend(ctx context.Context, ref, by string) error
	Resume(ctx context.Context, ref string) error
	// Test sends a sample response to the callback now, beside its calls: nothing
	// is stored or counted, and neither gate nor suspension matters. That the
	// endpoint fails is data. It may take as long as an attempt, or two;
	// CodeConflict while another test of the callback runs.
	Test(ctx context.Context, ref string) (Trial, error)
	// Acknowledge notes that by knows of an outage, by its number; CodeConflict
	// when it is over. Whoever says so last stays.
	Acknowledge(ctx context.Context, ref string, outage uint32, by string) error
	// SendAlert sends the alert with that key again, soon, whatever became of
	// it. CodeConflict: no mail server is configured.
	SendAlert(ctx context.Context, key string) error
	// StartOperation begins to retry or resolve what a filter selects, and
	// returns when that is on disk; the work goes on by itself. With an ID that
	// was used for the same it changes nothing, and fresh is false; used for
	// something else it is a CodeConflict. Too many at once are CodeUnavailable.
	StartOperation(ctx context.Context, o NewOperation) (op OperationView, fresh bool, err error)
	// StopOperation ends one that runs, or its undo, where it stands: within one
	// page of calls. One that has ended stays as it is.
	StopOperation(ctx context.Context, id string) (OperationView, error)
	// UndoOperation begins to take a resolve back. It is a CodeConflict where
	// there is nothing to undo, or nothing any more.
	UndoOperation(ctx context.Context, id string) (OperationView, error)
}

// Admin changes callbacks, and says who may come.
type Admin interface {
	// Create registers a callback from what is set in d. Fields that are wrong
	// are named in the *Error.
	Create(ctx context.Context, d Draft) (Health, error)
	// Update changes what is set in d. version 0: whatever it is now; else
	// CodeStale when it is not that.
	Update(ctx context.Context, ref string, d Draft, version uint64) (Health, error)
	// TestDraft is Test of a callback that is not stored: of ref's as d changes it,
	// or for "" of a new one, which needs no name yet. Nothing of d is kept. Errors
	// are those of Update and Test; of drafts of new ones one at a time is tested.
	TestDraft(ctx context.Context, ref string, d Draft) (Trial, error)
	// CheckDraft looks beyond the form of what d sets: whether its URL answers, and
	// whether its e-mail address can get mail. What else d sets, and ref, are as in
	// TestDraft. It takes some seconds at most; CodeUnavailable when too many look
	// at once.
	CheckDraft(ctx context.Context, ref string, d Draft) ([]Finding, error)
	// Delete removes a callback; its waiting calls are given up.
	Delete(ctx context.Context, ref string) error
	// Keys returns all API keys in order of name, without their hashes.
	Keys(ctx context.Context) ([]APIKey, error)
	// AddKey makes an API key and returns it in clear, once: it is stored as a
	// hash only.
	AddKey(ctx context.Context, name string, role Role) (key APIKey, clear string, err error)
	// RemoveKey ends what the key of that name may do, at once; CodeNotFound.
	RemoveKey(ctx context.Context, name string) error
}

// Watcher tells of changes.
type Watcher interface {
	// Watch returns a channel that gets a revision soon after anything changed:
	// the latest only, at most four a second. It never blocks who changes things. The
	// channel is closed when ctx is done or the connection is lost.
	Watch(ctx context.Context) (<-chan uint64, error)
}

// Draft is what somebody wants a callback to be. A nil field keeps what is
// stored, or the default of a new callback. Secrets come in clear, or as their
// mask, which keeps what is stored.
type Draft struct {
	Name, URL, Email, Description *string
	AuthType                      *AuthType
	AuthKey                       *string
	ContentType                   *ContentType
	RemoveHTML, Retries           *bool
	Reply, Undeliverable          *bool
	Alerts                        *AlertMode
	SigningSecret, PreviousSecret *string
	MaxInFlight                   *int
	RatePerSecond                 *float64
	Ordered                       *bool
	ConnectTimeout                *time.Duration
	ResponseTimeout               *time.Duration
	CA                            *string
	Headers                       *[]Param
}

// NewResponse is a response for a callback.
type NewResponse struct {
	Ref      string
	Response Response
}

// Trial is a sample response that was sent to a callback, and what came of it.
type Trial struct {
	ID          string     // its webhook-id, TrialPrefix and 16 hex digits
	CallbackID  CallbackID // 0: a draft of a new one
	Callback    string     // name
	URL         string     // with its secret masked
	ContentType string     // media type of what was sent
	RequestBody string     // what was sent
	Attempts    []Attempt  // oldest first, at least one
}

// TrialPrefix begins the webhook-id of a test. No call's id begins so.
const TrialPrefix = "test_"

// OK reports whether the endpoint took the sample.
func (t *Trial) OK() bool { return len(t.Attempts) > 0 && t.Attempts[len(t.Attempts)-1].OK }

// EnqueueResult tells what became of one NewResponse.
type EnqueueResult struct {
	ID       CallID
	Callback CallbackID
	Repeat   bool  // the key was used before; ID is the first call's
	Skipped  bool  // the callback does not want this kind; nothing was stored
	Err      error // an *Error; nothing was stored
}

// CallbackQuery selects callbacks.
type CallbackQuery struct {
	Name          string // exact; "": any
	Sort          []string
	Desc          bool
	Limit, Offset int
}

// OutageQuery selects outages. Zero fields do not select.
type OutageQuery struct {
	Ref           string       // callback; "": of all
	Phase         *OutagePhase // nil: any; NoOutage: over
	Limit, Offset int
}

// AlertQuery selects alerts. Zero fields do not select.
type AlertQuery struct {
	Ref           string // callback; "": of all
	Kind          AlertKind
	Status        *AlertStatus // nil: any
	Limit, Offset int
}

// ListQuery selects calls for a list.
type ListQuery struct {
	Ref string // callback; "": of all
	Filter
	After  CallID
	Oldest bool
	Limit  int
	Offset int
}

// CallList is a page of calls.
type CallList struct {
	Calls []CallView
	Total uint64 // how many there are in all
	Exact bool   // Total is exact, and not just "at least"
	More  bool
	Next  CallID

	// Skipped is how many rows of the offset were passed: all of them, or More is
	// set and they are not there yet.
	Skipped int

	// Looked is how many calls were looked at for it, selected or not, up to Next
	// or the end; 0 where nothing but a status selects.
	Looked uint64
}

// AttemptList is a page of attempts.
type AttemptList struct {
	Attempts []AttemptView
	Total    uint64 // how many there are in all
	Exact    bool   // Total is exact, and not just "at least"
	More     bool
	Next     AttemptKey
	Skipped  int // as in CallList
}

// AttemptView is an attempt as it is shown.
type AttemptView struct {
	CallAttempt
	CallbackID CallbackID
	Callback   string // name
}

// CallView is a call as it is shown.
type CallView struct {
	Call
	CallbackID  CallbackID
	Callback    string // name
	URL         string // with its secret masked
	State       CallState
	GivesUp     time.Time // zero: never, or not known
	RequestBody string    // what is POSTed; only from Service.Call
	Run         *InFlight // the attempt that runs; nil: none, or not known; only from Service.Call
}

// OutageView is an outage with its e-mails.
type OutageView struct {
	Outage
	CallbackID CallbackID
	Callback   string
	Alerts     []Alert
}

// Server tells about the appliance.
type Server struct {
	Name, Version string
	ID            string // of the data folder
	Started, Now  time.Time
	DataDir       string
	Listen        string
	MailServer    string // "" when none is configured
	Role          Role   // what this front end may do
	ReadOnly      bool   // this front end may change nothing
	Embedded      bool   // the screen runs in the server's own process
	Demo          bool
	Running       int // attempts that run
	MaxInFlight   int
	Interval      time.Duration
	Window        time.Duration
	Connect       time.Duration // default time limits of an attempt
	Response      time.Duration
	KeyHeader     string // of auth type httpheader
	ClockDoubtful bool   // the clock jumped, and is not followed
}

// Overview is the first screen.
type Overview struct {
	Now       time.Time
	Callbacks []HealthView
	Accepted  float64 // calls accepted a second, over the last 10 s
	Sent      float64 // attempts ended a second, over the last 10 s
	Running   int
	Waiting   uint64
	DueNow    uint64
	MailOK    bool
	MailNote  string // what is wrong with mail, "" when nothing is
	Events    []Event
}

// HealthView is one callback of an Overview.
type HealthView struct {
	Health
	Shown    State
	OK, Bad  uint64        // attempts of the last hour
	Cells    []Cell        // the last hour, oldest first
	P50, P95 time.Duration // of answers in the last hour; 0: none
	Oldest   time.Time     // when the oldest waiting call was enqueued
	NextTry  time.Time
	LastTry  bool   // that is the last of its call where it fails: its window is over, or it gets one only
	Alert    *Alert // about the present outage; where none is owed for it, the latest one
	Latest   *Alert // the latest after that, such as a digest
}

// Cell is one part of a series.
type Cell struct{ OK, Bad uint32 }

// Event is something that happened to a callback.
type Event struct {
	At       time.Time
	Callback string
	State    State
	Text     string
}

// Poster makes attempts.
type Poster interface {
	// Post makes the attempt with that number for a claimed call, and a second
	// one at once when a kept connection turned out to be dead. It returns what
	// it made, oldest first, at least one; what goes wrong is in the Attempt.
	// It returns soon after ctx is done.
	Post(ctx context.Context, cb *Callback, c *Claim, number int) []Attempt
}
