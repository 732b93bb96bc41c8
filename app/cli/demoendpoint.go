package cli

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"ringback/app/api"
	"ringback/callback"
)

// demoCallback is one callback of the demo.
type demoCallback struct {
	name, note, email, key string
	auth                   callback.AuthType
	content                callback.ContentType
	removeHTML             bool
}

var demoCallbacks = []demoCallback{
	{name: "crm-prod", note: "the CRM takes replies as JSON", email: "crm-team@example.com", key: "demo-key-crm", auth: callback.AuthHeader},
	{name: "billing-eu", note: "billing, behind a bearer token", email: "billing@example.com", key: "demo-token-billing", auth: callback.AuthBearer},
	{name: "sms-portal", note: "an older portal that reads XML", email: "portal@example.com", key: "demo-key-portal", auth: callback.AuthQuery, content: callback.XML, removeHTML: true},
	{name: "airport-ops", note: "operations; never fails here", key: "ZGVtbzpkZW1v", auth: callback.AuthBasic},
}

// mood is how an endpoint of the demo behaves.
type mood int

const (
	healthy mood = iota
	breaks       // answers 503
	hangs        // takes the request and stays silent
	refuses      // nothing listens
)

// endpoint is a receiver on loopback that can be told to fail.
type endpoint struct {
	demoCallback
	addr string

	mu      sync.Mutex
	mood    mood
	server  *http.Server    // nil while nothing listens
	taken   map[string]bool // webhook-ids that were answered 200
	answers int             // how often 200 was answered
	wg      sync.WaitGroup
}

func startEndpoint(cb demoCallback) (*endpoint, error) {
	e := &endpoint{demoCallback: cb, addr: "127.0.0.1:0", taken: map[string]bool{}}
	return e, e.listen()
}

func (e *endpoint) url() string { return "http://" + e.addr + "/in" }

// listen begins to listen, on the same port every time.
func (e *endpoint) listen() error {
	ln, err := net.Listen("tcp", e.addr)
	if err != nil {
		return fmt.Errorf("start the endpoint of %s: %w", e.name, err)
	}
	e.addr = ln.Addr().String()
	e.server = &http.Server{Handler: e, ReadHeaderTimeout: 5 * time.Second}
	server := e.server
	e.wg.Go(func() { _ = server.Serve(ln) }) // it ends by being shut down
	return nil
}

// become changes how the endpoint behaves.
func (e *endpoint) become(m mood) error {
	e.mu.Lock()
	e.mood = m
	server := e.server
	e.mu.Unlock()
	switch {
	case m == refuses && server != nil:
		// Answers that are being written are finished: they count.
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = server.Shutdown(ctx) // what is left over after a second is cut off
		_ = server.Close()       // and then nobody is left to tell
		e.server = nil
	case m != refuses && server == nil:
		return e.listen()
	}
	return nil
}

func (e *endpoint) close() {
	if e.server != nil {
		_ = e.server.Close() // it only served the demo
	}
	e.wg.Wait()
}

// ServeHTTP implements http.Handler.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return // the sender left
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.mood == breaks:
		http.Error(w, "the database is away", http.StatusServiceUnavailable)
	case e.mood == hangs:
		e.mu.Unlock()
		<-r.Context().Done()
		e.mu.Lock()
	case !e.knows(r):
		http.Error(w, "wrong key", http.StatusUnauthorized)
	case !e.reads(r, body):
		http.Error(w, "wrong content type", http.StatusUnsupportedMediaType)
	default:
		e.taken[r.Header.Get("webhook-id")] = true
		e.answers++
		w.WriteHeader(http.StatusOK)
	}
}

// knows reports whether a request carries the key.
func (e *endpoint) knows(r *http.Request) bool {
	switch e.auth {
	case callback.AuthHeader:
		return r.Header.Get("X-Whispir-Callback-Key") == e.key
	case callback.AuthBearer:
		return r.Header.Get("Authorization") == "Bearer "+e.key
	case callback.AuthBasic:
		return r.Header.Get("Authorization") == "Basic "+e.key
	}
	return r.URL.Query().Get("auth") == e.key
}

// reads reports whether a body is what the callback asked for.
func (e *endpoint) reads(r *http.Request, body []byte) bool {
	if e.content == callback.XML {
		return strings.HasPrefix(r.Header.Get("Content-Type"), "application/xml") && strings.Contains(string(body), "deliveryResponse")
	}
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") && strings.HasPrefix(string(body), "{")
}

// got returns how many calls were taken, and how many answers of 200 that took.
func (e *endpoint) got() (calls, answers int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.taken), e.answers
}

// scene is one step of a script: at a time after the first response an endpoint
// begins to behave otherwise.
type scene struct {
	at   time.Duration
	name string
	mood mood
	says string
}

// toldScript breaks three of four endpoints in three ways, and heals them in
// time for every outage to be over within the minute.
var toldScript = []scene{
	{3 * time.Second, "crm-prod", breaks, "answers 503 from now on"},
	{5 * time.Second, "billing-eu", hangs, "takes requests and stays silent from now on"},
	{7 * time.Second, "sms-portal", refuses, "refuses connections from now on"},
	{12 * time.Second, "crm-prod", healthy, "is repaired"},
	{14 * time.Second, "billing-eu", healthy, "is repaired"},
	{15 * time.Second, "sms-portal", healthy, "is repaired"},
}

// shownScript is the round that goes on under the screen.
var shownScript = []scene{
	{8 * time.Second, "crm-prod", breaks, ""},
	{20 * time.Second, "sms-portal", refuses, ""},
	{35 * time.Second, "crm-prod", healthy, ""},
	{45 * time.Second, "billing-eu", hangs, ""},
	{60 * time.Second, "sms-portal", healthy, ""},
	{75 * time.Second, "billing-eu", healthy, ""},
	{100 * time.Second, "airport-ops", healthy, ""}, // a while without any outage
}

// play plays a script: over and over under the screen, once where it is told.
func (d *demo) play(ctx context.Context, script []scene) {
	for {
		start := time.Now()
		for _, s := range script {
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Until(start.Add(s.at))):
			}
			for _, e := range d.endpoints {
				if e.name != s.name {
					continue
				}
				if s.says != "" {
					d.said.say("script: the endpoint of %s %s", s.name, s.says)
				}
				if err := e.become(s.mood); err != nil {
					d.house.log.Error("the demo's endpoint", "err", err)
				}
			}
		}
		if script[0].says != "" {
			return
		}
	}
}

func clientOf(url string) api.ClientOptions { return api.ClientOptions{URL: url} }
