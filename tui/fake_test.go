package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"ringback/callback"
)

var (
	aest = time.FixedZone("AEST", 10*3600)
	// noon is the instant of all golden frames.
	noon = time.Date(2026, 3, 3, 14, 3, 27, 0, aest)
)

// fake is a Service made of fixed data. It takes note of what is changed.
type fake struct {
	callback.Service // nil: what is not here must not be called

	mu       sync.Mutex
	server   callback.Server
	overview callback.Overview
	calls    []callback.CallView // newest first
	outages  []callback.OutageView
	acts     []string
	ops      fakeOps
	fail     error          // of every question
	refuse   error          // of every change
	stall    chan struct{}  // while not nil: no question is answered before it is closed
	deaf     map[string]int // calls of methods
	watchers []chan uint64
	watchErr error
	inside   inside
	history  fakePast
	editing
	far  time.Duration // that it takes to read outages
	look int           // calls that one question looks at, at most, in two seconds; 0: all
	lag  time.Duration // what a page of calls takes
}

var _ callback.Service = (*fake)(nil)

// twin returns a service with the same data.
func (f *fake) twin() *fake {
	return &fake{server: f.server, overview: f.overview, calls: f.calls, outages: f.outages, inside: f.inside}
}

func (f *fake) enter(method string) error {
	f.mu.Lock()
	if f.deaf == nil {
		f.deaf = map[string]int{}
	}
	f.deaf[method]++
	stall, err := f.stall, f.fail
	f.mu.Unlock()
	if stall != nil {
		<-stall
	}
	return err
}

func (f *fake) count(method string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.deaf[method]
}

func (f *fake) did() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.acts)
}

func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fake) Server(context.Context) (callback.Server, error) {
	err := f.enter("Server")
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.server, err
}

