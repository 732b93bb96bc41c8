package tui

import (
	"slices"
	"strconv"
	"strings"

	"ringback/callback"
)

// changed says what saving changes, of a new callback in a word.
func (f *form) changed() string {
	var parts []string
	if n := len(f.changes()); f.new() && n > 0 {
		return plural(uint64(n), "field") + " filled in"
	}
	for _, at := range f.changes() {
		switch {
		case at.kind == fieldSecret && at.drop:
			parts = append(parts, at.label+" removed")
		case at.kind == fieldSecret:
			parts = append(parts, at.label+" replaced")
		case at.kind == fieldLines:
			parts = append(parts, at.label)
		default:
			parts = append(parts, at.label+" "+at.told(at.was)+" -> "+at.told(at.value()))
		}
	}
	return strings.Join(parts, ", ")
}

// effect says what becomes of the calls that wait once it is saved.
func (f *form) effect() string {
	h := &f.base
	if now := f.d.health(h.ID); now != nil {
		h = &now.Health
	}
	n := h.Live.Counts.Waiting()
	if f.new() || n == 0 || len(f.changes()) == 0 {
		return ""
	}
	var says []string
	switch {
	case f.moves("url"):
		says = append(says, plural(n, "waiting call")+": to the new URL on the next try.")
	case f.moves(sentFields...):
		says = append(says, plural(n, "waiting call")+": so on the next try.")
	}
	if f.moves("retriesEnabled") && f.field("retriesEnabled").value() == flagOff {
		says = append(says, "Those tried already are given up when their turn comes.")
	}
	switch {
	case h.Live.Suspended:
		says = append(says, "It is suspended: what waits is held.")
	case h.Live.Gate.State == callback.Open:
		says = append(says, "It is down: one call is sent at once, to see whether it is up.")
	}
	return strings.Join(says, " ")
}

// sentFields are those that a request is made of.
var sentFields = []string{
	"auth.type", "auth.key", "contentType", "removeHTML", "connectTimeout", "responseTimeout", "signingSecret", "previousSigningSecret", "ca", "headers",
}

// moves reports whether one of some fields is changed.
func (f *form) moves(names ...string) bool {
	return slices.ContainsFunc(f.changes(), func(at *field) bool { return slices.Contains(names, at.name) })
}

// command returns the command line that does the same; secrets and
// certificates stand in files there.
func (f *form) command() string {
	words := []string{"ringback callbacks set " + quoted(f.base.Name)}
	if f.new() {
		words = []string{"ringback callbacks add " + quoted(f.field("name").value()) + " " + quoted(f.field("url").value())}
	}
	for _, at := range f.changes() {
		switch v := at.value(); {
		case f.new() && (at.name == "name" || at.name == "url"):
		case at.kind == fieldSecret || at.kind == fieldPaste:
			file := "FILE"
			if v == "" {
				file = "/dev/null"
			}
			words = append(words, "--"+at.flag+" "+file)
		case at.kind == fieldFlag:
			words = append(words, "--"+at.flag+"="+strconv.FormatBool(v == flagOn))
		case at.kind == fieldLines && v == "":
			words = append(words, "--"+at.flag+" ''")
		case at.kind == fieldLines:
			for i := range at.rows {
				in := &at.rows[i]
				if s := strings.TrimSpace(string(in.masked(at.hidden(in)))); s != "" {
					words = append(words, "--"+at.flag+" "+quoted(s))
				}
			}
		default:
			words = append(words, "--"+at.flag+" "+quoted(at.word(v)))
		}
	}
	if f.moves("auth.type") && f.field("auth.type").pick == 0 && !f.moves("auth.key") {
		words = append(words, "--"+f.field("auth.key").flag+" /dev/null")
	}
	return strings.Join(words, " ")
}

// word returns a value as a flag takes it: 5 s and not 5, 0 and not nothing.
func (f *field) word(v string) string {
	var d callback.Draft
	var cb callback.Callback
	if f.zero == "" || f.put(&d, v) != nil {
		return v
	}
	_ = d.Apply(&cb, func(string) callback.Secret { return callback.Secret{} }) // what else it lacks is of no interest
	if v = f.get(&cb); v == "" {
		return f.zero
	}
	return v
}

// quoted returns s as one word of a shell.
func quoted(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.:/@+=", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
