package app_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ringback/app"
	"ringback/callback"
	"ringback/queue"
	"ringback/queue/memq"
)

// idle is an App over a store that nobody runs, with n calls of one callback
// that failed.
func idle(t *testing.T, s callback.Store, n int) *app.App {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	cb, err := s.Create(t.Context(), now, callback.Callback{ID: 7, Name: "a", MaxInFlight: n})
	if err != nil {
		t.Fatal(err)
	}
	var calls []callback.NewCall
	for i := range n {
		calls = append(calls, callback.NewCall{Num: cb.Num, Response: callback.Response{MessageID: fmt.Sprint(i)}})
	}
	if _, err := s.Enqueue(t.Context(), now, calls); err != nil {
		t.Fatal(err)
	}
	due, err := s.Due(t.Context(), cb.Num, callback.Fresh, callback.DueKey{}, n)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := s.Claim(t.Context(), now, cb.Num, due, nil)
	if err != nil || len(claims) != n {
		t.Fatalf("%d claimed, %v", len(claims), err)
	}
	for _, c := range claims {
		bad := []callback.Attempt{{Started: now, Code: 500, Class: callback.ClassStatus}}
		if _, err := s.Record(t.Context(), now, cb.Num, c.Entry.ID, bad); err != nil {
			t.Fatal(err)
		}
	}
	return app.New(app.Options{Store: s, Poster: nobody{}, Policy: policy()})
}

// nobody is a Poster whose endpoints never answer.
type nobody struct{}

func (nobody) Post(ctx context.Context, _ *callback.Callback, _ *callback.Claim, number int) []callback.Attempt {
	<-ctx.Done()
	return []callback.Attempt{{Number: number, Class: callback.ClassInterrupted}}
}

var resolveFailed = callback.NewOperation{
	ID: "op", Ref: "a", Kind: callback.OperationResolve, By: "ann", Filter: callback.Filter{Status: callback.ListFailed},
}

// half starts an operation and works off one page of it.
func half(t *testing.T, a *app.App, s callback.Store, calls int) {
	t.Helper()
	if _, fresh, err := a.StartOperation(t.Context(), resolveFailed); err != nil || !fresh {
		t.Fatalf("start: %v, %v", fresh, err)
	}
	o, err := s.Operation(t.Context(), "op")
	if err != nil {
		t.Fatal(err)
	}
	page, err := o.Next(t.Context(), s, calls)
	if err != nil {
		t.Fatal(err)
	}
	if o, err = s.AdvanceOperation(t.Context(), o.Created, "op", page); err != nil || o.Changed != uint64(calls) {
		t.Fatalf("one page: %+v, %v", o, err)
	}
}

// until runs an App until an operation has ended.
func until(t *testing.T, a *app.App, id string) (o callback.OperationView) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	revs, err := a.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	working, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := a.Run(working); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	defer wg.Wait()
	defer stop()
	for range revs {
		if o, err = a.Operation(ctx, id); err != nil {
			t.Fatal(err)
		}
		if !o.Active() {
			return o
		}
	}
	t.Fatalf("it does not end: %+v", o)
	return o
}

// An operation that was half done when the process ended goes on at the next
// start, and changes every call once.
func TestOperationGoesOn(t *testing.T) {
	t.Parallel()
	opt := queue.Options{Dir: t.TempDir(), Now: time.Now(), Policy: policy()}
	first, err := queue.Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	half(t, idle(t, first, 700), first, 300)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := queue.Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	a := app.New(app.Options{Store: second, Poster: nobody{}, Policy: policy()})
	o := until(t, a, "op")
	if o.State != callback.OperationDone || o.Matched != 700 || o.Changed != 700 {
		t.Errorf("after the restart: %+v", o)
	}
	h, err := a.Callback(t.Context(), "a")
	if err != nil || h.Live.Counts.Resolved != 700 {
		t.Errorf("%+v, %v", h.Live.Counts, err)
	}
	if err := second.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
}

