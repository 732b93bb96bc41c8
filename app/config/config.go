// Package config holds ringback's configuration: one struct, its defaults, and
// a strict reader that reports every fault of a file and of the environment at
// once, each with its place, its key and what is expected there.
//
// The package knows values only. Whoever wires the parts hands them what they
// need out of a [Config]; no other package reads a file or a variable.
package config

import (
	"net/netip"
	"time"
)

// Config is the whole configuration of one appliance. Its keys, units and
// ranges are those of config.example.toml, which a test compares with this
// struct. Paths that are not absolute are relative to the working directory.
type Config struct {
	// DataDir is the folder of the queue, created with mode 0700.
	DataDir string `toml:"data_dir"`
	// MemoryLimit is the soft limit given to the Go runtime, 64MiB to 1TiB.
	MemoryLimit ByteSize `toml:"memory_limit"`

	HTTP      HTTP      `toml:"http"`
	Delivery  Delivery  `toml:"delivery"`
	Retry     Retry     `toml:"retry"`
	Alerts    Alerts    `toml:"alerts"`
	SMTP      SMTP      `toml:"smtp"`
	Retention Retention `toml:"retention"`
	Storage   Storage   `toml:"storage"`
	TUI       TUI       `toml:"tui"`
	Log       Log       `toml:"log"`
}

// HTTP is the section [http]: the API's own listener.
type HTTP struct {
	// Listen is host:port; no host means every address, port 0 a free one.
	Listen string `toml:"listen"`
	// Socket is the path of a unix socket, at most 103 bytes; empty: none.
	Socket string `toml:"socket"`
	// PublicURL is the base of links in answers; empty: taken from the request.
	PublicURL string `toml:"public_url"`
	// MaxBody bounds one request, and one item of an NDJSON stream, 1KiB to 8MiB.
	MaxBody ByteSize `toml:"max_body"`
	// TLSCert and TLSKey are PEM files, both or neither. The key is a secret file.
	TLSCert string `toml:"tls_cert"`
	TLSKey  string `toml:"tls_key"`
}

// Delivery is the section [delivery]: how one attempt is made, and how many at once.
type Delivery struct {
	// ConnectTimeout covers DNS, TCP and TLS, 100ms to 1m.
	ConnectTimeout Duration `toml:"connect_timeout"`
	// ResponseTimeout is the time to the end of the answer's headers, 1s to 10m.
	ResponseTimeout Duration `toml:"response_timeout"`
	// MaxInFlight bounds the attempts of all callbacks together, 1 to 10000.
	MaxInFlight int `toml:"max_in_flight"`
	// MaxInFlightPerCallback bounds those of one callback, 1 to 4096 and not more
	// than MaxInFlight.
	MaxInFlightPerCallback int `toml:"max_in_flight_per_callback"`
	// SuccessCodes are the statuses that count as delivered.
	SuccessCodes Codes `toml:"success_codes"`
	// KeyHeader is the header that carries the key of auth type httpheader.
	KeyHeader string `toml:"key_header"`
	// AllowPrivate permits endpoints on private and loopback addresses.
	AllowPrivate bool `toml:"allow_private"`
	// Deny lists networks that are never contacted, at most 1000.
	Deny []netip.Prefix `toml:"deny"`
	// Proxy is the http or https URL of a proxy; empty: none. The environment's
	// proxy variables are never used.
	Proxy string `toml:"proxy"`
	// CAFile is a PEM file of further certificate authorities; empty: none.
	CAFile string `toml:"ca_file"`
	// HTTP2 offers HTTP/2 to endpoints that speak TLS.
	HTTP2 bool `toml:"http2"`
}

// Retry is the section [retry].
type Retry struct {
	// Interval lies between two attempts of a call, 1s to 24h.
	Interval Duration `toml:"interval"`
	// Window is how long a call is retried from its first failure, Interval to 30d.
	Window Duration `toml:"window"`
	// Jitter is the part of Interval added or taken off at random, 0 to 0.5.
	Jitter float64 `toml:"jitter"`
}

