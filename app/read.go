package app

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"ringback/app/post"
	"ringback/callback"
)

// Server implements callback.Reader.
func (a *App) Server(context.Context) (callback.Server, error) {
	s := a.opt.Info
	s.Now, s.Running, s.MaxInFlight = a.clock.Now(), a.dispatch.Running(), a.opt.MaxInFlight
	s.Interval, s.Window = a.opt.Policy.Interval, a.opt.Policy.Window
	s.ClockDoubtful = a.clock.Doubtful()
	s.Role = callback.RoleAdmin // who stands in the process needs no key
	return s, nil
}

// Callback implements callback.Reader.
func (a *App) Callback(_ context.Context, ref string) (callback.Health, error) {
	return shown(a.opt.Store.Find(ref))
}

// Callbacks implements callback.Reader.
func (a *App) Callbacks(_ context.Context, q callback.CallbackQuery) ([]callback.Health, int, error) {
	var all []callback.Health
	for _, h := range a.opt.Store.Callbacks() {
		if !h.Live.Deleted && (q.Name == "" || h.Name == q.Name) {
			h.Headers = callback.ShownHeaders(h.Headers)
			all = append(all, h)
		}
	}
	keys, err := sortKeys(q.Sort)
	if err != nil {
		return nil, 0, err
	}
	slices.SortStableFunc(all, func(x, y callback.Health) int {
		for _, key := range keys {
			if c := key(&x, &y); c != 0 {
				if q.Desc {
					return -c
				}
				return c
			}
		}
		return 0
	})
	total := len(all)
	from := min(max(q.Offset, 0), total)
	limit := q.Limit
	if limit <= 0 || limit > callback.MaxPage {
		limit = callback.MaxPage
	}
	to := min(from+limit, total)
	return all[from:to], total, nil
}

// sortFields are the fields by which callbacks can be sorted.
var sortFields = map[string]func(x, y *callback.Health) int{
	"id":          func(x, y *callback.Health) int { return cmp.Compare(x.ID, y.ID) },
	"name":        func(x, y *callback.Health) int { return strings.Compare(x.Name, y.Name) },
	"url":         func(x, y *callback.Health) int { return strings.Compare(x.URL, y.URL) },
	"email":       func(x, y *callback.Health) int { return strings.Compare(x.Email, y.Email) },
	"state":       func(x, y *callback.Health) int { return cmp.Compare(x.Live.State, y.Live.State) },
	"createdAt":   func(x, y *callback.Health) int { return cmp.Compare(x.Num, y.Num) },
	"updatedAt":   func(x, y *callback.Health) int { return x.UpdatedAt.Compare(y.UpdatedAt) },
	"contentType": func(x, y *callback.Health) int { return cmp.Compare(x.ContentType, y.ContentType) },
}

func sortKeys(fields []string) ([]func(x, y *callback.Health) int, error) {
	var keys []func(x, y *callback.Health) int
	for _, f := range fields {
		key := sortFields[f]
		if key == nil {
			return nil, &callback.Error{Code: callback.CodeInvalid, Message: "cannot sort by that", Fields: []callback.FieldError{{
				Field: "sortFields", Message: "there is no field " + callback.Sanitize(f, 40) + " to sort by; name, id, url, email, state, contentType, createdAt, updatedAt",
			}}}
		}
		keys = append(keys, key)
	}
	return append(keys, sortFields["createdAt"]), nil
}

// patience is how long one question about calls or attempts is worked on where
// its filter selects few: after that the answer is what was found, and where to
// go on.
const patience = 2 * time.Second

