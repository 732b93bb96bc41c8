package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ringback/callback"
)

// fake is a live callback.Service in memory: the real state machine over maps,
// with one plain POST for an attempt. It never tries a call twice by itself.
type fake struct {
	mu      sync.Mutex
	cbs     []*fakeCallback
	calls   []*fakeCall // by id
	alerts  []callback.Alert
	ops     []*fakeOperation
	keys    []callback.APIKey
	log     []callback.LogLine
	rev     uint64
	watches map[chan uint64]context.Context
	last    callback.CallID
	posts   sync.WaitGroup
	http    *http.Client
}

type fakeOperation struct {
	callback.Operation
	before map[callback.CallID]callback.Kept
	named  []callback.CallID
}

type fakeCallback struct {
	cb     callback.Callback
	live   callback.Live
	tested bool // a test of it runs
}

type fakeCall struct {
	entry    callback.Entry
	response callback.Response
	attempts []callback.Attempt
}

var fakePolicy = callback.Policy{
	Retries: true, MaxInFlight: 4, Interval: 5 * time.Minute, Window: 24 * time.Hour,
	Mode: callback.ModeOutage, RecoveryAfter: 15 * time.Minute,
}

func newFake(t testing.TB) *fake {
	tr := &http.Transport{}
	f := &fake{watches: make(map[chan uint64]context.Context), http: &http.Client{Transport: tr}}
	t.Cleanup(func() {
		f.posts.Wait()
		tr.CloseIdleConnections()
	})
	return f
}

func (f *fake) find(ref string) (*fakeCallback, error) {
	for _, c := range f.cbs {
		if !c.live.Deleted && (c.cb.Name == ref || strings.EqualFold(c.cb.ID.String(), ref)) {
			return c, nil
		}
	}
	return nil, callback.Errorf(callback.CodeNotFound, "no callback has the id or name %q", callback.Sanitize(ref, 60))
}

func (f *fake) step(c *fakeCallback) *callback.Step {
	return &callback.Step{Policy: fakePolicy.For(&c.cb), ID: c.cb.ID, Now: time.Now(), Live: &c.live}
}

// done takes over what a step brought about and tells the watchers.
func (f *fake) done(s *callback.Step) {
	f.alerts = append(f.alerts, s.Alerts...)
	f.rev++
	for ch := range f.watches {
		select {
		case <-ch:
		default:
		}
		ch <- f.rev
	}
}

func (c *fakeCallback) health() callback.Health {
	return callback.Health{Callback: c.cb, Live: c.live}
}

func (f *fake) Server(context.Context) (callback.Server, error) {
	return callback.Server{Name: "test", Version: "1.2.3", ID: "F00D", Role: callback.RoleAdmin, Now: time.Now(), Interval: 5 * time.Minute, Window: 24 * time.Hour}, nil
}

func (f *fake) Overview(_ context.Context, cells int) (callback.Overview, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := callback.Overview{Now: time.Now(), MailOK: true}
	for _, c := range f.cbs {
		if c.live.Deleted {
			continue
		}
		v := callback.HealthView{
			Health: c.health(), Shown: c.live.State, Cells: make([]callback.Cell, cells),
			OK: c.live.Counts.Delivered, Bad: c.live.Counts.Failed + c.live.Counts.Retrying,
		}
		o.Waiting += c.live.Counts.Waiting()
		o.Callbacks = append(o.Callbacks, v)
	}
	return o, nil
}

func (f *fake) Callbacks(_ context.Context, q callback.CallbackQuery) ([]callback.Health, int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []callback.Health
	for _, c := range f.cbs {
		if !c.live.Deleted && (q.Name == "" || q.Name == c.cb.Name) {
			out = append(out, c.health())
		}
	}
	for _, field := range q.Sort {
		if field != "name" {
			return nil, 0, invalid("the query", "sortFields", "cannot sort by "+callback.Sanitize(field, 40))
		}
		slices.SortStableFunc(out, func(a, b callback.Health) int { return cmp.Compare(a.Name, b.Name) })
	}
	if q.Desc {
		slices.Reverse(out)
	}
	total := len(out)
	out = out[min(q.Offset, total):]
	return out[:min(cmp.Or(q.Limit, 20), len(out))], total, nil
}

func (f *fake) Callback(_ context.Context, ref string) (callback.Health, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, err := f.find(ref)
	if err != nil {
		return callback.Health{}, err
	}
	return c.health(), nil
}

