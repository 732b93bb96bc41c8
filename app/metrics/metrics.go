// Package metrics tells Prometheus how the appliance does. Everything is told
// from memory: a scrape reads no disk and holds up no delivery. What belongs to
// one callback is told by its name for MaxCallbacks of them, and summed up for
// the rest, so that the number of series is bounded; no secret, URL or content
// is ever told.
package metrics

import (
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"ringback/callback"
)

// Metrics counts what passes, and asks for the rest at each scrape. New makes
// one; its methods may be called by several goroutines at once.
type Metrics struct {
	registry *prometheus.Registry

	attempts *prometheus.CounterVec
	duration *prometheus.HistogramVec
	delay    prometheus.Histogram
	group    prometheus.Histogram
	commit   prometheus.Histogram

	mu    sync.Mutex // each attempt takes it: it is never held for long
	ask   func() Figures
	byNum map[callback.Num]*tally
	gone  tally // of callbacks that retention removed

	scrape  sync.Mutex                       // what follows belongs to one scrape at a time
	deleted map[callback.Num]callback.Counts // of deleted callbacks, as last told
	removed callback.Counts                  // of those that retention removed since
	there   int                              // how many callbacks there were, as last told
	newest  callback.Num                     // the highest that ever was told of
}

// tally counts the attempts of one callback since the process began.
type tally struct{ ok, failed uint64 }

func (t *tally) add(o tally) { t.ok, t.failed = t.ok+o.ok, t.failed+o.failed }

// New returns Metrics of a ringback of that version.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ringback_attempts_total", Help: "Attempts that ended since the start, by how they went: ok, or the word of the error.",
		}, []string{"class"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "ringback_attempt_duration_seconds", Help: "How long attempts took, until the headers of the answer or the error.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120},
		}, []string{"result"}),
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "ringback_first_attempt_delay_seconds", Help: "From the enqueue of a response to the start of its first attempt.",
			Buckets: []float64{.001, .005, .025, .1, .5, 1, 5, 30, 60, 300, 1800, 3600, 21600, 86400},
		}),
		group: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "ringback_store_commit_operations", Help: "Operations that shared one commit of the store.",
			Buckets: prometheus.ExponentialBuckets(1, 4, 7), // 1 to 4096
		}),
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "ringback_store_commit_duration_seconds", Help: "How long commits of the store took, sync to disk included.",
			Buckets: prometheus.ExponentialBuckets(.00025, 4, 9), // 250 µs to 16 s
		}),
		byNum: map[callback.Num]*tally{}, deleted: map[callback.Num]callback.Counts{},
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "ringback_build_info", Help: "Always 1; tells the version.", ConstLabels: prometheus.Labels{"version": label(version)},
	})
	build.Set(1)
	m.registry.MustRegister(
		m.attempts, m.duration, m.delay, m.group, m.commit, build, figures{m},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return m
}

// Handler answers scrapes, two at once at most.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 2})
}

// Ask says where the figures of a scrape come from. f must be quick, and safe
// for several goroutines at once.
func (m *Metrics) Ask(f func() Figures) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ask = f
}

// Attempts counts the attempts that were made for one claim of a call.
func (m *Metrics) Attempts(e *callback.Entry, attempts []callback.Attempt) {
	var n tally
	for i := range attempts {
		a := &attempts[i]
		class, result := a.Class.String(), "failed"
		if a.OK {
			class, result = "ok", "ok"
			n.ok++
		} else {
			n.failed++
		}
		m.attempts.WithLabelValues(class).Inc()
		m.duration.WithLabelValues(result).Observe(a.Duration.Seconds())
		if a.Number == 1 {
			m.delay.Observe(max(a.Started.Sub(e.Enqueued), 0).Seconds())
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.byNum[e.Num]
	if t == nil {
		t = &tally{}
		m.byNum[e.Num] = t
	}
	t.add(n)
}

// Committing takes note that the store begins a commit of so many operations.
// What it returns is to be called when the commit is done.
func (m *Metrics) Committing(operations int) (done func()) {
	began := time.Now()
	return func() {
		m.group.Observe(float64(operations))
		m.commit.Observe(time.Since(began).Seconds())
	}
}
