package tui

import (
	"fmt"

	"charm.land/bubbles/v2/key"

	"ringback/callback"
)

// action is what a key asks for.
type action uint8

const (
	actNone action = iota
	actTab
	actOpen
	actEsc
	actFilter
	actPause
	actClock
	actRefresh
	actRedraw
	actCopy
	actMouse
	actHelp
	actQuit

	actDown
	actUp
	actTop
	actBottom
	actHalfDown
	actHalfUp
	actPageDown
	actPageUp
	actMark
	actMarkAll
	actRange
	actUnmark

	actRetry
	actResolve
	actCycle
	actFailed
	actAll
	actUnfinished
	actPrev
	actNext
	actSide
	actSuspend
	actSort
	actReverse
	actExport
	actMailTest
	actGarbage
	actBackup
	actLevel
	actPart
	actFollow
	actWrap
	actRetryAll
	actResolveAll
	actUndo
	actGoTo
	actPane
	actCopyAll
	actAck
	actMailAgain
	actWindow
	actWindowBack
	actPalette
	actNew
	actEdit
	actTest
	actDelete

	actConfirm
	actCancel
	actExtend
	actSlower
	actFaster
	actDigit
	actErase
	actHide
	actStop
	actNextField
	actPrevField
	actToggle
	actSave
	actTake
	actOverwrite
	actApply
	actComplete
	actEarlier
	actLater
	actClear
)

// scope says where a key is valid, as a set of bits.
type scope uint32

const (
	onOverview scope = 1 << iota
	onCallback
	onCalls
	onCall
	onOutages
	onQueue
	onSystem
	onLog
	onConfirm // the boxes that ask before something is done
	onLeave
	onHelp
	onFilter // while a filter is typed
	onBulk   // the box that asks before an operation begins
	onEdit   // a callback that is made or changed
	onConflict
	onDelete
	onTrial
	onPalette

	onCallLists = onCallback | onCalls
	onLists     = onOverview | onCallLists | onOutages | onQueue | onLog
	anywhere    = onLists | onCall | onSystem
)

// binding is an action with its keys and what is said of them: in the help,
// and shorter in the last row.
type binding struct {
	key.Binding
	act   action
	on    scope
	group string
	foot  string
}

// The groups of the help.
const (
	groupAnywhere  = "Anywhere"
	groupLists     = "Lists"
	groupCalls     = "Calls"
	groupCallbacks = "Callbacks"
	groupInside    = "Queue, system, log"
	groupBoxes     = "Boxes"
)

