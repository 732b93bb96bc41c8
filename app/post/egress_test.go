package post

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"ringback/callback"
)

// nameServer is a DNS server on loopback UDP. zone gives the addresses of a
// name in lower case without its final dot: nil is NXDOMAIN. Names beginning
// with "silent" get no answer, with "fail" SERVFAIL.
func nameServer(t testing.TB, zone func(name string) []string) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			if out := dnsAnswer(buf[:n], zone); out != nil {
				pc.WriteTo(out, from) // the resolver asks again
			}
		}
	})
	var mu sync.Mutex
	var asking []net.Conn // a resolver reads from these on after it was given up
	t.Cleanup(func() {
		pc.Close()
		wg.Wait()
		mu.Lock()
		defer mu.Unlock()
		for _, c := range asking {
			c.Close()
		}
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, "udp", pc.LocalAddr().String())
		if err == nil {
			mu.Lock()
			asking = append(asking, c)
			mu.Unlock()
		}
		return c, err
	}}
}

func dnsAnswer(in []byte, zone func(string) []string) []byte {
	var p dnsmessage.Parser
	h, err := p.Start(in)
	if err != nil {
		return nil
	}
	q, err := p.Question()
	if err != nil {
		return nil
	}
	name := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
	if strings.HasPrefix(name, "silent") {
		return nil
	}
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: h.ID, Response: true, Authoritative: true, RecursionAvailable: true},
		Questions: []dnsmessage.Question{q},
	}
	addrs := zone(name)
	switch {
	case strings.HasPrefix(name, "fail"):
		m.RCode = dnsmessage.RCodeServerFailure
	case addrs == nil:
		m.RCode = dnsmessage.RCodeNameError
	}
	for _, s := range addrs {
		rh := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET}
		switch a := netip.MustParseAddr(s); {
		case a.Is4() && q.Type == dnsmessage.TypeA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: rh, Body: &dnsmessage.AResource{A: a.As4()}})
		case a.Is6() && q.Type == dnsmessage.TypeAAAA:
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: rh, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
		}
	}
	out, err := m.Pack()
	if err != nil {
		return nil
	}
	return out
}

func fixed(addrs ...string) func(string) []string {
	return func(string) []string { return addrs }
}

func TestDenied(t *testing.T) {
	t.Parallel()
	own := netip.MustParseAddrPort("127.0.0.1:8480")
	open := New(Options{AllowPrivate: true, Deny: prefixes("203.0.113.0/24", "::ffff:198.51.100.0/120", "2001:db8::/32"), Own: func(ap netip.AddrPort) bool { return ap == own }})
	strict := New(Options{})
	for _, row := range []struct {
		addr         string
		open, strict bool // denied with AllowPrivate, without
	}{
		{"8.8.8.8:80", false, false},
		{"[2606:4700::1]:80", false, false},
		{"127.0.0.1:80", false, true},
		{"127.9.9.9:80", false, true},
		{"[::1]:80", false, true},
		{"[::ffff:127.0.0.1]:80", false, true},
		{"10.1.2.3:80", false, true},
		{"172.16.0.1:80", false, true},
		{"172.32.0.1:80", false, false},
		{"192.168.0.1:80", false, true},
		{"100.64.0.1:80", false, true},
		{"198.18.0.1:80", false, true},
		{"240.0.0.1:80", false, true},
		{"[fc00::1]:80", false, true},
		{"[fec0::1]:80", false, true},
		{"127.0.0.1:8480", true, true},
		{"[::ffff:127.0.0.1]:8480", true, true},
		{"0.0.0.0:80", true, true},
		{"0.1.2.3:80", true, true},
		{"[::]:80", true, true},
		{"[::ffff:0.0.0.0]:80", true, true},
		{"255.255.255.255:80", true, true},
		{"224.0.0.1:80", true, true},
		{"[ff02::1]:80", true, true},
		{"[ff05::2%eth0]:80", true, true},
		{"169.254.169.254:80", true, true},
		{"169.254.0.1:80", true, true},
		{"[::ffff:169.254.169.254]:80", true, true},
		{"[::ffff:a9fe:a9fe]:80", true, true},
		{"[::169.254.169.254]:80", true, true},
		{"[fe80::1]:80", true, true},
		{"[fe80::1%eth0]:80", true, true},
		{"[fe80::a9fe:a9fe%25]:80", true, true},
		{"[64:ff9b::169.254.169.254]:80", true, true},
		{"[64:ff9b::a9fe:a9fe%lo]:80", true, true},
		{"[64:ff9b:1::a9fe:a9fe]:80", true, true},
		{"[64:ff9b::8.8.8.8]:80", false, false},
		{"[64:ff9b::10.0.0.1]:80", false, true},
		{"[2002:a9fe:a9fe::1]:80", true, true},
		{"[2002:7f00:1::]:80", false, true},
		{"[2002:808:808::1]:80", false, false},
		{"[2001:0:4136:e378:8000:63bf:5601:5601]:80", true, true}, // Teredo of 169.254.169.254
		{"100.100.100.200:80", true, true},
		{"168.63.129.16:80", true, true},
		{"[fd00:ec2::254]:80", true, true},
		{"203.0.113.7:80", true, false},
		{"[::ffff:203.0.113.7]:80", true, false},
		{"[64:ff9b::203.0.113.7]:80", true, false},
		{"198.51.100.9:80", true, false},
		{"[2001:db8::1]:80", true, false},
		{"[2001:db8::1%eth0]:80", true, false},
		{"no address", true, true},
		{"example.com:80", true, true},
	} {
		for _, side := range []struct {
			name string
			p    *Poster
			want bool
		}{{"open", open, row.open}, {"strict", strict, row.strict}} {
			if got := side.p.control(context.Background(), "tcp", row.addr, nil) != nil; got != side.want {
				t.Errorf("%s, %s: denied %v, want %v", row.addr, side.name, got, side.want)
			}
		}
	}
}