// One that is stopped half way stays there, also when the App runs; its undo
// takes back what it did.
func TestOperationStops(t *testing.T) {
	t.Parallel()
	s := memq.New(policy())
	a := idle(t, s, 700)
	half(t, a, s, 300)
	if o, err := a.StopOperation(t.Context(), "op"); err != nil || o.State != callback.OperationStopped || o.Changed != 300 || o.UndoUntil.IsZero() {
		t.Fatalf("stopped: %+v, %v", o, err)
	}
	if err := a.Work(t.Context(), "op"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.UndoOperation(t.Context(), "op"); err != nil {
		t.Fatal(err)
	}
	o := until(t, a, "op")
	if o.State != callback.OperationUndone || o.Changed != 300 || o.Undone != 300 {
		t.Fatalf("undone: %+v", o)
	}
	if h, err := a.Callback(t.Context(), "a"); err != nil || h.Live.Counts.Failed != 700 {
		t.Fatalf("%+v, %v", h.Live.Counts, err)
	}
}

// broken is a store whose list of calls cannot be read, the oldest first.
type broken struct{ callback.Store }

func (b broken) Calls(ctx context.Context, q callback.CallQuery) (callback.CallPage, error) {
	if !q.Oldest {
		return b.Store.Calls(ctx, q)
	}
	return callback.CallPage{}, fmt.Errorf("a row is damaged")
}

// An operation whose calls cannot be read fails; the App goes on.
func TestOperationFails(t *testing.T) {
	t.Parallel()
	s := memq.New(policy())
	idle(t, s, 3)
	a := app.New(app.Options{Store: broken{s}, Poster: nobody{}, Policy: policy()})
	if _, _, err := a.StartOperation(t.Context(), resolveFailed); err != nil {
		t.Fatal(err)
	}
	if o := until(t, a, "op"); o.State != callback.OperationFailed || o.Note == "" || o.Changed != 0 {
		t.Fatalf("failed: %+v", o)
	}
}

// endless is a store whose list of calls has no end.
type endless struct{ callback.Store }

func (e endless) Calls(ctx context.Context, _ callback.CallQuery) (callback.CallPage, error) {
	select {
	case <-ctx.Done():
		return callback.CallPage{}, ctx.Err()
	case <-time.After(time.Second):
		return callback.CallPage{More: true, Next: 1}, nil
	}
}

// A preview that would take too long says that it is partial, and no more than
// a few are counted at once.
func TestPreviewIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := memq.New(policy())
		idle(t, s, 3)
		a := app.New(app.Options{Store: endless{s}, Poster: nobody{}, Policy: policy()})
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				if p, err := a.Preview(t.Context(), resolveFailed); err != nil || !p.Partial {
					t.Errorf("%+v, %v", p, err)
				}
			})
		}
		synctest.Wait()
		if _, err := a.Preview(t.Context(), resolveFailed); callback.ErrorCode(err) != callback.CodeUnavailable {
			t.Errorf("a third preview: %v", err)
		}
		began := time.Now()
		wg.Wait()
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// Retention forgets what can no longer be undone, and long-ended operations.
func TestOperationsAreForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := memq.New(policy())
		a := idle(t, s, 5)
		if _, _, err := a.StartOperation(t.Context(), resolveFailed); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := a.Run(ctx); err != nil {
				t.Errorf("Run: %v", err)
			}
		})
		for _, c := range []struct {
			after time.Duration
			kept  uint64
			found bool
		}{
			{23 * time.Hour, 5, true}, {2 * time.Hour, 0, true}, {callback.KeepOperationsFor, 0, false},
		} {
			time.Sleep(c.after) // of the bubble's clock
			o, err := s.Operation(t.Context(), "op")
			if (err == nil) != c.found || o.Kept != c.kept {
				t.Errorf("after %v more: keeps %d, %v", c.after, o.Kept, err)
			}
		}
		cancel()
		wg.Wait()
	})
}