func (f *fake) of(num callback.Num) *fakeCallback { return f.cbs[num-1] }

func (f *fake) view(c *fakeCall, all bool) callback.CallView {
	cb := f.of(c.entry.Num)
	v := callback.CallView{
		Call:       callback.Call{Entry: c.entry, Response: c.response, Attempts: slices.Clone(c.attempts)},
		CallbackID: cb.cb.ID, Callback: cb.cb.Name, URL: cb.cb.MaskedURL(), State: c.entry.State(&cb.live),
		GivesUp: c.entry.GivesUp(fakePolicy.For(&cb.cb), &cb.live, time.Now()),
	}
	if all {
		v.RequestBody = c.response.Message.Content
	} else if n := len(v.Attempts); n > 1 {
		v.Attempts = v.Attempts[n-1:]
	}
	return v
}

func (f *fake) matches(v *callback.CallView, q *callback.ListQuery) bool {
	cq := callback.CallQuery{After: q.After, Oldest: q.Oldest, Filter: q.Filter}.Bounded()
	return cq.Selects(&v.Call, &f.of(v.Num).live)
}

func (f *fake) Calls(_ context.Context, q callback.ListQuery) (callback.CallList, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var num callback.Num
	if q.Ref != "" {
		c, err := f.find(q.Ref)
		if err != nil {
			return callback.CallList{}, err
		}
		num = c.cb.Num
	}
	var all []callback.CallView
	looked := uint64(0)
	cq := callback.CallQuery{After: q.After, Oldest: q.Oldest, Filter: q.Filter}.Bounded()
	for _, c := range f.calls {
		if (num == 0 || num == c.entry.Num) && c.entry.Listed()&cq.Where() != 0 && cq.Behind(c.entry.ID) && !cq.Plain() {
			looked++
		}
		if v := f.view(c, false); (num == 0 || num == c.entry.Num) && f.matches(&v, &q) {
			all = append(all, v)
		}
	}
	if !q.Oldest {
		slices.Reverse(all)
	}
	list := callback.CallList{Total: uint64(len(all)), Exact: q.Text == "" && q.After == 0}
	all = all[min(q.Offset, len(all)):]
	n := min(cmp.Or(q.Limit, 20), len(all))
	list.Calls, list.More = all[:n], n < len(all)
	if list.More {
		list.Next = list.Calls[n-1].ID
	}
	list.Skipped, list.Looked = q.Offset, looked
	if !list.Exact {
		list.Total = uint64(q.Offset + n)
	}
	return list, nil
}

func (f *fake) Attempts(_ context.Context, ref string, q callback.AttemptQuery) (list callback.AttemptList, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	q = q.Bounded()
	if ref != "" {
		c, err := f.find(ref)
		if err != nil {
			return list, err
		}
		q.Num = c.cb.Num
	}
	var all []callback.CallAttempt
	for _, c := range f.calls {
		for _, a := range c.attempts {
			row := callback.CallAttempt{Attempt: a, Num: c.entry.Num, ID: c.entry.ID, MessageID: c.response.MessageID}
			call := callback.Call{Entry: c.entry, Response: c.response}
			if (q.Num == 0 || q.Num == row.Num) && q.MatchesAttempt(&a) {
				list.Total++
			}
			if (q.Num == 0 || q.Num == row.Num) && q.Selects(&row, &call, &f.of(row.Num).live) {
				all = append(all, row)
			}
		}
	}
	slices.SortFunc(all, q.Order)
	list.Skipped = min(q.Offset, len(all))
	all = all[list.Skipped:]
	list.More = len(all) > q.Limit
	if list.Exact = q.Plain(); !list.Exact {
		list.Total, list.Exact = uint64(list.Skipped+len(all)), !list.More && q.After == callback.AttemptKey{}
	}
	for _, row := range all[:min(q.Limit, len(all))] {
		cb := f.of(row.Num).cb
		list.Attempts = append(list.Attempts, callback.AttemptView{CallAttempt: row, CallbackID: cb.ID, Callback: cb.Name})
		list.Next = row.Key()
	}
	return list, nil
}

func (f *fake) call(ref string, id callback.CallID) (*fakeCall, *fakeCallback, error) {
	cb, err := f.find(ref)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range f.calls {
		if c.entry.ID == id && c.entry.Num == cb.cb.Num {
			return c, cb, nil
		}
	}
	return nil, nil, callback.Errorf(callback.CodeNotFound, "no call has the id %s", id)
}

