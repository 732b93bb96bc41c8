package alert

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"ringback/callback"
)

// record is what a name server has of a name.
type record struct {
	mx   []string // in order of preference
	ns   []string
	a    bool
	fail bool // SERVFAIL
}

// nameServer is a DNS server on loopback UDP. Names that it does not have do not
// exist, those that begin with "silent" are not answered.
func nameServer(t *testing.T, zone map[string]record) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			if out := dnsAnswer(buf[:n], zone); out != nil {
				_, _ = pc.WriteTo(out, from) // the resolver asks again
			}
		}
	})
	t.Cleanup(func() {
		_ = pc.Close() // nothing is written
		served.Wait()
	})
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

func dnsAnswer(in []byte, zone map[string]record) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(in); err != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	name := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
	if strings.HasPrefix(name, "silent") {
		return nil
	}
	r, known := zone[name]
	m = dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}, Questions: m.Questions}
	head := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET}
	switch {
	case r.fail:
		m.RCode = dnsmessage.RCodeServerFailure
	case !known:
		m.RCode = dnsmessage.RCodeNameError
	case q.Type == dnsmessage.TypeMX:
		for i, host := range r.mx {
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.MXResource{Pref: uint16(10 * i), MX: dnsmessage.MustNewName(host)}})
		}
	case q.Type == dnsmessage.TypeNS:
		for _, host := range r.ns {
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.NSResource{NS: dnsmessage.MustNewName(host)}})
		}
	case q.Type == dnsmessage.TypeA && r.a:
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}}})
	}
	out, err := m.Pack()
	if err != nil {
		return nil
	}
	return out
}

func TestAddress(t *testing.T) {
	t.Parallel()
	r := nameServer(t, map[string]record{
		"":              {ns: []string{"a.root-servers.net."}},
		"example.com":   {mx: []string{"mx1.example.com.", "mx2.example.com."}},
		"small.example": {a: true},
		"never.example": {mx: []string{"."}, a: true},
		"none.example":  {},
		"bad.example":   {fail: true},
		"gmial.com":     {mx: []string{"squatter.example."}},
	})
	for _, tc := range []struct {
		addr    string
		domains []string
		result  callback.Found
		short   string
		says    string
	}{
		{"ops@example.com", nil, callback.FoundGood, "has mail server", "mail for example.com goes to mx1.example.com"},
		{"ops@EXAMPLE.com", []string{"example.com"}, callback.FoundGood, "has mail server", "mail for EXAMPLE.com goes to mx1.example.com"},
		{"ops@small.example", nil, callback.FoundGood, "has mail server", "mail for small.example goes to small.example itself"},
		{"ops@exmaple.com", nil, callback.FoundWarning, "no mail server", "exmaple.com has no mail server (MX)"},
		{"ops@none.example", nil, callback.FoundWarning, "no mail server", "none.example has no mail server (MX)"},
		{"ops@never.example", nil, callback.FoundWarning, "no mail server", "never.example has no mail server (MX)"},
		{"ops@bad.example", nil, callback.FoundUnknown, "not known", "DNS does not say whether bad.example has a mail server"},
		{"ops@gmial.com", nil, callback.FoundWarning, "gmail.com?", "did you mean gmail.com? mail for gmial.com goes to squatter.example"},
		{"ops@gmai.com", nil, callback.FoundWarning, "gmail.com?", "did you mean gmail.com? gmai.com has no mail server (MX)"},
		{"ops@example.com", []string{"example.org"}, callback.FoundWarning, "gets no mail", "example.com is not among recipient_domains: alerts do not go there"},
		{"ops@b\u00fccher.example", nil, callback.FoundUnknown, "not looked up", "its domain cannot be looked up"},
		{"ops@[192.0.2.1]", nil, callback.FoundUnknown, "not looked up", "its domain cannot be looked up"},
		{"nobody", nil, callback.FoundUnknown, "not looked up", "its domain cannot be looked up"},
	} {
		e := New(Options{Resolver: r, RecipientDomains: tc.domains})
		if got, want := e.Address(t.Context(), tc.addr), (callback.Finding{Field: "email", Result: tc.result, Short: tc.short, Message: tc.says}); got != want {
			t.Errorf("%s: %+v, want %+v", tc.addr, got, want)
		}
	}
	inside := nameServer(t, map[string]record{"corp.internal": {mx: []string{"mail.corp.internal."}}})
	for addr, want := range map[string]callback.Found{"ops@corp.internal": callback.FoundGood, "ops@example.com": callback.FoundUnknown, "ops@gmial.com": callback.FoundWarning} {
		if got := New(Options{Resolver: inside}).Address(t.Context(), addr); got.Result != want {
			t.Errorf("in a closed network, %s: %+v", addr, got)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // that is how long the test takes
	defer cancel()
	if got := New(Options{Resolver: r}).Address(ctx, "ops@silent.example"); got.Result != callback.FoundUnknown {
		t.Errorf("without an answer: %+v", got)
	}
}
