package dispatch

import (
	"sync"
	"sync/atomic"

	"ringback/callback"
)

// maxIdle bounds the goroutines that wait for another attempt to make: that many
// end at once where a commit is shared by as many results as usual.
const maxIdle = 64

// hands are the goroutines that make attempts. One that has made an attempt
// waits for another: its stack has grown by then as far as an attempt needs, and
// to grow it costs more than the goroutine.
type hands struct {
	work chan callback.Claim // taken by those that wait
	over chan struct{}       // closed when none waits any more
	idle atomic.Int32        // how many wait, or are about to
	all  sync.WaitGroup
}

// hire has the attempt made by another goroutine. It is beside Start so that what
// others make need not leave the stack there.
func (d *Engine) hire(c callback.Claim) {
	d.hands.all.Go(func() {
		for ok := true; ok; ok = d.await(&c) {
			d.attempt(&c)
			c = callback.Claim{} // who waits holds no response
			d.wg.Done()
		}
	})
}

// await waits for the next claim, and reports whether there is one.
func (d *Engine) await(c *callback.Claim) (ok bool) {
	defer d.hands.idle.Add(-1)
	if d.hands.idle.Add(1) > maxIdle {
		return false
	}
	select {
	case *c = <-d.hands.work:
		return true
	case <-d.hands.over:
		return false
	}
}
