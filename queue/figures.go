package queue

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// causes is why attempts of one callback failed in one hour.
type causes struct {
	hour  uint32 // since 1970
	list  []callback.Failure
	dirty bool // not in the group's transaction yet
}

func hourOf(t time.Time) uint32 { return uint32(min(max(t.Unix()/3600, 0), math.MaxUint32)) }

func minuteOf(t time.Time) uint32 { return uint32(min(max(t.Unix()/60, 0), math.MaxUint32)) }

func causesPrefix(slot byte, num callback.Num) []byte {
	return put32(key(slot, kindCauses), uint32(num))
}

func causesKey(slot byte, num callback.Num, hour uint32) []byte {
	return put32(causesPrefix(slot, num), hour)
}

func minuteKey(minute uint32) []byte { return put32(key(0, kindMinute), minute) }

// count counts the failed ones of attempts. The hour that is being counted lies
// in memory, so that only its first failure reads.
func (g *group) count(h *house, attempts []callback.Attempt) error {
	for i := range attempts {
		if attempts[i].OK {
			continue
		}
		if hour := hourOf(g.now); h.causes == nil || h.causes.hour != hour {
			if err := g.saveCauses(h); err != nil {
				return err
			}
			list, err := g.readCauses(h, hour)
			if err != nil {
				return err
			}
			h.causes = &causes{hour: hour, list: list}
		}
		h.causes.list, h.causes.dirty = callback.CountFailure(h.causes.list, &attempts[i], g.now), true
	}
	return nil
}

// readCauses reads what is stored of an hour. What is damaged is counted anew.
func (g *group) readCauses(h *house, hour uint32) ([]callback.Failure, error) {
	b, err := getSplit(g.t, causesKey(h.slot, h.num, hour))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	list, err := decodeCauses(b)
	if err != nil {
		g.e.opt.Log.Error("the causes of an hour are damaged: they are counted anew", "callback", h.cb.ID, "err", err)
		return nil, nil
	}
	return list, nil
}

// saveCauses writes what was counted: once a group.
func (g *group) saveCauses(h *house) error {
	if h.causes == nil || !h.causes.dirty {
		return nil
	}
	h.causes.dirty = false
	return g.putSplit(causesKey(h.slot, h.num, h.causes.hour), encodeCauses(h.causes.list))
}

func encodeCauses(list []callback.Failure) []byte {
	w := newWriter(16 * len(list))
	w.int(len(list))
	for i := range list {
		c := &list[i]
		w.int(int(c.Class))
		w.int(c.Code)
		w.uint(c.Count)
		w.time(c.First)
		w.time(c.Last)
	}
	return w.seal()
}

func decodeCauses(b []byte) ([]callback.Failure, error) {
	r := open(b)
	n := r.int()
	if n > len(b) {
		return nil, errCorrupt
	}
	list := make([]callback.Failure, n)
	for i := range list {
		list[i] = callback.Failure{Class: callback.Class(r.int()), Code: r.int(), Count: r.uint(), First: r.time(), Last: r.time()}
	}
	return list, r.err
}

