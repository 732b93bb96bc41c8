package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// limit is what one key may hold.
type limit struct {
	want  string             // ends the sentence "expected …"
	about string             // the range in that sentence, or empty
	test  func(v any) string // what is wrong with a value of the key's type, or empty
}

// limits has one entry for each key; a test sees to that.
var limits = map[string]limit{
	"data_dir":     is("the path of a folder", notEmpty),
	"memory_limit": within(64*MiB, TiB, `"256MiB"`),

	"http.listen":     is(`an address and a port such as "127.0.0.1:8480"`, checkListen),
	"http.socket":     is("the path of a unix socket, at most 103 bytes, or nothing", checkSocket),
	"http.public_url": is("an http or https URL without user, query and fragment, or nothing", optional(checkURL)),
	"http.max_body":   within(KiB, 8*MiB, `"1MiB"`),
	"http.tls_cert":   is("the path of a PEM file, or nothing", anything[string]),
	"http.tls_key":    is("the path of a PEM file, or nothing", anything[string]),

	"delivery.connect_timeout":            within(Duration(100*time.Millisecond), Duration(time.Minute), `"5s"`),
	"delivery.response_timeout":           within(Duration(time.Second), Duration(10*time.Minute), `"60s"`),
	"delivery.max_in_flight":              within(1, 10_000, "512"),
	"delivery.max_in_flight_per_callback": within(1, 4096, "16"),
	"delivery.success_codes":              is(`status codes from 200 to 599 such as "200", "2xx" or "200-204,304"`, checkCodes),
	"delivery.key_header":                 is("the name of a header that ringback does not set itself", checkHeader),
	"delivery.allow_private":              is("true or false", anything[bool]),
	"delivery.deny":                       is(`a list of at most 1000 networks such as ["169.254.0.0/16"]`, checkNetworks),
	"delivery.proxy":                      is("the http or https URL of a proxy, without user and path, or nothing", optional(checkProxy)),
	"delivery.ca_file":                    is("the path of a PEM file, or nothing", anything[string]),
	"delivery.http2":                      is("true or false", anything[bool]),

	"retry.interval": within(Duration(time.Second), day, `"5m"`),
	"retry.window":   within(Duration(time.Second), 30*day, `"24h"`),
	"retry.jitter":   within(0, 0.5, "0.1"),

	"alerts.mode":              oneOf("outage", "every-call", "off"),
	"alerts.admin_email":       is(`one e-mail address such as "ops@example.com", or nothing`, optional(checkMail)),
	"alerts.max_per_hour":      within(1, 10_000, "60"),
	"alerts.suspend_after":     orZero(within(Duration(time.Second), 365*day, `"7d"`)),
	"alerts.recovery":          is("true or false", anything[bool]),
	"alerts.recovery_after":    within(Duration(time.Second), day, `"15m"`),
	"alerts.digest_every":      within(Duration(time.Second), 7*day, `"1h"`),
	"alerts.recipient_domains": is(`a list of at most 1000 domains such as ["example.com"]`, checkDomains),

	"smtp.host":          is("the name or the address of a mail server without a port, or nothing", optional(checkHost)),
	"smtp.port":          within(1, 65535, "587"),
	"smtp.tls":           oneOf("starttls", "implicit", "none"),
	"smtp.username":      is("a user name of at most 255 bytes, or nothing", checkUser),
	"smtp.password_file": is("the path of a secret file, or nothing", anything[string]),
	"smtp.from":          is(`one e-mail address such as "ringback@example.com"`, checkMail),

	"retention.delivered":     within(Duration(time.Hour), 3650*day, `"30d"`),
	"retention.failed":        within(Duration(time.Hour), 3650*day, `"365d"`),
	"retention.min_free_disk": orAuto(within(16*MiB, TiB, `"2GiB"`)),

	"storage.encryption_key_file": is("the path of a secret file, or nothing", anything[string]),

	"tui.theme":     oneOf("auto", "dark", "light", "ansi", "none"),
	"tui.read_only": is("true or false", anything[bool]),
	"tui.fps":       within(1, 120, "30"),
	"tui.mouse":     is("true or false", anything[bool]),

	"log.level":  oneOf("debug", "info", "warn", "error"),
	"log.format": oneOf("text", "json"),
	"log.file":   is("the path of a file, or nothing", anything[string]),
}

// is makes a limit of a check that returns what is wrong, or "".
func is[T any](want string, check func(T) string) limit {
	return limit{want: want, test: func(v any) string { return check(v.(T)) }}
}

func anything[T any](T) string { return "" }

func notEmpty(s string) string {
	if strings.TrimSpace(s) == "" {
		return "is empty"
	}
	return ""
}

// within is the closed range lo to hi.
func within[T int | float64 | Duration | ByteSize](lo, hi T, example string) limit {
	what := "a number"
	switch any(lo).(type) {
	case int:
		what = "a whole number"
	case Duration:
		what = "a duration"
	case ByteSize:
		what = "a size"
	}
	about := fmt.Sprintf("%v to %v", lo, hi)
	return limit{
		want:  fmt.Sprintf("%s from %s such as %s", what, about, example),
		about: about,
		test: func(v any) string {
			switch n := v.(T); {
			case n >= lo && n <= hi:
				return ""
			case n < 0:
				return fmt.Sprintf("%v is negative", n)
			case n == 0:
				return "is zero"
			case n < lo:
				return fmt.Sprintf("%v is too small", n)
			case n > hi:
				return fmt.Sprintf("%v is too large", n)
			default: // NaN
				return "is not a number"
			}
		},
	}
}

// orZero also takes zero, which means never.
func orZero(l limit) limit {
	test := l.test
	l.want = `"0" (never), or ` + l.want
	l.test = func(v any) string {
		if v.(Duration) == 0 {
			return ""
		}
		return test(v)
	}
	return l
}

// orAuto turns a range of sizes into one of low-water marks.
func orAuto(l limit) limit {
	test := l.test
	l.want = `"auto", or ` + l.want
	l.test = func(v any) string {
		if m := v.(MinFree); !m.Auto {
			return test(m.Size)
		}
		return ""
	}
	return l
}

func oneOf(words ...string) limit {
	return is(`"`+strings.Join(words[:len(words)-1], `", "`)+`" or "`+words[len(words)-1]+`"`, func(s string) string {
		if slices.Contains(words, s) {
			return ""
		}
		return quote(s) + " is not known"
	})
}

func optional(check func(string) string) func(string) string {
	return func(s string) string {
		if s == "" {
			return ""
		}
		return check(s)
	}
}
