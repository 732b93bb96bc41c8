package tui

import (
	"fmt"
	"strconv"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// bulkBox asks before an operation begins. It holds its own copy of what it is
// for, bounded by the newest call that the preview counted: what is confirmed
// does not grow while one reads.
type bulkBox struct {
	d        *desk
	key      string                // that opened it
	want     callback.NewOperation // what all parts have in common
	parts    []part
	named    *namedCalls // the calls, where a filter does not select them
	callback string      // its name, or how many they are
	id       callback.CallbackID
	words    []string // of the filter
	outage   uint32   // since whose beginning; 0: of any time
	since    time.Time
	preview  callback.Preview // of all parts
	at       time.Time        // of the preview

	rate   int // in rates
	typed  string
	remark []rune
	second bool // the remark is typed, and not the number
}

// rates are the calls a second to choose from; 0 is as fast as they can be let
// go.
var rates = []int{1, 5, 20, 100, 0}

const defaultRate = 2

// enterMax is how many calls Enter alone confirms; for more, their number is
// typed.
const enterMax = 20

// maxRemark is how many characters a remark may have here.
const maxRemark = 60

func (b *bulkBox) resolve() bool { return b.want.Kind == callback.OperationResolve }

func (b *bulkBox) large() bool { return b.preview.Matched > enterMax }

// remarking reports whether what is typed goes to the remark.
func (b *bulkBox) remarking() bool { return b.second || !b.large() }

// Key implements box.
func (b *bulkBox) Key(k tea.KeyPressMsg) (tea.Cmd, bool) {
	a := lookup(k, onBulk)
	switch {
	case b.remarking() && k.Text != "":
		b.insert(k.Text)
	case a == actCancel:
		return nil, true
	case a == actNextField:
		b.second = !b.second
	case a == actSlower && !b.resolve():
		b.rate = max(b.rate-1, 0)
	case a == actFaster && !b.resolve():
		b.rate = min(b.rate+1, len(rates)-1)
	case a == actExtend && b.extends():
		b.want.Extend = !b.want.Extend
	case a == actDigit && b.large() && len(b.typed) < 12:
		b.typed += k.String()
	case a == actErase && b.remarking():
		b.remark = b.remark[:max(len(b.remark)-1, 0)]
	case a == actClear && b.remarking():
		b.remark = nil
	case a == actClear:
		b.typed = ""
	case a == actErase:
		b.typed = b.typed[:max(len(b.typed)-1, 0)]
	case a == actConfirm:
		return b.confirm()
	}
	return nil, false
}

// Paste puts text into the remark, where that is typed.
func (b *bulkBox) Paste(text string) {
	if b.remarking() {
		b.insert(text)
	}
}

// insert takes text into the remark.
func (b *bulkBox) insert(text string) {
	add := []rune(callback.Sanitize(text, maxText))
	b.remark = append(b.remark, add[:min(len(add), maxRemark-len(b.remark))]...)
}

// confirm begins the operation, where that was confirmed.
func (b *bulkBox) confirm() (tea.Cmd, bool) {
	d := b.d
	switch {
	case b.large() && b.typed != strconv.FormatUint(b.preview.Matched, 10):
		d.say(RoleError, "the number of calls is typed to go on: "+strconv.FormatUint(b.preview.Matched, 10))
		return nil, false
	case d.refuse(b.key):
		return nil, true
	}
	b.want.Remark = callback.Sanitize(string(b.remark), callback.MaxRemark)
	if !b.resolve() {
		b.want.Rate = rates[b.rate]
	}
	return d.begin(b), true
}

// bound says what the operation is for, apart from its callback.
func (b *bulkBox) bound() string {
	s := ""
	if b.outage > 0 {
		s = fmt.Sprintf(" since %s (outage #%d)", b.d.clock.When(b.since, b.d.now()), b.outage)
	}
	for _, w := range b.words {
		s += " " + w
	}
	return s
}
