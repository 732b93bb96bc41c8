package cli

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"ringback/app/config"
)

// doors are where one appliance is reached.
type doors struct {
	tcp  net.Listener
	unix net.Listener   // nil: none
	addr netip.AddrPort // of tcp
	url  string         // base URL of tcp, for who is on this machine
	pair *keypair       // nil: tcp speaks plain HTTP
}

// refuse is a value of the configuration that is well formed, and that this
// server cannot do.
func refuse(src config.Source, key, problem string) error {
	if place := src.Of(key); place != "default" {
		return usagef("%s: %s: %s", place, key, problem)
	}
	return usagef("%s: %s", key, problem)
}

// noKeys refuses an address that others can reach, while nothing could tell who
// may come.
func noKeys(listen string, src config.Source) error {
	return refuse(src, "http.listen", fmt.Sprintf("%s can be reached from other machines, and no API key is made yet to protect it: "+
		"make one with 'ringback keys add NAME --role admin', or use a loopback address such as 127.0.0.1:8480", text(listen, 100)))
}

// listen opens the doors that the configuration names.
func listen(ctx context.Context, cfg *config.HTTP, src config.Source) (d *doors, err error) {
	pair, err := certificate(cfg)
	if err != nil {
		return nil, err
	}
	d = &doors{pair: pair}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	if d.tcp, err = listenTCP(ctx, cfg.Listen, src); err != nil {
		return d, err
	}
	d.addr = d.tcp.Addr().(*net.TCPAddr).AddrPort()
	d.addr = netip.AddrPortFrom(d.addr.Addr().Unmap(), d.addr.Port())
	most, local := connections(), 0
	if cfg.Socket != "" {
		local = most / 4 // so that others cannot lock out who is on this machine
	}
	d.tcp = limit(d.tcp, most-local)
	near := d.addr
	if near.Addr().IsUnspecified() {
		near = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), near.Port())
	}
	d.url = "http://" + near.String()
	if pair != nil {
		d.url = "https://" + near.String()
		d.tcp = tls.NewListener(d.tcp, pair.config())
	}
	if cfg.Socket != "" {
		if d.unix, err = listenUnix(ctx, cfg.Socket); err == nil {
			d.unix = limit(d.unix, local)
		}
	}
	return d, err
}

// loopback reports whether nobody can come from another machine.
func (d *doors) loopback() bool { return d.addr.Addr().IsLoopback() }

// own reports whether an address is one of the doors.
func (d *doors) own(a netip.AddrPort) bool {
	addr := a.Addr().Unmap()
	if a.Port() != d.addr.Port() {
		return false
	}
	return addr == d.addr.Addr() || d.addr.Addr().IsUnspecified() && ofThisMachine(addr)
}

// ofThisMachine reports whether an interface has the address. Where the system
// does not tell, it might.
func ofThisMachine(addr netip.Addr) bool {
	if addr.IsLoopback() || addr.IsUnspecified() {
		return true
	}
	list, err := net.InterfaceAddrs()
	for _, a := range list {
		if n, ok := a.(*net.IPNet); ok && n.IP.Equal(addr.AsSlice()) {
			return true
		}
	}
	return err != nil
}

// close closes what is open; a server that served them closed them already.
func (d *doors) close() error {
	var errs []error
	for _, ln := range []net.Listener{d.tcp, d.unix} {
		if ln == nil {
			continue
		}
		if err := ln.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func listenTCP(ctx context.Context, listen string, src config.Source) (net.Listener, error) {
	addr, err := net.ResolveTCPAddr("tcp", listen)
	if err != nil {
		return nil, refuse(src, "http.listen", fmt.Sprintf("%s cannot be looked up: %v", text(listen, 100), err))
	}
	network := "tcp"
	if addr.IP.To4() != nil {
		network = "tcp4" // or 0.0.0.0 would be [::] as well
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, network, addr.String())
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("http.listen: %s is in use by another program; if that is ringback, 'ringback tui' attaches to it, "+
			"else set another port", addr)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("http.listen: this user may not listen on %s; set a port above 1023", addr)
	case err != nil:
		return nil, fmt.Errorf("http.listen: %w", err)
	}
	return ln, nil
}

// listenUnix listens on a socket of mode 0660. One that a dead server left
// behind is removed; one that answers, or a file, is not.
func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	if err := removeStale(ctx, path); err != nil {
		return nil, fmt.Errorf("http.socket: %w", err)
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("http.socket: %w", err)
	}
	if err := os.Chmod(path, 0o660); err != nil {
		return nil, errors.Join(fmt.Errorf("http.socket: %w", err), ln.Close())
	}
	return ln, nil
}

func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is there and is no socket; name another path", path)
	}
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", path)
	if err == nil {
		conn.Close()
		return fmt.Errorf("another program answers on %s; if that is ringback, 'ringback tui' attaches to it", path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%s is in use, or cannot be tried: %w", path, err)
	}
	return os.Remove(path)
}
