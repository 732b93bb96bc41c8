package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"ringback/app/metrics"
	"ringback/callback"
)

// maxEvents is how many events an overview has at most.
const maxEvents = 20

// Overview implements callback.Reader.
func (a *App) Overview(ctx context.Context, cells int) (callback.Overview, error) {
	o := callback.Overview{Now: a.clock.Now(), Running: a.dispatch.Running()}
	o.Accepted, o.Sent = a.series.Rates(o.Now)
	o.MailOK, o.MailNote = a.alert.Status()
	all := a.opt.Store.Callbacks()
	o.Callbacks = make([]callback.HealthView, 0, len(all))
	for _, h := range all {
		if h.Live.Deleted {
			continue
		}
		v, err := a.health(ctx, h, min(max(cells, 0), 240), o.Now)
		if err != nil {
			return o, err
		}
		o.Waiting += h.Live.Counts.Waiting()
		if h.Live.Gate.State != callback.Open && !h.Live.Suspended && !v.NextTry.IsZero() && !v.NextTry.After(o.Now) {
			o.DueNow += h.Live.Counts.Pending
		}
		o.Callbacks = append(o.Callbacks, v)
	}
	var err error
	o.Events, err = a.events(ctx, o.Callbacks)
	return o, err
}

// health gathers what the first screen shows of one callback.
func (a *App) health(ctx context.Context, h callback.Health, cells int, now time.Time) (callback.HealthView, error) {
	h.Headers = callback.ShownHeaders(h.Headers)
	hour := a.series.Hour(now, h.Num, cells)
	v := callback.HealthView{
		Health: h, Shown: h.Live.State, OK: hour.OK, Bad: hour.Bad,
		Cells: hour.Cells, P50: hour.P50, P95: hour.P95,
	}
	if h.Live.Counts.Waiting() > 0 {
		if err := a.waiting(ctx, &v, now); err != nil {
			return v, err
		}
	}
	if h.Live.Outage.Phase == callback.NoOutage {
		return v, nil
	}
	return v, a.told(ctx, &v)
}

// told finds the e-mail about the present outage, and the latest one after it,
// such as a digest. Where none was owed when the outage began there is only the
// latest: its callback may have one for each call.
func (a *App) told(ctx context.Context, v *callback.HealthView) error {
	o := &v.Live.Outage
	newest := func(match func(*callback.Alert) bool) (*callback.Alert, error) {
		found, err := a.opt.Store.Alerts(ctx, callback.Newest[callback.Alert]{Num: v.Num, Match: match, Limit: 1})
		if err != nil || len(found.Rows) == 0 || found.Rows[0].Outage != o.N {
			return nil, err
		}
		return &found.Rows[0], nil
	}
	latest, err := newest(nil)
	if err != nil || latest == nil || latest.Kind == callback.AlertOutage || !o.Told {
		v.Alert = latest
		return err
	}
	v.Latest = latest
	// Alerts are read from the newest back: one of an earlier outage ends that.
	v.Alert, err = newest(func(al *callback.Alert) bool { return al.Kind == callback.AlertOutage || al.Outage != o.N })
	return err
}

// waiting finds the oldest call that waits, and when the next is tried. The
// oldest is that at the head of its class: what was enqueued first is at the
// head of those never tried, and the oldest window bounds the others.
func (a *App) waiting(ctx context.Context, v *callback.HealthView, now time.Time) error {
	live := v.Live
	st := callback.Step{Policy: a.opt.Policy.For(&v.Callback), ID: v.ID, Now: now, Live: &live}
	for _, class := range []callback.DueClass{callback.Fresh, callback.Tried} {
		page, err := a.opt.Store.Due(ctx, v.Num, class, callback.DueKey{}, 1)
		if err != nil {
			return err
		}
		for i := range page {
			v.Oldest = earlier(v.Oldest, page[i].Enqueued)
			// Of two for the same time the one that was never tried is the next.
			if at, ok := st.StartAt(&page[i]); ok && (v.NextTry.IsZero() || at.Before(v.NextTry)) {
				v.NextTry, v.LastTry = at, st.LastTry(&page[i])
			}
		}
	}
	return nil
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// events tells of the latest outages, newest first.
func (a *App) events(ctx context.Context, views []callback.HealthView) ([]callback.Event, error) {
	outages, err := a.opt.Store.Outages(ctx, callback.Newest[callback.Outage]{Limit: maxEvents})
	if err != nil {
		return nil, err
	}
	known := map[callback.Num]*callback.HealthView{}
	for i := range views {
		known[views[i].Num] = &views[i]
	}
	var events []callback.Event
	for _, o := range outages.Rows {
		v := known[o.Num]
		if v == nil {
			continue // deleted since
		}
		events = append(events, began(&o, v))
		if !o.Ended.IsZero() {
			events = append(events, callback.Event{At: o.Ended, Callback: v.Name, State: callback.Healthy, Text: recovered(&o)})
		}
	}
	slices.SortFunc(events, func(x, y callback.Event) int { return y.At.Compare(x.At) })
	return events[:min(len(events), maxEvents)], nil
}

// began tells of the beginning of an outage: of one that goes on as it stands now,
// for whether an endpoint was down in one that is over is not known.
func began(o *callback.Outage, v *callback.HealthView) callback.Event {
	e := callback.Event{At: o.Started, Callback: v.Name, State: callback.Failing, Text: "outage began: " + o.FirstText}
	if v.Live.Outage.N == o.N && o.Phase == callback.OutageOpen {
		switch v.Shown {
		case callback.Down:
			e.State, e.Text = callback.Down, "DOWN: "+o.FirstText
		case callback.Failing:
			e.Text = "failing: " + o.FirstText
		}
	}
	return e
}

// recovered tells of an outage that is over.
func recovered(o *callback.Outage) string {
	s := "recovered after " + callback.Duration(o.Ended.Sub(o.Started)) + "; " + callback.Plural(o.Delivered, "call") + " delivered since it began"
	if o.GivenUp > 0 { // what was sent again by hand since may be among those delivered
		s += fmt.Sprintf(", %d had been given up", o.GivenUp)
	}
	return s
}

// figures is what a scrape tells, from memory.
func (a *App) figures() metrics.Figures {
	f := metrics.Figures{
		Callbacks: a.opt.Store.All(), Running: a.dispatch.Running(), MaxInFlight: a.opt.MaxInFlight,
		AlertsWaiting: -1, DiskFree: -1,
	}
	now := a.clock.Now()
	f.Answers = func(num callback.Num) (p50, p95 time.Duration) {
		h := a.series.Hour(now, num, 0)
		return h.P50, h.P95
	}
	f.MailOK, _ = a.alert.Status()
	f.AlertsSent, _ = a.alert.Sent()
	if s, ok := a.opt.Store.(interface{ AlertsWaiting() int }); ok {
		f.AlertsWaiting = s.AlertsWaiting()
	}
	if s, ok := a.opt.Store.(interface{ FreeDisk() (uint64, error) }); ok {
		if free, err := s.FreeDisk(); err == nil {
			f.DiskFree = int64(free)
		}
	}
	return f
}
