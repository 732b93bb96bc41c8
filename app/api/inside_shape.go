package api

import "ringback/callback"

// queueShape tells how the calls stand that wait.
type queueShape struct {
	Now         stamp           `json:"nowDate,omitzero"`
	Counted     stamp           `json:"countedDate,omitzero"`
	Waiting     uint64          `json:"waiting"`
	Held        uint64          `json:"held"`
	Due         []uint64        `json:"due"`
	Partial     bool            `json:"partial"`
	Callbacks   []queueRow      `json:"callbacks"`
	More        int             `json:"more"`
	Running     int             `json:"running"`
	MaxInFlight int             `json:"maxInFlight"`
	InFlight    []inFlightShape `json:"inFlight"`
	FullSeconds int             `json:"fullSeconds"`
	Flow        []flowShape     `json:"flow"`
}

type queueRow struct {
	Callback namedShape `json:"callback"`
	State    string     `json:"state"`
	Held     bool       `json:"held"`
	Waiting  uint64     `json:"waiting"`
	Ages     []uint64   `json:"ages"`
	Partial  bool       `json:"partial"`
	GivesUp  stamp      `json:"giveUpDate,omitzero"`
}

type inFlightShape struct {
	CallID   *callback.CallID `json:"callId,omitzero"` // none: a test
	Callback namedShape       `json:"callback"`
	Since    stamp            `json:"sinceDate,omitzero"`
	Stage    callback.Stage   `json:"stage"`
	To       string           `json:"to,omitempty"`
}

type flowShape struct {
	At   stamp  `json:"date,omitzero"`
	In   uint64 `json:"accepted"`
	Out  uint64 `json:"finished"`
	Left uint64 `json:"waiting"`
}

// systemShape tells how the appliance itself does.
type systemShape struct {
	Now       stamp           `json:"nowDate,omitzero"`
	Accepted  throughputShape `json:"accepted"`
	Delivered throughputShape `json:"delivered"`
	Failed    throughputShape `json:"failed"`
	Accept    digestShape     `json:"acceptTime"`
	Commit    digestShape     `json:"commitTime"`
	Lag       digestShape     `json:"startLag"`
	Answer    digestShape     `json:"answerTime"`
	Storage   storageShape    `json:"storage"`
	Process   processShape    `json:"process"`
	Mail      mailShape       `json:"mail"`
	API       apiShape        `json:"api"`
	Viewers   []viewerShape   `json:"viewers"`
	Chores    []choreShape    `json:"chores"`
}

// throughputShape is how many a second.
type throughputShape struct {
	Now    float64   `json:"now"`
	Minute float64   `json:"minute"`
	Hour   float64   `json:"hour"`
	Peak   float64   `json:"peak"`
	PeakAt stamp     `json:"peakDate,omitzero"`
	Cells  []float64 `json:"cells"`
}

// digestShape sums up how long something took; all but the count is absent
// where there was nothing.
type digestShape struct {
	Count uint64 `json:"count"`
	P50   millis `json:"p50Ms,omitzero"`
	P90   millis `json:"p90Ms,omitzero"`
	P99   millis `json:"p99Ms,omitzero"`
	Max   millis `json:"maxMs,omitzero"`
}

type storageShape struct {
	Dir          string `json:"dir,omitempty"`
	Free         uint64 `json:"freeBytes"`
	Total        uint64 `json:"totalBytes,omitzero"`
	Refuses      uint64 `json:"refusesBelowBytes,omitzero"`
	Used         uint64 `json:"usedBytes,omitzero"`
	Grows        int64  `json:"growsBytesPerDay,omitzero"`
	GrowsSince   stamp  `json:"growsSinceDate,omitzero"`
	LSM          uint64 `json:"lsmBytes,omitzero"`
	ValueLog     uint64 `json:"valueLogBytes,omitzero"`
	Tables       []int  `json:"tables,omitzero"`
	Files        int    `json:"openFiles,omitzero"`
	Calls        uint64 `json:"calls"`
	Oldest       stamp  `json:"oldestCallDate,omitzero"`
	KeepDoneMs   millis `json:"keepDeliveredMs,omitzero"`
	KeepFailedMs millis `json:"keepFailedMs,omitzero"`
	Cleaned      stamp  `json:"cleanupDate,omitzero"`
	CleanupMs    millis `json:"cleanupMs,omitzero"`
	Removed      uint64 `json:"cleanupCalls,omitzero"`
}

type processShape struct {
	PID           int          `json:"pid"`
	Version       string       `json:"version"`
	Started       stamp        `json:"startedDate,omitzero"`
	CPU           *float64     `json:"cpuShare,omitzero"` // none: not known
	Cores         int          `json:"cores"`
	RSS           uint64       `json:"rssBytes,omitzero"`
	Heap          uint64       `json:"heapBytes,omitzero"`
	Goroutines    int          `json:"goroutines"`
	Files         int          `json:"openFiles,omitzero"`
	MaxFiles      int          `json:"maxOpenFiles,omitzero"`
	FewFiles      bool         `json:"fewFiles,omitzero"`
	GCPauseMs     millis       `json:"gcPauseMs,omitzero"`
	ClockDoubtful bool         `json:"clockDoubtful"`
	Starts        []startShape `json:"starts"`
}

type startShape struct {
	At          stamp  `json:"startedDate,omitzero"`
	Ended       stamp  `json:"endedDate,omitzero"`
	Version     string `json:"version"`
	Interrupted int    `json:"interrupted"`
}

type mailShape struct {
	Server   string `json:"server,omitempty"`
	OK       bool   `json:"ok"`
	Note     string `json:"note,omitempty"`
	Sent     uint64 `json:"sent"`
	LastSent stamp  `json:"lastSentDate,omitzero"`
	Waiting  int    `json:"waiting"`
	Failed   int    `json:"failed"`
	CertEnds stamp  `json:"certificateEndDate,omitzero"`
}

type apiShape struct {
	Listen  string        `json:"listen,omitempty"`
	Answers []answerShape `json:"answers"`
	Keys    []string      `json:"keys"`
}

type answerShape struct {
	Status int    `json:"status"`
	Count  uint64 `json:"count"`
}

type viewerShape struct {
	By       string        `json:"by"`
	From     string        `json:"from,omitempty"`
	Role     callback.Role `json:"role"`
	ReadOnly bool          `json:"readOnly"`
	Embedded bool          `json:"embedded"`
	Since    stamp         `json:"sinceDate,omitzero"`
}

type choreShape struct {
	Chore   callback.Chore `json:"chore"`
	By      string         `json:"by,omitempty"`
	Started stamp          `json:"startedDate,omitzero"`
	Ended   stamp          `json:"endedDate,omitzero"` // none: it runs
	OK      bool           `json:"ok"`
	Said    string         `json:"said,omitempty"`
	Bytes   int64          `json:"bytes,omitzero"`
}

// begunShape answers that a chore has begun.
type begunShape struct {
	Chore callback.Chore `json:"chore"`
}

// logShape is a part of the log.
type logShape struct {
	Lines []logLine `json:"lines"`
}

type logLine struct {
	Seq       uint64            `json:"seq"`
	At        stamp             `json:"date,omitzero"`
	Level     callback.LogLevel `json:"level"`
	Part      string            `json:"part,omitempty"`
	Text      string            `json:"text"`
	Callback  string            `json:"callback,omitempty"`
	CallID    *callback.CallID  `json:"callId,omitzero"`
	Operation string            `json:"operation,omitempty"`
}
