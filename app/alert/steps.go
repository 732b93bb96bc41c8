package alert

import (
	"strings"

	"ringback/callback"
)

// steps returns what the reader can do, as requests of the API and as commands.
// Of a callback that is gone there is nothing left to do.
func (e *Engine) steps(f *facts) []step {
	if f.Gone {
		return nil
	}
	calls := e.o.PublicURL + "/callbacks/" + f.ID + "/calls"
	call := "CALL-ID"
	if f.Response != nil {
		call = f.Call
	}
	ref := shellWord(f)
	steps := []step{
		{What: "List the calls that failed", Commands: []string{
			"GET " + calls + "?status=FAILED",
			"ringback calls list --callback " + ref + " --status failed",
		}},
		{What: "Resolve a call: it is no longer tried, nor listed as failed", Commands: []string{
			"PUT " + calls + "?id=" + call + ` with the body {"status":"SUCCESS"}`,
			"ringback calls resolve --callback " + ref + " " + call,
		}},
	}
	if f.Suspended {
		steps = append(steps, step{What: "Resume the callback", Commands: []string{
			"POST " + e.o.PublicURL + "/callbacks/" + f.ID + "/resume",
		}})
	}
	return append(steps, step{What: e.where()})
}

// where says which server the requests go to. An address that only this machine
// knows is told as such, and never put into a URL.
func (e *Engine) where() string {
	if e.o.PublicURL != "" {
		return "The commands run on the machine where ringback runs" + e.onHost() + "."
	}
	listens := ""
	if e.o.Listen != "" {
		listens = ", which listens on " + callback.Sanitize(e.o.Listen, 100)
	}
	return "Requests go to ringback itself" + listens + "; the commands run on its machine" + e.onHost() + "."
}

func (e *Engine) onHost() string {
	if e.o.Name == "" {
		return ""
	}
	return ", " + e.o.Name
}

// shellWord returns how a command names the callback: by its name where every
// shell reads that as one word, else by its id.
func shellWord(f *facts) string {
	plain := strings.IndexFunc(f.Name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	}) < 0
	if !plain || f.Name == "" || f.Name[0] == '-' {
		return f.ID
	}
	return f.Name
}
