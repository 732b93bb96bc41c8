package metrics

import (
	"iter"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ringback/callback"
)

// Figures is what is told at one scrape.
type Figures struct {
	Callbacks   iter.Seq[*callback.Health]                  // in the order in which they were made
	Answers     func(callback.Num) (p50, p95 time.Duration) // of the last hour; 0: there were none
	Running     int
	MaxInFlight int

	MailOK        bool
	AlertsSent    uint64 // since the start
	AlertsWaiting int    // below 0: not known
	DiskFree      int64  // bytes; below 0: not known
}

// MaxCallbacks is how many callbacks are told of one by one.
const MaxCallbacks = 1000

// Other is the label of all the other callbacks together: those beyond the
// first MaxCallbacks, and those that are deleted.
const Other = "(other)"

var (
	callsDesc     = perCallback("ringback_callback_calls", "Calls that are stored, by where they stand.", "state")
	acceptedDesc  = perCallback("ringback_callback_accepted_total", "Responses that were accepted for the callback.")
	skippedDesc   = perCallback("ringback_callback_skipped_total", "Responses that the callback does not want.")
	purgedDesc    = perCallback("ringback_callback_purged_total", "Finished calls that retention removed.")
	attemptsDesc  = perCallback("ringback_callback_attempts_total", "Attempts that ended since the start.", "result")
	stateDesc     = perCallback("ringback_callback_state", "How many callbacks of that name are in that state: 1 or 0, but for the others together.", "state")
	gateDesc      = perCallback("ringback_callback_gate", "How many callbacks of that name have their gate so: 1 or 0, but for the others together.", "gate")
	inFlightDesc  = perCallback("ringback_callback_attempts_in_flight", "Attempts that run.")
	answerDesc    = perCallback("ringback_callback_answer_seconds", "How long answers took over the last hour, rounded up; not told for the others, nor without an answer.", "percentile")
	outageDesc    = perCallback("ringback_callback_outage_started_timestamp_seconds", "When the outage that lasts began; not told without one, nor for the others.")
	callbacksDesc = prometheus.NewDesc("ringback_callbacks", "Callbacks that are not deleted.", nil, nil)
	outagesDesc   = prometheus.NewDesc("ringback_outages", "Outages that last, by whether somebody acknowledged them.", []string{"acknowledged"}, nil)
	runningDesc   = prometheus.NewDesc("ringback_attempts_in_flight", "Attempts that run, of all callbacks.", nil, nil)
	limitDesc     = prometheus.NewDesc("ringback_attempts_in_flight_limit", "How many attempts may run at once.", nil, nil)
	mailDesc      = prometheus.NewDesc("ringback_mail_up", "1 when the mail server took what it was last given; 0 also when none is configured.", nil, nil)
	sentDesc      = prometheus.NewDesc("ringback_alerts_sent_total", "Alerts that the mail server took since the start.", nil, nil)
	outboxDesc    = prometheus.NewDesc("ringback_alerts_waiting", "Alerts that wait to be sent.", nil, nil)
	diskDesc      = prometheus.NewDesc("ringback_disk_free_bytes", "Free space where the data folder lies.", nil, nil)
)

func perCallback(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, append([]string{"callback"}, labels...), nil)
}

// label makes s fit to be a label's value: valid UTF-8, one line, no controls.
func label(s string) string { return callback.Sanitize(s, 4*callback.MaxName) }

// figures tells what is asked for at each scrape.
type figures struct{ m *Metrics }

// Describe implements prometheus.Collector.
func (figures) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		callsDesc, acceptedDesc, skippedDesc, purgedDesc, attemptsDesc, stateDesc, gateDesc, inFlightDesc, answerDesc, outageDesc,
		callbacksDesc, outagesDesc, runningDesc, limitDesc, mailDesc, sentDesc, outboxDesc, diskDesc,
	} {
		ch <- d
	}
}

// row is what is told of one callback, or of the others together.
type row struct {
	name     string
	counts   callback.Counts
	attempts tally
	inFlight int
	states   [callback.Suspended + 1]int
	gates    [callback.Ramp + 1]int

	num    callback.Num // 0: the others
	outage time.Time
}

// Collect implements prometheus.Collector.
func (c figures) Collect(ch chan<- prometheus.Metric) {
	c.m.mu.Lock()
	ask := c.m.ask
	c.m.mu.Unlock()
	if ask == nil {
		return
	}
	f := ask()
	rows, callbacks, outages := c.m.rows(f.Callbacks)
	for i := range rows {
		rows[i].tell(ch, f.Answers)
	}
	gauge(ch, callbacksDesc, float64(callbacks))
	gauge(ch, outagesDesc, float64(outages[0]), "false")
	gauge(ch, outagesDesc, float64(outages[1]), "true")
	gauge(ch, runningDesc, float64(f.Running))
	gauge(ch, limitDesc, float64(f.MaxInFlight))
	up := 0.0
	if f.MailOK {
		up = 1
	}
	gauge(ch, mailDesc, up)
	counter(ch, sentDesc, f.AlertsSent)
	if f.AlertsWaiting >= 0 {
		gauge(ch, outboxDesc, float64(f.AlertsWaiting))
	}
	if f.DiskFree >= 0 {
		gauge(ch, diskDesc, float64(f.DiskFree))
	}
}