// Whatever a host is spelled like, the cloud's metadata and the loopback are
// not contacted. The name server plays along with whoever wrote the URL.
func TestSpellings(t *testing.T) {
	t.Parallel()
	metadata := nameServer(t, fixed("169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fe80::1"))
	local := nameServer(t, fixed("127.0.0.1", "::1"))
	for _, host := range []string{
		"169.254.169.254", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[0:0:0:0:0:ffff:a9fe:a9fe]",
		"[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "[fe80::1%25lo]", "[::169.254.169.254]",
		"2852039166", "0xa9fea9fe", "0xA9.0xFE.0xA9.0xFE", "0251.0376.0251.0376", "0251.254.0xa9.254",
		"169.254.43518", "169.16689662", "169.254.169.254.", "025177524776",
		"169。254。169。254", "①⑥⑨.②⑤④.①⑥⑨.②⑤④", "１６９.２５４.１６９.２５４", "metadata.google.internal", "METADATA.google.internal.",
		"bücher.example", "169.254.169.254.nip.example", "0.0.0.0", "[::]", "0", "0x0", "224.0.0.1", "255.255.255.255",
	} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			a := postOne(t, newPoster(t, Options{AllowPrivate: true, Resolver: metadata}), newCallback("http://"+host+"/latest"))
			if a.Code != 0 || a.Peer != "" || !kept(host, a) {
				t.Errorf("got class %q, peer %q, %q", a.Class, a.Peer, a.Error)
			}
		})
	}
	for _, host := range []string{
		"127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.", "[::1]", "[::ffff:127.0.0.1]", "[0:0:0:0:0:0:0:1]",
		"[::ffff:7f00:1]", "localhost", "LOCALHOST", "localhost.", "①②⑦.⓪.⓪.①", "127。0。0。1", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "rebound.example",
	} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			a := postOne(t, newPoster(t, Options{Resolver: local}), newCallback("http://"+host+":9/"))
			if !kept(host, a) {
				t.Errorf("got class %q, %q", a.Class, a.Error)
			}
		})
	}
}

// kept reports whether an attempt was kept from a forbidden address. Go's own
// resolver does not take a number for a name; the system's may, and then the
// address that comes of it is refused.
func kept(host string, a callback.Attempt) bool {
	number := strings.Trim(strings.ToLower(host), "0123456789abcdefx.") == ""
	return number && a.Class == callback.ClassDNS ||
		a.Class == callback.ClassDenied && strings.HasPrefix(a.Error, "Not sent: URL resolves to a forbidden address (")
}

