package metrics

import (
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"ringback/callback"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// house is Metrics of three callbacks, one of them deleted and one in an outage.
func house(t *testing.T) *Metrics {
	t.Helper()
	down := callback.Health{Callback: callback.Callback{
		Num: 2, Name: "bank-otp", URL: "https://canary.example.com/", Auth: callback.Auth{Type: callback.AuthQuery, Key: callback.NewSecret("canary", nil)},
	}}
	down.Live = callback.Live{
		Counts: callback.Counts{Accepted: 9, Pending: 2, Retrying: 1, Delivered: 3, Failed: 1, Purged: 2, Skipped: 4},
		State:  callback.Down, Gate: callback.Gate{State: callback.Open}, Running: 1, Manual: 1,
		Outage: callback.OutageState{Phase: callback.OutageOpen, N: 1, Started: noon, FirstText: "canary"},
	}
	gone := callback.Health{Callback: callback.Callback{Num: 3, Name: "gone"}}
	gone.Live.Deleted, gone.Live.Counts = true, callback.Counts{Accepted: 5, Failed: 5}
	all := []callback.Health{{Callback: callback.Callback{Num: 1, Name: "crm-prod"}}, down, gone}
	m := New("1.2.3")
	m.Ask(func() Figures {
		return Figures{
			Callbacks: pointers(all), Running: 2, MaxInFlight: 512, MailOK: true, AlertsSent: 7, AlertsWaiting: 3, DiskFree: 1 << 30,
			Answers: func(num callback.Num) (p50, p95 time.Duration) {
				if num == 1 {
					return 12 * time.Millisecond, 250 * time.Millisecond
				}
				return 0, 0
			},
		}
	})
	return m
}

// scrape returns what a scraper gets.
func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("scrape: %d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

// has fails unless each line stands in what was told.
func has(t *testing.T, told string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(told, "\n"+line+"\n") {
			t.Errorf("%q is not told", line)
		}
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	m := house(t)
	m.Attempts(&callback.Entry{Num: 2, Enqueued: noon}, []callback.Attempt{
		{Number: 1, Started: noon.Add(3 * time.Second), Duration: 20 * time.Millisecond, Class: callback.ClassReset},
		{Number: 2, Started: noon.Add(3 * time.Second), Duration: 30 * time.Millisecond, OK: true},
	})
	m.Attempts(&callback.Entry{Num: 3}, []callback.Attempt{{Number: 7, Class: callback.ClassAnswerTimeout, Duration: time.Minute}})
	m.Committing(5)()
	told := scrape(t, m)
	has(t, told,
		`ringback_callback_calls{callback="bank-otp",state="pending"} 2`,
		`ringback_callback_calls{callback="bank-otp",state="failed"} 1`,
		`ringback_callback_calls{callback="(other)",state="failed"} 5`,
		`ringback_callback_accepted_total{callback="bank-otp"} 9`,
		`ringback_callback_skipped_total{callback="bank-otp"} 4`,
		`ringback_callback_purged_total{callback="bank-otp"} 2`,
		`ringback_callback_state{callback="bank-otp",state="down"} 1`,
		`ringback_callback_state{callback="bank-otp",state="healthy"} 0`,
		`ringback_callback_state{callback="(other)",state="healthy"} 0`,
		`ringback_callback_gate{callback="bank-otp",gate="open"} 1`,
		`ringback_callback_attempts_in_flight{callback="bank-otp"} 2`,
		`ringback_callback_attempts_total{callback="bank-otp",result="ok"} 1`,
		`ringback_callback_attempts_total{callback="bank-otp",result="failed"} 1`,
		`ringback_callback_attempts_total{callback="(other)",result="failed"} 1`,
		`ringback_callback_answer_seconds{callback="crm-prod",percentile="95"} 0.25`,
		`ringback_callback_outage_started_timestamp_seconds{callback="bank-otp"} 1.7723664e+09`,
		`ringback_callbacks 2`, `ringback_outages{acknowledged="false"} 1`, `ringback_outages{acknowledged="true"} 0`,
		`ringback_attempts_in_flight 2`, `ringback_attempts_in_flight_limit 512`,
		`ringback_mail_up 1`, `ringback_alerts_sent_total 7`, `ringback_alerts_waiting 3`, `ringback_disk_free_bytes 1.073741824e+09`,
		`ringback_attempts_total{class="ok"} 1`, `ringback_attempts_total{class="reset"} 1`, `ringback_attempts_total{class="answer timeout"} 1`,
		`ringback_attempt_duration_seconds_bucket{result="ok",le="0.025"} 0`, `ringback_attempt_duration_seconds_bucket{result="ok",le="0.05"} 1`,
		`ringback_first_attempt_delay_seconds_sum 3`, `ringback_first_attempt_delay_seconds_count 1`,
		`ringback_store_commit_operations_sum 5`, `ringback_store_commit_duration_seconds_count 1`,
		`ringback_build_info{version="1.2.3"} 1`,
	)
	for _, never := range []string{"canary", `callback="gone"`, `ringback_callback_answer_seconds{callback="bank-otp"`, "_started_timestamp_seconds{callback=\"crm-prod\""} {
		if strings.Contains(told, never) {
			t.Errorf("%q is told", never)
		}
	}
	problems, err := testutil.GatherAndLint(m.registry)
	if err != nil || len(problems) != 0 {
		t.Errorf("the library's linter: %v %v", problems, err)
	}
}

// However many callbacks there are, and whatever they are called, the number of
// series is bounded, and nothing is told twice.
func TestSeriesAreBounded(t *testing.T) {
	t.Parallel()
	names := []string{Other, "a\"b\\c", "a\x1b[1mb", "a[1mb", "\xff\xfe", "\ufffd\ufffd", strings.Repeat("x", 300), strings.Repeat("x", 301)}
	for i := range 1200 {
		names = append(names, fmt.Sprint("callback ", i))
	}
	var all []callback.Health
	for i, name := range names {
		h := callback.Health{Callback: callback.Callback{Num: callback.Num(i + 1), Name: name}}
		h.Live.Counts.Accepted = 1
		all = append(all, h)
	}
	m := New("test")
	m.Ask(func() Figures { return Figures{Callbacks: pointers(all), AlertsWaiting: -1, DiskFree: -1} })
	told := scrape(t, m)
	if n := strings.Count(told, "ringback_callback_accepted_total{"); n != MaxCallbacks+1 {
		t.Errorf("%d callbacks are told of, want %d and the others", n, MaxCallbacks)
	}
	has(t, told, fmt.Sprintf(`ringback_callback_accepted_total{callback="(other)"} %d`, len(names)-MaxCallbacks),
		fmt.Sprintf(`ringback_callback_state{callback="(other)",state="healthy"} %d`, len(names)-MaxCallbacks),
		`ringback_callback_accepted_total{callback="a\"b\\c"} 1`, fmt.Sprint("ringback_callbacks ", len(names)))
	for _, unknown := range []string{"\x1b", "ringback_alerts_waiting", "ringback_disk_free_bytes"} {
		if strings.Contains(told, unknown) {
			t.Errorf("%q is told", unknown)
		}
	}
}

// What was counted for a callback is not lost when retention removes it.
func TestCountsOfRemovedCallbacksStay(t *testing.T) {
	t.Parallel()
	m := New("test")
	deleted := callback.Health{Callback: callback.Callback{Num: 9}}
	deleted.Live.Deleted, deleted.Live.Counts = true, callback.Counts{Accepted: 7, Delivered: 3, Failed: 2, Purged: 2, Skipped: 4}
	all := []callback.Health{deleted}
	m.Ask(func() Figures { return Figures{Callbacks: pointers(all)} })
	has(t, scrape(t, m), `ringback_callback_accepted_total{callback="(other)"} 7`, `ringback_callback_purged_total{callback="(other)"} 2`)
	all = nil
	m.Attempts(&callback.Entry{Num: 9}, []callback.Attempt{{Number: 2, OK: true}, {Number: 3}})
	for range 2 {
		has(t, scrape(t, m), `ringback_callback_attempts_total{callback="(other)",result="ok"} 1`, `ringback_callback_attempts_total{callback="(other)",result="failed"} 1`,
			`ringback_callback_accepted_total{callback="(other)"} 7`, `ringback_callback_purged_total{callback="(other)"} 7`,
			`ringback_callback_skipped_total{callback="(other)"} 4`, `ringback_callback_calls{callback="(other)",state="failed"} 0`)
	}
	if len(m.byNum)+len(m.deleted) != 0 {
		t.Errorf("%d callbacks are remembered", len(m.byNum))
	}
}

// A scrape that waits for the store holds up no attempt.
func TestScrapeHoldsUpNoAttempt(t *testing.T) {
	t.Parallel()
	m := New("test")
	m.Ask(func() Figures {
		return Figures{Callbacks: func(yield func(*callback.Health) bool) {
			if !m.mu.TryLock() {
				t.Error("an attempt would wait")
				return
			}
			m.mu.Unlock()
			m.Attempts(&callback.Entry{Num: 1}, []callback.Attempt{{Number: 1, OK: true}})
			yield(&callback.Health{Callback: callback.Callback{Num: 1, Name: "crm-prod"}})
		}}
	})
	has(t, scrape(t, m), `ringback_callback_attempts_total{callback="crm-prod",result="ok"} 1`)
}

// Attempts of a callback that was made while a scrape went through the others are
// its own, from the next scrape on.
func TestCallbackMadeWhileOthersAreTold(t *testing.T) {
	t.Parallel()
	m := New("test")
	all := []callback.Health{{Callback: callback.Callback{Num: 1, Name: "crm-prod"}}}
	m.Ask(func() Figures {
		return Figures{Callbacks: func(yield func(*callback.Health) bool) {
			pointers(all)(yield)
			m.Attempts(&callback.Entry{Num: 2}, []callback.Attempt{{Number: 1, OK: true}})
		}}
	})
	scrape(t, m)
	all = append(all, callback.Health{Callback: callback.Callback{Num: 2, Name: "billing"}})
	got := scrape(t, m)
	has(t, got, `ringback_callback_attempts_total{callback="billing",result="ok"} 2`)
	has(t, got, `ringback_callback_attempts_total{callback="(other)",result="ok"} 0`)
}

func pointers(all []callback.Health) iter.Seq[*callback.Health] {
	return func(yield func(*callback.Health) bool) {
		for i := range all {
			if !yield(&all[i]) {
				return
			}
		}
	}
}