// rows returns what is told of each callback, how many there are, and the
// outages that last, without and with somebody who knows. To go through callbacks
// waits for the store again and again: attempts are counted meanwhile.
func (m *Metrics) rows(all iter.Seq[*callback.Health]) (rows []row, callbacks int, outages [2]int) {
	m.scrape.Lock()
	defer m.scrape.Unlock()
	rows = []row{{name: Other}}
	seen := map[string]bool{Other: true} // names are unique, but for what label makes of them
	there := make(map[callback.Num]int, m.there)
	for h := range all {
		if h.Live.Deleted {
			m.deleted[h.Num] = h.Live.Counts
		}
		at, name := 0, label(h.Name)
		if !h.Live.Deleted && len(rows) <= MaxCallbacks && !seen[name] {
			seen[name], at = true, len(rows)
			rows = append(rows, row{name: name, num: h.Num})
		}
		there[h.Num], m.newest = at, max(m.newest, h.Num)
		rows[at].add(h)
		if h.Live.Deleted {
			continue
		}
		callbacks++
		switch o := &h.Live.Outage; {
		case o.Phase == callback.NoOutage:
		case o.Acked == "":
			outages[0]++
		default:
			outages[1]++
		}
	}
	m.there = len(there)
	m.forget(&rows[0].counts, there)
	m.tallies(rows, there)
	return rows, callbacks, outages
}

// forget adds the counts of callbacks that are no more to those of the others; there
// are the rows of those that are.
func (m *Metrics) forget(others *callback.Counts, there map[callback.Num]int) {
	r := &m.removed
	for num, n := range m.deleted {
		if _, ok := there[num]; !ok { // nothing of it was stored any more
			r.Accepted, r.Purged, r.Skipped = r.Accepted+n.Accepted, r.Purged+n.Accepted, r.Skipped+n.Skipped
			delete(m.deleted, num)
		}
	}
	others.Accepted, others.Purged, others.Skipped = others.Accepted+r.Accepted, others.Purged+r.Purged, others.Skipped+r.Skipped
}

// tallies adds the attempts to the rows of their callbacks, those of callbacks that are
// no more to that of the others.
func (m *Metrics) tallies(rows []row, there map[callback.Num]int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for num, t := range m.byNum {
		if at, ok := there[num]; ok {
			rows[at].attempts.add(*t)
			continue
		}
		if num > m.newest {
			continue // it was made while others were gone through
		}
		m.gone.add(*t)
		delete(m.byNum, num)
	}
	rows[0].attempts.add(m.gone)
}

func (r *row) add(h *callback.Health) {
	c, n := &h.Live.Counts, &r.counts
	n.Accepted, n.Skipped, n.Purged = n.Accepted+c.Accepted, n.Skipped+c.Skipped, n.Purged+c.Purged
	n.Pending, n.Retrying, n.Failed = n.Pending+c.Pending, n.Retrying+c.Retrying, n.Failed+c.Failed
	n.Delivered, n.Resolved = n.Delivered+c.Delivered, n.Resolved+c.Resolved
	r.inFlight += h.Live.Running + h.Live.Manual
	if h.Live.Deleted {
		return
	}
	r.states[h.Live.State]++
	r.gates[h.Live.Gate.State]++
	if r.num != 0 && h.Live.Outage.Phase != callback.NoOutage {
		r.outage = h.Live.Outage.Started
	}
}

func (r *row) tell(ch chan<- prometheus.Metric, answers func(callback.Num) (p50, p95 time.Duration)) {
	n := &r.counts
	for _, s := range []struct {
		state string
		n     uint64
	}{{"pending", n.Pending}, {"retrying", n.Retrying}, {"delivered", n.Delivered}, {"resolved", n.Resolved}, {"failed", n.Failed}} {
		gauge(ch, callsDesc, float64(s.n), r.name, s.state)
	}
	counter(ch, acceptedDesc, n.Accepted, r.name)
	counter(ch, skippedDesc, n.Skipped, r.name)
	counter(ch, purgedDesc, n.Purged, r.name)
	counter(ch, attemptsDesc, r.attempts.ok, r.name, "ok")
	counter(ch, attemptsDesc, r.attempts.failed, r.name, "failed")
	for s, n := range r.states {
		gauge(ch, stateDesc, float64(n), r.name, callback.State(s).String())
	}
	for s, n := range r.gates {
		gauge(ch, gateDesc, float64(n), r.name, callback.GateState(s).String())
	}
	gauge(ch, inFlightDesc, float64(r.inFlight), r.name)
	if !r.outage.IsZero() {
		gauge(ch, outageDesc, float64(r.outage.UnixMilli())/1000, r.name)
	}
	if r.num == 0 || answers == nil {
		return
	}
	if p50, p95 := answers(r.num); p95 > 0 {
		gauge(ch, answerDesc, p50.Seconds(), r.name, "50")
		gauge(ch, answerDesc, p95.Seconds(), r.name, "95")
	}
}

func gauge(ch chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func counter(ch chan<- prometheus.Metric, d *prometheus.Desc, n uint64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
}
