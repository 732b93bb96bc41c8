package api

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestWrongKeysAreSlowedDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		h := New(Options{Service: newFixed(), Keys: ring(), Log: slog.New(slog.NewTextHandler(&log, nil))})
		from := func(addr, key string) (int, string) {
			w := asks(h, "/callbacks", func(r *http.Request) {
				r.RemoteAddr = addr
				if key != "" {
					r.Header.Set("X-Api-Key", key)
				}
			})
			return w.Code, w.Header().Get("Retry-After")
		}
		want := func(what, addr, key string, status int) {
			t.Helper()
			if got, _ := from(addr, key); got != status {
				t.Errorf("%s: got %d, want %d", what, got, status)
			}
		}
		const peer = "192.0.2.7:1000"
		for i := range wrongAtOnce {
			want(fmt.Sprint("wrong key ", i), peer, fmt.Sprint("wrong", i), 401)
		}
		status, after := from(peer, "wrong")
		if n, err := strconv.Atoi(after); status != 429 || err != nil || n < 1 || n > 7 {
			t.Errorf("one too many: got %d, Retry-After %q", status, after)
		}
		want("from another port", "192.0.2.7:2000", "wrong", 429)
		want("spelled as IPv6", "[::ffff:192.0.2.7]:1", "wrong", 429)
		want("a right key", peer, "read-key", 200)
		want("no key", peer, "", 401)
		want("from another address", "192.0.2.8:1000", "wrong", 401)
		for range 50 {
			want("again and again", peer, "wrong", 429)
		}
		if n := strings.Count(log.String(), "too many wrong keys"); n != 1 || !strings.Contains(log.String(), "peer=192.0.2.7/32") {
			t.Errorf("logged %d times: %s", n, &log)
		}
		time.Sleep(wrongEvery) // in the bubble's time
		want("after a while", peer, "wrong", 401)
		want("and one more", peer, "wrong", 429)
		if n := strings.Count(log.String(), "too many wrong keys"); n != 1 {
			t.Errorf("a peer that goes on is logged %d times", n)
		}
		time.Sleep(wrongAtOnce * wrongEvery)
		for range wrongAtOnce {
			want("after a long while", peer, "wrong", 401)
		}
		want("and too many", peer, "wrong", 429)
		if n := strings.Count(log.String(), "too many wrong keys"); n != 2 {
			t.Errorf("a peer that begins anew is logged %d times in all", n)
		}
		for i := range wrongAtOnce { // an IPv6 peer has a whole /64
			want("IPv6", fmt.Sprintf("[2001:db8::%x]:1", i+1), "wrong", 401)
		}
		want("IPv6, the same /64", "[2001:db8::ffff:1]:1", "wrong", 429)
		want("IPv6, the next /64", "[2001:db8:0:1::1]:1", "wrong", 401)
	})
}

func TestThrottleForgetsWhoWasSilentLongest(t *testing.T) {
	t.Parallel()
	th, now := newThrottle(), time.Unix(1e9, 0)
	peer := func(i int) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32)
	}
	for range wrongAtOnce + 1 {
		th.wrong(peer(0), now)
		th.wrong(peer(1), now)
	}
	for i := 2; i < maxSuspects; i++ {
		th.wrong(peer(i), now)
	}
	th.wrong(peer(0), now) // heard of again: now 1 was silent longest
	th.wrong(peer(maxSuspects), now)
	if len(th.peers) != maxSuspects || th.seen.Len() != maxSuspects {
		t.Fatalf("%d peers, %d in order; want %d", len(th.peers), th.seen.Len(), maxSuspects)
	}
	if wait, begins := th.wrong(peer(0), now); wait <= 0 || begins {
		t.Errorf("one that goes on was forgotten: wait %v, begins %v", wait, begins)
	}
	if wait, _ := th.wrong(peer(1), now); wait != 0 {
		t.Errorf("the one that was silent longest is still known: wait %v", wait)
	}
}

func TestPeerOf(t *testing.T) {
	t.Parallel()
	for remote, want := range map[string]string{
		"192.0.2.1:80": "192.0.2.1/32", "[::ffff:192.0.2.1]:80": "192.0.2.1/32", "[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:80": "fe80::/64", "@": "invalid Prefix", "": "invalid Prefix", "pipe": "invalid Prefix",
	} {
		if got := peerOf(remote).String(); got != want {
			t.Errorf("%q: got %s, want %s", remote, got, want)
		}
	}
}
