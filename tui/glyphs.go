package tui

// Glyphs are the signs of a frame, each one cell wide. None is a braille
// pattern, which a braille display would spell out.
type Glyphs struct {
	OK, Failing, Down, Suspended, None rune // states of a callback
	InFlight, Queued                   rune // further states of a call

	Rule, Side                                 rune // ── and │
	TopLeft, TopRight, BottomLeft, BottomRight rune
	Thumb                                      rune    // where a scroll bar stands
	Ascending, Descending                      rune    // order of a column
	Bars                                       [8]rune // from an eighth to full
	NoCalls                                    rune    // a cell of a series without data
	Shade                                      rune    // what is free of a meter
	Parts                                      [8]rune // a cell filled from the left, an eighth to full
}

var unicodeGlyphs = Glyphs{
	OK: '✓', Failing: '!', Down: '✗', Suspended: '=', None: '-',
	InFlight: '>', Queued: '.',
	Rule: '─', Side: '│',
	TopLeft: '┌', TopRight: '┐', BottomLeft: '└', BottomRight: '┘',
	Thumb:     '█',
	Ascending: '▲', Descending: '▼',
	Bars:    [8]rune{'▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'},
	NoCalls: '·',
	Shade:   '░',
	Parts:   [8]rune{'▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'},
}

var asciiGlyphs = Glyphs{
	OK: '+', Failing: '!', Down: 'x', Suspended: '=', None: '-',
	InFlight: '>', Queued: '.',
	Rule: '-', Side: '|',
	TopLeft: '+', TopRight: '+', BottomLeft: '+', BottomRight: '+',
	Thumb:     '#',
	Ascending: '^', Descending: 'v',
	Bars:    [8]rune{'_', '.', ':', '-', '=', '*', '#', '#'},
	NoCalls: ' ',
	Shade:   '.',
	Parts:   [8]rune{'|', '|', '|', '#', '#', '#', '#', '#'},
}
