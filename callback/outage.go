package callback

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// OutagePhase is where the outage of a callback stands.
type OutagePhase uint8

// The phases.
const (
	NoOutage   OutagePhase = iota
	OutageOpen             // failing
	Recovering             // a success was seen; over when it lasts
)

// OutageState is the part of Live that follows outages. Its zero value is a
// callback that never failed.
type OutageState struct {
	Phase   OutagePhase
	N       uint32    // number of the last outage of this callback
	Started time.Time // of outage N
	Healthy time.Time // while Recovering: the success that began it
	Closed  time.Time // when outage N was declared over

	Failures  uint64 // failed attempts in outage N
	Calls     uint64 // calls that failed in it for the first time
	Delivered uint64
	GivenUp   uint64

	First     Class // how it began
	FirstCode int
	FirstText string
	Told      bool   // a mail about it was owed when it began
	Acked     string // who acknowledged it, or ""
}

// Outage is the record of one outage, kept until retention removes it.
type Outage struct {
	Num   Num
	Ended time.Time // zero while it lasts; the success that it ended with
	OutageState
}

// Taken returns how many mails of a a mail server is known to have taken. The
// next one is the same on every try, whatever ends the process meanwhile.
func (a *Alert) Taken() int {
	if a.Mails == 0 && !a.Sent.IsZero() {
		return 1
	}
	return a.Mails
}

// EndedBefore reports whether o is over since before horizon.
func (o *Outage) EndedBefore(horizon time.Time) bool {
	return !o.Ended.IsZero() && o.Ended.Before(horizon)
}

// Pacing keeps a callback's e-mails apart.
type Pacing struct {
	GivenUp    uint64    // calls given up since the last digest
	DigestAt   time.Time // when the next digest is due; zero: none
	LastDigest time.Time
	Hour       time.Time // every-call mode: the hour being counted
	Sent       int       // alerts of that hour
	Suppressed uint64    // failures of that hour beyond the ceiling
}

// AlertKind says what an e-mail is about.
type AlertKind string

// The kinds of alert.
const (
	AlertOutage    AlertKind = "outage"
	AlertRecovered AlertKind = "recovered"
	AlertDigest    AlertKind = "digest"
	AlertCall      AlertKind = "call"
	AlertSummary   AlertKind = "summary"
	AlertSuspended AlertKind = "suspended"
)

// Alert is one e-mail that ringback owes somebody. It is stored in the commit
// that caused it and kept until the mail server took it.
type Alert struct {
	Key      string // unique; the Message-IDs are made from it
	Kind     AlertKind
	Num      Num
	Callback CallbackID
	Outage   uint32 // number of the outage it is about, or last was
	Call     CallID // the call it is about, or 0
	Attempt  int    // the attempt it is about, or 0
	Created  time.Time
	Since    time.Time // beginning of what it tells of
	Until    time.Time // and its end

	Delivered, StillFailed, GivenUp, Failures uint64

	// The rest belongs to the outbox.
	Status AlertStatus
	To     string // whom it was last sent to
	Tries  int
	Next   time.Time // while AlertWaiting: not before this
	Sent   time.Time
	Reply  string // what the mail server last said, sanitised
	Mails  int    // that a mail server took; of those sent before there was this field none counts
}

// AlertStatus is where an alert stands.
type AlertStatus uint8

// The statuses of an alert.
const (
	AlertWaiting AlertStatus = iota
	AlertSent
	AlertRefused // for good, by the mail server or for want of an address
	AlertExpired
)

// String returns the word of the status.
func (s AlertStatus) String() string {
	return [...]string{"waiting", "sent", "refused", "expired"}[s]
}

// EndedBefore reports whether a is done with since before horizon: it does not
// wait, and neither arose nor was sent later.
func (a *Alert) EndedBefore(horizon time.Time) bool {
	return a.Status != AlertWaiting && a.Created.Before(horizon) && a.Sent.Before(horizon)
}

// AlertLife is how long an alert that cannot be sent is tried.
const AlertLife = 3 * 24 * time.Hour

// SendAgain makes the alert wait for its next try, at now, whatever became of
// it: somebody asked for that. It goes to the callback's present address, also
// where an earlier try had to go to the administrator instead.
func (a *Alert) SendAgain(now time.Time) {
	a.Status, a.Next, a.To = AlertWaiting, now, ""
}

func alertKey(kind AlertKind, id CallbackID, what any) string {
	return fmt.Sprintf("%s/%s/%v", kind, id, what)
}

// ID is how the alert is named from outside: a key has slashes, which a path
// cannot carry as they are, and no hyphens.
func (a *Alert) ID() string { return strings.ReplaceAll(a.Key, "/", "-") }

// ParseAlertID returns the key of the alert that s names: its ID, or the key
// itself. That there is such an alert is not checked.
func ParseAlertID(s string) string { return strings.ReplaceAll(s, "-", "/") }

// OutageID is how outage n of a callback, by its id or name, is named from
// outside.
func OutageID(ref string, n uint32) string { return ref + "-" + strconv.FormatUint(uint64(n), 10) }

// ParseOutageID reads what OutageID wrote; a name may have hyphens in it.
func ParseOutageID(s string) (ref string, n uint32, ok bool) {
	i := strings.LastIndexByte(s, '-')
	if i < 1 {
		return "", 0, false
	}
	v, err := strconv.ParseUint(s[i+1:], 10, 32)
	return s[:i], uint32(v), err == nil && v > 0
}

// AlertOf returns the callback that the alert with that key is of.
func AlertOf(key string) (CallbackID, bool) {
	parts := strings.Split(key, "/")
	if len(parts) != 3 {
		return 0, false
	}
	id, err := ParseCallbackID(parts[1])
	return id, err == nil
}
