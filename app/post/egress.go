package post

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
)

// errDenied is under every refusal of an address.
var errDenied = errors.New("forbidden address")

// deniedError names the address that was refused.
type deniedError struct{ addr netip.Addr }

// Error implements error.
func (e deniedError) Error() string { return "forbidden address " + e.addr.String() }

// Unwrap returns errDenied.
func (deniedError) Unwrap() error { return errDenied }

func prefixes(s ...string) []netip.Prefix {
	ps := make([]netip.Prefix, len(s))
	for i, p := range s {
		ps[i] = netip.MustParsePrefix(p)
	}
	return ps
}

var (
	// never are denied whatever the options say: "this network", broadcast, and
	// where clouds keep their instances' credentials, as far as that is not a
	// link-local address.
	never = prefixes(
		"0.0.0.0/8", "255.255.255.255/32",
		"100.100.100.200/32", // Alibaba
		"168.63.129.16/32",   // Azure
		"192.0.0.192/32",     // Oracle
		"fd00:ec2::254/128",  // Amazon
		"fd00:42::42/128",    // Scaleway
		"fd20:ce::254/128",   // Google
	)
	// inner are what netip calls neither private nor loopback, but is not the
	// internet either (IANA special-purpose registries).
	inner = prefixes("100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4", "fec0::/10")

	tail      = prefixes("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96") // NAT64, and older forms: IPv4 in the last 4 bytes
	sixToFour = netip.MustParsePrefix("2002::/16")
	teredo    = netip.MustParsePrefix("2001::/32")
	loopback  = netip.IPv6Loopback()
)

// control implements net.Dialer.ControlContext: address is what is really
// dialled, after every resolution.
func (p *Poster) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return errDenied // not an address we could judge
	}
	return p.check(ap)
}

// check returns a deniedError when ap must not be contacted.
func (p *Poster) check(ap netip.AddrPort) error {
	// A zone would keep an address out of every prefix.
	addr := ap.Addr().Unmap().WithZone("")
	if p.denied(addr) || p.opt.Own != nil && p.opt.Own(netip.AddrPortFrom(addr, ap.Port())) {
		return deniedError{addr}
	}
	return nil
}

func (p *Poster) denied(addr netip.Addr) bool {
	switch {
	case addr.IsUnspecified(), addr.IsMulticast(), addr.IsLinkLocalUnicast(), within(never, addr), within(p.opt.Deny, addr):
		return true
	case !p.opt.AllowPrivate && (addr.IsPrivate() || addr.IsLoopback() || within(inner, addr)):
		return true
	}
	v4, ok := embedded(addr)
	return ok && p.denied(v4)
}

// embedded returns the IPv4 address that an IPv6 transition address leads to.
func embedded(addr netip.Addr) (netip.Addr, bool) {
	if !addr.Is6() || addr == loopback {
		return netip.Addr{}, false
	}
	b := addr.As16()
	switch {
	case within(tail, addr):
		return netip.AddrFrom4([4]byte(b[12:])), true
	case sixToFour.Contains(addr):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	case teredo.Contains(addr): // RFC 4380: the client's address, every bit flipped
		return netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}), true
	}
	return netip.Addr{}, false
}

func within(ps []netip.Prefix, addr netip.Addr) bool {
	for _, p := range ps {
		if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
		}
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// checkTarget resolves and checks the host of u, which the dialler does not see
// when a proxy is used. A host that cannot be resolved here is not contacted.
// The proxy resolves it once more: against a name whose answers change, only
// the proxy's own rules help.
func (p *Poster) checkTarget(ctx context.Context, u *url.URL) error {
	port, err := strconv.ParseUint(portOf(u), 10, 16)
	if err != nil {
		return errDenied
	}
	host := u.Hostname()
	addr, err := netip.ParseAddr(host)
	if err == nil {
		return p.check(netip.AddrPortFrom(addr, uint16(port)))
	}
	addrs, err := p.opt.Resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return err
	}
	if len(addrs) == 0 {
		return &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
	}
	for _, addr := range addrs {
		if err := p.check(netip.AddrPortFrom(addr, uint16(port))); err != nil {
			return err
		}
	}
	return nil
}
