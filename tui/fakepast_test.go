package tui

import (
	"context"
	"time"

	"ringback/callback"
)

// fakePast is what a fake knows of how attempts went.
type fakePast struct {
	asked  []callback.SeriesQuery
	causes []callback.Failure
	fail   error // of those questions alone
}

// Series makes figures up that tell cells apart: fewer at night, and for a
// callback that is down none that went well since its outage began.
func (f *fake) Series(_ context.Context, q callback.SeriesQuery) (callback.Series, error) {
	if err := f.enter("Series"); err != nil {
		return callback.Series{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.history.asked = append(f.history.asked, q)
	if f.history.fail != nil {
		return callback.Series{}, f.history.fail
	}
	from, to := q.Bounds(noon)
	s := callback.Series{From: from, To: to, Cells: make([]callback.SeriesCell, q.Cells)}
	step := q.Window / time.Duration(q.Cells)
	for i := range s.Cells {
		cell, at := &s.Cells[i], from.Add(time.Duration(i)*step).In(aest)
		busy := uint64(24-max(at.Hour()-14, 14-at.Hour())) * uint64(step/time.Minute)
		cell.Accepted, cell.OK = busy*(90+uint64(i*7%31)), busy
		cell.P50, cell.P95 = 41*time.Millisecond, time.Duration(60+i*11%90)*time.Millisecond
		for j := range f.overview.Callbacks {
			h := &f.overview.Callbacks[j]
			if h.ID.String() == q.Ref && h.Shown == callback.Down && at.Add(step).After(h.Live.Since) {
				cell.OK, cell.Failed, cell.P50, cell.P95 = 0, busy, 0, 0
			}
		}
	}
	return s, nil
}

func (f *fake) Causes(_ context.Context, _ string, window time.Duration) (callback.Failures, error) {
	if err := f.enter("Causes"); err != nil {
		return callback.Failures{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return callback.Failures{From: noon.Add(-window), To: noon, Causes: f.history.causes}, nil
}

func (f *fake) Alerts(_ context.Context, q callback.AlertQuery) (list callback.Listing[callback.Alert], err error) {
	if err := f.enter("Alerts"); err != nil {
		return list, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.outages {
		for _, a := range f.outages[i].Alerts {
			if q.Status == nil || a.Status == *q.Status {
				a.Callback = f.outages[i].CallbackID
				list.Rows = append(list.Rows, a)
			}
		}
	}
	return list, nil
}

// fixCauses puts in why attempts of crm-prod failed.
func (f *fake) fixCauses() {
	f.history.causes = []callback.Failure{
		{Class: callback.ClassRefused, Count: 1271, First: clockAt(0, 9, 12, 4), Last: clockAt(0, 14, 1, 17)},
		{Class: callback.ClassStatus, Code: 503, Count: 11, First: clockAt(0, 9, 11, 41), Last: clockAt(0, 9, 12, 3)},
		{Class: callback.ClassAnswerTimeout, Count: 2, First: clockAt(0, 2, 40, 12), Last: clockAt(0, 2, 41, 14)},
		{Class: callback.ClassDNS, Count: 1, First: clockAt(1, 23, 40, 0), Last: clockAt(1, 23, 40, 0)},
	}
}
