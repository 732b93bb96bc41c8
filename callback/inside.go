package callback

import (
	"context"
	"strings"
	"time"
)

// Inspector tells what goes on inside the appliance. All of it is gathered when
// it is asked for, and bounded. What cannot be known is zero, where zero can
// mean nothing else, and says so where it could.
type Inspector interface {
	// QueueShape tells how the calls stand that wait. They are counted when
	// somebody asks, but the more wait the more seldom: Counted says when.
	QueueShape(ctx context.Context) (QueueShape, error)
	// System tells how the appliance itself does.
	System(ctx context.Context) (System, error)
	// Log returns lines of the log behind that number, oldest first: the first
	// max of them, or for 0 the last. max is at most KeptLines, 0: that many.
	// Lines that are no longer kept are left out: the numbers tell.
	Log(ctx context.Context, after uint64, max int) ([]LogLine, error)
}

// Caretaker does upkeep when a person asks for it.
type Caretaker interface {
	// Do begins a chore, and returns at once: what comes of it is in
	// System.Chores, and in the log. CodeConflict: that chore runs, or cannot be
	// done here.
	Do(ctx context.Context, c Chore, by string) error
}

// Bounds of what an Inspector returns.
const (
	MaxQueueRows  = 100    // callbacks of a QueueShape
	MaxInFlight   = 100    // attempts of a QueueShape
	MaxQueueScan  = 100000 // waiting calls that are looked at, at most, to count them
	KeptLines     = 10_000 // lines of the log in memory
	MaxLineText   = 1024   // bytes of one
	QueueMinutes  = 60     // of QueueShape.Flow, and of Throughput.Cells
	MaxChoreReply = 512    // bytes of ChoreRun.Said
)

// The parts of QueueShape.Due, by when a call is due. Between DueNow and
// DueLater stand the next five minutes, one each.
const (
	DueLate    = iota // more than LateAfter ago
	DueNow            // and it was not taken yet
	DueMinute         // within the first minute; four more follow
	DueLater   = DueMinute + 5
	DueBuckets = DueLater + 1
)

// LateAfter is how long a call may be due before it is late.
const LateAfter = time.Second

// DueBucket returns the part of QueueShape.Due that a call belongs to.
func DueBucket(now, due time.Time) int {
	switch wait := due.Sub(now); {
	case wait < -LateAfter:
		return DueLate
	case wait <= 0:
		return DueNow
	case wait <= 5*time.Minute:
		return DueMinute + int((wait-1)/time.Minute)
	}
	return DueLater
}

