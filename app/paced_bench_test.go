package app_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// BenchmarkPaced enqueues 200 responses of 1 KB a second over HTTP, and prints
// how long it takes until each is answered, which is when it is on disk, and
// until it arrives at the endpoint. The controls are paced the same, in turns: a
// bare client's exchange with the endpoint, and a sync of 1 KB on the same disk.
func BenchmarkPaced(b *testing.B) {
	const window = 200
	p := openPlant(b, 16)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
	b.Cleanup(client.CloseIdleConnections)
	f, err := os.Create(filepath.Join(b.TempDir(), "sync"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }() // it holds nothing that is wanted
	body := kilobyte()
	var mu sync.Mutex
	arrivals := map[string]time.Time{}
	p.arrived = func(body []byte) {
		_, id, _ := bytes.Cut(body, []byte(`"messageId":"`))
		id, _, _ = bytes.Cut(id, []byte(`"`))
		mu.Lock()
		defer mu.Unlock()
		arrivals[string(id)] = time.Now()
	}
	var answer, arrival, exchanged, synced []time.Duration
	for done := 0; b.Loop(); done++ {
		if done%window != 0 {
			continue
		}
		begun := make([]time.Time, window)
		p.deliver(window, func() {
			answer = append(answer, pace(window, func(i int) {
				mine := bytes.Replace(body, []byte("ABC4857BCCF484575FCA"), []byte(strconv.Itoa(done+i)), 1)
				c := <-p.idle
				begun[i] = time.Now()
				c.enqueue(p.request(mine))
				p.idle <- c
			})...)
		})
		for i := range begun {
			arrival = append(arrival, arrivals[strconv.Itoa(done+i)].Sub(begun[i]))
		}
		exchanged = append(exchanged, pace(window, func(int) { exchange(client, p.endpoint, body) })...)
		synced = append(synced, pace(window, func(int) {
			if _, err := f.Write(body); err != nil {
				panic(err)
			}
			if err := f.Sync(); err != nil {
				panic(err)
			}
		})...)
	}
	b.ReportMetric(0, "ns/op")
	for _, m := range []struct {
		name  string
		times []time.Duration
	}{{"enqueue", answer}, {"arrival", arrival}, {"exchange", exchanged}, {"sync", synced}} {
		slices.Sort(m.times)
		for _, q := range []int{50, 99} {
			b.ReportMetric(float64(m.times[len(m.times)*q/100].Microseconds())/1000, m.name+"-p"+strconv.Itoa(q)+"-ms")
		}
	}
}

// pace begins f n times, 5 ms apart whatever each takes, and returns how long
// each took.
func pace(n int, f func(i int)) []time.Duration {
	took := make([]time.Duration, n)
	var wg sync.WaitGroup
	start := time.Now()
	for i := range n {
		at := start.Add(time.Duration(i) * 5 * time.Millisecond)
		time.Sleep(time.Until(at))
		begun := time.Now()
		wg.Go(func() {
			f(i)
			took[i] = time.Since(begun)
		})
	}
	wg.Wait()
	return took
}