func TestDNS(t *testing.T) {
	t.Parallel()
	addr := listen(t, func(c net.Conn) {
		br := bufio.NewReader(c)
		for readRequest(br) {
			say(c, yes)
		}
	})
	_, port, _ := net.SplitHostPort(addr)
	res := nameServer(t, func(name string) []string {
		switch name {
		case "good.example", "xn--bcher-kva.example":
			return []string{"127.0.0.1"}
		case "mixed.example":
			return []string{"169.254.169.254", "127.0.0.1"}
		}
		return nil
	})
	for _, row := range []struct {
		host  string
		class callback.Class
		says  string
	}{
		{"good.example", ok, ""},
		{"GOOD.example.", ok, ""},
		{"bücher.example", ok, ""},
		{"mixed.example", ok, ""}, // the address really dialled decides
		{"nobody.example", callback.ClassDNS, "Host name not found: nobody.example"},
		{"fail.example", callback.ClassDNS, "Host name not found: fail.example (the DNS server failed)"},
		{"silent.example", callback.ClassDNS, "Host name not found: silent.example (no answer from DNS within 150 ms)"},
		{"a..b", callback.ClassDNS, "Host name not found: a..b"},
		{strings.Repeat("l", 64) + ".example", callback.ClassDNS, "Host name not found: lll"},
	} {
		t.Run(row.host[:min(len(row.host), 20)], func(t *testing.T) {
			t.Parallel()
			opt := Options{AllowPrivate: true, Resolver: res}
			if strings.HasPrefix(row.host, "silent") {
				opt.ConnectTimeout = 150 * time.Millisecond
			}
			a := postOne(t, newPoster(t, opt), newCallback("http://"+row.host+":"+port+"/"))
			if a.Class != row.class || !strings.Contains(a.Error, row.says) {
				t.Fatalf("got class %q, %q, want %q, %q", a.Class, a.Error, row.class, row.says)
			}
			if a.OK && (a.Timing.DNS == 0 || a.Peer != "127.0.0.1:"+port) {
				t.Errorf("got timing %+v, peer %q", a.Timing, a.Peer)
			}
			if strings.HasPrefix(row.host, "silent") && a.Timing.DNS == 0 {
				t.Errorf("the time DNS took is not told: %+v", a.Timing)
			}
		})
	}
}

// A name that is harmless when it is checked and hostile when it is used is
// caught, because what is checked is what is used.
func TestRebinding(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	res := nameServer(t, func(string) []string {
		if asked.Add(1) <= 2 { // A and AAAA
			return []string{"127.0.0.1"}
		}
		return []string{"169.254.169.254"}
	})
	addr := listen(t, func(c net.Conn) {
		if readRequest(bufio.NewReader(c)) {
			say(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		}
	})
	_, port, _ := net.SplitHostPort(addr)
	p := newPoster(t, Options{AllowPrivate: true, Resolver: res})
	cb := newCallback("http://rebind.example:" + port + "/")
	if a := postOne(t, p, cb); !a.OK {
		t.Fatalf("first: %+v", a)
	}
	for range 3 {
		if a := postOne(t, p, cb); a.Class != callback.ClassDenied {
			t.Fatalf("after rebinding: got class %q, %q", a.Class, a.Error)
		}
	}
}

// Our own listeners are refused under every spelling.
func TestOwnListener(t *testing.T) {
	t.Parallel()
	addr := listen(t, func(net.Conn) { t.Error("our own listener was contacted") })
	own := netip.MustParseAddrPort(addr)
	p := newPoster(t, Options{AllowPrivate: true, Resolver: nameServer(t, fixed("127.0.0.1")), Own: func(ap netip.AddrPort) bool { return ap == own }})
	for _, host := range []string{"127.0.0.1", "[::ffff:127.0.0.1]", "localhost", "me.example"} {
		a := postOne(t, p, newCallback(fmt.Sprintf("http://%s:%d/", host, own.Port())))
		if a.Class != callback.ClassDenied && a.Class != callback.ClassRefused { // localhost may be ::1 first, where nothing listens
			t.Errorf("%s: got class %q, %q", host, a.Class, a.Error)
		}
	}
}
