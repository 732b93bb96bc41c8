package app_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ringback/app"
	"ringback/app/api"
	"ringback/app/metrics"
	"ringback/callback"
)

// A scrape of an appliance tells what it did, and no secret.
func TestScrape(t *testing.T) {
	t.Parallel()
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	t.Cleanup(hook.Close)
	m := metrics.New("test")
	a := open(t, func(o *app.Options) { o.Metrics = m })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	name, yes, key, kind := "crm", true, "canary-key", callback.AuthQuery
	if _, err := a.Create(ctx, callback.Draft{Name: &name, URL: &hook.URL, Retries: &yes, AuthType: &kind, AuthKey: &key}); err != nil {
		t.Fatal(err)
	}
	watch, err := a.Watch(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Enqueue(ctx, []callback.NewResponse{{Ref: name}}); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(api.New(api.Options{Service: a, Metrics: m.Handler()}))
	t.Cleanup(srv.Close)
	told := ""
	for !strings.Contains(told, `ringback_attempts_total{class="status"} 1`) {
		if <-watch; ctx.Err() != nil {
			t.Fatalf("no attempt is told:\n%s", told)
		}
		told = string(body(ctx, t, srv.URL+"/metrics"))
	}
	for _, line := range []string{
		`ringback_callback_accepted_total{callback="crm"} 1`, `ringback_callback_calls{callback="crm",state="retrying"} 1`,
		`ringback_callback_attempts_total{callback="crm",result="failed"} 1`, `ringback_attempts_total{class="status"} 1`,
		`ringback_first_attempt_delay_seconds_count 1`, `ringback_outages{acknowledged="false"} 1`, `ringback_alerts_waiting 1`, `ringback_mail_up 0`,
	} {
		if !strings.Contains(told, "\n"+line+"\n") {
			t.Errorf("%q is not told", line)
		}
	}
	if strings.Contains(told, "canary") || strings.Contains(told, "127.0.0.1") {
		t.Error("a key or a URL is told")
	}
}
