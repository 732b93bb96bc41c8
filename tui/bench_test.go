package tui

import (
	"context"
	"fmt"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
)

// still is a model that shows the fixture, without a program around it.
func still(b *testing.B, w, h int) *model {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	b.Cleanup(cancel)
	f := newFake()
	m, err := newModel(ctx, cancel, Options{Service: f, Environ: []string{"LANG=C.UTF-8"}, Theme: "dark", Zone: aest, Now: func() time.Time { return noon }})
	if err != nil {
		b.Fatal(err)
	}
	m.Update(tea.WindowSizeMsg{Width: w, Height: h})
	m.Update(serverMsg{server: f.server})
	m.Update(overviewMsg{overview: f.overview})
	return m
}

func BenchmarkDraw(b *testing.B) {
	for _, size := range [][2]int{{80, 24}, {140, 40}, {200, 60}} {
		b.Run(fmt.Sprintf("overview/%dx%d", size[0], size[1]), func(b *testing.B) {
			m := still(b, size[0], size[1])
			b.ReportAllocs()
			for b.Loop() {
				m.draw()
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