// AgeBounds are the upper bounds of all but the last part of QueueRow.Ages,
// which has no bound.
var AgeBounds = [...]time.Duration{
	5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// AgeBuckets is how many parts QueueRow.Ages has.
const AgeBuckets = len(AgeBounds) + 1

// AgeBucket returns the part of QueueRow.Ages of a call that is so old.
func AgeBucket(age time.Duration) int {
	for i, bound := range AgeBounds {
		if age < bound {
			return i
		}
	}
	return len(AgeBounds)
}

// QueueShape tells how the calls stand that wait, and what runs.
type QueueShape struct {
	Now     time.Time
	Counted time.Time // when Due and the ages were counted

	// Waiting is how many calls wait, those that run included; Held is how many of
	// them wait for a probe or for somebody to resume their callback. Both are
	// exact. Due counts those that are not held and do not run.
	Waiting, Held uint64
	Due           [DueBuckets]uint64
	Partial       bool // more wait than were looked at: Due and some ages are "at least"

	Callbacks []QueueRow // of which calls wait, the most first; at most MaxQueueRows
	More      int        // how many more such callbacks there are

	Running, MaxInFlight int
	InFlight             []InFlight // at most MaxInFlight, those that run longest first
	FullSeconds          int        // of the last hour, in which no slot was free
	Flow                 []Flow     // minute by minute, oldest first; the last one is not over
}

// QueueRow is the part of a QueueShape that belongs to one callback.
type QueueRow struct {
	CallbackID CallbackID
	Callback   string // name
	State      State
	Held       bool               // its calls wait for a probe, or for somebody to resume it
	Waiting    uint64             // exact
	Ages       [AgeBuckets]uint64 // by age: since the first failure, or since it came
	Partial    bool               // Ages are "at least"
	GivesUp    time.Time          // when the first of them is given up; zero: not known, or its time stands still
}

// InFlight is an attempt that runs.
type InFlight struct {
	Call       CallID // 0: a test
	CallbackID CallbackID
	Callback   string // name
	Since      time.Time
	Stage      Stage
	To         string // address, "" before there is one
}

// Stage is how far an attempt has come.
type Stage string

// The stages, in their order.
const (
	StageDNS     Stage = "dns"
	StageConnect Stage = "connect"
	StageProxy   Stage = "proxy" // waiting for it
	StageTLS     Stage = "tls"
	StageAnswer  Stage = "answer" // sent, or being sent; waiting for an answer
	StageBody    Stage = "body"   // reading it
)

// Flow is what one minute brought: calls that came, calls that left (they were
// delivered, given up or resolved), and how many were left at its end.
type Flow struct {
	At            time.Time // its beginning
	In, Out, Left uint64
}

// System tells how the appliance itself does.
type System struct {
	Now time.Time

	Accepted  Throughput // responses that were taken
	Delivered Throughput // attempts that succeeded
	Failed    Throughput // attempts that failed

	Accept Digest // from a request to its answer, of requests that enqueue
	Commit Digest // of the store, sync to disk included
	Lag    Digest // from when a call is due to its attempt, where its callback is not held back
	Answer Digest // of endpoints, whatever they answered

	Storage Storage
	Process Process
	Mail    MailState
	API     APIState
	Viewers []Viewer
	Chores  []ChoreRun // the last of each kind
}

// Throughput is how many a second.
type Throughput struct {
	Now, Minute, Hour float64 // over the last 10 seconds, minute, hour
	Peak              float64 // the best second of the last 24 hours
	PeakAt            time.Time
	Cells             []float64 // the last hour minute by minute, oldest first; the last one is not over
}

// Digest sums up how long something took over the last hour. Percentiles are
// rounded up, by an eighth at most.
type Digest struct {
	Count              uint64 // 0: the rest is not known
	P50, P90, P99, Max time.Duration
}

// Storage is where everything is kept.
type Storage struct {
	Dir                  string
	Free, Total          uint64    // bytes of its file system; Total 0: not known
	Refuses              uint64    // below so many free bytes nothing is accepted
	Used                 uint64    // bytes of the data folder; 0: not known
	Grows                int64     // bytes a day, as measured since GrowsSince
	GrowsSince           time.Time // zero: not known yet
	LSM, ValueLog        uint64    // bytes of the engine's trees and logs; both 0: not known
	Tables               []int     // by level; empty: not known
	Files                int       // that the engine holds open; 0: not known
	Calls                uint64    // that are kept
	Oldest               time.Time // when the oldest of them came
	KeepDone, KeepFailed time.Duration
	Cleanup              Cleanup
}

// Cleanup is one run of retention that removed something.
type Cleanup struct {
	At      time.Time // zero: none yet
	Took    time.Duration
	Removed uint64 // calls
}

// Process is the operating system's view.
type Process struct {
	PID             int
	Version         string
	Started         time.Time
	CPU             float64 // share of one core, lately; below 0: not known
	Cores           int
	RSS, Heap       uint64
	Goroutines      int
	Files, MaxFiles int           // descriptors; 0: not known
	FewFiles        bool          // what all else leaves of them to the store may not do
	GCPause         time.Duration // 99 of 100 were no longer; 0: there were none
	ClockDoubtful   bool          // the clock jumped, and is not followed
	Starts          []Start       // the latest first, this one included
}

// FewFiles reports whether a store that holds so many files open may come to lack
// some, where so many are left to it: compaction writes tables anew before it
// removes what they hold, and what waits grows.
func FewFiles(open, left int) bool { return 2*open > left }

// Start is one life of the appliance.
type Start struct {
	At          time.Time
	Ended       time.Time // zero: it runs, or was killed
	Version     string
	Interrupted int // attempts that the life before left unfinished
}

// MailState is how alerts go out.
type MailState struct {
	Server   string // "": none is configured
	OK       bool
	Note     string    // what is wrong
	Sent     uint64    // since the start
	LastSent time.Time // zero: none since the start
	Waiting  int
	Failed   int       // of the last 500 alerts, those refused or expired
	CertEnds time.Time // of the mail server's certificate; zero: not known
}

// APIState is what the HTTP interface answered.
type APIState struct {
	Listen  string
	Answers []AnswerCount // of the last minute, by status
	Keys    []string      // names of those used within the last hour
}

// AnswerCount is how often a status was answered.
type AnswerCount struct {
	Status int
	Count  uint64
}

// Viewer is somebody who follows what happens.
type Viewer struct {
	By       string
	From     string // address, "" within the process
	Role     Role
	ReadOnly bool
	Embedded bool // the screen of the server's own process
	Since    time.Time
}

// Chore is upkeep that a person can ask for.
type Chore string

// The chores.
const (
	ChoreGarbage Chore = "garbage" // give space of the value log back
	ChoreBackup  Chore = "backup"  // write a backup into the folder backups of the data folder
	ChoreMail    Chore = "mail"    // send a mail to the administrator
)

// Chores are all of them.
var Chores = []Chore{ChoreGarbage, ChoreBackup, ChoreMail}

// NoChore is the fault of asking for a chore that there is not.
func NoChore(c Chore) error {
	return Errorf(CodeInvalid, "there is no chore %q", Sanitize(string(c), 40))
}

// ChoreRun is what came of a chore.
type ChoreRun struct {
	Chore          Chore
	By             string // "": it was time for it
	Started, Ended time.Time
	OK             bool
	Said           string // what came of it, or what went wrong
	Bytes          int64  // that were freed, or written
}

// Runs reports whether it is not over.
func (r *ChoreRun) Runs() bool { return r.Ended.IsZero() }

// LogLine is a line of the log. Its text is sanitised.
type LogLine struct {
	Seq   uint64 // counts the lines since the start, from 1
	At    time.Time
	Level LogLevel
	Part  string // where it comes from, such as delivery, mail, store or api
	Text  string

	// What it is about, where it is about something: Text does not repeat it.
	Callback  string // name
	Call      CallID
	Operation string
}

// Matches reports whether each word of text stands in the line, or in what it is
// about, in any case.
func (l *LogLine) Matches(text string) bool {
	about := []string{l.Text, l.Part, string(l.Level), l.Callback, l.Operation}
	if l.Call != 0 {
		about = append(about, l.Call.String())
	}
	all := strings.ToLower(strings.Join(about, "\n"))
	for word := range strings.FieldsSeq(strings.ToLower(text)) {
		if !strings.Contains(all, word) {
			return false
		}
	}
	return true
}

// LogLevel is how much a line matters.
type LogLevel string

// The levels.
const (
	LevelDebug LogLevel = "debug"
	LevelInfo  LogLevel = "info"
	LevelWarn  LogLevel = "warn"
	LevelError LogLevel = "error"
)