func (f *fake) Call(_ context.Context, ref string, id callback.CallID) (callback.CallView, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, _, err := f.call(ref, id)
	if err != nil {
		return callback.CallView{}, err
	}
	return f.view(c, true), nil
}

func (f *fake) Outages(_ context.Context, q callback.OutageQuery) (list callback.Listing[callback.OutageView], err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if q.Ref != "" {
		if _, err := f.find(q.Ref); err != nil {
			return list, err
		}
	}
	var out []callback.OutageView
	for _, c := range f.cbs {
		o := c.live.Record()
		if o.N == 0 || q.Ref != "" && c.cb.Name != q.Ref && c.cb.ID.String() != q.Ref || q.Phase != nil && *q.Phase != o.Phase {
			continue
		}
		v := callback.OutageView{Outage: o, CallbackID: c.cb.ID, Callback: c.cb.Name}
		for _, a := range f.alerts {
			if a.Num == c.cb.Num && a.Outage == v.N {
				v.Alerts = append(v.Alerts, a)
			}
		}
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b callback.OutageView) int { return callback.NewestOutage(a.Outage, b.Outage) })
	return (callback.Newest[callback.OutageView]{Limit: q.Limit, Offset: q.Offset}).Bounded().Page(out), nil
}

func (f *fake) Alerts(_ context.Context, q callback.AlertQuery) (list callback.Listing[callback.Alert], err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var num callback.Num
	if q.Ref != "" {
		c, err := f.find(q.Ref)
		if err != nil {
			return list, err
		}
		num = c.cb.Num
	}
	var out []callback.Alert
	for _, a := range f.alerts {
		if (num == 0 || num == a.Num) && (q.Kind == "" || q.Kind == a.Kind) && (q.Status == nil || *q.Status == a.Status) {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, callback.NewestAlert)
	return (callback.Newest[callback.Alert]{Limit: q.Limit, Offset: q.Offset}).Bounded().Page(out), nil
}

func (f *fake) Test(_ context.Context, ref string) (t callback.Trial, err error) {
	f.mu.Lock()
	c, err := f.find(ref)
	if err == nil && c.tested {
		err = callback.Errorf(callback.CodeConflict, "a test runs already")
	}
	if err != nil {
		f.mu.Unlock()
		return t, err
	}
	c.tested = true
	t = callback.Trial{ID: callback.TrialPrefix + "1", CallbackID: c.cb.ID, Callback: c.cb.Name, URL: c.cb.MaskedURL(), ContentType: "application/json"}
	r := c.cb.Sample(t.ID, time.Now())
	t.RequestBody = t.ID + r.Message.Content
	f.mu.Unlock()
	t.Attempts = []callback.Attempt{f.send(c.cb.URL, t.RequestBody)}
	f.mu.Lock()
	defer f.mu.Unlock()
	c.tested = false
	return t, nil
}

func (f *fake) drafted(ref string, d *callback.Draft, fresh callback.Callback) (callback.Callback, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ref != "" {
		c, err := f.find(ref)
		if err != nil {
			return fresh, err
		}
		fresh = c.cb
	}
	err := d.Apply(&fresh, sealed)
	return fresh, err
}

func (f *fake) TestDraft(_ context.Context, ref string, d callback.Draft) (t callback.Trial, err error) {
	cb, err := f.drafted(ref, &d, callback.Callback{Name: "draft"})
	if err != nil {
		return t, err
	}
	t = callback.Trial{ID: callback.TrialPrefix + "1", CallbackID: cb.ID, Callback: cb.Name, URL: cb.MaskedURL(), ContentType: "application/" + cb.ContentType.String()}
	r := cb.Sample(t.ID, time.Now())
	t.RequestBody = t.ID + r.Message.Content
	t.Attempts = []callback.Attempt{f.send(cb.URL, t.RequestBody)}
	return t, nil
}

func (f *fake) CheckDraft(_ context.Context, ref string, d callback.Draft) (found []callback.Finding, err error) {
	cb, err := f.drafted(ref, &d, callback.Callback{Name: "draft", URL: "http://draft.invalid/"})
	if err != nil {
		return nil, err
	}
	if d.URL != nil {
		a := callback.Attempt{}
		res, err := f.http.Get(cb.URL)
		if err != nil {
			a.Class, a.Error = callback.ClassRefused, "Connection refused"
		} else {
			res.Body.Close() // a test
			a.Code = res.StatusCode
		}
		found = append(found, callback.URLFinding(&a))
	}
	if d.Email != nil && *d.Email != "" {
		found = append(found, callback.Finding{Field: "email", Result: callback.FoundUnknown, Short: "not looked up", Message: "not looked up"})
	}
	return found, nil
}

func (f *fake) Acknowledge(_ context.Context, ref string, outage uint32, by string) error {
	return f.with(ref, func(s *callback.Step, _ *fakeCallback) error {
		_, err := s.Acknowledge(outage, by)
		return err
	})
}

func (f *fake) SendAlert(context.Context, string) error {
	return callback.Errorf(callback.CodeConflict, "no mail server is configured")
}

func (f *fake) Enqueue(_ context.Context, items []callback.NewResponse) ([]callback.EnqueueResult, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := make([]callback.EnqueueResult, len(items))
	for i := range items {
		out[i] = f.enqueue(&items[i])
	}
	return out, nil
}

func (f *fake) enqueue(r *callback.NewResponse) callback.EnqueueResult {
	c, err := f.find(r.Ref)
	if err != nil {
		return callback.EnqueueResult{Err: err}
	}
	res := callback.EnqueueResult{Callback: c.cb.ID}
	if res.Err = r.Response.Validate(time.Now()); res.Err != nil {
		return res
	}
	if c.cb.Skips(r.Response.Kind()) {
		c.live.Counts.Skipped++
		res.Skipped = true
		return res
	}
	for _, old := range f.calls {
		if r.Response.Key == "" || old.entry.Num != c.cb.Num || old.response.Key != r.Response.Key {
			continue
		}
		if fmt.Sprint(old.response) != fmt.Sprint(r.Response) {
			res.Err = invalid("the response", "id", "was used for another response")
			return res
		}
		res.ID, res.Repeat = old.entry.ID, true
		return res
	}
	now := time.Now()
	f.last = callback.NextCallID(f.last, now)
	call := &fakeCall{entry: callback.Entry{ID: f.last, Num: c.cb.Num, Enqueued: now, Due: r.Response.DeliverAt}, response: r.Response}
	f.calls = append(f.calls, call)
	s := f.step(c)
	s.Enqueue(&call.entry)
	f.pump(s, c)
	f.done(s)
	res.ID = call.entry.ID
	return res
}

// pump starts what may start.
func (f *fake) pump(s *callback.Step, c *fakeCallback) {
	for _, call := range f.calls {
		if call.entry.Num == c.cb.Num && s.MayStart(&call.entry) == callback.Go {
			s.Start(&call.entry)
			f.post(c, call)
		}
	}
}

// post makes an attempt of a call that was started.
func (f *fake) post(c *fakeCallback, call *fakeCall) {
	target, number, manual := c.cb.URL, call.entry.Attempts+1, call.entry.Manual
	f.posts.Go(func() {
		a := f.send(target, call.response.Message.Content)
		a.Number, a.Manual = number, manual
		f.mu.Lock()
		defer f.mu.Unlock()
		made := []callback.Attempt{a}
		call.entry.Number(made)
		call.attempts = append(call.attempts, made...)
		s := f.step(c)
		s.Finish(&call.entry, callback.ResultOf(made))
		if !a.OK {
			f.logged(callback.LogLine{Text: fmt.Sprintf("attempt %d: %d", number, a.Code), Callback: c.cb.Name, Call: call.entry.ID})
		}
		f.pump(s, c)
		f.done(s)
	})
}

// send makes an attempt.
func (f *fake) send(target, body string) callback.Attempt {
	a := callback.Attempt{Number: 1, Started: time.Now()}
	res, err := f.http.Post(target, "application/json", strings.NewReader(body))
	if err != nil {
		a.Class, a.Error, a.Reason = callback.ClassRefused, "connection refused", "connection refused"
	} else {
		res.Body.Close() // a test
		a.Code, a.OK, a.Reason = res.StatusCode, res.StatusCode == 200, http.StatusText(res.StatusCode)
		if !a.OK {
			a.Class, a.Error = callback.ClassStatus, "the endpoint answered with an error"
		}
	}
	a.Duration = time.Since(a.Started)
	return a
}

func (f *fake) SetStatus(_ context.Context, ref string, ids []callback.CallID, status callback.Status, by string) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, err := f.find(ref)
	if err != nil {
		return 0, err
	}
	bad := &callback.Error{Code: callback.CodeInvalid, Message: "some calls do not exist"}
	var calls []*fakeCall
	for _, id := range ids {
		call, _, err := f.call(ref, id)
		if err != nil {
			bad.Fields = append(bad.Fields, callback.FieldError{Field: "id", Message: "no call has the id " + id.String()})
			continue
		}
		if status == callback.Failed && call.entry.Reason == callback.Delivered {
			return 0, callback.Errorf(callback.CodeConflict, "call %s was delivered", id)
		}
		calls = append(calls, call)
	}
	if len(bad.Fields) > 0 {
		return 0, bad
	}
	s, changed := f.step(c), 0
	for _, call := range calls {
		ok := false
		if status == callback.Success {
			ok = s.Resolve(&call.entry, by)
		} else {
			ok, _ = s.Reopen(&call.entry)
		}
		if ok {
			changed++
		}
	}
	f.done(s)
	return changed, nil
}

