package smtpout

import (
	"errors"
	"testing"
)

func TestMechanism(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		offered string
		private bool
		want    string
		err     error
	}{
		{"PLAIN LOGIN CRAM-MD5", true, "PLAIN", nil},
		{"login  cram-md5", true, "LOGIN", nil},
		{"CRAM-MD5", true, "CRAM-MD5", nil},
		{"PLAIN LOGIN CRAM-MD5", false, "CRAM-MD5", nil},
		{"PLAIN", false, "", errPlainOnly},
		{"LOGIN XOAUTH2", false, "", errPlainOnly},
		{"XOAUTH2 SCRAM-SHA-256", true, "", errNoCommon},
		{"PLAINER", true, "", errNoCommon},
		{"", true, "", errNoAuth},
		{"  ", false, "", errNoAuth},
	} {
		m, err := mechanism(tc.offered, tc.private, "u", "p")
		if !errors.Is(err, tc.err) {
			t.Fatalf("%q, private %v: got error %v, want %v", tc.offered, tc.private, err, tc.err)
		}
		if err != nil {
			continue
		}
		if got, _, _ := m.Start(); got != tc.want {
			t.Fatalf("%q, private %v: got %s, want %s", tc.offered, tc.private, got, tc.want)
		}
	}
}

// The example of RFC 2195.
func TestCramMD5(t *testing.T) {
	t.Parallel()
	c := &cramMD5{username: "tim", password: "tanstaaftanstaaf"}
	got, err := c.Next([]byte("<1896.697170952@postoffice.reston.mci.net>"))
	if want := "tim b913a602c7eda7a495b4e6e7334d3890"; err != nil || string(got) != want {
		t.Fatalf("got %q, %v, want %q", got, err, want)
	}
	if _, err := c.Next(nil); !errors.Is(err, errEndlessAsk) {
		t.Fatalf("second challenge: got %v", err)
	}
}
