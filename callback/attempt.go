package callback

import (
	"strconv"
	"time"
)

// Class says in one word how an attempt went. The set is closed.
type Class uint8

// The classes of an attempt. Their words are Class.String's.
const (
	ClassOK Class = iota
	ClassDNS
	ClassRefused
	ClassUnreachable
	ClassConnectTimeout
	ClassReset // the connection broke before an answer
	ClassTLS
	ClassAnswerTimeout
	ClassProtocol // what came was not HTTP
	ClassStatus   // an answer, but not a success
	ClassRedirect // an answer that points elsewhere; never followed
	ClassDenied   // not sent: the address is forbidden
	ClassInterrupted
	ClassInternal // not sent: the request could not be built
	numClasses
)

var classWords = [numClasses]string{
	"", "dns", "refused", "unreachable", "connect timeout", "reset", "tls", "answer timeout",
	"protocol", "status", "redirect", "denied", "interrupted", "internal",
}

// String returns the machine word of the class; "" for a success.
func (c Class) String() string {
	if c < numClasses {
		return classWords[c]
	}
	return "unknown"
}

// ParseClass returns the class of a machine word.
func ParseClass(word string) (Class, bool) {
	for c, w := range classWords {
		if w == word {
			return Class(c), true
		}
	}
	return 0, false
}

// Unreachable reports whether an attempt of this class, made on a fresh
// connection, says that no other call could have got through either.
func (c Class) Unreachable() bool {
	switch c {
	case ClassDNS, ClassRefused, ClassUnreachable, ClassConnectTimeout, ClassReset, ClassTLS, ClassAnswerTimeout:
		return true
	}
	return false
}

// Attempt is one HTTP POST made for a call, as it went. All text in it is
// sanitised and bounded by who made it.
type Attempt struct {
	Number   int       // 1 for the first of a call
	Started  time.Time // when the attempt began
	Duration time.Duration
	OK       bool   // it counts as a success
	Code     int    // HTTP status, 0 without an answer
	Reason   string // reason phrase of the answer, or a short word such as "connect timeout after 5s"
	Class    Class
	Error    string // a plain sentence; "" for a success
	Timing   Timing
	Reused   bool   // sent on a connection kept from an earlier attempt
	Peer     string // address that was dialled, "" when none was
	TLS      string // "TLS 1.3", "" without TLS
	CertEnds time.Time
	Excerpt  string // beginning of the answer's body: at most MaxExcerpt bytes of a failure's, less of a success's
	Manual   bool   // asked for by a person

	// RetryAfter is how long the endpoint asked to be left alone; it is not kept.
	RetryAfter time.Duration
}

// Timing says how long the stages of an attempt took. A stage that was not
// reached, or not needed on a kept connection, is 0.
type Timing struct{ DNS, Connect, TLS, FirstByte time.Duration }

// Limits of what an attempt keeps.
const (
	MaxReason  = 80
	MaxError   = 240
	MaxExcerpt = 1024
)

// Short returns at most 14 cells that say how the attempt went: the status
// code, or two words.
func (a *Attempt) Short() string {
	if a.Code != 0 {
		return strconv.Itoa(a.Code)
	}
	switch a.Class {
	case ClassConnectTimeout:
		return "no connection"
	case ClassAnswerTimeout:
		return "no answer"
	case ClassDNS:
		return "no such host"
	case ClassDenied:
		return "forbidden addr"
	case ClassProtocol:
		return "not HTTP"
	case ClassTLS:
		return "TLS failed"
	case ClassReset:
		return "conn closed"
	}
	return a.Class.String()
}

// Advice returns one sentence on what to look at when attempts fail so; "" for
// a success.
func (a *Attempt) Advice() string {
	switch a.Class {
	case ClassDNS:
		return "Check the spelling of the host and this server's DNS."
	case ClassRefused:
		return "The host is up, the service is not, or a firewall rejects the port."
	case ClassUnreachable, ClassConnectTimeout:
		return "Check that the host is up and that no firewall drops the connection."
	case ClassReset:
		return "Look in the endpoint's log, or at a proxy in between, for why it hung up."
	case ClassTLS:
		return "Check the endpoint's certificate and the CA set for the callback."
	case ClassAnswerTimeout:
		return "The endpoint took the request and stayed silent: look for what blocks it."
	case ClassProtocol:
		return "Something other than an HTTP server listens there: check port and scheme."
	case ClassRedirect:
		return "Register the URL it points to; redirects are not followed."
	case ClassDenied:
		return "The address is denied by [delivery] deny or allow_private."
	case ClassInterrupted:
		return "Nothing at the endpoint: ringback was stopped meanwhile, and sends it again."
	case ClassInternal:
		return "Look in ringback's own log for what kept the request from being sent."
	case ClassStatus:
		return statusAdvice(a.Code)
	}
	return ""
}

func statusAdvice(code int) string {
	switch {
	case code == 401 || code == 403:
		return "Check the callback's auth type and key."
	case code == 404 || code == 405 || code == 410:
		return "Check the path of the callback's URL."
	case code == 413:
		return "The endpoint's body limit is smaller than the response."
	case code == 429:
		return "Lower maxInFlight, or raise the endpoint's limit."
	case code >= 500:
		return "Look in the endpoint's own log: it failed on its side."
	case code >= 200 && code < 300:
		return "The endpoint must answer 200, or success_codes be widened."
	}
	return "Look in the endpoint's log for why it refused the request."
}
