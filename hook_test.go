package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-smtp"
	"github.com/rogpeppe/go-internal/testscript"
)

// hook is a receiver that counts what it gets and can be told to fail.
type hook struct {
	server *httptest.Server

	mu      sync.Mutex
	mode    string // "200", another status, or "hang"
	release chan struct{}
	waiting int             // requests that hang
	taken   map[string]int  // answers of 200, by webhook-id
	bodies  map[string]bool // of those
	seen    []string        // one line a request: headers that matter, and the body
}

func (h *hook) close() {
	h.set("200")
	h.server.Close()
}

// set changes how the hook answers, also those requests that hang.
func (h *hook) set(mode string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.mode = mode
	if mode != "hang" && h.release != nil {
		close(h.release)
		h.release = nil
	}
	if mode == "hang" && h.release == nil {
		h.release = make(chan struct{})
	}
}

// ServeHTTP implements http.Handler.
func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen = append(h.seen, fmt.Sprintf("%s %s auth=%q key=%q agent=%q attempt=%s %s", r.Header.Get("Content-Type"), r.URL.RequestURI(),
		r.Header.Get("Authorization"), r.Header.Get("X-Whispir-Callback-Key"), r.UserAgent(), r.Header.Get("X-Ringback-Attempt"), strings.ReplaceAll(string(body), "\n", " ")))
	if release := h.release; release != nil {
		h.waiting++
		h.mu.Unlock()
		select {
		case <-release:
		case <-r.Context().Done():
		}
		h.mu.Lock()
		h.waiting--
	}
	if h.mode == "hostile" {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, "\x1b]0;owned\x07\x1b[31mred \u202e\u009b2J end") // the sender may have left
		return
	}
	code, err := strconv.Atoi(h.mode)
	if err != nil {
		code = http.StatusOK
	}
	if code == http.StatusOK && r.Context().Err() == nil {
		h.taken[r.Header.Get("webhook-id")]++
		h.bodies[string(body)] = true
	}
	w.WriteHeader(code)
}

// hook NAME MODE starts a receiver, or changes how it answers: a status code,
// hang, or hostile. Its URL is in NAME_HOOK.
func cmdHook(ts *testscript.TestScript, _ bool, args []string) {
	b := benchOf(ts)
	h := b.hooks[args[0]]
	if h == nil {
		h = &hook{taken: map[string]int{}, bodies: map[string]bool{}}
		h.server = httptest.NewServer(h)
		b.hooks[args[0]] = h
		ts.Setenv(args[0]+"_HOOK", h.server.URL+"/in")
	}
	h.set(args[1])
}

// received NAME N waits until a receiver took N different calls; received NAME
// hanging N, until N requests hang; received NAME once fails when it took one
// twice; received NAME log FILE writes a line for each request.
func cmdReceived(ts *testscript.TestScript, _ bool, args []string) {
	h := benchOf(ts).hooks[args[0]]
	switch args[1] {
	case "hanging":
		h.await(ts, args[2], func() int { return h.waiting })
	case "once":
		h.mu.Lock()
		defer h.mu.Unlock()
		for id, n := range h.taken {
			if n != 1 {
				ts.Fatalf("call %s was taken %d times", id, n)
			}
		}
	case "log":
		h.mu.Lock()
		defer h.mu.Unlock()
		seen := slices.Sorted(slices.Values(h.seen))
		ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(strings.Join(seen, "\n")+"\n"), 0o600))
	default:
		h.await(ts, args[1], func() int { return len(h.taken) })
	}
}

// await waits until count, which is asked under the lock, is want or more.
func (h *hook) await(ts *testscript.TestScript, want string, count func() int) {
	n, err := strconv.Atoi(want)
	ts.Check(err)
	got := 0
	if !poll(func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		got = count()
		return got >= n
	}) || got != n {
		ts.Fatalf("got %d, want %d", got, n)
	}
}

// mailSink is a mail server on loopback.
type mailSink struct {
	server *smtp.Server
	mu     sync.Mutex
	mails  []string // whole, decoded
}

func (s *mailSink) close() { _ = s.server.Close() } // it served one script

// mailsink starts a mail server; its port is in RINGBACK_SMTP_PORT.
func cmdMailSink(ts *testscript.TestScript, _ bool, _ []string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	s := &mailSink{}
	s.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &mailVisit{sink: s}, nil }))
	go func() { _ = s.server.Serve(ln) }() // it ends by being closed
	benchOf(ts).mail = s
	ts.Setenv("RINGBACK_SMTP_PORT", strconv.Itoa(ln.Addr().(*net.TCPAddr).Port))
}

// mails N FILE waits until N mails came and writes them into a file.
func cmdMails(ts *testscript.TestScript, _ bool, args []string) {
	s := benchOf(ts).mail
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	var all []string
	if !poll(func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		all = slices.Clone(s.mails)
		return len(all) >= n
	}) || len(all) != n {
		ts.Fatalf("got %d mails, want %d:\n%s", len(all), n, strings.Join(all, "\n"))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.Join(all, "\n")), 0o600))
}

// mailVisit is one connection to a mailSink.
type mailVisit struct {
	sink *mailSink
	to   string
}

func (v *mailVisit) Reset()                                    {}
func (v *mailVisit) Logout() error                             { return nil }
func (v *mailVisit) Mail(string, *smtp.MailOptions) error      { return nil }
func (v *mailVisit) Rcpt(to string, _ *smtp.RcptOptions) error { v.to = to; return nil }
func (v *mailVisit) Data(r io.Reader) error {
	m, err := mail.CreateReader(r)
	if err != nil {
		return err
	}
	subject, err := m.Header.Subject()
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "To: %s\nSubject: %s\n", v.to, subject)
	for {
		p, err := m.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if _, err := io.Copy(&b, p.Body); err != nil {
			return err
		}
	}
	v.sink.mu.Lock()
	defer v.sink.mu.Unlock()
	v.sink.mails = append(v.sink.mails, b.String())
	return nil
}
