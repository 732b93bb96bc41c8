package api

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"ringback/callback"
)

// Options says what a handler serves. Only Service is required.
type Options struct {
	Service   callback.Service
	Log       *slog.Logger
	MaxBody   int64  // bytes of a request's body at most; 0: 1 MiB
	PublicURL string // base of the links in answers; "": from the request
	Version   string
	// Ending is closed when nothing more is to be accepted: streams of responses
	// end with what was read. nil: when the server shuts down.
	Ending <-chan struct{}
	// Ready says whether the appliance does its work, and why not; nil: it does.
	Ready func() (ok bool, why []string)

	// Metrics answers GET /metrics; nil: nothing is served there.
	Metrics http.Handler

	// Backup writes all that is stored, as it is at that time, for GET /backup; nil:
	// nothing is served there.
	Backup func(ctx context.Context, w io.Writer) error

	// Observer is told of answers and viewers; nil: nobody is.
	Observer Observer

	// Keys returns the API keys, hashes included; nil: there are none.
	Keys func() []callback.APIKey
	// KeyNeeded asks for a key also while none is made. It must be set where
	// the server listens on more than a loopback address.
	KeyNeeded bool
	// LocalKey is a key of role admin for whoever may read it on this machine;
	// "": there is none.
	LocalKey string
}

// defaultMaxBody is the configuration's default of max_body.
const defaultMaxBody = 1 << 20

// handler serves the routes. It is safe for any number of requests at once.
type handler struct {
	svc     callback.Service
	log     *slog.Logger
	maxBody int64
	public  string
	version string
	ready   func() (bool, []string)
	metrics http.Handler

	observer Observer // nil: none

	dump    func(ctx context.Context, w io.Writer) error // writes a backup; nil: there is none
	backups chan struct{}                                // holds one while it is written

	keys      func() []callback.APIKey
	keyNeeded bool
	localKey  bool // there is one, with localHash
	localHash [32]byte
	throttle  *throttle

	mux     *http.ServeMux
	memory  budget
	streams budget        // of their lines
	places  chan struct{} // one is taken by each stream
	ending  <-chan struct{}
	stop    chan struct{} // closed when the server shuts down: streams end
	once    sync.Once
}

// New returns the handler of every route. While there is no key it answers
// requests to a loopback name that no web page of another origin sent; see
// handler.identify.
func New(o Options) http.Handler {
	h := &handler{
		svc:     o.Service,
		log:     cmp.Or(o.Log, slog.New(slog.DiscardHandler)),
		maxBody: cmp.Or(max(o.MaxBody, 0), defaultMaxBody),
		public:  strings.TrimRight(o.PublicURL, "/"),
		version: o.Version,
		ready:   o.Ready,
		metrics: o.Metrics,

		observer: o.Observer,

		dump: o.Backup, backups: make(chan struct{}, 1),
		keys: o.Keys, keyNeeded: o.KeyNeeded, throttle: newThrottle(),
		localKey: o.LocalKey != "", localHash: callback.HashKey(o.LocalKey),

		mux:    http.NewServeMux(),
		places: make(chan struct{}, maxStreams),
		ending: o.Ending,
		stop:   make(chan struct{}),
	}
	if h.keys == nil {
		h.keys = func() []callback.APIKey { return nil }
	}
	h.memory, h.streams = newBudget(bodyMemory, h.maxBody), newBudget(streamMemory, h.maxBody)
	for _, rt := range routes {
		h.mux.HandleFunc(rt.method+" "+rt.pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := h.act(w, r, rt); err != nil {
				h.fail(w, r, err)
			}
		})
	}
	h.mux.HandleFunc(anyPath, h.unserved)
	return h
}

// Server returns a server for the handler with limits on how long a peer may
// take and how much it may send ahead of a body. Streams that New's handler
// serves end when the server shuts down; other requests are finished.
func Server(h http.Handler) *http.Server {
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      time.Minute, // from the end of the headers; streams set their own
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ConnContext:       withConn,
	}
	if h, ok := h.(*handler); ok {
		s.RegisterOnShutdown(func() { h.once.Do(func() { close(h.stop) }) })
		s.ErrorLog = slog.NewLogLogger(h.log.Handler(), slog.LevelDebug)
	}
	return s
}

// Header values of every answer, which nobody changes.
var (
	noSniff = []string{"nosniff"}
	noStore = []string{"no-store"}

	varyAccept = []string{"Accept"}
)

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.observer != nil {
		a := &noted{ResponseWriter: w, began: time.Now()}
		defer a.tell(h.observer)
		w = a
	}
	defer h.recovered(w, r)
	header := w.Header()
	header["X-Content-Type-Options"], header["Cache-Control"], header["Vary"] = noSniff, noStore, varyAccept
	if err := h.admit(r); err != nil {
		h.fail(w, r, err)
		return
	}
	h.mux.ServeHTTP(w, r)
}

