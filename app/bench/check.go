package bench

import "fmt"

// Check is what became of all that was accepted.
type Check struct {
	Accepted int `json:"accepted"` // answered 202
	Once     int `json:"once"`     // … and arrived once
	Lost     int `json:"lost"`     // … and did not arrive
	Twice    int `json:"twice"`    // … and arrived more often
	Strange  int `json:"strange"`  // arrived, and was not accepted

	Stored  uint64 `json:"stored"`  // delivered, as the store says
	Backlog uint64 `json:"backlog"` // waited from the beginning
	Waiting uint64 `json:"waiting"` // wait at the end, as the store says
}

// verify compares what was accepted with what arrived.
func (b *run) verify() {
	c := Check{Accepted: len(b.accepted), Stored: b.stored, Backlog: b.backlog, Waiting: b.waits}
	for id := range b.accepted {
		switch n := b.seen[id]; {
		case n == 0:
			c.Lost++
		case n == 1:
			c.Once++
		default:
			c.Twice++
		}
	}
	for id := range b.seen {
		if !b.accepted[id] {
			c.Strange++
		}
	}
	b.report.Check = c
}

// Fault says in a sentence what is wrong; "" when each response that was
// accepted was delivered exactly once.
func (c *Check) Fault() string {
	if c.Accepted == 0 {
		return "nothing was accepted"
	}
	if c.Once != c.Accepted || c.Strange > 0 {
		return fmt.Sprintf("of %d responses that were accepted %d did not arrive and %d arrived more than once; %d arrived that were not accepted",
			c.Accepted, c.Lost, c.Twice, c.Strange)
	}
	if c.Stored != uint64(c.Accepted) || c.Waiting != c.Backlog {
		return fmt.Sprintf("%d responses arrived once, but the store says that %d are delivered and %d wait, not %d",
			c.Accepted, c.Stored, c.Waiting, c.Backlog)
	}
	return ""
}
