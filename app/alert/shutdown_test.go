package alert

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ringback/callback"
)

func TestShutdownWhileSending(t *testing.T) {
	t.Parallel()
	t.Run("finished within the grace", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, nil)
			r.box.answer = func(ctx context.Context, _ callback.Mail, _ int) error {
				time.Sleep(grace - time.Second)
				return ctx.Err()
			}
			r.start()
			r.fail(r.create("crm-prod", "ops@example.com", ""), "one")
			began := time.Now()
			r.end()
			r.want(callback.AlertSent, "ops@example.com", 1, "250 ")
			if took := time.Since(began); took != grace-time.Second {
				t.Fatalf("Run took %v to end", took)
			}
		})
	})
	t.Run("cut", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, nil)
			r.box.answer = func(ctx context.Context, m callback.Mail, n int) error {
				if n == 1 {
					return hang(ctx, m, n)
				}
				return nil
			}
			r.start()
			r.fail(r.create("crm-prod", "ops@example.com", ""), "one")
			began := time.Now()
			r.end()
			if took := time.Since(began); took != grace {
				t.Fatalf("Run took %v to end, want %v", took, grace)
			}
			r.want(callback.AlertWaiting, "", 0, "")
			if ok, note := r.Status(); !ok {
				t.Fatalf("status: %q, but the server did nothing wrong", note)
			}
			r.start()
			r.end()
			r.want(callback.AlertSent, "ops@example.com", 1, "250 ")
			if p := r.box.all(); len(p) != 2 || p[0].MessageID != p[1].MessageID {
				t.Fatalf("got %d mails, want two with one Message-ID", len(p))
			}
		})
	})
	t.Run("taken at the last moment", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, nil)
			r.opts.Store = &broken{Store: r.store}
			r.box.answer = func(ctx context.Context, _ callback.Mail, _ int) error {
				<-ctx.Done()
				return nil
			}
			r.start()
			r.fail(r.create("crm-prod", "ops@example.com", ""), "one")
			r.end()
			r.want(callback.AlertSent, "ops@example.com", 1, "250 ")
		})
	})
	for method, took := range map[string]time.Duration{"Alerts": 0, "DueAlerts": 0, "Call": grace} {
		t.Run("the store hangs in "+method, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				r.opts.Store = &broken{Store: r.store, method: method}
				r.fail(r.create("crm-prod", "ops@example.com", ""), "one")
				r.start()
				began := time.Now()
				r.end()
				if got := time.Since(began); got != took {
					t.Fatalf("Run took %v to end, want %v", got, took)
				}
				r.want(callback.AlertWaiting, "", 0, "")
			})
		})
	}
	t.Run("the store fails", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, nil)
			r.opts.Store = &broken{Store: r.store, method: "SetAlert", err: errDisk}
			r.box.answer = func(ctx context.Context, m callback.Mail, n int) error {
				if content(m) == "slow" {
					return hang(ctx, m, n)
				}
				time.Sleep(time.Second)
				return nil
			}
			r.start()
			r.fail(r.create("slow", "ops@example.com", ""), "slow")
			r.fail(r.create("fast", "ops@example.com", ""), "fast")
			began := time.Now()
			if err := r.stop(); !errors.Is(err, errDisk) {
				t.Fatalf("Run: got %v, want %v", err, errDisk)
			}
			if took := time.Since(began); took != time.Second {
				t.Fatalf("Run took %v to end, want 1s", took)
			}
		})
	})
	t.Run("nothing new starts", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, nil)
			r.box.answer = func(context.Context, callback.Mail, int) error {
				time.Sleep(time.Second)
				return nil
			}
			cb := r.create("crm-prod", "ops@example.com", callback.ModeEveryCall)
			r.start()
			r.fail(cb, "one")
			r.fail(cb, "two")
			r.end()
			if diff := cmp.Diff([]string{"one"}, r.contents()); diff != "" {
				t.Fatalf("mails (-want +got):\n%s", diff)
			}
		})
	})
}