// Alerts is the section [alerts]: who is told what by e-mail.
type Alerts struct {
	// Mode is "outage", "every-call" or "off".
	Mode string `toml:"mode"`
	// AdminEmail gets the alerts of callbacks that name no address; empty: nobody.
	AdminEmail string `toml:"admin_email"`
	// MaxPerHour bounds the mails of one callback in mode every-call, 1 to 10000.
	MaxPerHour int `toml:"max_per_hour"`
	// SuspendAfter is how long an outage lasts before the callback is suspended,
	// Retry.Interval to 365d; 0: never.
	SuspendAfter Duration `toml:"suspend_after"`
	// Recovery tells when an outage is over.
	Recovery bool `toml:"recovery"`
	// RecoveryAfter is how long a callback must stay healthy first, 1s to 24h.
	RecoveryAfter Duration `toml:"recovery_after"`
	// DigestEvery lies between two mails about calls given up, 1s to 7d.
	DigestEvery Duration `toml:"digest_every"`
	// RecipientDomains, when not empty, are the only domains alerts go to; a
	// subdomain must be named itself.
	RecipientDomains []string `toml:"recipient_domains"`
}

// SMTP is the section [smtp]: the mail server that takes the alerts.
type SMTP struct {
	// Host is a name or an address without a port; empty: no mail is sent.
	Host string `toml:"host"`
	// Port is 1 to 65535.
	Port int `toml:"port"`
	// TLS is "starttls", "implicit" or "none".
	TLS string `toml:"tls"`
	// Username and PasswordFile go together; both empty: no login.
	Username     string `toml:"username"`
	PasswordFile string `toml:"password_file"`
	// From is the sender, with or without a display name.
	From string `toml:"from"`
}

// Retention is the section [retention]: how long finished calls are kept.
type Retention struct {
	// Delivered and Failed count from the end of a call, 1h to 3650d.
	Delivered Duration `toml:"delivered"`
	Failed    Duration `toml:"failed"`
	// MinFreeDisk is the low-water mark of the data folder's disk.
	MinFreeDisk MinFree `toml:"min_free_disk"`
}

// Storage is the section [storage].
type Storage struct {
	// EncryptionKeyFile is a secret file for [ReadKey]; empty: not encrypted.
	EncryptionKeyFile string `toml:"encryption_key_file"`
}

// TUI is the section [tui]: the terminal screen.
type TUI struct {
	// Theme is "auto", "dark", "light", "ansi" or "none".
	Theme string `toml:"theme"`
	// ReadOnly takes every acting key away.
	ReadOnly bool `toml:"read_only"`
	// FPS bounds the redraws per second, 1 to 120.
	FPS int `toml:"fps"`
	// Mouse captures the mouse at start.
	Mouse bool `toml:"mouse"`
}

// Log is the section [log].
type Log struct {
	// Level is "debug", "info", "warn" or "error".
	Level string `toml:"level"`
	// Format is "text" or "json".
	Format string `toml:"format"`
	// File is appended to; empty: standard error.
	File string `toml:"file"`
}

// Default returns the configuration that runs when nothing is configured. It
// is valid, and its slices belong to the caller.
func Default() Config {
	return Config{
		DataDir:     "ringback-data",
		MemoryLimit: 256 * MiB,
		HTTP:        HTTP{Listen: "127.0.0.1:8480", MaxBody: 1 * MiB},
		Delivery: Delivery{
			ConnectTimeout:         Duration(5 * time.Second),
			ResponseTimeout:        Duration(60 * time.Second),
			MaxInFlight:            512,
			MaxInFlightPerCallback: 16,
			SuccessCodes:           codes(200),
			KeyHeader:              "X-Whispir-Callback-Key",
			AllowPrivate:           true,
			Deny: []netip.Prefix{
				netip.MustParsePrefix("169.254.0.0/16"),
				netip.MustParsePrefix("fe80::/10"),
			},
		},
		Retry: Retry{
			Interval: Duration(5 * time.Minute),
			Window:   Duration(24 * time.Hour),
			Jitter:   0.1,
		},
		Alerts: Alerts{
			Mode:             "outage",
			MaxPerHour:       60,
			Recovery:         true,
			RecoveryAfter:    Duration(15 * time.Minute),
			DigestEvery:      Duration(time.Hour),
			RecipientDomains: []string{},
		},
		SMTP:      SMTP{Port: 587, TLS: "starttls", From: "ringback@localhost"},
		Retention: Retention{Delivered: 30 * day, Failed: 365 * day, MinFreeDisk: MinFree{Auto: true}},
		TUI:       TUI{Theme: "auto", FPS: 30},
		Log:       Log{Level: "info", Format: "text"},
	}
}
