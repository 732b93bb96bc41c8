package queue

import (
	"sync"

	"ringback/callback"
)

// crowd is a message id, by its hash, among the calls of a callback, or of all (0).
type crowd struct {
	hash uint32
	num  callback.Num
}

// crowds are message ids that so many calls have, or so many attempts were made
// for, that a list of those is read by time. To find that out all blocks of the
// index may have to be walked, and a list of few among many takes thousands of
// steps: so it is remembered, until retention may have left few of them. Both ways
// give the same rows. The zero value is empty; it may be used by several
// goroutines at once.
type crowds struct {
	mu sync.Mutex
	of map[crowd]bool
}

// maxCrowds bounds what is remembered.
const maxCrowds = 256

func (c *crowds) has(of crowd) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.of[of]
}

func (c *crowds) add(of crowd) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil || len(c.of) == maxCrowds {
		c.of = map[crowd]bool{}
	}
	c.of[of] = true
}

func (c *crowds) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of = nil
}
