package app_test

import (
	"fmt"
	"testing"

	"ringback/callback"
)

// BenchmarkOverview answers what the first screen and /watch ask for, up to four
// times a second: of 10,000 callbacks that are healthy, and of as many that are
// down with a call waiting.
func BenchmarkOverview(b *testing.B) {
	const n = 10_000
	for _, up := range []bool{true, false} {
		b.Run(fmt.Sprintf("healthy=%v", up), func(b *testing.B) {
			r := newArrivals(b)
			a := open(b, nil)
			url := r.URL
			if !up {
				r.Close()
			}
			refs := register(b, a, "many", url, n)
			items := make([]callback.NewResponse, n)
			for i := range items {
				items[i] = callback.NewResponse{Ref: refs[i]}
			}
			if _, err := a.Enqueue(b.Context(), items); err != nil {
				b.Fatal(err)
			}
			for {
				o, err := a.Overview(b.Context(), 60)
				if err != nil {
					b.Fatal(err)
				}
				down := 0
				for i := range o.Callbacks {
					if o.Callbacks[i].Shown == callback.Down {
						down++
					}
				}
				if up && o.Waiting == 0 || down == n {
					break
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := a.Overview(b.Context(), 60); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
