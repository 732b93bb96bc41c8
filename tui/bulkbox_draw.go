package tui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ringback/callback"
)

// Draw implements box.
func (b *bulkBox) Draw(c *Canvas) {
	p := &b.preview
	var lines []boxLine
	add := func(role Role, keep bool, text string) {
		lines = append(lines, boxLine{role: role, text: text, keep: keep})
	}
	which, end := Count(p.Matched)+" "+b.which()+" of "+b.callback, ","
	if p.Partial {
		which = "at least " + which
	}
	if b.named != nil {
		end = ":"
	}
	if b.resolve() {
		add(RoleTitle, true, which+" to count as SUCCESS and not be sent again"+end)
	} else {
		add(RoleTitle, true, "Send again now: "+which+end)
	}
	if b.named == nil {
		add(RoleText, true, b.seen())
	}
	add(RoleText, false, "")
	if b.named == nil || !b.drawNamed(c, &lines) {
		b.drawCauses(c, &lines)
	}
	if b.named != nil && len(b.named.calls) > listMax {
		ids := make([]callback.CallID, 0, shownIDs)
		for i := range b.named.calls[:shownIDs] {
			ids = append(ids, b.named.calls[i].ID)
		}
		add(RoleDim, true, firstOf(ids, uint64(len(b.named.calls))))
	}
	add(RoleText, false, "")
	b.drawSkipped(add)
	if b.resolve() {
		add(RoleText, true, "The API shows SUCCESS, resolved by "+orNobody(b.d.opt.User)+". u takes it back for 24 h.")
	} else {
		b.warn(add)
	}
	add(RoleText, false, "")
	b.drawFields(&lines)
	drawBox(c, title(verbOf(b.want.Kind)), lines, b.keys())
}

func title(verb string) string { return strings.ToUpper(verb[:1]) + verb[1:] }

// listMax is how many calls a box names one by one.
const listMax = 6

// drawNamed names the calls one by one, where they are few.
func (b *bulkBox) drawNamed(c *Canvas, lines *[]boxLine) bool {
	n := b.named
	if len(n.calls)+len(n.skipped) > listMax {
		return false
	}
	one := len(b.parts) == 1
	for i := range n.skipped {
		one = one && n.skipped[i].call.CallbackID == b.id
	}
	for i := range n.calls {
		*lines = append(*lines, callLine(c, b.d, &n.calls[i], one, result(&n.calls[i], true)))
	}
	for i := range n.skipped {
		line := callLine(c, b.d, &n.skipped[i].call, one, n.skipped[i].why)
		line.role = RoleDim
		*lines = append(*lines, line)
	}
	return true
}

// shownIDs is how many calls a box names by their ids, where they are many.
const shownIDs = 3

// firstOf names the first of n calls.
func firstOf(ids []callback.CallID, n uint64) string {
	var words []string
	for _, id := range ids[:min(len(ids), shownIDs)] {
		words = append(words, id.String())
	}
	s := strings.Join(words, ", ")
	if more := n - min(uint64(len(words)), n); more > 0 {
		s += " and " + Count(more) + " more"
	}
	return s
}

// missing names those that are not there, where the service says so.
func missing(p *callback.Preview) string {
	if len(p.MissingIDs) == 0 {
		return ""
	}
	return ": " + firstOf(p.MissingIDs, p.Missing)
}

// drawSkipped says what is left out, and why.
func (b *bulkBox) drawSkipped(add func(Role, bool, string)) {
	p := &b.preview
	if b.named != nil && len(b.named.skipped) > 0 {
		add(RoleFailing, true, "Skipped: "+strings.Join(b.named.reasons(), ", ")+".")
	}
	if p.Missing > 0 {
		add(RoleFailing, true, plural(p.Missing, "call")+" not there any more"+missing(p)+".")
	}
	if n := p.Matched - p.Changed; n > 0 {
		add(RoleFailing, true, Count(n)+" skipped: "+b.skips()+" So "+plural(p.Changed, "call")+" will change.")
	}
}

// which says which calls are meant.
func (b *bulkBox) which() string {
	noun := "calls"
	if b.preview.Matched == 1 {
		noun = "call"
	}
	switch f := b.want.Filter; {
	case b.named != nil && len(b.named.calls)+len(b.named.skipped) > 1:
		return "marked " + noun
	case f.State == callback.StateGaveUp:
		return noun + " given up"
	case f.Status == callback.ListFailed:
		return "failed " + noun
	case f.Status == callback.ListPending:
		return "pending " + noun
	}
	return noun
}

// seen says how far back they go, and until when they were counted.
func (b *bulkBox) seen() string {
	d := b.d
	s := strings.TrimSpace(b.bound())
	if s != "" {
		s += ", "
	}
	s += "seen up to " + d.clock.When(b.at, d.now()) + "; oldest " + Age(b.preview.Oldest, d.now()) + "."
	return s
}

// shownCauses is how many causes a box names.
const shownCauses = 5

func (b *bulkBox) drawCauses(c *Canvas, lines *[]boxLine) {
	p := &b.preview
	rest := p.Other
	for i, cause := range p.ByCause {
		if i >= shownCauses {
			rest += cause.Count
			continue
		}
		*lines = append(*lines, boxLine{text: causeLine(c, cause.Count, causeWords(&cause)), indent: 2, cut: true})
	}
	if rest > 0 {
		*lines = append(*lines, boxLine{text: causeLine(c, rest, "other causes"), indent: 2, cut: true})
	}
}

func causeLine(c *Canvas, n uint64, words string) string {
	count := Count(n)
	return strings.Repeat(" ", max(7-c.Width(count), 0)) + count + "  " + words
}

