package queue

import (
	"context"
	"fmt"
	"testing"
	"time"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// While a commit runs that opens an outage, the outages before it are listed.
func TestOutagesWhileOneOpens(t *testing.T) {
	t.Parallel()
	var e *Engine
	seen := -1
	look := func() {} // in the writer, between memory and disk
	e, err := Open(Options{
		Dir: t.TempDir(), Now: queuetest.Start, Policy: queuetest.Policy(), Free: plenty, noSync: true,
		Committing: func(int) func() { look(); return func() {} },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	now := queuetest.Start
	cb, err := e.Create(t.Context(), now, callback.Callback{ID: 1, Name: "a", Retries: true})
	if err != nil {
		t.Fatal(err)
	}
	attempted := func(a callback.Attempt) {
		t.Helper()
		id := fill(t, e, cb.Num, 1)[0]
		if _, err := e.ClaimManual(t.Context(), now, cb.Num, id, false); err != nil {
			t.Fatal(err)
		}
		a.Started = now
		if _, err := e.Record(t.Context(), now, cb.Num, id, []callback.Attempt{a}); err != nil {
			t.Fatal(err)
		}
	}
	attempted(callback.Attempt{Class: callback.ClassStatus, Code: 500})
	attempted(callback.Attempt{OK: true, Code: 200})
	now = now.Add(time.Hour)
	if err := e.Tick(t.Context(), now, cb.Num, true); err != nil {
		t.Fatal(err)
	}
	look = func() {
		page, err := e.Outages(context.Background(), callback.Newest[callback.Outage]{})
		if err != nil {
			t.Error(err)
		}
		seen = len(page.Rows)
	}
	attempted(callback.Attempt{Class: callback.ClassStatus, Code: 500})
	look = func() {}
	page, err := e.Outages(t.Context(), callback.Newest[callback.Outage]{})
	if err != nil || len(page.Rows) != 2 {
		t.Fatalf("%d outages, %v; want 2", len(page.Rows), err)
	}
	if seen != 1 {
		t.Errorf("%d outages while the second was being written, want the first", seen)
	}
}

// given makes the rows of one callback, each some time before Start.
func given(num callback.Num, reads *int, ago ...time.Duration) (bound callback.Outage, next rowsOf[callback.Outage]) {
	row := func() (o callback.Outage) {
		o.Num, o.N, o.Started = num, uint32(len(ago)), queuetest.Start.Add(-ago[0])
		return o
	}
	return row(), func() (o callback.Outage, ok bool, err error) {
		if *reads++; len(ago) == 0 {
			return o, false, nil
		}
		o = row()
		ago = ago[1:]
		return o, true, nil
	}
}

func TestNewestReadsFew(t *testing.T) {
	t.Parallel()
	reads := 0
	all := &feeds[callback.Outage]{order: callback.NewestOutage}
	for i := range 10_000 {
		all.add(given(callback.Num(i+1), &reads, time.Duration(i*7919%10_000)*time.Minute, 9000*time.Hour))
	}
	page, err := newest(t.Context(), callback.Newest[callback.Outage]{Limit: 20, Offset: 10}, all)
	if err != nil || len(page.Rows) != 20 || !page.More {
		t.Fatalf("%d rows, more: %t, %v", len(page.Rows), page.More, err)
	}
	for i, o := range page.Rows {
		if want := queuetest.Start.Add(-time.Duration(10+i) * time.Minute); !o.Started.Equal(want) {
			t.Errorf("row %d began %v, want %v", i, o.Started, want)
		}
	}
	if reads > 100 {
		t.Errorf("%d rows were read for a page of 20 behind 10", reads)
	}
}

// A row behind any number that do not match is found, on the page where it stands.
func TestNewestFindsTheLast(t *testing.T) {
	t.Parallel()
	const n = 60_000
	next := func() rowsOf[callback.Alert] {
		i := 0
		return func() (a callback.Alert, ok bool, err error) {
			i++
			a.Key, a.Created = fmt.Sprint(i), queuetest.Start.Add(-time.Duration(i)*time.Second)
			if i == n {
				a.Status = callback.AlertRefused
			}
			return a, i <= n, nil
		}
	}
	for offset, want := range map[int]int{0: 1, 20: 0} {
		all := &feeds[callback.Alert]{order: callback.NewestAlert}
		all.add(callback.Alert{Created: queuetest.Start}, next())
		page, err := newest(t.Context(), callback.Newest[callback.Alert]{
			Limit: 20, Offset: offset, Match: func(a *callback.Alert) bool { return a.Status == callback.AlertRefused },
		}, all)
		if err != nil || len(page.Rows) != want || page.More {
			t.Errorf("offset %d: %d rows, more: %t, %v; want %d and no more", offset, len(page.Rows), page.More, err, want)
		}
	}
}
