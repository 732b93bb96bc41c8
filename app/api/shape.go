package api

import (
	"math"
	"strconv"
	"time"

	"ringback/callback"
)

// This file holds the shapes that are ringback's own, and the units of all.

// stamp is an instant as it is sent: RFC 3339, UTC, milliseconds; absent when
// zero.
type stamp time.Time

const stampForm = "2006-01-02T15:04:05.000Z07:00"

// IsZero reports whether there is no instant.
func (s stamp) IsZero() bool { return time.Time(s).IsZero() }

// MarshalText implements encoding.TextMarshaler.
func (s stamp) MarshalText() ([]byte, error) {
	return time.Time(s).UTC().AppendFormat(nil, stampForm), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *stamp) UnmarshalText(b []byte) error {
	t, err := time.Parse(time.RFC3339, string(b))
	*s = stamp(t.UTC())
	return err
}

// millis is a length of time as it is sent: a number of milliseconds with at
// most three decimals.
type millis time.Duration

// MarshalJSON writes the number.
func (m millis) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(time.Duration(m).Microseconds())/1000, 'f', -1, 64), nil
}

// UnmarshalJSON reads the number.
func (m *millis) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(string(b), 64)
	*m = millis(math.Round(f * float64(time.Millisecond)))
	return err
}

// durationWord returns d as a callback's fields have it, "" for none.
func durationWord(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// paramsShape is an object whose members keep their order.
type paramsShape []callback.Param

// errorShape says what went wrong: a word for machines, a sentence for people.
type errorShape struct {
	Class      string `json:"class,omitempty"`
	StatusCode int    `json:"statusCode,omitzero"`
	Message    string `json:"message,omitempty"`
}

// attemptShape is one attempt.
type attemptShape struct {
	Number          int         `json:"number"`
	AttemptedDate   stamp       `json:"attemptedDate,omitzero"`
	StatusCode      int         `json:"statusCode"`
	StatusMessage   string      `json:"statusMessage"`
	Error           *errorShape `json:"error,omitzero"` // none: it counts as a success
	DurationMs      millis      `json:"durationMs"`
	Timing          timingShape `json:"timing"`
	Reused          bool        `json:"reusedConnection,omitzero"`
	Peer            string      `json:"peer,omitempty"`
	TLS             string      `json:"tls,omitempty"`
	CertificateEnds stamp       `json:"certificateEndDate,omitzero"`
	ResponseExcerpt string      `json:"responseExcerpt,omitempty"`
	Manual          bool        `json:"manual,omitzero"`
}

// timingShape is in milliseconds; a stage that was not needed is 0.
type timingShape struct {
	DNS       millis `json:"dns"`
	Connect   millis `json:"connect"`
	TLS       millis `json:"tls"`
	FirstByte millis `json:"firstByte"`
}

// attemptRow is one attempt in the flat view.
type attemptRow struct {
	CallID     callback.CallID     `json:"callId"`
	CallbackID callback.CallbackID `json:"callbackId"`
	Callback   string              `json:"callbackName"`
	MessageID  string              `json:"messageId"`
	Status     string              `json:"status"`
	attemptShape
	Link []link `json:"link"`
}

type attemptList struct {
	listHead
	Attempts []attemptRow `json:"attempts"`
	listTail
}

// healthShape is how a callback does.
type healthShape struct {
	ID         callback.CallbackID `json:"id"`
	Name       string              `json:"name"`
	State      string              `json:"state"`
	StateSince stamp               `json:"stateSince,omitzero"`
	Deleted    bool                `json:"deleted,omitzero"`
	Gate       gateShape           `json:"gate"`
	Outage     *outageState        `json:"outage,omitzero"` // the present or last one
	Counts     countsShape         `json:"counts"`
	Retry      *retryShape         `json:"retry,omitzero"` // none: no retry by filter was ever asked for

	Suspended     bool   `json:"suspended"`
	SuspendedBy   string `json:"suspendedBy,omitempty"`
	SuspendedDate stamp  `json:"suspendedDate,omitzero"`
	SuspendedMs   millis `json:"suspendedMs,omitzero"` // in all, before the present suspension
	ResumedDate   stamp  `json:"resumedDate,omitzero"`

	LastSuccessDate stamp       `json:"lastSuccessDate,omitzero"`
	LastFailureDate stamp       `json:"lastFailureDate,omitzero"`
	LastError       *errorShape `json:"lastError,omitzero"`
	Running         int         `json:"running"`
	RunningManual   int         `json:"runningManual,omitzero"`
	NextTickDate    stamp       `json:"nextTickDate,omitzero"`
	ExpireDate      stamp       `json:"expireDate,omitzero"`
}

type gateShape struct {
	State     string `json:"state"`
	Limit     int    `json:"limit,omitzero"`
	Good      int    `json:"good,omitzero"`
	Opened    stamp  `json:"openedDate,omitzero"`
	NextProbe stamp  `json:"nextProbeDate,omitzero"`
	Last      stamp  `json:"lastAttemptDate,omitzero"`
}

// retryShape tells what became of the calls that were last sent again by filter.
type retryShape struct {
	Began     stamp  `json:"beganDate,omitzero"`
	Last      stamp  `json:"lastDate,omitzero"`
	Calls     uint64 `json:"calls"`
	Delivered uint64 `json:"delivered"`
	Failed    uint64 `json:"failed"`
	Resolved  uint64 `json:"resolved"`
	Waiting   uint64 `json:"waiting"`
	Once      uint64 `json:"once,omitzero"`
}

type countsShape struct {
	Accepted  uint64 `json:"accepted"`
	Pending   uint64 `json:"pending"`
	Retrying  uint64 `json:"retrying"`
	Delivered uint64 `json:"delivered"`
	Resolved  uint64 `json:"resolved"`
	Failed    uint64 `json:"failed"`
	Purged    uint64 `json:"purged"`
	Skipped   uint64 `json:"skipped"`
}

// outageState is an outage as far as a callback's own record goes.
type outageState struct {
	Number         uint32     `json:"number"`
	Phase          string     `json:"phase"`
	StartedDate    stamp      `json:"startedDate,omitzero"`
	HealthyDate    stamp      `json:"healthyDate,omitzero"`
	ClosedDate     stamp      `json:"closedDate,omitzero"`
	Failures       uint64     `json:"failures"`
	Calls          uint64     `json:"calls"`
	Delivered      uint64     `json:"delivered"`
	GivenUp        uint64     `json:"givenUp"`
	First          errorShape `json:"first"`
	AcknowledgedBy string     `json:"acknowledgedBy,omitempty"`
}

// outageShape is one outage in a list.
type outageShape struct {
	ID       string      `json:"id"`
	Callback namedShape  `json:"callback"`
	Ended    stamp       `json:"endedDate,omitzero"`
	State    outageState `json:"outage"`
	Alerts   []alertView `json:"alerts"`
}

type namedShape struct {
	ID   callback.CallbackID `json:"id"`
	Name string              `json:"name"`
}

type outageList struct {
	listHead
	Outages []outageShape `json:"outages"`
	listTail
}

// alertView is one alert.
type alertView struct {
	ID          string              `json:"id"`
	Kind        callback.AlertKind  `json:"kind"`
	CallbackID  callback.CallbackID `json:"callbackId"`
	Outage      uint32              `json:"outage,omitzero"`
	CallID      *callback.CallID    `json:"callId,omitzero"`
	Attempt     int                 `json:"attempt,omitzero"`
	Created     stamp               `json:"createdDate,omitzero"`
	Since       stamp               `json:"sinceDate,omitzero"`
	Until       stamp               `json:"untilDate,omitzero"`
	Delivered   uint64              `json:"delivered"`
	StillFailed uint64              `json:"stillFailed"`
	GivenUp     uint64              `json:"givenUp"`
	Failures    uint64              `json:"failures"`
	Status      string              `json:"status"`
	To          string              `json:"to,omitempty"`
	Tries       int                 `json:"tries"`
	Mails       int                 `json:"mails,omitzero"`
	NextTry     stamp               `json:"nextTryDate,omitzero"`
	Sent        stamp               `json:"sentDate,omitzero"`
	Reply       string              `json:"reply,omitempty"`
}

type alertList struct {
	listHead
	Alerts []alertView `json:"alerts"`
	listTail
}

// serverShape tells about the appliance.
type serverShape struct {
	Name              string        `json:"name"`
	Version           string        `json:"version"`
	ID                string        `json:"id"`
	Started           stamp         `json:"startedDate,omitzero"`
	Now               stamp         `json:"nowDate,omitzero"`
	DataDir           string        `json:"dataDir,omitempty"`
	Listen            string        `json:"listen,omitempty"`
	MailServer        string        `json:"mailServer,omitempty"`
	Role              callback.Role `json:"role"`
	ReadOnly          bool          `json:"readOnly"`
	Demo              bool          `json:"demo"`
	Running           int           `json:"running"`
	MaxInFlight       int           `json:"maxInFlight"`
	IntervalMs        millis        `json:"intervalMs"`
	WindowMs          millis        `json:"windowMs"`
	ConnectTimeoutMs  millis        `json:"connectTimeoutMs"`
	ResponseTimeoutMs millis        `json:"responseTimeoutMs"`
	KeyHeader         string        `json:"keyHeader,omitempty"`
	ClockDoubtful     bool          `json:"clockDoubtful,omitzero"`
}

// overviewShape is the first screen.
type overviewShape struct {
	Now               stamp          `json:"nowDate,omitzero"`
	AcceptedPerSecond float64        `json:"acceptedPerSecond"`
	SentPerSecond     float64        `json:"sentPerSecond"`
	Running           int            `json:"running"`
	Waiting           uint64         `json:"waiting"`
	DueNow            uint64         `json:"dueNow"`
	MailOK            bool           `json:"mailOk"`
	MailNote          string         `json:"mailNote,omitempty"`
	Callbacks         []healthRow    `json:"callbacks"`
	Events            []eventOutline `json:"events"`
}

// healthRow is one callback of an overview.
type healthRow struct {
	Callback callbackShape `json:"callback"` // with its health
	Shown    string        `json:"shown"`
	OK       uint64        `json:"ok"`
	Bad      uint64        `json:"failed"`
	Cells    [][2]uint32   `json:"cells"` // ok and failed, oldest first
	P50      millis        `json:"p50Ms,omitzero"`
	P95      millis        `json:"p95Ms,omitzero"`
	Oldest   stamp         `json:"oldestWaitingDate,omitzero"`
	NextTry  stamp         `json:"nextTryDate,omitzero"`
	LastTry  bool          `json:"lastTry,omitzero"`
	Alert    *alertView    `json:"alert,omitzero"`
	Latest   *alertView    `json:"latestAlert,omitzero"`
}

type eventOutline struct {
	At       stamp  `json:"date,omitzero"`
	Callback string `json:"callback"`
	State    string `json:"state"`
	Text     string `json:"text"`
}

// watchLine is one line of the stream of changes. A line without a callback
// tells only that there is a new revision, or that the server is there.
type watchLine struct {
	Rev      uint64       `json:"rev"`
	Callback *healthShape `json:"callback,omitzero"`
}

// aliveShape answers whether the process lives, readyShape whether it works.
type aliveShape struct {
	Status  string `json:"status"`
	Version string `json:"version,omitempty"`
}

type readyShape struct {
	Ready bool     `json:"ready"`
	Why   []string `json:"why,omitempty"`
}
