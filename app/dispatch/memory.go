package dispatch

import (
	"slices"
	"time"

	"ringback/callback"
)

// memory bounds the bytes of the responses whose attempts run. Half of what there
// is for them is divided equally among all slots: a response that is no longer
// than that waits for a slot alone, whatever others send. The other half is for
// longer ones. There lanes stand in line, so that a very long response gets its
// turn however many shorter ones come, and each has half of it at most, so that
// one whose endpoint hangs leaves the others theirs. What is longer than all of
// that goes alone. Engine.mu guards it.
type memory struct {
	small  int       // bytes that each slot has
	most   int       // of all longer ones together
	held   int       // by them now
	line   []*lane   // whose next call found no room, first come first
	turned time.Time // when another lane than before came to stand first in line
}

func newMemory(bytes, slots int) memory {
	return memory{small: bytes / 2 / max(slots, 1), most: bytes / 2}
}

// weight is what a response of so many bytes takes of the memory for long ones: the
// request that is made of it is as long once more.
func (m *memory) weight(size int) int {
	if size <= m.small {
		return 0
	}
	return 2 * size
}

func (m *memory) of(c *callback.Claim) int { return m.weight(c.Response.Size()) }

// own reports whether a lane has its part already, so that it waits for attempts
// of its own.
func (m *memory) own(l *lane, n int) bool { return l.held > 0 && l.held+n > m.most/2 }

// fits reports whether a lane may take n bytes now.
func (m *memory) fits(l *lane, n int) bool {
	switch {
	case n == 0:
		return true
	case m.own(l, n) || len(m.line) > 0 && m.line[0] != l:
		return false
	}
	return m.held == 0 || m.held+n <= m.most
}

// hold gives a lane n bytes, or takes them back where n is negative.
func (m *memory) hold(l *lane, n int) {
	l.held += n
	m.held += n
}

// ask takes memory for the call that stands next in a lane. Where others have it,
// the lane stands in line from then on.
func (d *Engine) ask(l *lane, size int) bool {
	m := &d.memory
	n := m.weight(size)
	if m.fits(l, n) {
		m.hold(l, n)
		if n > 0 {
			d.leave(l)
		}
		return true
	}
	if m.own(l, n) {
		d.leave(l)
	} else if !slices.Contains(m.line, l) {
		m.line = append(m.line, l)
		l.since = d.opt.Now()
	}
	return false
}

// leave takes a lane out of the line, and lets the next one try that is first then.
func (d *Engine) leave(l *lane) {
	at := slices.Index(d.memory.line, l)
	if at < 0 {
		return
	}
	d.memory.line = slices.Delete(d.memory.line, at, at+1)
	if at == 0 {
		d.memory.turned = d.opt.Now()
		d.offer()
	}
}

// pass has whoever stands first in line and has no slot leave it, so that those
// behind get the memory meanwhile. Attempts of its own have its slots as long as
// there are others: where one ends it is looked at, and stands in line again.
func (d *Engine) pass() {
	m := &d.memory
	for len(m.line) > 0 && d.running < d.opt.MaxInFlight && !m.line[0].filling && d.free(m.line[0]) == 0 {
		m.line[0].short = false
		d.leave(m.line[0])
	}
}

// offer lets the first in line look again.
func (d *Engine) offer() {
	if len(d.memory.line) > 0 {
		d.due(d.memory.line[0])
	}
}

// give takes back what an attempt held. Its lane is looked at anyway.
func (d *Engine) give(l *lane, n int) {
	if n == 0 {
		return
	}
	d.memory.hold(l, -n)
	d.offer()
}

// Waits reports whether the next call of a callback waits for memory, for a slot
// or for its turn: a place in which it may stand for long although it is due.
// since is when something last moved there. Every attempt has an end: where nothing
// moves for longer than one may take, something is wrong.
func (d *Engine) Waits(num callback.Num) (since time.Time, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.lanes[num]
	switch {
	case l == nil:
		return since, false
	case l.short && d.memory.turned.After(l.since) && slices.Contains(d.memory.line, l):
		return d.memory.turned, true
	case l.short:
		return l.since, true
	}
	return time.UnixMilli(d.moved.Load()).UTC(), l.queued || l.filling || d.free(l) == 0
}
