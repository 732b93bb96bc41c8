package tui

import (
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// copyExport puts the command that writes the calls of a list to a file on the
// clipboard: a file of the server's size is no work for a screen, which may run
// on another machine, too.
func (d *desk) copyExport(f *filter) tea.Cmd {
	if why := f.refuse(); why != "" {
		d.say(RoleError, "E: "+why)
		return nil
	}
	return d.copies(exportCommand(&f.query))
}

// exportCommand returns the command line that exports what q selects.
func exportCommand(q *callback.ListQuery) string {
	words := []string{"ringback calls export"}
	add := func(flag, value string) {
		if value != "" {
			words = append(words, "--"+flag+" '"+strings.ReplaceAll(value, "'", `'\''`)+"'")
		}
	}
	var statuses []string
	for _, s := range []struct {
		status callback.CallStatus
		word   string
	}{{callback.ListFailed, "failed"}, {callback.ListPending, "pending"}, {callback.ListSuccess, "success"}} {
		if q.Status&s.status != 0 && (q.State == "" || strings.Contains(string(q.State), ",")) {
			statuses = append(statuses, s.word)
		}
	}
	add("callback", q.Ref)
	add("status", strings.Join(statuses, ","))
	add("state", string(q.State))
	add("message-id", q.MessageID)
	switch {
	case q.Code == callback.NoAnswer:
		add("code", "0")
	case q.Code != 0:
		add("code", strconv.Itoa(q.Code))
	}
	add("class", q.Class)
	add("text", q.Text)
	instant := func(flag string, at time.Time) {
		if !at.IsZero() {
			add(flag, at.UTC().Format(time.RFC3339Nano))
		}
	}
	instant("from", q.From)
	instant("to", q.To)
	return strings.Join(words, " ") + " -o calls.ndjson"
}