// bindings is every key there is.
var bindings = []binding{
	bind(actTab, anywhere, groupAnywhere, "1-6", "screens", "screens", "1", "2", "3", "4", "5", "6"),
	bind(actOpen, onOverview|onCallLists|onOutages, groupAnywhere, "Enter", "open", "open; offline: try now", "enter"),
	bind(actEsc, anywhere, groupAnywhere, "Esc", "back", "drop filter, marks; back", "esc"),
	bind(actFilter, onOverview|onCallLists|onOutages, groupAnywhere, "/", "filter", "filter", "/"),
	bind(actPalette, anywhere, groupAnywhere, ":", "commands", "commands by name", ":"),
	bind(actPause, anywhere, groupAnywhere, "p", "pause", "pause / go on", "p"),
	bind(actClock, anywhere, groupAnywhere, "t", "times", "times: today, local, UTC", "t"),
	bind(actWindow, onOverview|onCallback, groupAnywhere, "w", "window", "1h 6h 24h 7d 30d", "w"),
	bind(actWindowBack, onOverview|onCallback, groupAnywhere, "W", "window back", "the window before", "W"),
	bind(actCopy, anywhere, groupAnywhere, "y", "copy", "copy the id", "y"),
	bind(actCopyAll, onOverview|onCallLists|onOutages, groupAnywhere, "Y", "copy in words", "copy the row in words", "Y"),
	bind(actMouse, anywhere, groupAnywhere, "M", "mouse", "mouse on / off", "M"),
	bind(actRefresh, anywhere, groupAnywhere, "Ctrl+R", "refresh", "refresh now", "ctrl+r"),
	bind(actRedraw, anywhere, groupAnywhere, "Ctrl+L", "redraw", "draw the screen again", "ctrl+l"),
	bind(actHelp, anywhere, groupAnywhere, "?", "help", "these keys", "?"),
	bind(actQuit, anywhere, groupAnywhere, "q", "quit", "leave; also Ctrl+C", "q", "ctrl+c"),

	bind(actDown, anywhere, groupLists, "j Down", "down", "down", "j", "down"),
	bind(actUp, anywhere, groupLists, "k Up", "up", "up", "k", "up"),
	bind(actTop, onLists, groupLists, "g", "newest", "top: newest", "g", "home"),
	bind(actBottom, onLists, groupLists, "G", "oldest", "bottom: oldest", "G", "end"),
	bind(actHalfDown, anywhere, groupLists, "Ctrl+D", "half down", "half a page down", "ctrl+d"),
	bind(actHalfUp, anywhere, groupLists, "Ctrl+U", "half up", "half a page up", "ctrl+u"),
	bind(actPageDown, anywhere, groupLists, "PgDn", "more", "a page down", "pgdown"),
	bind(actPageUp, anywhere, groupLists, "PgUp", "page up", "a page up", "pgup"),
	bind(actMark, onCallLists, groupLists, "Space", "mark", "mark, step down", "space"),
	bind(actMarkAll, onCallLists, groupLists, "*", "mark all", "mark all shown", "*"),
	bind(actRange, onCallLists, groupLists, "v", "range", "mark a range, or stop", "v"),
	bind(actUnmark, onCallLists, groupLists, "c", "clear", "clear marks", "c"),
	bind(actSort, onOverview, groupLists, "s", "sort", "sort by, overview", "s"),
	bind(actReverse, onOverview, groupLists, "S", "reverse", "sort in reverse", "S"),
	bind(actGoTo, onCallLists, groupLists, "@", "to time", "go to a time", "@"),
	bind(actFollow, onCallLists, groupLists, "F", "follow", "follow the newest, or not", "F"),
	bind(actPane, onCalls, groupLists, "d", "pane", "detail pane on / off", "d"),

	bind(actRetry, onCallLists|onCall, groupCalls, "r", "retry", "send it, or marked, again", "r"),
	bind(actResolve, onCallLists|onCall, groupCalls, "x", "resolve", "resolve it, or marked", "x"),
	bind(actRetryAll, onCallLists, groupCalls, "R", "retry all failed", "retry all that failed", "R"),
	bind(actResolveAll, onCallLists, groupCalls, "X", "resolve all failed", "resolve all that failed", "X"),
	bind(actUndo, anywhere, groupCalls, "u", "undo", "stop it; undo a resolve", "u"),
	bind(actExport, onCallLists, groupCalls, "E", "export", "copy an export command", "E"),
	bind(actCopyAll, onCall, groupCalls, "Y", "copy as curl", "copy it as a curl command", "Y"),
	bind(actOpen, onCall, groupCalls, "Enter", "callback", "open its callback", "enter"),
	bind(actSide, onCall, groupCalls, "Tab", "answer", "request, answer, history", "tab"),
	bind(actPrev, onCall, groupCalls, "[", "newer", "the call above it", "["),
	bind(actNext, onCall, groupCalls, "]", "older", "the call below it", "]"),
	bind(actCycle, onCalls, groupCalls, "f", "status", "all, failed, pending, ok", "f"),
	bind(actFailed, onCallback, groupCallbacks, "f", "failed", "its failed calls", "f"),
	bind(actAll, onCallback, groupCallbacks, "a", "all", "all its calls", "a"),
	bind(actUnfinished, onCallback, groupCallbacks, "o", "open", "calls not finished", "o"),
	bind(actSuspend, onOverview|onCallback|onQueue, groupCallbacks, "z", "suspend", "suspend / resume", "z"),

	bind(actNew, onOverview|onCallback, groupCallbacks, "n", "new", "make a new one", "n"),
	bind(actEdit, onOverview|onCallback|onOutages, groupCallbacks, "e", "edit", "change it", "e"),
	bind(actTest, onOverview|onCallback|onCall, groupCallbacks, "T", "test", "send it a sample", "T"),
	bind(actDelete, onOverview|onCallback, groupCallbacks, "Del", "delete", "delete (type the name)", "delete"),

	bind(actOpen, onQueue, groupInside, "Enter", "its calls", "queue: calls waiting", "enter"),
	bind(actRetryAll, onQueue|onOverview|onOutages, groupCallbacks, "r", "retry", "send all failed again", "r", "R"),
	bind(actResolveAll, onQueue|onOverview|onOutages, groupCallbacks, "x", "resolve", "resolve all failed", "x", "X"),
	bind(actSort, onQueue, groupInside, "s", "sort", "queue: sort", "s"),
	bind(actMailTest, onSystem, groupInside, "m", "send test mail", "system: test mail", "m"),
	bind(actGarbage, onSystem, groupInside, "G", "run badger gc", "system: free space", "G"),
	bind(actBackup, onSystem, groupInside, "B", "back up now", "system: back up", "B"),
	bind(actFilter, onLog, groupInside, "/", "search", "log: search", "/"),
	bind(actLevel, onLog, groupInside, "l", "level", "log: lowest level", "l"),
	bind(actPart, onLog, groupInside, "f", "from", "log: one part of it", "f"),
	bind(actOpen, onLog, groupInside, "Enter", "go to", "log: go there", "enter"),
	bind(actExport, onLog, groupInside, "E", "export", "log: an export command", "E"),
	bind(actFollow, onLog, groupInside, "F", "follow", "log: follow", "F"),
	bind(actWrap, onLog, groupInside, "w", "wrap", "log: wrap lines", "w"),

	bind(actAck, onOutages, groupCallbacks, "a", "acknowledge", "outage: you know of it", "a"),
	bind(actMailAgain, onOutages, groupCallbacks, "E", "mail again", "outage: e-mail again", "E"),

	bind(actConfirm, onConfirm|onBulk, groupBoxes, "Enter", "", "do it", "enter"),
	bind(actCancel, onConfirm|onBulk, groupBoxes, "Esc", "do nothing", "do nothing", "esc"),
	bind(actNextField, onBulk, groupBoxes, "Tab", "", "the number, or the note", "tab", "shift+tab"),
	bind(actSlower, onBulk, groupBoxes, "Left", "", "slower", "left"),
	bind(actFaster, onBulk, groupBoxes, "Right", "", "faster", "right"),
	bind(actExtend, onConfirm|onBulk, groupBoxes, "Up Down", "", "change how long it is retried", "up", "down"),
	bind(actDigit, onConfirm|onBulk, groupBoxes, "0-9", "", "the number of calls, where it is asked for", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
	bind(actErase, onConfirm|onBulk, groupBoxes, "Backspace", "", "erase a digit", "backspace"),
	bind(actClear, onBulk, groupBoxes, "Ctrl+U", "", "empty the line", "ctrl+u"),
	bind(actHide, onLeave, groupBoxes, "h", "hide", "hide the screen, keep delivering", "h"),
	bind(actStop, onLeave, groupBoxes, "s", "stop", "stop", "s"),
	bind(actCancel, onLeave, groupBoxes, "Esc", "stay", "stay", "esc"),
	bind(actCancel, onHelp, groupBoxes, "Esc", "closes", "close", "esc", "?", "q", "enter"),
	bind(actFilter, onHelp, groupBoxes, "/", "searches", "look for a key", "/"),
	bind(actDown, onHelp, groupBoxes, "j Down", "down", "down", "j", "down"),
	bind(actUp, onHelp, groupBoxes, "k Up", "up", "up", "k", "up"),
	bind(actPageDown, onHelp|onTrial, groupBoxes, "PgDn", "page down", "a page down", "pgdown", "ctrl+d"),
	bind(actPageUp, onHelp|onTrial, groupBoxes, "PgUp", "page up", "a page up", "pgup", "ctrl+u"),
	bind(actApply, onFilter, groupBoxes, "Enter", "apply", "apply the filter", "enter"),
	bind(actComplete, onFilter, groupBoxes, "Tab", "complete", "complete a key, a word or a name", "tab"),
	bind(actEarlier, onFilter, groupBoxes, "Up", "earlier", "the filter applied before", "up"),
	bind(actLater, onFilter, groupBoxes, "Down", "later", "the filter applied after that", "down"),
	bind(actClear, onFilter, groupBoxes, "Ctrl+U", "clear", "clear the line", "ctrl+u"),
	bind(actApply, onPalette, groupBoxes, "Enter", "runs", "run the command", "enter"),
	bind(actComplete, onPalette, groupBoxes, "Tab", "completes", "complete the command", "tab"),
	bind(actDown, onPalette, groupBoxes, "Down", "down", "down", "down", "ctrl+n"),
	bind(actUp, onPalette, groupBoxes, "Up", "up", "up", "up", "ctrl+p"),
	bind(actClear, onPalette, groupBoxes, "Ctrl+U", "clear", "clear the line", "ctrl+u"),
	bind(actCancel, onPalette, groupBoxes, "Esc", "closes", "close", "esc"),
	bind(actCancel, onFilter, groupBoxes, "Esc", "cancel", "leave the filter as it was", "esc"),
	bind(actNextField, onEdit, groupBoxes, "Tab", "next field", "next field; also Down, Enter", "tab", "down", "enter"),
	bind(actPrevField, onEdit, groupBoxes, "Shift+Tab", "field before", "the field before; also Up", "shift+tab", "up"),
	bind(actToggle, onEdit, groupBoxes, "Space", "toggle", "the other choice; also Left, Right", "space"),
	bind(actSave, onEdit, groupBoxes, "Ctrl+S", "save", "save it", "ctrl+s"),
	bind(actTest, onEdit, groupBoxes, "Ctrl+T", "test", "send it a sample", "ctrl+t"),
	bind(actClear, onEdit, groupBoxes, "Ctrl+U", "clear", "empty the field", "ctrl+u"),
	bind(actCancel, onEdit, groupBoxes, "Esc", "cancel", "leave it as it was", "esc"),
	bind(actOverwrite, onConflict, groupBoxes, "o", "overwrite", "save yours over theirs", "o"),
	bind(actTake, onConflict, groupBoxes, "t", "take theirs", "take theirs, drop yours", "t"),
	bind(actCancel, onConflict|onDelete|onTrial, groupBoxes, "Esc", "do nothing", "do nothing", "esc"),
	bind(actConfirm, onDelete|onTrial, groupBoxes, "Enter", "", "do it", "enter"),
	bind(actClear, onDelete, groupBoxes, "Ctrl+U", "clear", "empty the line", "ctrl+u"),
	bind(actDown, onTrial, groupBoxes, "j Down", "down", "down", "j", "down"),
	bind(actUp, onTrial, groupBoxes, "k Up", "up", "up", "k", "up"),
}

// pair is two keys of one group that the help shows on one line.
type pair struct {
	first, second action
	label, help   string
}

var pairs = []pair{
	{actWindow, actWindowBack, "w W", "1h 6h 24h 7d 30d, back"},
	{actDown, actUp, "j k", "move; arrows do, too"},
	{actTop, actBottom, "g G", "newest, oldest"},
	{actHalfDown, actHalfUp, "Ctrl+D/U", "half a page down, up"},
	{actPageDown, actPageUp, "PgDn/Up", "a page down, up"},
	{actSort, actReverse, "s S", "sort by, in reverse"},
	{actPrev, actNext, "[ ]", "the call above, below"},
}

// feet is the last row of each place: its keys, those used most first.
var feet = map[scope][]action{
	onOverview: {actOpen, actFilter, actRetryAll, actResolveAll, actTest, actSuspend, actNew, actEdit, actWindow, actPause, actClock, actCopy, actRefresh, actMouse},
	onCallback: {actEsc, actOpen, actRetryAll, actResolve, actTest, actSuspend, actRetry, actMark, actEdit, actFilter, actResolveAll, actUndo, actFailed, actAll, actUnfinished, actWindow, actCopy, actPause, actClock},
	onCalls:    {actFilter, actMark, actRetry, actResolve, actGoTo, actTop, actUndo, actOpen, actCycle, actBottom, actRetryAll, actResolveAll, actMarkAll, actUnmark, actRange, actPane, actFollow, actExport, actCopy, actPause, actClock},
	onCall:     {actEsc, actSide, actPrev, actNext, actRetry, actResolve, actTest, actOpen, actCopy, actCopyAll, actPageDown, actPause, actClock},
	onOutages:  {actOpen, actFilter, actMailAgain, actAck, actEdit, actRetryAll, actResolveAll, actCopy, actPause, actClock, actRefresh},
	onQueue:    {actOpen, actSuspend, actRetryAll, actSort, actPause, actResolveAll, actCopy, actClock, actRefresh},
	onSystem:   {actPause, actMailTest, actGarbage, actBackup, actClock, actRefresh},
	onLog:      {actFilter, actLevel, actOpen, actFollow, actUndo, actWrap, actPart, actExport, actCopy, actPause, actClock},
	onEdit:     {actNextField, actToggle, actSave, actTest, actClear, actPrevField},
	onFilter:   {actApply, actComplete, actEarlier, actClear, actCancel},
}

func bind(a action, on scope, group, label, foot, help string, keys ...string) binding {
	return binding{
		Binding: key.NewBinding(key.WithKeys(keys...), key.WithHelp(label, help)),
		act:     a, on: on, group: group, foot: foot,
	}
}

// lookup returns what a key asks for in a place, or actNone.
func lookup(k fmt.Stringer, on scope) action {
	for i := range bindings {
		if bindings[i].on&on != 0 && key.Matches(k, bindings[i].Binding) {
			return bindings[i].act
		}
	}
	return actNone
}

// keyOf returns the binding of an action in a place.
func keyOf(a action, on scope) (binding, bool) {
	for i := range bindings {
		if bindings[i].on&on != 0 && bindings[i].act == a {
			return bindings[i], true
		}
	}
	return binding{}, false
}

// label returns how the key of an action in a place is written.
func label(a action, on scope) string {
	b, _ := keyOf(a, on)
	return b.Help().Key
}

// needs returns the role that an action takes: that of what changes something in
// the service, or leads to that or to an export; "" for what only shows it.
func (a action) needs() callback.Role {
	if a.leads() {
		return callback.RoleOperator
	}
	switch a {
	case actRetry, actResolve, actSuspend, actRetryAll, actResolveAll, actUndo, actAck, actMailAgain, actMailTest, actTest:
		return callback.RoleOperator
	case actNew, actEdit, actDelete, actSave, actGarbage, actBackup:
		return callback.RoleAdmin
	}
	return ""
}

// changes reports whether an action changes something in the service.
func (a action) changes() bool { return a.needs() != "" && !a.leads() }

// leads reports whether an action is good for nothing but another that takes a role:
// what is marked is retried or resolved, and a command that exports is run.
func (a action) leads() bool {
	switch a {
	case actMark, actMarkAll, actRange, actUnmark, actExport:
		return true
	}
	return false
}
