package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"ringback/callback"
)

// settle waits until every response is delivered, every outage over and every
// mail sent, or ctx is done.
func (d *demo) settle(ctx context.Context, k *desk) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		s, err := d.sum(ctx, k)
		if err != nil || s.settled() {
			return err
		}
		select {
		case <-ctx.Done():
			return nil // the summary says what is still open
		case <-tick.C:
		}
	}
}

// summary is what came of the tour, as the appliance tells it and as those
// around it do.
type summary struct {
	fed        int // responses that the API took
	refused    int
	counts     callback.Counts
	received   int // calls that the endpoints took
	answers    int // answers of 200 that they gave
	outages    int
	recoveries int
	unsent     int // alerts that the appliance did not get rid of
	mails      int
}

// sum gathers the figures.
func (d *demo) sum(ctx context.Context, k *desk) (s summary, err error) {
	o, err := k.Overview(ctx, 0)
	if err != nil {
		return s, err
	}
	s.counts = counts(&o)
	outages, err := k.Outages(ctx, callback.OutageQuery{Limit: callback.MaxPage})
	if err != nil {
		return s, err
	}
	s.outages = len(outages.Rows)
	for i := range outages.Rows {
		if !outages.Rows[i].Ended.IsZero() {
			s.recoveries++
		}
	}
	alerts, err := k.Alerts(ctx, callback.AlertQuery{Limit: callback.MaxPage})
	if err != nil {
		return s, err
	}
	for i := range alerts.Rows {
		if alerts.Rows[i].Status != callback.AlertSent {
			s.unsent++
		}
	}
	for _, e := range d.endpoints {
		calls, answers := e.got()
		s.received += calls
		s.answers += answers
	}
	s.mails = d.mail.count()
	s.fed, s.refused = d.tally.Accepted, d.tally.Refused
	return s, nil
}

// settled reports whether nothing is left to happen.
func (s *summary) settled() bool {
	return s.counts.Waiting() == 0 && s.recoveries == s.outages && s.unsent == 0
}

// fault returns what does not add up, or nil.
func (s *summary) fault() error {
	n := s.counts
	for _, p := range []struct {
		wrong bool
		says  string
	}{
		{n.Accepted == 0, "nothing was accepted"},
		{s.refused > 0, "responses were refused"},
		{n.Accepted != uint64(s.fed), "not as many were stored as accepted"},
		{n.Accepted != n.Delivered+n.Resolved+n.Waiting()+n.Failed+n.Purged, "accepted calls are missing"},
		{n.Delivered != uint64(s.received), "the endpoints did not take as many as were delivered"},
		{s.answers != s.received, "calls were delivered twice"},
		{n.Waiting() > 0, "calls still wait"},
		{n.Failed > 0, "calls were given up"},
		{s.outages == 0, "there was no outage"},
		{s.recoveries != s.outages, "an outage is not over"},
		{s.unsent > 0, "alerts were not sent"},
		{s.mails != s.outages+s.recoveries, "there are not as many mails as outages and recoveries"},
	} {
		if p.wrong {
			return fmt.Errorf("the figures of the demo do not add up: %s", p.says)
		}
	}
	return nil
}

func (s *summary) print(w io.Writer) error {
	n := s.counts
	_, err := fmt.Fprintf(w, `
accepted   %5d  = %d delivered + %d waiting + %d failed
delivered  %5d  the endpoints took %d, with %d answers of 200
mails      %5d  = %d outages + %d recoveries
`, n.Accepted, n.Delivered, n.Waiting(), n.Failed, n.Delivered, s.received, s.answers, s.mails, s.outages, s.recoveries)
	if err == nil && s.fault() == nil {
		_, err = fmt.Fprintln(w, "everything adds up")
	}
	return err
}