func (f *fake) Overview(_ context.Context, cells int) (callback.Overview, error) {
	if err := f.enter("Overview"); err != nil {
		return callback.Overview{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	o := f.overview
	o.Callbacks = slices.Clone(o.Callbacks)
	return o, nil
}

func (f *fake) Calls(_ context.Context, q callback.ListQuery) (list callback.CallList, err error) {
	if err := f.enter("Calls"); err != nil {
		return list, err
	}
	time.Sleep(f.lag)
	looked := 0
	defer func() {
		if !q.Plain() {
			list.Looked = uint64(looked)
		}
		if f.look > 0 && looked == f.look {
			time.Sleep(2 * time.Second)
		}
	}()
	f.mu.Lock()
	defer f.mu.Unlock()
	all := slices.Clone(f.calls)
	if q.Oldest {
		slices.Reverse(all)
	}
	plain := q.Plain()
	for i := range all {
		v := all[i]
		behind := q.After == 0 || q.Oldest && v.ID > q.After || !q.Oldest && v.ID < q.After
		if f.look > 0 && looked == f.look {
			list.More, list.Next = true, all[i-1].ID
			return list, nil
		}
		if behind && len(list.Calls) < q.Limit {
			looked++
		}
		if !matches(&v, &q) {
			continue
		}
		list.Total++
		if !behind {
			continue
		}
		if len(list.Calls) == q.Limit {
			list.More = true
			continue
		}
		v.Attempts = v.Attempts[max(len(v.Attempts)-1, 0):]
		list.Calls = append(list.Calls, v)
	}
	list.Exact = plain
	if list.More {
		list.Next = list.Calls[len(list.Calls)-1].ID
	}
	return list, nil
}

func (f *fake) Attempts(context.Context, string, callback.AttemptQuery) (callback.AttemptList, error) {
	return callback.AttemptList{}, f.enter("Attempts")
}

func matches(v *callback.CallView, q *callback.ListQuery) bool {
	var code int
	var class string
	var at time.Time
	if a := last(v); a != nil {
		code, class, at = a.Code, a.Class.String(), a.Started
	}
	return (!q.Tried() || !at.IsZero()) && within(at, q.From, q.To) && (q.MessageID == "" || q.MessageID == v.Response.MessageID) &&
		(q.Ref == "" || q.Ref == v.Callback || q.Ref == v.CallbackID.String()) &&
		v.Listed()&q.Status != 0 && (q.State == "" || q.State.Has(v.State)) &&
		(q.Code == 0 || code == max(q.Code, 0)) && (q.Class == "" || class == q.Class) &&
		(q.Text == "" || strings.Contains(strings.ToLower(v.Response.From.Name+v.Response.Message.Content), strings.ToLower(q.Text)))
}

func (f *fake) Call(_ context.Context, ref string, id callback.CallID) (callback.CallView, error) {
	if err := f.enter("Call"); err != nil {
		return callback.CallView{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, v := range f.calls {
		if v.ID == id && (ref == v.CallbackID.String() || ref == v.Callback) {
			v.RequestBody = requestBody(&v)
			return v, nil
		}
	}
	return callback.CallView{}, callback.NoCall(id)
}

func requestBody(v *callback.CallView) string {
	r := &v.Response
	return fmt.Sprintf(`{"messageId":%q,"messageLocation":%q,"from":{"name":%q,"mri":%q,"mobile":%q,"email":"","voice":""},`+
		`"responseMessage":{"channel":%q,"acknowledged":%q,"content":%q},"customParameters":{"customerRef":"890h0ef0fe09"}}`,
		r.MessageID, r.MessageLocation, r.From.Name, r.From.MRI, r.From.Mobile, r.Message.Channel, r.Message.Acknowledged, r.Message.Content)
}

func (f *fake) Outages(_ context.Context, q callback.OutageQuery) (out callback.Listing[callback.OutageView], err error) {
	if err := f.enter("Outages"); err != nil {
		return out, err
	}
	time.Sleep(f.far)
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, o := range f.outages {
		if q.Ref != "" && q.Ref != o.CallbackID.String() {
			continue
		}
		if out.Total++; out.Total > uint64(q.Offset) && len(out.Rows) < q.Limit {
			out.Rows = append(out.Rows, o)
		}
	}
	out.Exact, out.More = true, uint64(q.Offset+len(out.Rows)) < out.Total
	return out, nil
}

func (f *fake) act(format string, args ...any) error {
	if err := f.enter("act"); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.acts = append(f.acts, fmt.Sprintf(format, args...))
	return f.refuse
}

func (f *fake) SetStatus(_ context.Context, ref string, ids []callback.CallID, s callback.Status, by string) (int, error) {
	return len(ids), f.act("resolve %s %v %v by %s", ref, ids, s == callback.Success, by)
}

func (f *fake) Retry(_ context.Context, ref string, id callback.CallID, extend bool) error {
	return f.act("retry %s %v %v", ref, id, extend)
}

func (f *fake) Suspend(_ context.Context, ref, by string) error {
	return f.act("suspend %s by %s", ref, by)
}

func (f *fake) Resume(_ context.Context, ref string) error { return f.act("resume %s", ref) }

func (f *fake) Watch(ctx context.Context) (<-chan uint64, error) {
	if err := f.enter("Watch"); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.watchErr != nil {
		return nil, f.watchErr
	}
	ch := make(chan uint64, 1)
	f.watchers = append(f.watchers, ch)
	context.AfterFunc(ctx, func() { f.unwatch(ch) })
	return ch, nil
}

// unwatch closes a watcher's channel, or all for nil.
func (f *fake) unwatch(ch chan uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watchers = slices.DeleteFunc(f.watchers, func(w chan uint64) bool {
		if ch == nil || w == ch {
			close(w)
			return true
		}
		return false
	})
}

// changed tells the watchers.
func (f *fake) changed() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range f.watchers {
		select {
		case w <- 1:
		default:
		}
	}
}
