// Package servicetest is the one definition of what a callback.Service must do,
// whatever stands between its caller and the engine. It runs against the
// appliance itself and against a client of its HTTP interface alike.
package servicetest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ringback/callback"
)

// patience bounds how long a test waits for something that must happen. It is
// no measure of speed.
const patience = 60 * time.Second

// Run runs the suite. open returns a service that delivers, empty and of its
// own, with alerts in outage mode and whatever it needs to end registered with
// t.Cleanup. Endpoints on loopback must be allowed.
func Run(t *testing.T, open func(t *testing.T) callback.Service) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, *bench)
	}{
		{"CreateAndRead", createAndRead},
		{"CreateRefusesWhatIsWrong", createRefuses},
		{"NamesAreUnique", namesUnique},
		{"SecretsAreMasked", secretsMasked},
		{"UpdateChangesWhatIsSet", updateChanges},
		{"UpdateOfAnOldVersion", updateStale},
		{"DeleteFreesTheName", deleteFrees},
		{"ListCallbacks", listCallbacks},
		{"UnknownCallbackIsNotFound", unknownCallback},
		{"EnqueueIsDelivered", enqueueDelivered},
		{"EnqueueByName", enqueueByName},
		{"EnqueueMany", enqueueMany},
		{"EnqueueSkips", enqueueSkips},
		{"SkippedAreNotRemembered", skippedForgotten},
		{"EnqueueRepeats", enqueueRepeats},
		{"FailureIsListed", failureListed},
		{"CallsPage", callsPage},
		{"CallsFilter", callsFilter},
		{"AttemptsPage", attemptsPage},
		{"ResolveAllOrNone", resolveAllOrNone},
		{"Reopen", reopen},
		{"RetryDelivers", retryDelivers},
		{"RetryConflicts", retryConflicts},
		{"SuspendHolds", suspendHolds},
		{"OutageAndAlert", outageAndAlert},
		{"OutagesAndAlertsPage", outagesPage},
		{"Acknowledge", acknowledge},
		{"TestSendsASample", testSends},
		{"TestOneAtATime", testOnce},
		{"DraftIsTested", draftTested},
		{"DraftIsLookedAt", draftLookedAt},
		{"SendAlertWithoutMailServer", sendAlert},
		{"Overview", overview},
		{"SeriesTells", seriesTold},
		{"SeriesRefusesWhatIsWrong", seriesRefuses},
		{"CausesAreCounted", causesTold},
		{"KeysAreShownOnce", keysMade},
		{"KeysRefuseWhatIsWrong", keysRefused},
		{"OperationRetriesInOrder", operationRetries},
		{"OperationProbesFirst", operationProbes},
		{"OperationResolvesAndUndoes", operationResolves},
		{"OperationIsBoundedByItsPreview", operationBounded},
		{"OperationNamesCalls", operationNames},
		{"OperationStartsOnce", operationRepeats},
		{"OperationRefusesWhatIsWrong", operationRefuses},
		{"OperationsAreListed", operationsListed},
		{"QueueShape", queueShape},
		{"System", system},
		{"LogTellsOfFailures", logTells},
		{"ChoresThatCannotBeDone", choresRefused},
		{"WatchTellsOfChanges", watchTells},
		{"WatchEnds", watchEnds},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			t.Cleanup(cancel)
			c.run(t, &bench{t: t, ctx: ctx, svc: open(t), hook: newReceiver(t)})
		})
	}
}

// bench is what one case works with.
type bench struct {
	t    *testing.T
	ctx  context.Context
	svc  callback.Service
	hook *receiver
}

// receiver is an endpoint whose answer the test chooses.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	bodies []string
	hold   chan chan struct{} // where not nil, a request waits until what it sends there is closed
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{status: http.StatusOK}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return // the sender was stopped half way
		}
		if r.hold != nil {
			free := make(chan struct{})
			r.hold <- free
			<-free
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.bodies = append(r.bodies, string(body))
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// got returns how many requests held s.
func (r *receiver) got(s string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, b := range r.bodies {
		if strings.Contains(b, s) {
			n++
		}
	}
	return n
}

// all returns the bodies of all requests, in the order in which they came.
func (r *receiver) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.bodies)
}

