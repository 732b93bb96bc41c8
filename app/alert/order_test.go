package alert

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ringback/callback"
)

func TestOrderIsKeptWithinACallback(t *testing.T) {
	t.Parallel()
	later := func(stage string, code, tries int) func(context.Context, callback.Mail, int) error {
		return func(_ context.Context, m callback.Mail, n int) error {
			if content(m) == "a1" && n <= tries {
				return refusal(stage, code, "not now")
			}
			return nil
		}
	}
	for _, tt := range []struct {
		name    string
		answer  func(context.Context, callback.Mail, int) error
		restart bool
		want    []string
	}{
		{"taken at once", nil, false, []string{"a1", "a2", "b1", "a3"}},
		{"the first is put off", later("rcpt", 451, 2), false, []string{"a1", "b1", "a1", "a1", "a2", "a3"}},
		{"the server is away for two hours", later("connect", 0, 7), false, []string{"a1", "b1", "a1", "a1", "a1", "a1", "a1", "a1", "a1", "a2", "a3"}},
		{"the first is put off, and the process ends", later("rcpt", 451, 2), true, []string{"a1", "b1", "a1", "a1", "a2", "a3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				r.box.answer = tt.answer
				a := r.create("a", "ops@example.com", callback.ModeEveryCall)
				b := r.create("b", "ops@example.com", callback.ModeEveryCall)
				r.start()
				r.fail(a, "a1")
				time.Sleep(time.Second)
				if tt.restart {
					r.end()
					r.start()
				}
				r.fail(a, "a2")
				r.fail(b, "b1")
				time.Sleep(time.Second)
				r.fail(a, "a3")
				time.Sleep(24 * time.Hour)
				r.end()
				if diff := cmp.Diff(tt.want, r.contents()); diff != "" {
					t.Fatalf("order of mails (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// One mail that the server will not have for now keeps later ones back for an
// hour, and no longer.
func TestOrderHasItsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.box.answer = func(_ context.Context, m callback.Mail, _ int) error {
			if content(m) == "a1" {
				return refusal("data", 451, "451 try later")
			}
			return nil
		}
		a := r.create("a", "ops@example.com", callback.ModeEveryCall)
		r.start()
		r.fail(a, "a1")
		time.Sleep(time.Minute)
		r.fail(a, "a2")
		time.Sleep(58*time.Minute + 30*time.Second)
		r.Wake()
		time.Sleep(5*time.Hour + 90*time.Second)
		r.fail(a, "a3")
		r.end()
		at := map[string]time.Duration{}
		for _, p := range r.box.all() {
			if at[content(p.Mail)] == 0 {
				at[content(p.Mail)] = p.At
			}
		}
		if at["a2"] != time.Hour || at["a3"] != 6*time.Hour+time.Minute {
			t.Fatalf("a2 went at %v, a3 at %v; want 1h0m0s and 6h1m0s", at["a2"], at["a3"])
		}
	})
}

// An alert that was overtaken is not held back in turn by the one that did it.
func TestOvertakenAlertGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.box.answer = func(_ context.Context, m callback.Mail, _ int) error {
			if content(m) == "a1" {
				return refusal("rcpt", 451, "451 try later")
			}
			time.Sleep(30 * time.Second)
			return refusal("connect", 0, "no answer")
		}
		a := r.create("a", "ops@example.com", callback.ModeEveryCall)
		r.start()
		r.fail(a, "a1")
		time.Sleep(time.Minute)
		r.fail(a, "a2") // tried at 60m and 61m30s, then held back until 64m
		time.Sleep(62*time.Minute + 30*time.Second)
		r.end()
		last := r.box.all()[len(r.box.all())-1]
		if content(last.Mail) != "a1" || last.At != 63*time.Minute {
			t.Fatalf("the last try is of %s at %v, want a1 at 1h3m0s", content(last.Mail), last.At)
		}
	})
}

