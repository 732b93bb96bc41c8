package app

import (
	"crypto/rand"
	"log/slog"
	"sync"
	"time"
)

// clock gives engine time: whole milliseconds in UTC that never go back; where
// the wall clock is set back it goes a little slower until both meet. Where
// the wall clock jumps ahead of the monotonic one by more than maxJump, engine
// time does not follow until both have agreed for settleTime: a clock set wrong
// by a year must not give up every call, nor delete the history. Its zero value
// is ready.
type clock struct {
	mu       sync.Mutex
	log      *slog.Logger
	begun    time.Time     // the first reading; the monotonic clock counts from there
	last     time.Time     // engine time last given
	lastMono time.Duration // monotonic time of then
	wall     time.Time     // wall clock at that moment
	mono     time.Duration // and the monotonic one
	behind   time.Duration // how far engine time keeps behind the wall clock
	since    time.Duration // monotonic time of the last jump
}

const (
	maxJump    = time.Hour
	settleTime = time.Hour
)

// Now returns engine time.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if c.begun.IsZero() {
		c.begun = now
	}
	return c.read(now.Round(0), now.Sub(c.begun)) // Round strips the monotonic reading
}

// read returns engine time for a reading of both clocks.
func (c *clock) read(wall time.Time, mono time.Duration) time.Time {
	if !c.wall.IsZero() {
		c.watch(wall.Sub(c.wall)-(mono-c.mono), mono)
	}
	c.wall, c.mono = wall, mono
	if c.behind > 0 && mono-c.since >= settleTime {
		c.behind = 0
	}
	t := wall.Add(-c.behind).UTC()
	if ahead := c.last.Add(slow(mono - c.lastMono)); t.Before(ahead) && t.Before(c.last) {
		t = ahead
	}
	c.last, c.lastMono = t, mono
	return t.Truncate(time.Millisecond)
}

// slow is how far engine time goes in d while the wall clock is behind it: a
// clock that was set back must not stop retries, and is met again in the end.
func slow(d time.Duration) time.Duration { return d - d/10 }

// watch takes note of how much further the wall clock went than the monotonic
// one since the last reading.
func (c *clock) watch(jump, mono time.Duration) {
	if jump <= maxJump && (c.behind == 0 || jump >= -maxJump) {
		return
	}
	c.behind = max(c.behind+jump, 0)
	c.since = mono
	if c.log != nil {
		c.log.Error("the clock jumped; it is not followed until it has been steady for an hour", "by", jump)
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
