package tui

import (
	"context"
	"fmt"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
)

// still is a model that shows the fixture, without a program around it.
func still(tb testing.TB, w, h int) *model {
	tb.Helper()
	ctx, cancel := context.WithCancel(tb.Context())
	tb.Cleanup(cancel)
	f := newFake()
	m, err := newModel(ctx, cancel, Options{Service: f, Environ: []string{"LANG=C.UTF-8"}, Theme: "dark", Zone: aest, Now: func() time.Time { return noon }})
	if err != nil {
		tb.Fatal(err)
	}
	m.Update(tea.WindowSizeMsg{Width: w, Height: h})
	m.Update(serverMsg{server: f.server})
	m.Update(overviewMsg{overview: f.overview})
	return m
}

// frameSizes are those that the budget of a frame is given for.
var frameSizes = [][2]int{{80, 24}, {140, 40}, {200, 60}}

// drawNext draws the frame of a second later, which is another one.
func (m *model) drawNext() {
	m.desk.skew += time.Second
	m.draw()
}

// A frame is made of texts that live where they are drawn, as long as the functions
// that write them are inlined there: this tells when one no longer is.
func TestDrawAllocates(t *testing.T) {
	const most = 20
	for _, size := range frameSizes {
		m := still(t, size[0], size[1])
		if n := testing.AllocsPerRun(100, m.drawNext); n > most {
			t.Errorf("%dx%d: %.0f objects a frame, want %d at most", size[0], size[1], n, most)
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	for _, size := range frameSizes {
		b.Run(fmt.Sprintf("overview/%dx%d", size[0], size[1]), func(b *testing.B) {
			m := still(b, size[0], size[1])
			b.ReportAllocs()
			for b.Loop() {
				m.drawNext()
			}
		})
	}
}

func BenchmarkKeyToFrame(b *testing.B) {
	for _, size := range [][2]int{{80, 24}, {140, 40}} {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			m := still(b, size[0], size[1])
			keys := []tea.KeyPressMsg{keyPress("j"), keyPress("k")}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				m.Update(keys[i%2])
				m.View()
			}
		})
	}
}

func BenchmarkCachedView(b *testing.B) {
	m := still(b, 140, 40)
	m.View()
	for b.Loop() {
		m.View()
	}
}