// causeWords names a cause of failures.
func causeWords(c *callback.Cause) string {
	if c.Class == "" {
		return "not tried yet"
	}
	class, ok := callback.ParseClass(c.Class)
	if !ok { // of a newer server
		return c.Class
	}
	return failureWords(class, c.Code)
}

// skips says why calls that are selected are not changed.
func (b *bulkBox) skips() string {
	if b.resolve() {
		return "success already."
	}
	if b.named != nil {
		return "being sent now, asked for before, or success already."
	}
	return "being sent now, or asked for before."
}

// warn says what retrying means.
func (b *bulkBox) warn(add func(Role, bool, string)) {
	d, rate := b.d, rates[b.rate]
	h := d.health(b.id)
	if len(b.parts) > 1 {
		b.warnEach(add, rate)
		return
	}
	down := h != nil && !h.Live.Suspended && h.Live.Gate.State == callback.Open
	switch {
	case h != nil && h.Live.Suspended:
		add(RoleFailing, true, "The callback is suspended: they are held until it is resumed.")
	case down:
		add(RoleDown, true, "The endpoint is still down: it last failed "+Age(h.Live.LastFailure, d.now())+" ago.")
		add(RoleText, true, b.probes(h.Retries, rate))
	}
	pace := "They go as fast as the endpoint takes them."
	if rate > 0 {
		all := time.Duration(b.preview.Changed) * time.Second / time.Duration(rate)
		pace = fmt.Sprintf("%d/s: all let go in about %s.", rate, Duration(max(all, time.Second)))
	}
	if down {
		pace = "Then " + strings.Replace(pace, "They", "they", 1)
	}
	if !down || h.Retries || rate > 0 {
		add(RoleText, true, pace)
	}
	switch {
	case h != nil && !h.Retries:
		add(RoleText, true, "Each is tried once, for retries are off; that attempt counts.")
	case b.want.Extend:
		add(RoleText, true, "Attempts count. Given-up calls get a new window if this fails.")
	default:
		add(RoleText, true, "Given-up calls get one attempt; others keep their time limit.")
	}
}

// warnEach says what retrying calls of several callbacks means.
func (b *bulkBox) warnEach(add func(Role, bool, string), rate int) {
	d, down := b.d, 0
	for i := range b.parts {
		h := d.find(b.parts[i].want.Ref)
		if h == nil || h.Live.Gate.State != callback.Open || down == 3 {
			continue
		}
		down++
		add(RoleDown, true, h.Name+" is still down: it last failed "+Age(h.Live.LastFailure, d.now())+" ago.")
	}
	if down > 0 {
		add(RoleText, true, "Of each that is down one call goes first.")
	}
	pace := "They go as fast as the endpoints take them."
	if rate > 0 {
		pace = fmt.Sprintf("%d/s to each callback.", rate)
	}
	add(RoleText, true, pace)
	if b.want.Extend {
		add(RoleText, true, "Attempts count. Given-up calls get a new window if this fails.")
		return
	}
	add(RoleText, true, "Given-up calls get one attempt; others keep their time limit.")
}

// probes says how calls go while the endpoint is down. Without retries there is
// none that could be tried again, so each that goes is used up.
func (b *bulkBox) probes(retries bool, rate int) string {
	switch {
	case retries:
		return "One call goes first; the rest follow only if it succeeds."
	case rate == 0:
		return "Its retries are off: they go one by one, a second apart, and each that fails has failed for good."
	}
	every := every(b.d.server.Interval)
	return "Its retries are off: one goes every " + every + " until one succeeds, and each before it has failed for good."
}

// drawFields adds what is typed.
func (b *bulkBox) drawFields(lines *[]boxLine) {
	mark := func(on bool) Role {
		if on {
			return RoleKey
		}
		return RoleText
	}
	if b.large() {
		n := strconv.FormatUint(b.preview.Matched, 10)
		field := b.typed + strings.Repeat("_", max(len(n)-len(b.typed), 0))
		*lines = append(*lines, boxLine{role: mark(!b.remarking()), keep: true, text: "Type the number of calls to go on: " + field + "  (" + n + ")"})
	}
	field := string(b.remark) + strings.Repeat("_", max(20-len(b.remark), 0))
	*lines = append(*lines, boxLine{role: mark(b.remarking()), keep: true, text: "Note (optional): " + field})
}

func (b *bulkBox) keys() []boxKey {
	verb := verbOf(b.want.Kind)
	keys := []boxKey{{"Enter", verb}}
	if b.named != nil {
		keys[0].does += " " + plural(b.preview.Changed, "call")
	}
	switch {
	case b.large() && b.second:
		keys = append(keys, boxKey{"Tab", "number"})
	case b.large():
		keys = append(keys, boxKey{"Tab", "note"})
	}
	if !b.resolve() {
		keys = append(keys, boxKey{"Left/Right", "speed"})
	}
	if b.extends() {
		keys = append(keys, windowKey(b.want.Extend))
	}
	return append(keys, boxKey{"Esc", "do nothing"})
}

// extends reports whether there are calls that may get a new window.
func (b *bulkBox) extends() bool {
	return !b.resolve() && slices.ContainsFunc(b.parts, func(p part) bool {
		h := b.d.find(p.want.Ref)
		return h == nil || h.Retries
	})
}

// windowKey is the key that gives calls a new window, or not.
func windowKey(extend bool) boxKey {
	if extend {
		return boxKey{"Up/Down", "old window"}
	}
	return boxKey{"Up/Down", "new window"}
}
