package series

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"

	"ringback/callback"
)

// Store is what Run needs of a callback.Store.
type Store interface {
	callback.Figures
	Callbacks() []callback.Health
}

// Options say what Run works with.
type Options struct {
	Store    Store
	Dir      string // of the archive; "": there is none
	Now      func() time.Time
	Doubtful func() bool // whether the clock may be wrong: nothing is kept then
	Loaded   func()      // is called when what an earlier process counted is there
	Log      *slog.Logger
}

const (
	// slack is how long after its end a minute is kept: what ended within it has
	// been counted by then.
	slack = 2 * time.Second
	// journalFor is how long a minute stays in the journal although no partition
	// of it could be written.
	journalFor = 19 * time.Hour
	// mostMinutes bounds what is read of the journal.
	mostMinutes = 3 * 24 * 60
	// mostRows is how many callbacks of a minute are archived, the busiest: each
	// that is busy all the time costs tstorage some 170 KB of memory in 90 days.
	mostRows = 250
)

// keeper is Run at work.
type keeper struct {
	*Series
	Options
	opened time.Time
	last   uint32 // the last minute that was kept
	purged int64  // up to when the journal was purged since its minutes are on disk, in Unix seconds
}

// Run brings back what an earlier process counted, and keeps each minute once it
// is over: it is journalled in the store, and then archived. It ends with ctx,
// after it has kept the minute that was not over. What fails is logged: nothing
// else depends on series.
func (s *Series) Run(ctx context.Context, opt Options) {
	k := &keeper{Series: s, Options: opt, opened: opt.Now()}
	k.open(ctx)
	k.Loaded()
	for {
		now := k.Now()
		t := time.NewTimer(now.Truncate(time.Minute).Add(time.Minute + slack).Sub(now))
		select {
		case <-t.C:
			k.keep(ctx, k.Now().Add(-slack))
		case <-ctx.Done():
			t.Stop()
			k.end(context.WithoutCancel(ctx))
			return
		}
	}
}

// open reads the journal into the rings, and opens the archive.
func (k *keeper) open(ctx context.Context) {
	journal, err := k.Store.Minutes(ctx, time.Time{}, mostMinutes)
	if err != nil {
		k.fault(ctx, "read the journal of figures", err)
		return // the archive would take what it has for all that there is
	}
	k.last = minuteOf(k.opened) - 1
	k.recall(journal)
	if k.Dir == "" {
		return
	}
	a, err := openArchive(k.Dir, journal, k.opened)
	if err != nil {
		k.fault(ctx, "open the archive of figures: series have the last hour alone", err)
		return
	}
	k.mu.Lock()
	k.archive = a
	k.mu.Unlock()
}

// recall fills the rings with the last hour of a journal.
func (k *keeper) recall(journal []callback.Minute) {
	nums := map[callback.CallbackID]callback.Num{}
	for _, h := range k.Store.Callbacks() {
		nums[h.ID] = h.Num
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	now := minuteOf(k.opened)
	for _, j := range journal {
		at := minuteOf(j.At)
		rows, err := decode(j.Figures)
		if err != nil || at > now || at+minutes <= now {
			continue
		}
		for i := range rows {
			r := &k.all
			if num := nums[rows[i].id]; num != 0 {
				r = k.ring(num)
			} else if rows[i].id != 0 {
				continue // it was removed
			}
			if m := r.at(at); m != nil {
				m.add(&rows[i].minute)
			}
		}
	}
}

// keep journals and archives the minutes that are over.
func (k *keeper) keep(ctx context.Context, now time.Time) {
	if k.Doubtful() {
		return
	}
	end := minuteOf(now)
	for at := max(k.last+1, end-min(end, minutes-1)); at < end; at++ {
		rows := k.rows(at, k.Store.Callbacks(), at+1 == end)
		k.last = at
		if len(rows) == 0 {
			continue
		}
		if err := k.Store.PutMinute(ctx, k.Now(), callback.Minute{At: timeOf(at), Figures: encode(rows)}); err != nil {
			k.fault(ctx, "keep the figures of a minute", err)
			continue
		}
		if k.archive == nil {
			continue
		}
		if err := k.archive.insert(timeOf(at), rows); err != nil {
			k.fault(ctx, "archive the figures of a minute", err)
		}
	}
	k.trim(ctx)
}

// trim removes from the journal what is on disk elsewhere, or too old to wait
// for that.
func (k *keeper) trim(ctx context.Context) {
	now := k.Now()
	if now.Sub(k.opened) > journalFor || k.archive == nil {
		k.purge(ctx, now.Add(-journalFor))
	}
	if k.archive == nil {
		return
	}
	if last := k.archive.onDisk; last > k.purged {
		k.purged = last
		k.purge(ctx, time.Unix(last, 0))
	}
}

// purge removes the journal's minutes to a time. The last hour stays: from it
// the rings are filled.
func (k *keeper) purge(ctx context.Context, last time.Time) {
	before := last.Add(time.Minute)
	if hour := k.Now().Add(-Window - time.Minute); before.After(hour) {
		before = hour
	}
	if _, err := k.Store.PurgeMinutes(ctx, k.Now(), before.UTC(), mostMinutes); err != nil {
		k.fault(ctx, "remove figures from the journal", err)
	}
}

// end keeps what there is, the minute that is not over in the journal alone, and
// closes the archive.
func (k *keeper) end(ctx context.Context) {
	now := k.Now()
	k.keep(ctx, now)
	if rows := k.rows(minuteOf(now), k.Store.Callbacks(), true); len(rows) > 0 && !k.Doubtful() {
		if err := k.Store.PutMinute(ctx, now, callback.Minute{At: timeOf(minuteOf(now)), Figures: encode(rows)}); err != nil {
			k.fault(ctx, "keep the figures of the last minute", err)
		}
	}
	k.mu.Lock()
	a := k.archive
	k.archive = nil
	k.mu.Unlock()
	if a == nil {
		return
	}
	if err := a.close(); err != nil {
		k.fault(ctx, "close the archive of figures", err)
		return
	}
	if a.last > 0 {
		k.purge(ctx, time.Unix(a.last, 0))
	}
}

// fault tells that something was not kept; a store that has ended tells so
// itself.
func (k *keeper) fault(ctx context.Context, what string, err error) {
	if s, ok := k.Store.(interface{ Err() error }); ok && s.Err() != nil || ctx.Err() != nil {
		return
	}
	k.Log.Error(what, "err", err)
}

// rows returns a minute of all callbacks that were not idle, the busiest first,
// and before them that of all together. With waiting, the calls that wait now are
// part of it.
func (s *Series) rows(at uint32, live []callback.Health, waiting bool) []row {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rows []row
	total := uint64(0)
	for i := range live {
		h := &live[i]
		n := uint64(0)
		if waiting {
			n = h.Live.Counts.Waiting()
		}
		total += n
		r := s.byNum[h.Num]
		if r == nil && n > 0 {
			r = s.ring(h.Num)
		}
		if r == nil {
			continue
		}
		if m := r.minute(at, n); m != nil && !m.idle() {
			rows = append(rows, row{h.ID, *m})
		}
	}
	slices.SortStableFunc(rows, func(x, y row) int { return cmp.Compare(y.busy(), x.busy()) })
	rows = rows[:min(len(rows), mostRows)]
	if m := s.all.minute(at, total); m != nil && !m.idle() {
		rows = slices.Insert(rows, 0, row{0, *m})
	}
	return rows
}

// busy says how much there is to a row.
func (r *row) busy() uint64 {
	return (uint64(r.ok)+uint64(r.failed)+uint64(r.accepted))<<32 + uint64(r.waiting)
}
