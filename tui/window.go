package tui

import (
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// defaultWindow is how far back figures reach until a key says otherwise.
const defaultWindow = 24 * time.Hour

// turnWindow goes n windows on or back, round and round, for all screens, and
// asks for what is shown of it.
func (m *model) turnWindow(n int) tea.Cmd {
	d, all := &m.desk, callback.SeriesWindows
	at := slices.IndexFunc(all, func(w callback.SeriesWindow) bool { return w.Span == d.window })
	d.window = all[(at+n+len(all))%len(all)].Span
	d.say(RoleDim, "window: the last "+callback.WindowWord(d.window))
	return m.top().Refresh()
}
