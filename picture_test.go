package main

import (
	"fmt"
	"html"
	"image/color"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// TestPictures makes the pictures of the documentation: what tmux holds of the
// demo's screen, as SVG, in the folder that PICTURES names. It takes half a
// minute, for the demo's endpoints have to break first.
//
//	PICTURES=docs go test -run TestPictures .
func TestPictures(t *testing.T) {
	dir := os.Getenv("PICTURES")
	if dir == "" {
		t.Skip("PICTURES names no folder")
	}
	tmux, err := exec.LookPath("tmux")
	if err != nil {
		t.Skip("tmux is not installed")
	}
	const w, h = 110, 32
	s := &screen{T: t, bin: tmux, socket: filepath.Join(t.TempDir(), "tmux"), ringback: filepath.Join(build(t), "ringback"), dir: t.TempDir()}
	s.env = []string{"TERM=xterm-256color", "COLORTERM=truecolor", "'COLORFGBG=15;0'", "USER=ana"}
	s.opens(w, h, "demo")
	for _, shot := range []struct {
		name  string
		keys  []string
		texts []string
	}{
		{"overview", nil, []string{"2 DOWN"}},
		{"callback", []string{"Enter"}, []string{"failures by cause", "o open"}},
		{"", []string{"f"}, []string{"[f failed"}},
		{"call", []string{"Enter"}, []string{"in words", "webhook-id", "first byte"}},
	} {
		if shot.keys != nil {
			s.keys(shot.keys...)
		}
		s.shows(shot.texts...)
		if shot.name == "" {
			continue // it is on the way
		}
		picture := drawing(s.tmux("capture-pane", "-p", "-e", "-N", "-t", "s"), w, h)
		if err := os.WriteFile(filepath.Join(dir, shot.name+".svg"), []byte(picture), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s.keys("q")
	s.shows("Leave")
	s.keys("s")
	if !poll(func() bool { return exec.Command(tmux, "-S", s.socket, "has-session").Run() != nil }) {
		t.Error("the demo does not end")
	}
}

// Of a picture: the size of a cell in pixels, and the colours of the terminal.
const (
	cellW, cellH = 8, 17
	ink, paper   = "#d8d8d8", "#14161b"
)

// drawing returns a terminal's frame as SVG. Letters keep to their cells in any
// font, and blocks and lines are drawn, for few fonts join them.
func drawing(frame string, w, h int) string {
	cells := uv.NewScreenBuffer(w, h)
	cells.Method = ansi.WcWidth
	uv.NewStyledString(strings.TrimSuffix(frame, "\n")).Draw(cells, cells.Bounds())
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="ui-monospace,Menlo,Consolas,monospace" font-size="13">`+"\n", (w+2)*cellW, (h+1)*cellH)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="6" fill="%s"/><g transform="translate(%d %d)">`+"\n", paper, cellW, cellH/2)
	for y := range h {
		colourEnd(cells, y)
		for x := 0; x < w; {
			n := 1
			style := cells.CellAt(x, y).Style
			for x+n < w && cells.CellAt(x+n, y).Style.Equal(&style) {
				n++
			}
			drawRun(&b, cells, x, y, n)
			x += n
		}
	}
	return b.String() + "</g></svg>\n"
}

// colourEnd gives the end of a row its background, which tmux leaves out where
// the cells were erased in it.
func colourEnd(cells uv.ScreenBuffer, y int) {
	last := cells.Bounds().Dx() - 1
	x := last
	for x > 0 && cells.CellAt(x, y).Content == " " && cells.CellAt(x, y).Style.IsZero() {
		x--
	}
	for bg := cells.CellAt(x, y).Style.Bg; x < last; x++ {
		cells.CellAt(x+1, y).Style.Bg = bg
	}
}

// drawRun draws n cells of one style.
func drawRun(b *strings.Builder, cells uv.ScreenBuffer, x, y, n int) {
	style := cells.CellAt(x, y).Style
	fg, bg := hex(style.Fg, ink), hex(style.Bg, paper)
	if style.Attrs&uv.AttrReverse != 0 {
		fg, bg = bg, fg
	}
	if bg != paper {
		fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`, x*cellW, y*cellH, n*cellW, cellH, bg)
	}
	weight := ""
	if style.Attrs&uv.AttrBold != 0 {
		weight = ` font-weight="bold"`
	}
	for i := x; i < x+n; {
		if left, top, wide, high, ok := shape(cells.CellAt(i, y).Content); ok {
			j := i + 1
			for j < x+n && wide == cellW && cells.CellAt(j, y).Content == cells.CellAt(i, y).Content {
				j++
			}
			fmt.Fprintf(b, `<rect x="%g" y="%g" width="%g" height="%g" fill="%s"/>`, float64(i*cellW)+left, float64(y*cellH)+top, wide+float64((j-i-1)*cellW), high, fg)
			i = j
			continue
		}
		var word strings.Builder
		j := i
		for ; j < x+n; j++ {
			c := cells.CellAt(j, y)
			if _, _, _, _, ok := shape(c.Content); ok || c.Content == " " && strings.HasSuffix(word.String(), " ") {
				break
			}
			word.WriteString(c.Content) // the rest of a wide one is empty
		}
		text := strings.TrimRight(word.String(), " ")
		if lead := len(text) - len(strings.TrimLeft(text, " ")); text != "" {
			text = text[lead:]
			fmt.Fprintf(b, `<text x="%d" y="%d" textLength="%d" fill="%s"%s>%s</text>`, (i+lead)*cellW, y*cellH+cellH-4, ansi.StringWidth(text)*cellW, fg, weight, html.EscapeString(text))
		}
		i = max(j, i+1)
	}
	b.WriteString("\n")
}

// shape returns the rectangle that a block or a line is, within its cell.
func shape(s string) (left, top, wide, high float64, ok bool) {
	r := []rune(s + " ")[0]
	switch {
	case r >= '▁' && r <= '█':
		high = cellH * float64(r-'▁'+1) / 8
		return 0, cellH - high, cellW, high, true
	case r >= '▉' && r <= '▏':
		return 0, 0, cellW * float64('▏'-r+1) / 8, cellH, true
	case r == '─':
		return 0, cellH / 2, cellW, 1, true
	case r == '│':
		return cellW / 2, 0, 1, cellH, true
	case r == '░':
		return 0, cellH / 2, cellW, 2, true
	}
	return 0, 0, 0, 0, false
}

func hex(c color.Color, none string) string {
	if c == nil {
		return none
	}
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}