// Causes implements callback.Figures.
func (e *Engine) Causes(ctx context.Context, num callback.Num, from, to time.Time) ([]callback.Failure, error) {
	slot, err := e.slot(num)
	if err != nil {
		return nil, err
	}
	var hours [][]callback.Failure
	begin := causesKey(slot, num, hourOf(from.Add(time.Hour-time.Nanosecond)))
	end := hourOf(to.Add(time.Hour - time.Nanosecond))
	err = e.view(func(t *badger.Txn) error {
		return eachKey(t, causesPrefix(slot, num), begin, func(k []byte) (bool, error) {
			k, part := k[:len(k)-1], k[len(k)-1]
			if be32(k[len(k)-4:]) >= end || part != 0 {
				return part != 0, ctx.Err()
			}
			b, err := getSplit(t, k)
			if err != nil {
				return false, err
			}
			list, err := decodeCauses(b)
			hours = append(hours, list)
			return true, err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read why calls failed: %w", err)
	}
	return callback.SumFailures(hours...), nil
}

// purgeCauses removes hours of causes of a callback: of one that is gone all.
func (e *Engine) purgeCauses(ctx context.Context, now time.Time, num callback.Num, horizon time.Time, limit int) (purged int, err error) {
	c, err := e.Callback(num)
	if err != nil {
		return 0, nil // removed meanwhile
	}
	slot, end := slotOf(c.ID), uint32(math.MaxUint32)
	if !c.Live.Empty() {
		end = hourOf(horizon.Add(-time.Nanosecond)) // an hour that ends at horizon stays
	}
	var old [][]byte
	err = e.view(func(t *badger.Txn) error {
		return eachKey(t, causesPrefix(slot, num), nil, func(k []byte) (bool, error) {
			switch {
			case be32(k[len(k)-5:]) >= end:
				return false, nil
			case k[len(k)-1] == 0:
				if purged == limit {
					return false, nil
				}
				purged++
			}
			old = append(old, slices.Clone(k))
			return true, ctx.Err()
		})
	})
	if err != nil || len(old) == 0 {
		return 0, err
	}
	return purged, e.deleteKeys(ctx, now, old)
}

// deleteKeys deletes records that nothing changes any more.
func (e *Engine) deleteKeys(ctx context.Context, now time.Time, keys [][]byte) error {
	return e.submit(ctx, now, len(keys), 32*len(keys), func(g *group) error {
		for _, k := range keys {
			if err := g.delete(k); err != nil {
				return err
			}
		}
		return nil
	})
}

// PutMinute implements callback.Figures.
func (e *Engine) PutMinute(ctx context.Context, now time.Time, m callback.Minute) error {
	if err := m.Validate(); err != nil {
		return err
	}
	w := newWriter(len(m.Figures) + 4)
	w.string(string(m.Figures))
	v, k := w.seal(), minuteKey(minuteOf(m.At))
	return e.submit(ctx, now, 2*maxParts, len(v)+1024, func(g *group) error {
		if err := g.mayGrow(); err != nil {
			return err
		}
		before, err := getSplit(g.t, k)
		if err != nil && !errors.Is(err, badger.ErrKeyNotFound) {
			return err
		}
		if err := g.deleteParts(k, partsOf(v), partsOf(before)); err != nil {
			return err
		}
		return g.putSplit(k, v)
	})
}

// Minutes implements callback.Figures. One that is damaged is left out.
func (e *Engine) Minutes(ctx context.Context, from time.Time, limit int) (out []callback.Minute, err error) {
	err = e.view(func(t *badger.Txn) error {
		return eachKey(t, key(0, kindMinute), minuteKey(minuteOf(from.Add(time.Minute-time.Nanosecond))), func(k []byte) (bool, error) {
			k, part := k[:len(k)-1], k[len(k)-1]
			if part != 0 || len(out) == limit {
				return len(out) < limit, ctx.Err()
			}
			b, err := getSplit(t, k)
			if err != nil {
				return false, err
			}
			r := open(b)
			m := callback.Minute{At: time.Unix(60*int64(be32(k[2:])), 0).UTC(), Figures: []byte(r.string())}
			if r.err != nil {
				e.opt.Log.Error("the figures of a minute are damaged: they are left out", "minute", m.At, "err", r.err)
				return true, nil
			}
			out = append(out, m)
			return true, nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read the figures of minutes: %w", err)
	}
	return out, nil
}

// minutesPage is how many minutes one commit removes, at most.
const minutesPage = 16

// PurgeMinutes implements callback.Figures.
func (e *Engine) PurgeMinutes(ctx context.Context, now, before time.Time, limit int) (purged int, err error) {
	for end := minuteOf(before.Add(time.Minute - time.Nanosecond)); purged < limit; {
		var old [][]byte
		n := 0
		err := e.view(func(t *badger.Txn) error {
			return eachKey(t, key(0, kindMinute), nil, func(k []byte) (bool, error) {
				if k[len(k)-1] == 0 {
					if be32(k[2:]) >= end || n == min(minutesPage, limit-purged) {
						return false, nil
					}
					n++
				}
				old = append(old, slices.Clone(k))
				return true, nil
			})
		})
		if err != nil || n == 0 {
			return purged, err
		}
		if err := e.deleteKeys(ctx, now, old); err != nil {
			return purged, err
		}
		purged += n
	}
	return purged, nil
}
