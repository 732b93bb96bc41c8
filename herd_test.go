package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// herdHook answers 503 until it is up, and notes the sequence numbers that it
// took, which are the message ids, of each callback.
type herdHook struct {
	mu    sync.Mutex
	up    bool
	seen  int
	taken map[string][]string // by path
	first time.Time           // 200
	last  time.Time
}

// ServeHTTP implements http.Handler.
func (h *herdHook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		MessageID string `json:"messageId"`
	}
	err := json.NewDecoder(r.Body).Decode(&body)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen++
	if !h.up || err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	h.taken[r.URL.Path] = append(h.taken[r.URL.Path], body.MessageID)
	h.last = time.Now()
	if h.first.IsZero() {
		h.first = h.last
	}
}

// count returns how many requests came since it was last asked.
func (h *herdHook) count() (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n, h.seen = h.seen, 0
	return n
}

func (h *herdHook) delivered(path string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.taken[path])
}

// TestHerdForReal has 10,000 calls wait for a receiver that is dead for 24
// intervals, which are two hours in the field, while the real binary is stopped,
// killed and started again; then it recovers. HERD_INTERVAL says how long an
// interval is: 2s. It takes a minute, so that it is asked for.
func TestHerdForReal(t *testing.T) {
	interval, err := time.ParseDuration(os.Getenv("HERD_INTERVAL"))
	if err != nil {
		t.Skip("HERD_INTERVAL is no duration")
	}
	bin := filepath.Join(build(t), "ringback")
	for _, args := range [][]string{{"plain"}, {"ordered", "--ordered"}} {
		t.Run(args[0], func(t *testing.T) {
			const n = 10_000
			h := &herdHook{taken: map[string][]string{}}
			srv := httptest.NewServer(h)
			defer srv.Close()
			b := &herdBench{T: t, bin: bin, dir: t.TempDir(), interval: interval}
			b.start()
			defer func() { b.signal(syscall.SIGTERM); _ = b.cmd.Wait() }()
			b.run(nil, append([]string{"callbacks", "add", "crm", srv.URL + "/crm", "--retries"}, args[1:]...)...)
			var lines bytes.Buffer
			for i := range n {
				fmt.Fprintf(&lines, `{"callbackId":"crm","messageId":"%d","responseMessage":{"channel":"SMS","content":%q}}`+"\n", i, strings.Repeat("rain ", 100))
			}
			died := time.Now()
			b.run(&lines, "enqueue", "-")
			time.Sleep(interval / 2) // of the field: a dead endpoint has no event to wait for
			burst := h.count()
			time.Sleep(10 * interval)
			half := h.count()
			b.signal(syscall.SIGSTOP)
			time.Sleep(4 * interval)
			b.signal(syscall.SIGCONT)
			time.Sleep(interval / 2)
			stopped := h.count()
			b.signal(syscall.SIGKILL)
			_ = b.cmd.Wait() // killed
			b.start()
			time.Sleep(interval / 2)
			restarted := h.count()
			time.Sleep(max(24*interval-time.Since(died), 0))
			rest := h.count()
			t.Logf("requests: %d at first, %d in 10 intervals, %d after a stop of 4, %d after a restart, %d in the rest of 24", burst, half, stopped, restarted, rest)
			if sum := burst + half + stopped + restarted + rest; sum > 60 {
				t.Errorf("%d requests in all", sum)
			}
			h.mu.Lock()
			h.up = true
			h.mu.Unlock()
			back := time.Now()
			if !poll(func() bool { return h.delivered("/crm") >= n }) {
				t.Fatalf("%d of %d delivered", h.delivered("/crm"), n)
			}
			h.mu.Lock()
			defer h.mu.Unlock()
			t.Logf("all delivered %v after it was back, %v after the first success", h.last.Sub(back).Round(time.Millisecond), h.last.Sub(h.first).Round(time.Millisecond))
			once := map[string]bool{}
			for i, id := range h.taken["/crm"] {
				if once[id] {
					t.Errorf("%s was delivered twice", id)
				}
				if once[id] = true; len(args) > 1 && id != fmt.Sprint(i) {
					t.Fatalf("%s was delivered at place %d", id, i)
				}
			}
		})
	}
}

// herdBench is one appliance.
type herdBench struct {
	*testing.T
	bin, dir string
	interval time.Duration
	cmd      *exec.Cmd
}

func (b *herdBench) env() []string {
	return append(os.Environ(), "RINGBACK_HTTP_LISTEN=127.0.0.1:0", "RINGBACK_DATA_DIR=data", "RINGBACK_RETRY_INTERVAL="+b.interval.String())
}

// start starts it and waits until its address is told.
func (b *herdBench) start() {
	b.Helper()
	address := filepath.Join(b.dir, "data", "address")
	_ = os.Remove(address) // a killed one left it
	b.cmd = exec.Command(b.bin, "serve")
	b.cmd.Dir, b.cmd.Env, b.cmd.Stderr = b.dir, b.env(), b.Output()
	if err := b.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	if !poll(func() bool { _, err := os.Stat(address); return err == nil }) {
		b.Fatal("it does not start")
	}
}

func (b *herdBench) signal(s syscall.Signal) {
	b.Helper()
	if err := b.cmd.Process.Signal(s); err != nil {
		b.Fatal(err)
	}
}

func (b *herdBench) run(in io.Reader, args ...string) {
	b.Helper()
	cmd := exec.Command(b.bin, args...)
	cmd.Dir, cmd.Env, cmd.Stdin = b.dir, b.env(), in
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %v\n%s", args, err, out)
	}
}
