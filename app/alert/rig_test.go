package alert

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ringback/callback"
	"ringback/queue/memq"
)

// post is one mail as the scripted mail server saw it.
type post struct {
	At time.Duration // since the test began
	callback.Mail
}

// mailbox is a mail server that does what answer says; nil: takes everything.
type mailbox struct {
	began  time.Time
	answer func(ctx context.Context, m callback.Mail, n int) error // n counts the tries of one Message-ID from 1

	mu        sync.Mutex
	posts     []post
	tries     map[string]int
	now, most int
}

func (b *mailbox) Send(ctx context.Context, m callback.Mail) (string, error) {
	b.mu.Lock()
	b.posts = append(b.posts, post{time.Since(b.began), m})
	b.tries[m.MessageID]++
	n := b.tries[m.MessageID]
	b.now++
	b.most = max(b.most, b.now)
	b.mu.Unlock()
	var err error
	if b.answer != nil {
		err = b.answer(ctx, m, n)
	}
	b.mu.Lock()
	b.now--
	b.mu.Unlock()
	return "250 2.0.0 Ok: queued as \x1b[31m4F2C1", err
}

func (b *mailbox) all() []post {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.posts)
}

func (b *mailbox) times() (at []time.Duration) {
	for _, p := range b.all() {
		at = append(at, p.At)
	}
	return at
}

// rig is an engine over a real store, in a bubble of its own time.
type rig struct {
	t     *testing.T
	store *memq.Store
	box   *mailbox
	opts  Options
	*Engine
	stop func() error // ends Run and returns what it returned
}

func newRig(t *testing.T, change func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, store: memq.New(policy()), box: &mailbox{began: time.Now(), tries: map[string]int{}}}
	r.opts = Options{
		Store: r.store, Mailer: r.box, From: "ringback@example.com", Admin: "admin@example.com",
		Policy: policy(), Name: "gate-1.example.com", Now: time.Now, Zone: time.UTC,
	}
	if change != nil {
		change(&r.opts)
	}
	return r
}

// start runs a new engine, as a new process would.
func (r *rig) start() {
	r.Engine = New(r.opts)
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.stop = sync.OnceValue(func() error { cancel(); return <-done })
	r.t.Cleanup(func() { r.stop() }) // a failed test must leave no goroutine behind
	synctest.Wait()
}

// end stops the engine and fails the test when Run returned an error.
func (r *rig) end() {
	r.t.Helper()
	if err := r.stop(); err != nil {
		r.t.Fatalf("Run: %v", err)
	}
}

func (r *rig) create(name, email string, mode callback.AlertMode) callback.Callback {
	r.t.Helper()
	cb, err := r.store.Create(r.t.Context(), time.Now(), callback.Callback{
		ID: callback.CallbackID(len(r.store.Callbacks()) + 1), Name: name, URL: "https://" + name + ".example.com/",
		Email: email, Retries: true, Alerts: mode,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return cb
}

// fail lets a new call of cb fail once, which makes an alert.
func (r *rig) fail(cb callback.Callback, content string) {
	r.t.Helper()
	ctx, now := r.t.Context(), time.Now()
	got, err := r.store.Enqueue(ctx, now, []callback.NewCall{{Num: cb.Num, Response: callback.Response{
		MessageID: content, Message: callback.Message{Content: content},
	}}})
	if err != nil || got[0].Err != nil {
		r.t.Fatal(err, got)
	}
	if _, err := r.store.ClaimManual(ctx, now, cb.Num, got[0].ID, false); err != nil {
		r.t.Fatal(err)
	}
	_, err = r.store.Record(ctx, now, cb.Num, got[0].ID, []callback.Attempt{{
		Number: 1, Started: now, Code: 500, Class: callback.ClassStatus, Error: "The endpoint answered 500.",
	}})
	if err != nil {
		r.t.Fatal(err)
	}
	if r.Engine != nil {
		r.Wake()
		synctest.Wait()
	}
}

func (r *rig) alerts() []callback.Alert {
	r.t.Helper()
	a, err := r.store.Alerts(r.t.Context(), callback.Newest[callback.Alert]{})
	if err != nil {
		r.t.Fatal(err)
	}
	return a.Rows
}

// want compares the outbox's part of the only alert there is.
func (r *rig) want(status callback.AlertStatus, to string, tries int, reply string) {
	r.t.Helper()
	all := r.alerts()
	if len(all) != 1 {
		r.t.Fatalf("got %d alerts, want 1", len(all))
	}
	a := all[0]
	if a.Status != status || a.To != to || a.Tries != tries || !strings.Contains(a.Reply, reply) {
		r.t.Fatalf("alert is %s to %q after %d tries: %q; want %s to %q after %d: %q", a.Status, a.To, a.Tries, a.Reply, status, to, tries, reply)
	}
	if (status == callback.AlertWaiting) == a.Next.IsZero() || (status == callback.AlertSent) == a.Sent.IsZero() {
		r.t.Fatalf("alert is %s with next try %v and sent %v", status, a.Next, a.Sent)
	}
}

// content tells which response a mail is about.
func content(m callback.Mail) string {
	_, rest, _ := strings.Cut(m.Text, "Message id: ")
	word, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(word)
}

func (r *rig) contents() (out []string) {
	for _, p := range r.box.all() {
		out = append(out, content(p.Mail))
	}
	return out
}

func refusal(stage string, code int, reply string) error {
	return &callback.MailError{Stage: stage, Code: code, Reply: reply, Permanent: code/100 == 5 && stage != "auth"}
}

func hang(ctx context.Context, _ callback.Mail, _ int) error {
	<-ctx.Done()
	return refusal("data", 0, "stopped before the server had answered")
}
