package queue

import (
	"iter"
	"slices"
	"sync/atomic"

	"ringback/callback"
)

// house is one callback in memory.
type house struct {
	cb    callback.Callback
	live  callback.Live
	num   callback.Num // cb.Num, which a list reads without the lock
	slot  byte         // the same
	marks marks
	parts int // of its configuration record

	seen atomic.Pointer[callback.Health] // as the last group that touched it left it; nil: none has since Open

	counted bool // its attempts were counted as they came

	causes *causes // of the hour of its last failure; the writer's own
}

// Callbacks implements callback.Registry.
func (e *Engine) Callbacks() []callback.Health {
	e.mu.RLock()
	defer e.mu.RUnlock()
	out := make([]callback.Health, 0, len(e.houses))
	for _, h := range e.houses {
		if h != nil {
			out = append(out, e.health(h))
		}
	}
	return out
}

// allPage is how many callbacks All copies at once: the writer waits for no more.
const allPage = 64

// All implements callback.Registry.
func (e *Engine) All() iter.Seq[*callback.Health] {
	return func(yield func(*callback.Health) bool) {
		page := make([]callback.Health, 0, allPage)
		for from, more := 0, true; more; from += allPage {
			page, more = e.some(page[:0], from)
			for i := range page {
				if !yield(&page[i]) {
					return
				}
			}
		}
	}
}

// some adds the callbacks of the next numbers to page, and reports whether there
// may be more.
func (e *Engine) some(page []callback.Health, from int) ([]callback.Health, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	to := min(from+allPage, len(e.houses))
	for _, h := range e.houses[min(from, to):to] {
		if h != nil {
			page = append(page, e.health(h))
		}
	}
	return page, to < len(e.houses)
}

// Callback implements callback.Registry.
func (e *Engine) Callback(num callback.Num) (callback.Health, error) {
	h, err := e.find(num)
	if err != nil {
		return callback.Health{}, err
	}
	return e.look(h), nil
}

// Find implements callback.Registry.
func (e *Engine) Find(ref string) (callback.Health, error) {
	if h := e.named(ref); h != nil {
		if seen := e.look(h); !seen.Live.Deleted {
			return seen, nil
		}
	}
	return callback.Health{}, callback.NoCallback(ref)
}

// named returns the callback with that name or id, or nil. No name has the form of an id.
func (e *Engine) named(ref string) *house {
	e.index.RLock()
	defer e.index.RUnlock()
	if h := e.names[ref]; h != nil {
		return h
	}
	id, _ := callback.ParseCallbackID(ref) // no callback has the id 0
	return e.ids[id]
}

// Past implements callback.Registry.
func (e *Engine) Past(id callback.CallbackID) (callback.Health, error) {
	e.index.RLock()
	h := e.ids[id]
	e.index.RUnlock()
	if h != nil {
		return e.look(h), nil
	}
	return callback.Health{}, callback.NoCallback(id.String())
}

// look returns how a callback does, as the last group that touched it left it, for a caller
// that does not hold mu. Each response asks three times. Of 16,384 with 64 producers 8,114 had waited
// for mu once, and the writer, which may not go on before all whom it let in have been run, behind
// all others, 4 to 13 % of the time.
func (e *Engine) look(h *house) callback.Health {
	if seen := h.seen.Load(); seen != nil {
		return *seen
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.health(h)
}

// health is look for a caller that holds mu.
func (e *Engine) health(h *house) callback.Health {
	st := callback.Step{Policy: e.policy.For(&h.cb), Live: &h.live} // which it only reads
	return callback.Health{Callback: h.cb, Live: h.live, NextTick: st.NextTick(), ExpireAt: st.ExpireAt()}
}

func (e *Engine) house(num callback.Num) (*house, error) {
	if num == 0 || int(num) > len(e.houses) || e.houses[num-1] == nil {
		return nil, callback.Errorf(callback.CodeNotFound, "no callback number %d", num)
	}
	return e.houses[num-1], nil
}

// find is house for a caller that does not hold mu.
func (e *Engine) find(num callback.Num) (*house, error) {
	e.index.RLock()
	defer e.index.RUnlock()
	return e.house(num)
}

// of returns the callbacks that a question is about: one, or all for 0; nil
// stands where retention removed one. The caller holds mu.
func (e *Engine) of(num callback.Num) []*house {
	switch {
	case num == 0:
		return e.houses
	case int(num) <= len(e.houses):
		return e.houses[num-1 : num]
	}
	return nil
}

// all is of for a caller that does not hold mu, without what was removed. Any
// may be removed meanwhile.
func (e *Engine) all(num callback.Num) []*house {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return slices.DeleteFunc(slices.Clone(e.of(num)), func(h *house) bool { return h == nil })
}

// slot returns where the keys of a callback lie.
func (e *Engine) slot(num callback.Num) (byte, error) {
	h, err := e.find(num)
	if err != nil {
		return 0, err
	}
	return h.slot, nil
}
