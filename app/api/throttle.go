package api

import (
	linked "container/list"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// throttle counts the wrong keys of each peer, and says when they are too many.
// It protects the log and the processor, not the keys: those have 160 random
// bits, which nobody guesses at any rate. So a right key is let in always, also
// from a peer that shares its address with somebody who sends wrong ones.
type throttle struct {
	mu    sync.Mutex
	peers map[netip.Prefix]*linked.Element // of a *suspect
	seen  linked.List                      // the one that sent a wrong key last in front
}

// suspect is a peer that sent a wrong key.
type suspect struct {
	peer   netip.Prefix
	bucket *rate.Limiter
	told   bool // it is throttled, and was reported
}

// The bounds of a throttle.
const (
	wrongAtOnce = 10              // wrong keys that are answered 401 …
	wrongEvery  = 6 * time.Second // … and how often one more is
	maxSuspects = 4096            // beyond it the one that was silent longest is forgotten
)

func newThrottle() *throttle { return &throttle{peers: map[netip.Prefix]*linked.Element{}} }

// wrong takes note of a wrong key. wait is how long its peer should wait, 0
// while there were not too many; begins is set when the first of them was one
// too many.
func (t *throttle) wrong(peer netip.Prefix, now time.Time) (wait time.Duration, begins bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.suspect(peer)
	if s.bucket.TokensAt(now) >= wrongAtOnce {
		s.told = false // it was silent long enough to begin anew
	}
	if s.bucket.AllowN(now, 1) {
		return 0, false
	}
	begins, s.told = !s.told, true
	missing := 1 - s.bucket.TokensAt(now)
	return time.Duration(missing * float64(wrongEvery)), begins
}

func (t *throttle) suspect(peer netip.Prefix) *suspect {
	if e := t.peers[peer]; e != nil {
		t.seen.MoveToFront(e)
		return e.Value.(*suspect)
	}
	if len(t.peers) >= maxSuspects {
		oldest := t.seen.Back()
		t.seen.Remove(oldest)
		delete(t.peers, oldest.Value.(*suspect).peer)
	}
	s := &suspect{peer: peer, bucket: rate.NewLimiter(rate.Every(wrongEvery), wrongAtOnce)}
	t.peers[peer] = t.seen.PushFront(s)
	return s
}

// peerOf returns what counts as one peer: an IPv4 address, or the /64 of an IPv6
// one, which its owner can choose any address of. Those without an address, as
// over a socket, are one together.
func peerOf(remote string) netip.Prefix {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	addr, bits := at.Addr().Unmap(), 64
	if addr.Is4() {
		bits = 32
	}
	peer, _ := addr.Prefix(bits) // the number of bits is right
	return peer
}
