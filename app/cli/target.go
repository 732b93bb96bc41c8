package cli

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"ringback/app/api"
	"ringback/app/config"
)

// target says which appliance a command means, and how they believe each other.
type target struct{ addr, socket, keyFile, caFile string }

// keyFileVariable names a key's file for every command.
const keyFileVariable = "RINGBACK_KEY_FILE"

func (t *target) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.addr, "addr", "", "`URL` of a running ringback (default: the configuration's)")
	cmd.Flags().StringVar(&t.socket, "socket", "", "unix socket of a running ringback, instead of --addr")
	cmd.Flags().StringVar(&t.keyFile, "key-file", "", "`FILE` with the API key to send (default: that of the variable "+keyFileVariable+")")
	ca := "ca-file"
	if cmd.Flags().Lookup(ca) != nil { // the commands that set an endpoint's
		ca = "server-ca-file"
	}
	cmd.Flags().StringVar(&t.caFile, ca, "", "PEM `FILE` of authorities by which ringback's own certificate is checked")
}

// resolve returns where the appliance is that t means, by the configuration where
// t says nothing. given reports whether a person named it.
//
// The appliance of the configuration, on this machine, lets the owner of its data
// folder in without a key of theirs: it has noted one in the folder. That one
// goes to the noted address alone.
func (c *console) resolve(t *target, cfg *config.Config) (opt api.ClientOptions, given bool, err error) {
	noted, token := readAddress(cfg.DataDir)
	if opt, given, err = t.place(cfg, noted); err != nil {
		return opt, given, err
	}
	own := sameServer(opt.URL, noted)
	switch file := cmp.Or(t.keyFile, c.getenv(keyFileVariable)); {
	case file != "":
		if opt.Key, err = config.ReadSecret(file); err != nil {
			return opt, given, fmt.Errorf("the API key: %w", err)
		}
	case own: // localhost may lead to another loopback address, where the port is somebody else's
		opt.Key, opt.URL = token, noted
	}
	switch {
	case t.caFile != "":
		pool, err := authorities(t.caFile)
		if err != nil {
			return opt, given, fmt.Errorf("the certificate authorities: %w", err)
		}
		opt.TLS = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
		if u, err := url.Parse(t.addr); err == nil {
			opt.TLS.ServerName = u.Hostname() // "" for a socket: the address says it
		}
	case cfg.HTTP.TLSCert != "" && (own || !given):
		opt.TLS = trustOwn(cfg.HTTP.TLSCert)
	}
	return opt, given, nil
}

// place returns where the appliance is. noted is the address that one has noted
// in the data folder: it is used where it may be what the configuration says.
func (t *target) place(cfg *config.Config, noted string) (opt api.ClientOptions, given bool, err error) {
	switch {
	case t.addr != "" && t.socket != "":
		return opt, true, usagef("--addr and --socket name two servers; only one can be meant")
	case t.addr != "":
		return api.ClientOptions{URL: t.addr}, true, nil
	case t.socket != "":
		return api.ClientOptions{Socket: t.socket}, true, nil
	case cfg.HTTP.Socket != "":
		return api.ClientOptions{Socket: cfg.HTTP.Socket}, false, nil
	}
	scheme := "http"
	if cfg.HTTP.TLSCert != "" {
		scheme = "https"
	}
	host, port, _ := net.SplitHostPort(cfg.HTTP.Listen) // it was checked when it was read
	if u, err := url.Parse(noted); err == nil && noted != "" && (port == "0" || u.Port() == port && u.Scheme == scheme) {
		return api.ClientOptions{URL: noted}, false, nil
	}
	if a, err := netip.ParseAddr(host); host == "" || err == nil && a.IsUnspecified() {
		host = "127.0.0.1"
	}
	return api.ClientOptions{URL: scheme + "://" + net.JoinHostPort(host, port)}, false, nil
}

// sameServer reports whether a person's URL leads to the noted one.
func sameServer(given, noted string) bool {
	a, err := url.Parse(strings.TrimRight(given, "/"))
	if err != nil || noted == "" {
		return false
	}
	b, err := url.Parse(noted)
	if err != nil || a.Scheme != b.Scheme || a.Port() != b.Port() {
		return false
	}
	addr, _ := netip.ParseAddr(b.Hostname()) // what is none is no loopback either
	return a.Hostname() == b.Hostname() || a.Hostname() == "localhost" && addr.IsLoopback()
}