// Somebody who asks for a mail to be sent now gets it now, and those that
// waited for it follow.
func TestPutOffAlertIsSentByHand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.box.answer = func(_ context.Context, m callback.Mail, n int) error {
			if content(m) == "a1" && n <= 5 {
				return refusal("rcpt", 451, "451 try later")
			}
			return nil
		}
		a := r.create("a", "ops@example.com", callback.ModeEveryCall)
		r.start()
		r.fail(a, "a1")
		time.Sleep(time.Second)
		r.fail(a, "a2")
		time.Sleep(20*time.Minute - time.Second)
		for _, alert := range r.alerts() {
			if alert.Tries > 0 {
				alert.Next = time.Now()
				if err := r.store.SetAlert(t.Context(), time.Now(), alert); err != nil {
					t.Fatal(err)
				}
			}
		}
		r.Wake()
		synctest.Wait()
		r.end()
		if n := len(r.box.all()); n != 7 {
			t.Fatalf("%d tries, want 7: %v", n, r.contents())
		}
		for _, p := range r.box.all()[5:] {
			if p.At != 20*time.Minute {
				t.Fatalf("%s went at %v, want 20m0s", content(p.Mail), p.At)
			}
		}
	})
}

func TestWorkersAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.box.answer = func(_ context.Context, m callback.Mail, _ int) error {
			time.Sleep(time.Second)
			return nil
		}
		for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
			cb := r.create(name, "ops@example.com", callback.ModeEveryCall)
			for i := range 3 {
				r.fail(cb, fmt.Sprint(name, i))
			}
		}
		r.start()
		time.Sleep(time.Minute)
		r.end()
		if n := len(r.box.all()); n != 18 || r.box.most != workers {
			t.Fatalf("%d mails, at most %d at once; want 18 and %d", n, r.box.most, workers)
		}
		// One at a time of each callback: two of one never began within a second.
		last := map[string]time.Duration{}
		for _, p := range r.box.all() {
			name := content(p.Mail)[:1]
			if before, ok := last[name]; ok && p.At-before < time.Second {
				t.Fatalf("%s began %v after the mail before it", content(p.Mail), p.At-before)
			}
			last[name] = p.At
		}
	})
}

func TestWakeWhileSending(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.box.answer = func(ctx context.Context, m callback.Mail, n int) error {
			if content(m) == "a1" && n == 1 {
				time.Sleep(30 * time.Second)
			}
			return nil
		}
		a := r.create("a", "ops@example.com", callback.ModeEveryCall)
		b := r.create("b", "ops@example.com", callback.ModeEveryCall)
		r.start()
		r.fail(a, "a1")
		time.Sleep(time.Second)
		r.fail(a, "a2")
		r.fail(b, "b1")
		time.Sleep(time.Minute)
		r.end()
		want := []post{{At: 0}, {At: time.Second}, {At: 30 * time.Second}}
		for i, p := range r.box.all() {
			if p.At != want[i].At || content(p.Mail) != []string{"a1", "b1", "a2"}[i] {
				t.Fatalf("mail %d is %s at %v", i, content(p.Mail), p.At)
			}
		}
		if n := len(r.box.all()); n != len(want) {
			t.Fatalf("%d mails, want %d: a1 is sent once, although it was due all the time", n, len(want))
		}
	})
}

// A heap of alerts of one callback, the first of which is stuck, must not hide
// another callback's.
func TestOneCallbackDoesNotHideAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		p := policy()
		p.MaxPerHour = 1000
		r.store.SetPolicy(p)
		r.box.answer = func(ctx context.Context, m callback.Mail, n int) error {
			if content(m) == "a0" {
				return hang(ctx, m, n)
			}
			return nil
		}
		a := r.create("a", "ops@example.com", callback.ModeEveryCall)
		b := r.create("b", "ops@example.com", callback.ModeEveryCall)
		for i := range 3 * batch {
			r.fail(a, fmt.Sprint("a", i))
			time.Sleep(time.Millisecond)
		}
		r.fail(b, "b0")
		r.start()
		if diff := cmp.Diff([]string{"a0", "b0"}, slices.Sorted(slices.Values(r.contents()))); diff != "" {
			t.Fatalf("mails (-want +got):\n%s", diff)
		}
		r.end()
	})
}
