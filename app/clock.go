package app

import (
	"crypto/rand"
	"log/slog"
	"sync"
	"time"
)

// clock gives engine time: whole milliseconds in UTC that never go back. Where
// the wall clock jumps ahead of the monotonic one by more than maxJump, engine
// time does not follow until both have agreed for settleTime: a clock set wrong
// by a year must not give up every call, nor delete the history. Its zero value
// is ready.
type clock struct {
	mu     sync.Mutex
	log    *slog.Logger
	last   time.Time // engine time last given
	wall   time.Time // wall and monotonic reading at that moment
	behind time.Duration
	since  time.Time // monotonic reading of when the jump was seen
}

const (
	maxJump    = time.Hour
	settleTime = time.Hour
)

// Now returns engine time.
func (c *clock) Now() time.Time {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.wall.IsZero() {
		c.watch(now)
	}
	c.wall = now
	t := now.Add(-c.behind).UTC().Truncate(time.Millisecond)
	if t.Before(c.last) {
		return c.last
	}
	c.last = t
	return t
}

// watch compares how far both clocks went since the last reading.
func (c *clock) watch(now time.Time) {
	jump := now.Round(0).Sub(c.wall.Round(0)) - now.Sub(c.wall) // Round(0) strips the monotonic reading
	if jump > maxJump || jump < -maxJump && c.behind > 0 {
		c.behind = max(c.behind+jump, 0)
		c.since = now
		if c.log != nil {
			c.log.Error("the clock jumped; times are not taken from it until it has been steady for an hour", "by", jump)
		}
	}
	if c.behind > 0 && now.Sub(c.since) >= settleTime {
		c.behind = 0
	}
}

// Doubtful reports whether the wall clock is not trusted at the moment.
func (c *clock) Doubtful() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.behind > 0
}

// random fills b with random bytes.
func random(b []byte) { _, _ = rand.Read(b) } // it never fails, it ends the program
