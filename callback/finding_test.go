package callback

import (
	"strings"
	"testing"
)

func TestMeantDomain(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"gmial.com": "gmail.com", "gmai.com": "gmail.com", "ggmail.com": "gmail.com", "gnail.com": "gmail.com", "gmail.con": "gmail.com",
		"GMIAL.COM": "gmail.com", "gmail.co": "gmail.com", "hotmial.com": "hotmail.com", "outlok.com": "outlook.com", "bigpond.net.a": "bigpond.net.au",
		"optusnet.com.ua": "optusnet.com.au",

		"gmail.com": "", "googlemail.com": "", "example.com": "", "mail.com": "", "ymail.com": "", "email.com": "", "": "", "com": "",
		"gmial.con": "", "amil.com": "", "yahoo.com.au": "",
	} {
		if got := MeantDomain(typed); got != want {
			t.Errorf("%q: meant %q, want %q", typed, got, want)
		}
	}
	for _, d := range append(mailDomains, othersMeant...) {
		if got := MeantDomain(d); got != "" {
			t.Errorf("%s is taken for %s", d, got)
		}
	}
}

func TestURLFinding(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		a      Attempt
		result Found
		short  string
		says   string
	}{
		{"200", Attempt{OK: true, Code: 200}, FoundGood, "GET: 200", "something is there: GET answered 200 OK"},
		{"POST only", Attempt{Code: 405, Class: ClassStatus, Error: "405"}, FoundGood, "GET: 405", "something is there: GET answered 405 Method Not Allowed"},
		{"needs a key", Attempt{Code: 401, Class: ClassStatus, Error: "x"}, FoundGood, "GET: 401", "something is there: GET answered 401 Unauthorized"},
		{"no path", Attempt{Code: 404, Class: ClassStatus, Error: "x"}, FoundWarning, "GET: 404", "GET answered 404 Not Found; a POST may be answered otherwise"},
		{"gone", Attempt{Code: 410, Class: ClassStatus}, FoundWarning, "GET: 410", "GET answered 410 Gone; a POST may be answered otherwise"},
		{"broken", Attempt{Code: 503, Class: ClassStatus}, FoundWarning, "GET: 503", "GET answered 503 Service Unavailable; a POST may be answered otherwise"},
		{"a code of its own", Attempt{Code: 599, Class: ClassStatus}, FoundWarning, "GET: 599", "GET answered 599; a POST may be answered otherwise"},
		{"redirect", Attempt{Code: 302, Class: ClassRedirect, Error: "Redirected (302)"}, FoundWarning, "redirects", "Redirected (302)"},
		{"refused", Attempt{Class: ClassRefused, Error: "Connection refused"}, FoundWarning, "refused", "Connection refused"},
		{"denied", Attempt{Class: ClassDenied, Error: "Not sent"}, FoundWarning, "forbidden addr", "Not sent"},
		{"interrupted", Attempt{Class: ClassInterrupted, Error: "Interrupted"}, FoundUnknown, "interrupted", "Interrupted"},
		{"ours", Attempt{Class: ClassInternal, Error: "Not sent"}, FoundUnknown, "internal", "Not sent"},
	} {
		got := URLFinding(&tc.a)
		if want := (Finding{"url", tc.result, tc.short, tc.says}); got != want {
			t.Errorf("%s: %+v, want %+v", tc.name, got, want)
		}
		if len(got.Short) > 16 || strings.Contains(got.Message, "\n") {
			t.Errorf("%s: %+v has no room", tc.name, got)
		}
	}
}
