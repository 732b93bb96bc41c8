package cli

import (
	"fmt"
	"net"
	"strings"
	"time"

	"ringback/callback"
)

// soon is how long before the end of a certificate its end is told.
const soon = 14 * 24 * time.Hour

// certificate tells when the server's certificate ends.
func (k *checker) certificate(ends, now time.Time) {
	switch left := ends.Sub(now); {
	case left <= 0:
		k.add(signBad, "certificate", "ended on %s: clients refuse it", when(ends))
	case left < soon:
		k.add(signNote, "certificate", "ends on %s, in %s; SIGHUP reads a renewed one", when(ends), plural(int(left/(24*time.Hour)), "day"))
	default:
		k.add(signOK, "certificate", "ends on %s", when(ends))
	}
}

// keys tells how many API keys of each role there are, and whether the address
// asks for one.
func (k *checker) keys(keys []callback.APIKey) {
	if len(keys) > 0 {
		var parts []string
		for _, role := range callback.Roles {
			n := 0
			for i := range keys {
				if keys[i].Role == role {
					n++
				}
			}
			if n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", n, role))
			}
		}
		k.add(signOK, "keys", "%s: %s; every request needs one", plural(len(keys), "API key"), strings.Join(parts, ", "))
		return
	}
	addr, err := net.ResolveTCPAddr("tcp", k.cfg.HTTP.Listen)
	if err == nil && addr.IP.IsLoopback() {
		k.add(signNote, "keys", "no API key is made: whoever is on this machine may do everything, and nobody else can come")
		return
	}
	k.add(signBad, "keys", "no API key is made, and %s can be reached from other machines: ringback does not start; 'ringback keys add NAME --role admin' makes one",
		k.cfg.HTTP.Listen)
}
