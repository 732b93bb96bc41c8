package cli

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ringback/app/bench"
)

// benchWith measures a real appliance for a moment, all in this process, with a
// receiver that handles requests in its own way.
func benchWith(t *testing.T, receive func(bench *bench.Receiver, w http.ResponseWriter, r *http.Request)) *bench.Report {
	t.Helper()
	dir := t.TempDir()
	o := bench.Options{
		Dir: dir, Data: filepath.Join(dir, "data"), Queue: filepath.Join(dir, "data", "queue"),
		Window: 10 * time.Millisecond, Callbacks: 3, Producers: 4, Size: 1024, Backlog: 700, Memory: 256 << 20,
		Patience: time.Second, Say: t.Logf,
	}
	file := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(file, []byte(benchConfig(&o)), 0o600); err != nil {
		t.Fatal(err)
	}
	o.Appliance = func(ctx context.Context) (*bench.Part, error) {
		ctx, stop := context.WithCancel(ctx)
		in, out := io.Pipe()
		ended := make(chan error, 1)
		go func() {
			c := &console{err: t.Output()}
			ended <- c.benchAppliance(ctx, []string{file}, out)
			out.Close()
		}()
		url, err := bufio.NewReader(in).ReadString('\n')
		return &bench.Part{URL: strings.TrimSpace(url), PID: os.Getpid(), Stop: func() error { stop(); return <-ended }}, err
	}
	o.Receiver = func(context.Context) (*bench.Part, error) {
		var r bench.Receiver
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { receive(&r, w, req) }))
		return &bench.Part{URL: s.URL, Stop: func() error { s.Close(); return nil }}, nil
	}
	report, err := bench.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// A receiver that lies is found out: the check can fail.
func TestBenchFindsWhatIsLostAndDoubled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what string
		nth  func(r *bench.Receiver, w http.ResponseWriter, req *http.Request) // what becomes of the fifth call
		want string
	}{
		{"honest", (*bench.Receiver).ServeHTTP, ""},
		{"loses one", func(_ *bench.Receiver, _ http.ResponseWriter, req *http.Request) {
			_, _ = io.Copy(io.Discard, req.Body)
		}, "1 did not arrive and 0 arrived more than once; 0 arrived that were not accepted"},
		{"doubles one", func(r *bench.Receiver, w http.ResponseWriter, req *http.Request) {
			body, _ := io.ReadAll(req.Body)
			for range 2 {
				req.Body = io.NopCloser(bytes.NewReader(body))
				r.ServeHTTP(w, req)
			}
		}, "0 did not arrive and 1 arrived more than once; 0 arrived that were not accepted"},
		{"sends it back", func(r *bench.Receiver, w http.ResponseWriter, req *http.Request) {
			req.Header.Set("webhook-id", "0000000000000001")
			r.ServeHTTP(w, req)
		}, "1 did not arrive and 0 arrived more than once; 1 arrived that were not accepted"},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			report := benchWith(t, func(r *bench.Receiver, w http.ResponseWriter, req *http.Request) {
				if req.Header.Get("webhook-id") != "" && calls.Add(1) == 5 {
					c.nth(r, w, req)
					return
				}
				r.ServeHTTP(w, req)
			})
			got := report.Check.Fault()
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
			if k := report.Check; k.Accepted == 0 || k.Stored != uint64(k.Accepted) || k.Backlog != 700 || k.Waiting != 700 {
				t.Errorf("%+v", k)
			}
			out := &bytes.Buffer{}
			if err := (&console{out: out}).printBench(report); (err == nil) != (c.want == "") {
				t.Errorf("printed with %v:\n%s", err, out)
			}
		})
	}
}

func TestBenchRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, want string }{
		{"--seconds 0", "--seconds is 0; 0.1 to 3600"},
		{"--seconds NaN", "--seconds is NaN"},
		{"--callbacks 0", "--callbacks is 0; 1 to 4096"},
		{"--producers 5000", "--producers is 5000"},
		{"--size 100", "--size is 100; 512 to"},
		{"--backlog -1", "--backlog is -1"},
		{"something", "unknown command"},
	} {
		var out, err bytes.Buffer
		k := &console{in: strings.NewReader(""), out: &out, err: &err}
		if code := k.run(t.Context(), append([]string{"bench"}, strings.Fields(c.args)...)); code != exitUsage || !strings.Contains(err.String(), c.want) {
			t.Errorf("%s: exit code %d: %s", c.args, code, &err)
		}
	}
	o := bench.Options{Dir: t.TempDir(), Size: bench.MaxSize, Backlog: 100_000_000, Window: time.Second}
	if err := benchRoom(&o); err == nil || !strings.Contains(err.Error(), "choose another --dir") {
		t.Errorf("50 TB of backlog: %v", err)
	}
}