// Calls implements callback.Reader. A store answers in short steps, each of
// which may find little; they are repeated until the page is full.
func (a *App) Calls(ctx context.Context, q callback.ListQuery) (list callback.CallList, err error) {
	cq := callback.CallQuery{After: q.After, Oldest: q.Oldest, Limit: q.Limit, Offset: q.Offset, Filter: q.Filter}.Bounded()
	if cq.Num, err = a.num(q.Ref); err != nil {
		return list, err
	}
	s, now := shelf{app: a, byNum: map[callback.Num]callback.Health{}}, a.clock.Now()
	until, stop := context.WithTimeout(ctx, a.opt.Patience)
	defer stop()
	for want, room := cq.Limit, cq.Bytes; ; {
		page, err := a.opt.Store.Calls(ctx, cq)
		if err != nil {
			return list, err
		}
		for i := range page.Calls {
			if h := s.health(page.Calls[i].Num); h != nil {
				list.Calls = append(list.Calls, a.view(h, page.Calls[i], now))
			}
			room -= page.Calls[i].Response.Size()
		}
		list.More, list.Next, list.Total = page.More, page.Next, page.Total
		list.Skipped, list.Looked = list.Skipped+page.Skipped, list.Looked+page.Looked
		cq.After, cq.Offset, cq.Limit, cq.Bytes = page.Next, q.Offset-list.Skipped, want-len(list.Calls), room
		if !page.More || cq.Limit <= 0 || room <= 0 || until.Err() != nil {
			break
		}
	}
	if list.Exact = cq.Plain(); list.Exact {
		list.Looked = 0
	} else {
		list.Total = uint64(list.Skipped + len(list.Calls))
		list.Exact = !list.More && q.After == 0
	}
	return list, nil
}

// Attempts implements callback.Reader, in steps as Calls.
func (a *App) Attempts(ctx context.Context, ref string, q callback.AttemptQuery) (list callback.AttemptList, err error) {
	q = q.Bounded()
	if q.Num, err = a.num(ref); err != nil {
		return list, err
	}
	s := shelf{app: a, byNum: map[callback.Num]callback.Health{}}
	until, stop := context.WithTimeout(ctx, a.opt.Patience)
	defer stop()
	after := q.After
	for limit, offset := q.Limit, q.Offset; ; {
		page, err := a.opt.Store.Attempts(ctx, q)
		if err != nil {
			return list, err
		}
		for _, row := range page.Attempts {
			if h := s.health(row.Num); h != nil {
				list.Attempts = append(list.Attempts, callback.AttemptView{CallAttempt: row, CallbackID: h.ID, Callback: h.Name})
			}
		}
		list.More, list.Next = page.More, page.Next
		list.Skipped, list.Total = list.Skipped+page.Skipped, page.Total
		q.After, q.Offset, q.Limit = page.Next, offset-list.Skipped, limit-len(list.Attempts)
		if !page.More || q.Limit <= 0 || until.Err() != nil {
			break
		}
	}
	if list.Exact = q.Plain(); !list.Exact {
		list.Total = uint64(list.Skipped + len(list.Attempts))
		list.Exact = !list.More && after == (callback.AttemptKey{})
	}
	return list, nil
}

// shelf keeps the callbacks that the rows of one answer belong to.
type shelf struct {
	app   *App
	byNum map[callback.Num]callback.Health
}

// health returns a callback, nil where it was purged meanwhile.
func (s *shelf) health(num callback.Num) *callback.Health {
	h, ok := s.byNum[num]
	if !ok {
		var err error
		if h, err = s.app.opt.Store.Callback(num); err != nil {
			return nil
		}
		s.byNum[num] = h
	}
	return &h
}

func (a *App) view(h *callback.Health, c callback.Call, now time.Time) callback.CallView {
	v := callback.CallView{
		Call: c, CallbackID: h.ID, Callback: h.Name, URL: h.MaskedURL(),
		State: c.State(&h.Live), GivesUp: c.GivesUp(a.opt.Policy.For(&h.Callback), &h.Live, now),
	}
	if c.Damaged {
		v.State = callback.StateDamaged
	}
	return v
}

// Call implements callback.Reader.
func (a *App) Call(ctx context.Context, ref string, id callback.CallID) (v callback.CallView, err error) {
	h, err := a.findPast(ref)
	if err != nil {
		return v, err
	}
	c, err := a.opt.Store.Call(ctx, h.Num, id)
	if err != nil {
		return v, err
	}
	v = a.view(&h, c, a.clock.Now())
	for _, run := range a.inFlight() {
		if run.Call == id && c.Running {
			v.Run = &run
		}
	}
	if !c.Damaged {
		_, body := post.Body(&h.Callback, &c.Response)
		v.RequestBody = string(body)
	}
	return v, nil
}