var errDisk = errors.New("disk on fire")

// broken is a store of which one method fails with err, or, where that is nil,
// hangs. It minds its contexts.
type broken struct {
	Store
	method string
	err    error
}

func (b *broken) fault(ctx context.Context, method string) error {
	if b.method == method && b.err != nil {
		return b.err
	}
	if b.method == method {
		<-ctx.Done()
	}
	return ctx.Err()
}

func (b *broken) Callback(num callback.Num) (callback.Health, error) {
	if err := b.fault(context.Background(), "Callback"); err != nil {
		return callback.Health{}, err
	}
	return b.Store.Callback(num)
}

func (b *broken) Call(ctx context.Context, num callback.Num, id callback.CallID) (callback.Call, error) {
	if err := b.fault(ctx, "Call"); err != nil {
		return callback.Call{}, err
	}
	return b.Store.Call(ctx, num, id)
}

func (b *broken) DueAlerts(ctx context.Context, now time.Time, limit int) ([]callback.Alert, time.Time, error) {
	if err := b.fault(ctx, "DueAlerts"); err != nil {
		return nil, time.Time{}, err
	}
	return b.Store.DueAlerts(ctx, now, limit)
}

func (b *broken) SetAlert(ctx context.Context, now time.Time, a callback.Alert) error {
	if err := b.fault(ctx, "SetAlert"); err != nil {
		return err
	}
	return b.Store.SetAlert(ctx, now, a)
}

func (b *broken) Alerts(ctx context.Context, q callback.Newest[callback.Alert]) (callback.Listing[callback.Alert], error) {
	if err := b.fault(ctx, "Alerts"); err != nil {
		return callback.Listing[callback.Alert]{}, err
	}
	return b.Store.Alerts(ctx, q)
}

func TestStoreFaultEndsRun(t *testing.T) {
	t.Parallel()
	for method, mails := range map[string]int{"Alerts": 0, "DueAlerts": 0, "Callback": 1, "Call": 1, "SetAlert": 2} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				// The other callback's mail is under way when the store fails.
				r.box.answer = func(ctx context.Context, m callback.Mail, n int) error {
					if content(m) == "slow" {
						return hang(ctx, m, n)
					}
					return nil
				}
				b := &broken{Store: r.store, err: errDisk}
				r.opts.Store = b
				slow := r.create("slow", "ops@example.com", "")
				fast := r.create("fast", "ops@example.com", "")
				if mails > 0 {
					r.start()
					r.fail(slow, "slow")
					b.method = method
				} else {
					b.method = method
					r.start()
				}
				began := time.Now()
				r.fail(fast, "fast")
				err := r.stop()
				if !errors.Is(err, errDisk) {
					t.Fatalf("Run: got %v, want %v", err, errDisk)
				}
				if took := time.Since(began); took != 0 {
					t.Fatalf("Run went on for %v", took)
				}
				if n := len(r.box.all()); n != mails {
					t.Fatalf("%d mails, want %d", n, mails)
				}
			})
		})
	}
}

// What is no longer there is no fault: the mail says what is still known.
func TestPurgedHistory(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]string{
		"Callback": "Callback Id: 0000000000000001", "Call": "is no longer kept", "SetAlert": "The endpoint answered 500.",
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				r.opts.Store = &broken{Store: r.store, method: method, err: callback.Errorf(callback.CodeNotFound, "no such thing")}
				r.fail(r.create("crm-prod", "ops@example.com", ""), "one")
				ctx, cancel := context.WithCancel(t.Context())
				e := New(r.opts)
				r.box.answer = func(context.Context, callback.Mail, int) error { cancel(); return nil }
				if err := e.Run(ctx); err != nil {
					t.Fatalf("Run: %v", err)
				}
				p := r.box.all()
				if len(p) != 1 || !strings.Contains(strings.Join(strings.Fields(p[0].Text), " "), want) {
					t.Fatalf("got %+v, want one mail with %q", p, want)
				}
			})
		})
	}
}