// callback registers the receiver under a name; set changes the draft.
func (b *bench) callback(name string, set func(*callback.Draft)) callback.Health {
	b.t.Helper()
	d := callback.Draft{Name: &name, URL: &b.hook.URL}
	if set != nil {
		set(&d)
	}
	h, err := b.svc.Create(b.ctx, d)
	if err != nil {
		b.t.Fatalf("create %s: %v", name, err)
	}
	return h
}

// retries turns retries on.
func retries(d *callback.Draft) { on := true; d.Retries = &on }

func response(ref, content string) callback.NewResponse {
	return callback.NewResponse{Ref: ref, Response: callback.Response{
		MessageID: "M-" + content, From: callback.From{Name: "Fred Waters", Mobile: "0430984567"},
		Message: callback.Message{Channel: "SMS", Acknowledged: "09/01/26 13:22", Content: content},
	}}
}

// enqueue enqueues responses that must all be taken.
func (b *bench) enqueue(items ...callback.NewResponse) []callback.CallID {
	b.t.Helper()
	res, err := b.svc.Enqueue(b.ctx, items)
	if err != nil || len(res) != len(items) {
		b.t.Fatalf("enqueue: %d results of %d, error %v", len(res), len(items), err)
	}
	ids := make([]callback.CallID, len(res))
	for i, r := range res {
		if r.Err != nil || r.ID == 0 {
			b.t.Fatalf("enqueue item %d: id %v, error %v", i, r.ID, r.Err)
		}
		ids[i] = r.ID
	}
	return ids
}

// until waits until ok holds, looking again after each change that the service
// tells of.
func (b *bench) until(what string, ok func() bool) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	revs, err := b.svc.Watch(ctx)
	if err != nil {
		b.t.Fatalf("watch: %v", err)
	}
	for !ok() {
		if _, open := <-revs; !open {
			b.t.Fatalf("waited in vain: %s", what)
		}
	}
}

// call returns a call that must be there.
func (b *bench) call(ref string, id callback.CallID) callback.CallView {
	b.t.Helper()
	c, err := b.svc.Call(b.ctx, ref, id)
	if err != nil {
		b.t.Fatalf("call %v: %v", id, err)
	}
	return c
}

// ended waits until n attempts of a call are recorded.
func (b *bench) ended(ref string, id callback.CallID, n int) callback.CallView {
	b.t.Helper()
	b.until("attempts of call "+id.String(), func() bool {
		c := b.call(ref, id)
		return len(c.Attempts) >= n && !c.Running
	})
	return b.call(ref, id)
}

// calls lists calls.
func (b *bench) calls(q callback.ListQuery) callback.CallList {
	b.t.Helper()
	list, err := b.svc.Calls(b.ctx, q)
	if err != nil {
		b.t.Fatalf("calls %+v: %v", q, err)
	}
	return list
}

func idsOf(list callback.CallList) []callback.CallID {
	var ids []callback.CallID
	for i := range list.Calls {
		ids = append(ids, list.Calls[i].ID)
	}
	return ids
}

// wantCode fails unless err has that code.
func (b *bench) wantCode(what string, err error, want callback.Code) {
	b.t.Helper()
	if got := callback.ErrorCode(err); got != want {
		b.t.Fatalf("%s: got code %q (%v), want %q", what, got, err, want)
	}
}

// wantFields fails unless err is CodeInvalid and names just these fields.
func (b *bench) wantFields(what string, err error, want ...string) {
	b.t.Helper()
	b.wantCode(what, err, callback.CodeInvalid)
	var got []string
	for _, f := range fieldsOf(err) {
		got = append(got, f.Field)
		if f.Message == "" {
			b.t.Errorf("%s: nothing is said of %s", what, f.Field)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		b.t.Fatalf("%s: got fields %v, want %v", what, got, want)
	}
}

func fieldsOf(err error) []callback.FieldError {
	if e, ok := errors.AsType[*callback.Error](err); ok {
		return e.Fields
	}
	return nil
}
