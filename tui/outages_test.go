package tui

import (
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

// TestWhatFailedOfOne selects from the overview and from the outages what an
// operation is for.
func TestWhatFailedOfOne(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		keys     string
		of       string
		kind     callback.OperationKind
		from, to time.Time
	}{
		{"r", "crm-prod", callback.OperationRetry, clockAt(0, 9, 12, 4), time.Time{}},
		{"X", "crm-prod", callback.OperationResolve, clockAt(0, 9, 12, 4), time.Time{}},
		{"j j j x", "airport-ops", callback.OperationResolve, time.Time{}, time.Time{}},
		{"3 j j r", "crm-prod", callback.OperationRetry, clockAt(0, 9, 12, 4), time.Time{}},
		{"3 j j j j x", "crm-prod", callback.OperationResolve, clockAt(4, 3, 10, 40), clockAt(4, 3, 22, 51)},
	} {
		t.Run(tt.keys, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			fly(t, f, 80, 24, nil, func(p *pilot) {
				p.press(tt.keys)
				if len(f.ops.wanted) != 1 {
					t.Fatalf("previewed %+v:\n%s", f.ops.wanted, p.text())
				}
				got := f.ops.wanted[0]
				if got.Ref != callbackIDOf(tt.of).String() || got.Kind != tt.kind || got.Filter.Status != callback.ListFailed {
					t.Fatalf("previewed %+v", got)
				}
				// An attempt may have begun before the outage it began.
				if d := tt.from.Sub(got.Filter.From); tt.from.IsZero() != got.Filter.From.IsZero() || d < 0 || d > 2*time.Minute {
					t.Errorf("from %v, want %v", got.Filter.From, tt.from)
				}
				if d := got.Filter.To.Sub(tt.to); tt.to.IsZero() != got.Filter.To.IsZero() || d < 0 || d > time.Minute {
					t.Errorf("to %v, want %v", got.Filter.To, tt.to)
				}
				if p.m.box == nil {
					t.Fatal("nothing is asked")
				}
				want(t, f.did(), nil)
			})
		})
	}
}

func TestWhoWasTold(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.outages[3].Acked = "ana"
	f.outages[4].Alerts = nil
	fly(t, f, 140, 40, nil, func(p *pilot) {
		p.press("3")
		p.unseen("Nobody")
		p.press("j j j")
		p.see("Nobody at sms-portal was told of this outage", "ana knows of it")
		p.press("j")
		p.see("No e-mail was due for it.")
		p.press("j")
		p.see("Nobody was told of it yet.", "1 e-mail to be sent", "help@example.edu")
		if row := p.line("sms-portal      ▁"); !strings.Contains(row, "==== 1 outage 2d02h") {
			t.Errorf("the days of a suspended callback are %q", row)
		}
		if row := p.line("rail-disrupt    ▁"); strings.Count(row, "█") != 1 || !strings.Contains(row, "1 outage 14m08s") {
			t.Errorf("the days of a short outage are %q", row)
		}
		p.see("2 outages 5h03m", "2 open, 1 suspended, 3 closed")
	})
}

func TestOverviewTellsWhoKnows(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.health("crm-prod").Live.Outage.Acked = "bob"
	fly(t, f, 140, 40, nil, func(p *pilot) {
		p.see("down since 09:12:04, 4h51m", "nothing listens on 203.0.113.9:443", "1,284 calls failed so far", "1,284 calls wait behind one probe in 2m10s, then every 5 min for 24 h each; oldest 4h51m",
			"first gives up Wed 09:12", "sent to ops@example.com 09:12:06", "bob knows of it", "r send its 1,284 that failed again", "x resolve them", "z suspend it")
	})
}

// TestRequestIsRebuilt shows what was sent, its secrets masked.
func TestRequestIsRebuilt(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		auth callback.AuthType
		url  string
		see  []string
	}{
		"header": {callback.AuthHeader, "https://crm.example.com/in?x=1", []string{"POST /in?x=1 HTTP/1.1", "Host: crm.example.com", "X-Whispir-Callback-Key: ******#4f2a1b"}},
		"basic":  {callback.AuthBasic, "http://crm.example.com:8080", []string{"POST / HTTP/1.1", "Host: crm.example.com:8080", "Authorization: Basic ******#4f2a1b"}},
		"bearer": {callback.AuthBearer, "https://crm.example.com?a", []string{"POST /?a HTTP/1.1", "Authorization: Bearer ******#4f2a1b"}},
		"query":  {callback.AuthQuery, "https://crm.example.com/in?auth=******#4f2a1b", []string{"POST /in?auth=******#4f2a1b HTTP/1.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			h := f.health("crm-prod")
			h.Auth.Type, h.Headers = tt.auth, []callback.Param{{Key: "X-Own", Value: "1"}}
			for i := range f.calls {
				f.calls[i].URL = tt.url
			}
			fly(t, f, 140, 60, nil, func(p *pilot) {
				p.press("enter j enter")
				p.see(tt.see...)
				p.see("User-Agent: ringback/v0.1.0", "X-Own: 1", "X-Ringback-Attempt: 3", "Content-Type: application/json", "limits: connect 5 s, answer 60 s",
					"No e-mail of its own: outage #40 was told to ops@example.com")
				p.press("j")
				p.see("X-Ringback-Attempt: 2")
				f.set(func() { f.health("crm-prod").Live.Outage.Started = ago(0) })
				p.pass(2 * time.Second)
				p.unseen("No e-mail of its own") // it failed before that outage
			})
		})
	}
}

// TestKeysOfOneCallbackElsewhere changes from the outages, and tests from a
// call, the callback that they are of.
func TestKeysOfOneCallbackElsewhere(t *testing.T) {
	t.Parallel()
	fly(t, newFake(), 140, 40, nil, func(p *pilot) {
		p.press("3 j j j e")
		page, ok := p.m.top().(*editPage)
		if !ok || page.id != callbackIDOf("sms-portal") {
			t.Fatalf("e opened %T", p.m.top())
		}
		p.press("esc 1 enter j enter T")
		if p.m.box == nil || !strings.Contains(p.text(), "crm-prod") {
			t.Fatalf("T asks nothing:\n%s", p.text())
		}
	})
}

func TestPacked(t *testing.T) {
	t.Parallel()
	c := NewCanvas(1, 1, NewPalette(ThemeNone, false))
	got := packed(c, []string{"aaaa", "陳", "b: c", "longer than a line"}, 9)
	want(t, got, []string{"aaaa   陳", "b: c", "longer than a line"})
	if got := packed(c, []string{"aaaa", "陳"}, 8); len(got) != 2 {
		t.Errorf("got %q in 8 cells", got)
	}
}
