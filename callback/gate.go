package callback

import "time"

// GateState is how much an endpoint is trusted with.
type GateState uint8

// The states of a gate.
const (
	Closed GateState = iota // trusted with the full number in flight
	Open                    // down: one probe at a time, an interval apart
	Ramp                    // coming back: Limit in flight, doubling
)

// String returns "closed", "open" or "ramp".
func (s GateState) String() string { return [...]string{"closed", "open", "ramp"}[s] }

// Gate limits how many attempts of one callback run at once.
type Gate struct {
	State    GateState
	Limit    int       // in flight at most, while Ramp
	Good     int       // successes since Limit was last doubled
	OpenedAt time.Time // when it left Closed
	Probe    time.Time // while Open: when the next probe may go
	Last     time.Time // when the last attempt started or ended
	Asked    bool      // while Open, else false: the next probe waits for no due time. Not stored: a restart asks anyway

	// Row holds the different calls that failed in a row while Closed, while Ramp
	// the first of them.
	Row  [TripAfter - 1]CallID
	RowN int
}

// limit returns how many attempts may run at once.
func (g *Gate) limit(p Policy) int {
	switch g.State {
	case Open:
		return 1
	case Ramp:
		return min(g.Limit, p.MaxInFlight)
	}
	return p.MaxInFlight
}

// succeeded takes note of a 200. idle: nothing else waits.
func (g *Gate) succeeded(p Policy, idle bool) {
	g.RowN = 0
	switch g.State {
	case Open:
		g.State, g.Limit, g.Good, g.Asked = Ramp, 1, 0, false
	case Ramp:
		if g.Good++; g.Good >= g.Limit {
			g.Limit, g.Good = g.Limit*2, 0
		}
	}
	if g.State == Ramp && (idle || g.Limit >= p.MaxInFlight) {
		g.close()
	}
}

// failed takes note of a failure of call id and reports whether the gate
// opened because of it. wait is how long the next probe keeps off.
func (g *Gate) failed(now time.Time, id CallID, unreachable bool, wait time.Duration) (tripped bool) {
	switch g.State {
	case Open:
		if !g.Asked { // else it was asked for while this attempt ran
			g.Probe = now.Add(wait)
		}
		return unreachable // after a resume it is open without having tripped
	case Ramp:
		switch {
		case unreachable || g.Limit == 1:
		case g.RowN == 0:
			// One call alone says nothing of the endpoint. If it halved the limit, one
			// that refuses every tenth call would stay at four in flight for ever.
			g.row(id)
			return false
		default:
			g.Limit, g.Good = g.Limit/2, 0
			return false
		}
	case Closed:
		if !unreachable && !g.row(id) {
			return false
		}
		g.OpenedAt = now
	}
	g.State, g.Limit, g.Good, g.RowN = Open, 0, 0, 0
	g.Probe = now.Add(wait)
	return true
}

// row counts id among the different calls that failed in a row and reports
// whether they are TripAfter now.
func (g *Gate) row(id CallID) bool {
	for _, seen := range g.Row[:g.RowN] {
		if seen == id {
			return false
		}
	}
	if g.RowN == len(g.Row) {
		return true
	}
	g.Row[g.RowN] = id
	g.RowN++
	return false
}

func (g *Gate) close() {
	g.State, g.Limit, g.Good, g.RowN, g.Asked = Closed, 0, 0, 0, false
	g.OpenedAt, g.Probe = time.Time{}, time.Time{}
}

// reopen puts the gate to Open with a probe due now: after a resume nobody
// knows how the endpoint does.
func (g *Gate) reopen(now time.Time) {
	if g.State == Closed {
		g.OpenedAt = now
	}
	g.State, g.Limit, g.Good, g.RowN = Open, 0, 0, 0
	g.probeNow(now)
}

// probeNow lets the next probe go at once, also with a tried call that is not
// due yet: it may be the only one there is.
func (g *Gate) probeNow(now time.Time) {
	if g.State == Open {
		g.Probe, g.Asked = now, true
	}
}
