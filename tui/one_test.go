package tui

import (
	"regexp"
	"testing"

	"ringback/callback"
)

// manyOf is a figure of one with what is said of several.
var manyOf = regexp.MustCompile(`(^|[^\d.,:#-])1 ([a-z]+ )?(calls|attempts|callbacks|outages|e-mails|responses|headers|cores|causes|tries|keys|lines|wait|are|were|have)\b`)

// Where there is one of something, the screen does not speak of several.
func TestOneIsNotMany(t *testing.T) {
	t.Parallel()
	for _, keys := range []string{"1", "1 j", "1 enter", "1 enter R", "1 enter X", "2", "2 enter", "3", "4", "5", "6", "z", "delete", "2 space x", "2 j j x enter", "2 j j r enter"} {
		for _, size := range [][2]int{{80, 24}, {140, 40}} {
			t.Run(keys, func(t *testing.T) {
				t.Parallel()
				f := newFake()
				one(f)
				fly(t, f, size[0], size[1], nil, func(p *pilot) {
					p.press(keys)
					if found := manyOf.FindString(p.text()); found != "" {
						t.Errorf("%q:\n%s", found, p.text())
					}
				})
			})
		}
	}
	for text, want := range map[string]bool{"1 calls": true, "; 1 other causes": true, "11 calls": false, "1,201 calls": false, "attempt 1 fails": false, "0.1 calls": false} {
		if manyOf.MatchString(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

// one leaves one callback, of which there is one of all that is counted.
func one(f *fake) {
	h := f.health("crm-prod")
	h.OK, h.Bad = 1, 1
	h.Live.Counts = callback.Counts{Accepted: 3, Retrying: 1, Delivered: 1, Failed: 1}
	h.Live.Outage.Calls, h.Live.Outage.Failures, h.Live.Outage.Delivered, h.Live.Outage.GivenUp = 1, 1, 1, 1
	h.Live.Requeued = callback.Requeued{Began: noon, Last: noon, Calls: 3, Delivered: 1, Failed: 1}
	h.Headers = h.Headers[:min(len(h.Headers), 1)]
	well := f.health("rail-disrupt") // of its outage before
	o := &well.Live.Outage
	o.Calls, o.Failures, o.Delivered, o.GivenUp = 1, 1, 1, 1
	f.overview.Callbacks = []callback.HealthView{*h, *well}
	f.overview.Waiting, f.overview.DueNow, f.overview.Accepted = 1, 1, 1
	f.outages = f.outages[2:3]
	f.outages[0].OutageState = h.Live.Outage
	f.calls = []callback.CallView{f.calls[9], f.calls[6], f.calls[2]}
	f.ops.preview = callback.Preview{Matched: 1, Changed: 1, Oldest: noon, ByCause: []callback.Cause{{Class: "refused", Count: 1}}}
	f.ops.list = []callback.OperationView{runningOp("bob")}
	f.ops.list[0].Total, f.ops.list[0].Matched, f.ops.list[0].Changed = 1, 1, 1
}