// admit refuses a path that is not clean: the mux would answer it with a
// redirect, after which a client may send a POST as a GET.
func (h *handler) admit(r *http.Request) error {
	if p := r.URL.Path; p == path.Clean(p) && p[0] == '/' {
		return nil // the route says who may come: act
	}
	if _, err := h.identify(r); err != nil {
		return err // strangers are told nothing, not even that
	}
	return callback.Errorf(callback.CodeNotFound, "nothing is served at this path")
}

// unserved answers what no route serves; to strangers it does not even tell
// that.
func (h *handler) unserved(w http.ResponseWriter, r *http.Request) {
	if _, err := h.identify(r); err != nil {
		h.fail(w, r, err)
		return
	}
	var allow []string
	probe := *r
	for _, probe.Method = range []string{"GET", "HEAD", "POST", "PUT", "DELETE"} {
		if _, pattern := h.mux.Handler(&probe); pattern != anyPath {
			allow = append(allow, probe.Method)
		}
	}
	if len(allow) == 0 {
		h.fail(w, r, callback.Errorf(callback.CodeNotFound, "nothing is served at this path"))
		return
	}
	h.fail(w, r, &refusal{
		status:  http.StatusMethodNotAllowed,
		message: "this path does not take that method; it takes " + strings.Join(allow, ", "),
		header:  http.Header{"Allow": {strings.Join(allow, ", ")}},
	})
}

// anyPath is the pattern of what no route serves.
const anyPath = "/"

// act settles who makes a request and its media types, and does what its route
// does. Where everybody may come, a fault of the credential makes a stranger.
func (h *handler) act(w http.ResponseWriter, r *http.Request, rt route) error {
	q := &request{handler: h, w: w, r: r, need: rt.role, held: hold{budget: h.memory}}
	defer q.done()
	who, err := h.identify(r)
	if rt.role != anyone {
		if err == nil {
			err = who.may(rt.role)
		}
		if err != nil {
			return err
		}
	}
	q.caller = who
	known(w, r, &rt, &who)
	if !rt.query && r.URL.RawQuery != "" {
		if err := emptyQuery(r); err != nil {
			return err
		}
	}
	if !ownMedia(rt.pattern) {
		var ok bool
		offers := answers
		if inLines(r) {
			offers = lineAnswers
		}
		q.media, ok = negotiate(r.Header.Values("Accept"), offers)
		switch {
		case ok:
		case rt.role == anyone: // load balancers ask for text or a page, and read the status alone
			q.media = offers[0]
		default:
			return &refusal{
				status:  http.StatusNotAcceptable,
				message: "Accept allows none of what can be sent: " + strings.Join(names(offers), ", "),
			}
		}
	}
	return rt.act(q)
}

// recovered turns a panic into an internal error, so that one request cannot
// end the deliveries.
func (h *handler) recovered(w http.ResponseWriter, r *http.Request) {
	v := recover()
	switch {
	case v == nil:
	case v == http.ErrAbortHandler:
		panic(v)
	default:
		h.log.Error("api: panic", "panic", v, "path", callback.Sanitize(r.URL.Path, 200), "stack", string(debug.Stack()))
		h.fail(w, r, errors.New("panic"))
	}
}

// request is one request on its way through an action.
type request struct {
	*handler
	w     http.ResponseWriter
	r     *http.Request
	media media // of the answer

	caller caller
	need   callback.Role // what the route asks for

	held hold    // of the handler's memory, or of what its streams have
	raw  *[]byte // the body, from buffers; nil: not read
}

func (q *request) ctx() context.Context { return q.r.Context() }

// ref returns the callback that the path names: an id or a name.
func (q *request) ref() string { return q.r.PathValue("id") }

// call returns the call that the path names.
func (q *request) call() (callback.CallID, error) {
	return callback.ParseCallID(q.r.PathValue("callId"))
}

// wants reports whether the request asks for the changed object in the answer
// (RFC 7240), and says so in it.
func (q *request) wants() bool {
	for _, line := range q.r.Header.Values("Prefer") {
		if slices.ContainsFunc(strings.Split(line, ","), func(s string) bool {
			return strings.TrimSpace(s) == preferObject
		}) {
			q.w.Header().Set("Preference-Applied", preferObject)
			return true
		}
	}
	return false
}

const preferObject = "return=representation"

// send writes the shape v as the answer.
func (q *request) send(status int, v any) error {
	body, err := q.media.codec.encode(v)
	if err != nil {
		return err
	}
	write(q.w, status, q.media.name, body)
	return nil
}

// none answers that it is done.
func (q *request) none() error {
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}
