package post

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"ringback/callback"
)

// maxWait bounds what a Retry-After is taken for.
const maxWait = 366 * 24 * time.Hour

// judge writes what an answer means into a, then reads the beginning of its
// body.
func (p *Poster) judge(a *callback.Attempt, resp *http.Response, w *watch, j *job) {
	w.draining(p.drain)
	switch {
	case resp.ProtoMajor == 1 && w.unasked():
		fail(a, fault{callback.ClassProtocol, "not an HTTP answer", "Not an HTTP answer: it was there before the request was sent"})
		return
	case resp.StatusCode < 100, resp.ProtoMajor != 1 && !(p.opt.HTTP2 && resp.ProtoMajor == 2):
		fail(a, fault{callback.ClassProtocol, "not an HTTP answer", "Not an HTTP answer: it begins with " +
			strconv.Quote(j.secret.clean(resp.Proto+" "+resp.Status, 60))})
		return
	}
	a.Code = resp.StatusCode
	a.Reason = j.reason(resp)
	if a.OK = p.opt.Success(a.Code); a.OK {
		a.Excerpt = j.excerpt(resp, okExcerpt)
		return
	}
	a.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), time.Now())
	a.Class, a.Error = p.failure(a, resp, j)
	a.Error = callback.Sanitize(a.Error, callback.MaxError)
	a.Excerpt = j.excerpt(resp, callback.MaxExcerpt)
}

// reason returns the reason phrase, or the code's usual one where there is none.
func (j *job) reason(resp *http.Response) string {
	usual := http.StatusText(resp.StatusCode)
	_, phrase, _ := strings.Cut(resp.Status, " ")
	if phrase == usual || phrase == "" {
		return usual
	}
	return j.secret.clean(phrase, callback.MaxReason)
}

// excerpt returns the first limit bytes of an answer's body, cleaned, and reads
// on a little, so that the connection can be used again. What goes wrong does
// not matter: the headers have decided.
func (j *job) excerpt(resp *http.Response, limit int) string {
	if resp.StatusCode < 200 || resp.Body == http.NoBody {
		return "" // what follows a 101 is another protocol, without an end
	}
	margin := 0
	if len(j.secret) > 0 {
		margin = 2 * len(j.secret[0]) // a secret that begins in what is kept is then read whole
	}
	buf := make([]byte, limit+margin)
	n, err := io.ReadFull(resp.Body, buf)
	if err == nil && resp.ContentLength <= maxDrain {
		_, _ = io.CopyN(io.Discard, resp.Body, int64(maxDrain-n)) // see above
	}
	return j.secret.clean(string(buf[:n]), limit)
}

// failure returns the class and the sentence of an answer that is no success.
func (p *Poster) failure(a *callback.Attempt, resp *http.Response, j *job) (callback.Class, string) {
	code := a.Code
	switch location := resp.Header.Get("Location"); {
	case code >= 300 && code < 400 && location != "":
		return callback.ClassRedirect, fmt.Sprintf("Redirected (%d) to %s; redirects are not followed, %s", code, j.secret.clean(location, 120), p.counts)
	case code == 301 || code == 302 || code == 303 || code == 307 || code == 308:
		return callback.ClassRedirect, fmt.Sprintf("Redirected (%d) without saying where; redirects are not followed, %s", code, p.counts)
	case code < 300:
		return callback.ClassStatus, fmt.Sprintf("Answered %d; %s as success", code, p.counts)
	case code >= 500 && code < 600:
		return callback.ClassStatus, strings.TrimSpace(fmt.Sprintf("%d %s", code, a.Reason)) + ": the endpoint answered with an error"
	}
	if s := refusal(code, j.cb.Auth, a.RetryAfter); s != "" {
		return callback.ClassStatus, fmt.Sprintf("%d: %s", code, s)
	}
	return callback.ClassStatus, strings.TrimSpace(fmt.Sprintf("%d %s", code, a.Reason))
}

// refusal returns the words for the status codes by which an endpoint turns a
// request away.
func refusal(code int, auth callback.Auth, wait time.Duration) string {
	switch code {
	case 400:
		return "the endpoint finds the request faulty"
	case 401, 403:
		word := "refuses"
		if code == 403 {
			word = "forbids"
		}
		if auth.Type == callback.AuthNone || auth.Key.IsZero() {
			return "the endpoint " + word + " a request without a key"
		}
		if code == 403 {
			return "the endpoint forbids what our key asks for (" + auth.Type.String() + ")"
		}
		return "the endpoint refuses our key (" + auth.Type.String() + ")"
	case 404:
		return "the endpoint knows nothing under the path of the URL"
	case 410:
		return "the endpoint says the URL is gone for good"
	case 413:
		return "the endpoint finds the response too large"
	case 429:
		if wait > 0 {
			return "the endpoint asks for fewer requests, and none for " + long(wait)
		}
		return "the endpoint asks for fewer requests"
	}
	return ""
}

// retryAfter reads the header of RFC 9110 10.2.3: seconds, or a date; 0 when
// there is none that can be read.
func retryAfter(v string, now time.Time) time.Duration {
	v = strings.TrimSpace(v)
	if v == "" {
		return 0
	}
	if strings.Trim(v, "0123456789") == "" {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n > int64(maxWait/time.Second) {
			return maxWait // only overflow is left to go wrong
		}
		return time.Duration(n) * time.Second
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now).Round(time.Second), 0), maxWait)
}

// whatCounts returns what the sentences say of the codes that are a success.
func whatCounts(success func(int) bool) string {
	var codes []string
	all := true
	for code := 100; code < 1000; code++ {
		if success(code) {
			codes = append(codes, strconv.Itoa(code))
		}
		all = all && success(code) == (code >= 200 && code < 300)
	}
	switch n := len(codes); {
	case all:
		return "only 2xx counts"
	case n == 1:
		return "only " + codes[0] + " counts"
	case n > 1 && n <= 4:
		codes = slices.Concat(codes[:n-2], []string{codes[n-2] + " and " + codes[n-1]})
		return "only " + strings.Join(codes, ", ") + " count"
	}
	return "it does not count"
}
