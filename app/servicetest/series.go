package servicetest

import (
	"net/http"
	"testing"
	"time"

	"ringback/callback"
)

// seriesTold: what was accepted and attempted stands in the last cell of every
// window, of its callback and of all together, and nowhere else.
func seriesTold(t *testing.T, b *bench) {
	b.callback("good", nil)
	b.callback("idle", nil)
	ids := b.enqueue(response("good", "a"), response("good", "b"), response("good", "c"))
	for _, id := range ids {
		b.ended("good", id, 1)
	}
	b.hook.answer(http.StatusBadGateway)
	b.ended("good", b.enqueue(response("good", "d"))[0], 1)
	for _, w := range callback.SeriesWindows {
		q := callback.SeriesQuery{Ref: "good", Window: w.Span, Cells: 12}
		b.until("the series", func() bool { return b.series(q).Cells[11].Failed == 1 })
		s := b.series(q)
		var sum callback.SeriesCell
		for _, c := range s.Cells {
			sum.OK, sum.Failed, sum.Accepted = sum.OK+c.OK, sum.Failed+c.Failed, sum.Accepted+c.Accepted
		}
		if sum.OK != 3 || sum.Failed != 1 || sum.Accepted != 4 || len(s.Cells) != 12 {
			t.Errorf("%s: %+v in %d cells, want 3 and 1 of 4", w.Word, sum, len(s.Cells))
		}
		if first := s.Cells[0]; first.OK+first.Failed+first.Accepted != 0 {
			t.Errorf("%s: the first cell has %+v", w.Word, first)
		}
		if last := s.Cells[11]; last.P50 <= 0 || last.P95 < last.P50 {
			t.Errorf("%s: answers took %v and %v", w.Word, last.P50, last.P95)
		}
		if s.To.Sub(s.From) != w.Span || !s.To.Equal(s.To.Truncate(time.Minute)) || time.Until(s.To) > time.Minute {
			t.Errorf("%s: from %v to %v", w.Word, s.From, s.To)
		}
		q.Ref = ""
		if got := b.series(q); got.Cells[11].OK != 3 || got.Cells[11].Failed != 1 || got.Cells[11].Accepted != 4 {
			t.Errorf("%s of all: %+v", w.Word, got.Cells[11])
		}
		q.Ref = "idle"
		for _, c := range b.series(q).Cells {
			if c != (callback.SeriesCell{}) {
				t.Errorf("%s of an idle callback: %+v", w.Word, c)
			}
		}
		q.Ref, q.End = "good", time.Now().Add(-2*time.Hour)
		for _, c := range b.series(q).Cells {
			if c.OK+c.Failed+c.Accepted != 0 {
				t.Errorf("%s, two hours ago: %+v", w.Word, c)
			}
		}
	}
}

// series returns a series that must be there.
func (b *bench) series(q callback.SeriesQuery) callback.Series {
	b.t.Helper()
	s, err := b.svc.Series(b.ctx, q)
	if err != nil || len(s.Cells) != q.Cells {
		b.t.Fatalf("series %+v: %d cells, error %v", q, len(s.Cells), err)
	}
	return s
}

func seriesRefuses(t *testing.T, b *bench) {
	b.callback("good", nil)
	ask := func(q callback.SeriesQuery) error { _, err := b.svc.Series(b.ctx, q); return err }
	hour := callback.SeriesQuery{Window: time.Hour, Cells: 60}
	with := func(change func(*callback.SeriesQuery)) callback.SeriesQuery { q := hour; change(&q); return q }
	b.wantFields("a window there is not", ask(with(func(q *callback.SeriesQuery) { q.Window = 2 * time.Hour })), "window")
	b.wantFields("no cells", ask(with(func(q *callback.SeriesQuery) { q.Cells = 0 })), "cells")
	b.wantFields("cells shorter than a minute", ask(with(func(q *callback.SeriesQuery) { q.Cells = 61 })), "cells")
	b.wantFields("too many cells", ask(callback.SeriesQuery{Window: 24 * time.Hour, Cells: callback.MaxCells + 1}), "cells")
	b.wantCode("an unknown callback", ask(with(func(q *callback.SeriesQuery) { q.Ref = "nobody" })), callback.CodeNotFound)
	if err := ask(hour); err != nil {
		t.Errorf("an hour of minutes: %v", err)
	}
	_, err := b.svc.Causes(b.ctx, "good", 2*time.Hour)
	b.wantFields("causes of a window there is not", err, "window")
	_, err = b.svc.Causes(b.ctx, "nobody", time.Hour)
	b.wantCode("causes of an unknown callback", err, callback.CodeNotFound)
}

// causesTold: failures are counted by what went wrong, of their callback and of
// all together.
func causesTold(t *testing.T, b *bench) {
	b.callback("good", nil)
	b.callback("other", nil)
	began := time.Now().Add(-time.Second)
	for i, status := range []int{503, 503, 200, 404} {
		b.hook.answer(status)
		b.ended("good", b.enqueue(response("good", string(rune('a'+i))))[0], 1)
	}
	for _, ref := range []string{"good", ""} {
		f, err := b.svc.Causes(b.ctx, ref, 24*time.Hour)
		if err != nil || len(f.Causes) != 2 {
			t.Fatalf("causes of %q: %+v, %v", ref, f, err)
		}
		for i, want := range []callback.Failure{{Class: callback.ClassStatus, Code: 503, Count: 2}, {Class: callback.ClassStatus, Code: 404, Count: 1}} {
			got := f.Causes[i]
			if got.First.Before(began) || got.Last.Before(got.First) || got.Last.After(f.To.Add(time.Second)) {
				t.Errorf("%+v: first %v, last %v", got, got.First, got.Last)
			}
			got.First, got.Last = time.Time{}, time.Time{}
			if got != want {
				t.Errorf("causes of %q: %+v, want %+v", ref, got, want)
			}
		}
		if !f.From.Equal(f.From.Truncate(time.Hour)) || f.To.Sub(f.From) < 24*time.Hour || f.To.Sub(f.From) >= 25*time.Hour {
			t.Errorf("from %v to %v", f.From, f.To)
		}
	}
	if f, err := b.svc.Causes(b.ctx, "other", time.Hour); err != nil || len(f.Causes) != 0 {
		t.Errorf("causes of another: %+v, %v", f, err)
	}
}
