package post

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// maxClients bounds how many callbacks with a CA of their own keep connections.
const maxClients = 64

// idleTime is how long an unused connection is kept.
const idleTime = 90 * time.Second

// client is a pair of transports that trust the same authorities.
type client struct {
	kept  *http.Transport // keeps connections
	fresh *http.Transport // dials for each request, HTTP/1.1 only
	used  uint64          // clients.tick of the last use
}

func (c *client) close() {
	c.kept.CloseIdleConnections()
	c.fresh.CloseIdleConnections()
}

// clients holds a client for each CA in use, the least recently used one
// making room for another.
type clients struct {
	make func(ca string) (*client, error)

	mu   sync.Mutex
	tick uint64
	byCA map[string]*client
}

// get returns the client for a CA in PEM; "": for the common one. An error is
// fit to be shown.
func (cs *clients) get(ca string) (*client, error) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.tick++
	c, ok := cs.byCA[ca]
	if !ok {
		var err error
		if c, err = cs.make(ca); err != nil {
			return nil, err
		}
		if cs.byCA == nil {
			cs.byCA = make(map[string]*client)
		}
		if len(cs.byCA) >= maxClients {
			cs.evict()
		}
		cs.byCA[ca] = c
	}
	c.used = cs.tick
	return c, nil
}

func (cs *clients) evict() {
	var oldest string
	for ca, c := range cs.byCA {
		if o := cs.byCA[oldest]; o == nil || c.used < o.used {
			oldest = ca
		}
	}
	cs.byCA[oldest].close()
	delete(cs.byCA, oldest)
}

func (cs *clients) close() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for _, c := range cs.byCA {
		c.close()
	}
}

var errBadCA = errors.New("the callback's CA has no certificate that can be read")

// client makes the client of one CA. A callback's own CA is trusted instead of
// the common ones, as with curl --cacert.
func (p *Poster) client(ca string) (*client, error) {
	roots := p.opt.RootCAs
	if ca != "" {
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM([]byte(ca)) {
			return nil, errBadCA
		}
	}
	c := &client{kept: p.transport(roots, p.opt.HTTP2), fresh: p.transport(roots, false)}
	c.kept.MaxIdleConnsPerHost, c.kept.MaxIdleConns = p.opt.MaxIdle, 2*p.opt.MaxIdle
	c.fresh.MaxIdleConnsPerHost = -1 // keeps none, and sends no Connection: close
	return c, nil
}

func (p *Poster) transport(roots *x509.CertPool, http2 bool) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(http2)
	t := &http.Transport{
		DialContext:            p.dialer(),
		TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		IdleConnTimeout:        idleTime,
		MaxResponseHeaderBytes: maxAnswerHeader,
		DisableCompression:     true, // so that nothing unpacks an answer
		Protocols:              protocols,
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, r *http.Response) error {
			if r.StatusCode != http.StatusOK {
				return proxyRefused(r.StatusCode)
			}
			return nil
		},
	}
	if p.opt.Proxy != nil {
		t.Proxy = http.ProxyURL(p.opt.Proxy)
	}
	return t
}