// Outages implements callback.Reader. How many there are is known exactly: the
// outages of a callback are numbered, at most one of them lasts, and retention
// removes the first ones.
func (a *App) Outages(ctx context.Context, q callback.OutageQuery) (list callback.Listing[callback.OutageView], err error) {
	num, err := a.num(q.Ref)
	if err != nil {
		return list, err
	}
	sq := callback.Newest[callback.Outage]{Num: num, Limit: q.Limit, Offset: q.Offset}
	if q.Phase != nil {
		sq.Match = func(o *callback.Outage) bool { return o.Phase == *q.Phase }
	}
	found, err := a.opt.Store.Outages(ctx, sq)
	if err != nil {
		return list, err
	}
	list.More, list.Exact, list.Total = found.More, true, a.outages(num, q.Phase)
	list.Rows, err = a.outageViews(ctx, found.Rows)
	return list, err
}

// outages counts the outages of a callback, or of all, in a phase, or in any.
func (a *App) outages(num callback.Num, phase *callback.OutagePhase) (n uint64) {
	var all []callback.Health
	if h, err := a.opt.Store.Callback(num); err == nil {
		all = append(all, h)
	} else if num == 0 {
		all = a.opt.Store.Callbacks()
	}
	for _, h := range all {
		o := &h.Live.Outage
		kept := uint64(o.N - h.Live.OutagesPurged)
		over := kept
		if o.Phase != callback.NoOutage {
			over--
		}
		switch {
		case phase == nil:
			n += kept
		case *phase == callback.NoOutage:
			n += over
		case *phase == o.Phase:
			n++
		}
	}
	return n
}

// outageViews adds to outages what belongs to them.
func (a *App) outageViews(ctx context.Context, outages []callback.Outage) ([]callback.OutageView, error) {
	views := make([]callback.OutageView, 0, len(outages))
	alerts := map[callback.Num][]callback.Alert{}
	for _, o := range outages {
		h, err := a.opt.Store.Callback(o.Num)
		if err != nil {
			continue // purged meanwhile
		}
		if _, ok := alerts[o.Num]; !ok {
			found, err := a.opt.Store.Alerts(ctx, callback.Newest[callback.Alert]{Num: o.Num})
			if err != nil {
				return nil, err
			}
			alerts[o.Num] = found.Rows
		}
		v := callback.OutageView{Outage: o, CallbackID: h.ID, Callback: h.Name}
		for _, al := range alerts[o.Num] {
			if al.Outage == o.N {
				v.Alerts = append(v.Alerts, al)
			}
		}
		views = append(views, v)
	}
	return views, nil
}

// Alerts implements callback.Reader.
func (a *App) Alerts(ctx context.Context, q callback.AlertQuery) (callback.Listing[callback.Alert], error) {
	num, err := a.num(q.Ref)
	if err != nil {
		return callback.Listing[callback.Alert]{}, err
	}
	sq := callback.Newest[callback.Alert]{Num: num, Limit: q.Limit, Offset: q.Offset}
	if q.Kind != "" || q.Status != nil {
		sq.Match = func(al *callback.Alert) bool {
			return (q.Kind == "" || al.Kind == q.Kind) && (q.Status == nil || al.Status == *q.Status)
		}
	}
	return a.opt.Store.Alerts(ctx, sq)
}

// num returns the number of a callback of which a list is asked for; 0: of all.
func (a *App) num(ref string) (callback.Num, error) {
	if ref == "" {
		return 0, nil
	}
	h, err := a.findPast(ref)
	return h.Num, err
}

// findPast is Store.Find that finds a deleted callback as well, by its id: what
// was sent to it can be read until retention removes it.
func (a *App) findPast(ref string) (callback.Health, error) {
	h, err := a.opt.Store.Find(ref)
	if id, parsed := callback.ParseCallbackID(ref); err != nil && parsed == nil {
		return a.opt.Store.Past(id)
	}
	return h, err
}

// Watch implements callback.Watcher.
func (a *App) Watch(ctx context.Context) (<-chan uint64, error) { return a.hub.Watch(ctx), nil }
