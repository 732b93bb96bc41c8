package config

import (
	"fmt"
	"net/mail"
	"slices"
	"strings"
)

// Validate checks every key alone and those that must go together, and returns
// nil or an [*Error]. [Load] has done so already; it is for a Config made or
// changed by code.
func (c *Config) Validate() error {
	var faults []Fault
	for _, f := range validate(c, nil) {
		faults = append(faults, f.Fault)
	}
	return failure(faults)
}

// invalidity is a fault without a place, with the keys it has to do with.
type invalidity struct {
	Fault
	with []string
}

// validate leaves out what concerns the keys in bad, whose values say nothing.
func validate(c *Config, bad map[string]bool) []invalidity {
	var out []invalidity
	wrong := map[string]bool{}
	for _, k := range keys {
		if bad[k.name] {
			continue
		}
		l := limits[k.name]
		if problem := l.test(k.field(c).Interface()); problem != "" {
			wrong[k.name] = true
			out = append(out, invalidity{Fault: Fault{Key: k.name, Problem: problem, Want: l.want}})
		}
	}
	for _, p := range pairs {
		if unusable := func(name string) bool { return bad[name] || wrong[name] }; unusable(p.key) || unusable(p.with) {
			continue
		}
		if problem, want := p.test(c); problem != "" {
			out = append(out, invalidity{Fault{Key: p.key, Problem: problem, Want: want}, []string{p.with}})
		}
	}
	return out
}

// pairs are the rules about two keys.
var pairs = []struct {
	key, with string
	test      func(*Config) (problem, want string)
}{
	{"http.tls_cert", "http.tls_key", func(c *Config) (string, string) {
		return alone(c.HTTP.TLSCert, c.HTTP.TLSKey, "http.tls_key")
	}},
	{"http.tls_key", "http.tls_cert", func(c *Config) (string, string) {
		return alone(c.HTTP.TLSKey, c.HTTP.TLSCert, "http.tls_cert")
	}},
	{"smtp.username", "smtp.password_file", func(c *Config) (string, string) {
		return alone(c.SMTP.Username, c.SMTP.PasswordFile, "smtp.password_file")
	}},
	{"smtp.password_file", "smtp.username", func(c *Config) (string, string) {
		return alone(c.SMTP.PasswordFile, c.SMTP.Username, "smtp.username")
	}},
	{"delivery.max_in_flight_per_callback", "delivery.max_in_flight", func(c *Config) (string, string) {
		if c.Delivery.MaxInFlightPerCallback <= c.Delivery.MaxInFlight {
			return "", ""
		}
		return fmt.Sprintf("%d is more than delivery.max_in_flight allows", c.Delivery.MaxInFlightPerCallback),
			fmt.Sprintf("1 to %d", c.Delivery.MaxInFlight)
	}},
	{"retry.window", "retry.interval", func(c *Config) (string, string) {
		return shorter(c.Retry.Window, c.Retry.Interval, "retry.interval")
	}},
	{"alerts.suspend_after", "retry.interval", func(c *Config) (string, string) {
		if c.Alerts.SuspendAfter == 0 {
			return "", ""
		}
		problem, want := shorter(c.Alerts.SuspendAfter, c.Retry.Interval, "retry.interval")
		return problem, strings.TrimSpace(`"0" (never), or ` + want)
	}},
	{"alerts.admin_email", "alerts.recipient_domains", checkRecipient},
}

// alone finds a value whose partner is missing.
func alone(value, partner, name string) (problem, want string) {
	if value == "" || partner != "" {
		return "", ""
	}
	return "is set and " + name + " is not", "both or neither"
}

func shorter(d, least Duration, name string) (problem, want string) {
	if d >= least {
		return "", ""
	}
	return fmt.Sprintf("%v is shorter than %s", d, name), fmt.Sprintf("at least %v", least)
}

func checkRecipient(c *Config) (problem, want string) {
	domains := c.Alerts.RecipientDomains
	if c.Alerts.AdminEmail == "" || len(domains) == 0 {
		return "", ""
	}
	a, err := mail.ParseAddress(c.Alerts.AdminEmail)
	if err != nil { // told by the key's own limit
		return "", ""
	}
	domain := a.Address[strings.LastIndexByte(a.Address, '@')+1:]
	if slices.ContainsFunc(domains, func(d string) bool { return strings.EqualFold(d, domain) }) {
		return "", ""
	}
	return "is outside of alerts.recipient_domains", "an address in " + quote(strings.Join(domains, ", "))
}