func (f *fake) Retry(_ context.Context, ref string, id callback.CallID, extend bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	call, c, err := f.call(ref, id)
	if err != nil {
		return err
	}
	s := f.step(c)
	if err := s.StartManual(&call.entry, extend); err != nil {
		return err
	}
	f.post(c, call)
	f.done(s)
	return nil
}

func (f *fake) Suspend(_ context.Context, ref, by string) error {
	return f.with(ref, func(s *callback.Step, _ *fakeCallback) error { s.Suspend(by); return nil })
}

func (f *fake) Resume(_ context.Context, ref string) error {
	return f.with(ref, func(s *callback.Step, c *fakeCallback) error {
		s.Resume()
		f.pump(s, c)
		return nil
	})
}

func (f *fake) with(ref string, do func(*callback.Step, *fakeCallback) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, err := f.find(ref)
	if err != nil {
		return err
	}
	s := f.step(c)
	err = do(s, c)
	f.done(s)
	return err
}

// sealed makes a Secret as the service does.
func sealed(clear string) callback.Secret { return callback.NewSecret(clear, []byte("test")) }

func (f *fake) taken(name string, but callback.Num) error {
	for _, c := range f.cbs {
		if c.cb.Name == name && c.cb.Num != but && !c.live.Deleted {
			return callback.Errorf(callback.CodeConflict, "another callback has that name")
		}
	}
	return nil
}

func (f *fake) Create(_ context.Context, d callback.Draft) (callback.Health, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	num := callback.Num(len(f.cbs) + 1)
	now := time.Now()
	c := &fakeCallback{
		cb:   callback.Callback{Num: num, ID: 0xB3ED000000000000 + callback.CallbackID(num), Version: 1, CreatedAt: now, UpdatedAt: now},
		live: callback.Live{Num: num, Since: now},
	}
	if err := d.Apply(&c.cb, sealed); err != nil {
		return callback.Health{}, err
	}
	if err := f.taken(c.cb.Name, num); err != nil {
		return callback.Health{}, err
	}
	f.cbs = append(f.cbs, c)
	f.done(f.step(c))
	return c.health(), nil
}

func (f *fake) Update(_ context.Context, ref string, d callback.Draft, version uint64) (out callback.Health, err error) {
	err = f.with(ref, func(s *callback.Step, c *fakeCallback) error {
		if version != 0 && version != c.cb.Version {
			return callback.Errorf(callback.CodeStale, "the callback is at version %d", c.cb.Version)
		}
		cb := c.cb
		if err := d.Apply(&cb, sealed); err != nil {
			return err
		}
		cb.Version, cb.UpdatedAt = cb.Version+1, s.Now
		if err := f.taken(cb.Name, cb.Num); err != nil {
			return err
		}
		c.cb = cb
		s.Policy = fakePolicy.For(&cb)
		s.Edited()
		out = c.health()
		return nil
	})
	return out, err
}

func (f *fake) Delete(_ context.Context, ref string) error {
	return f.with(ref, func(s *callback.Step, c *fakeCallback) error {
		s.Delete()
		for _, call := range f.calls {
			if call.entry.Num == c.cb.Num {
				s.GiveUp(&call.entry)
			}
		}
		return nil
	})
}

func (f *fake) Watch(ctx context.Context) (<-chan uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ch := make(chan uint64, 1)
	f.watches[ch] = ctx
	context.AfterFunc(ctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.watches, ch)
		close(ch)
	})
	return ch, nil
}

var _ callback.Service = (*fake)(nil)
