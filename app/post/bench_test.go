package post

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"ringback/callback"
)

func benchServer(b *testing.B) string {
	return listen(b, func(c net.Conn) {
		br := bufio.NewReader(c)
		for readRequest(br) {
			say(c, yes)
		}
	})
}

// BenchmarkPost measures an attempt on a kept connection over loopback, and
// reports it as a ratio to the same request made with a bare net/http client
// in the same run.
func BenchmarkPost(b *testing.B) {
	url := "http://" + benchServer(b) + "/hook"
	p := newPoster(b, Options{AllowPrivate: true})
	cb, claim := newCallback(url), newClaim()
	bare := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true}}
	b.Cleanup(bare.CloseIdleConnections)
	_, body := Body(cb, &claim.Response)

	var ours, theirs time.Duration
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		as := p.Post(context.Background(), cb, claim, 1)
		mid := time.Now()
		if len(as) != 1 || !as[0].OK {
			b.Fatalf("got %+v", as)
		}
		if err := barePost(bare, url, body); err != nil {
			b.Fatal(err)
		}
		ours, theirs = ours+mid.Sub(start), theirs+time.Since(mid)
	}
	n := float64(b.N)
	b.ReportMetric(float64(ours.Nanoseconds())/n, "post-ns/op")
	b.ReportMetric(float64(theirs.Nanoseconds())/n, "bare-ns/op")
	b.ReportMetric(float64(ours)/float64(theirs), "ratio")
}

func barePost(c *http.Client, url string, body []byte) error {
	resp, err := c.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

func BenchmarkBody(b *testing.B) {
	r := sample()
	for _, ct := range []callback.ContentType{callback.JSON, callback.XML} {
		b.Run(ct.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Body(&callback.Callback{ContentType: ct}, &r)
			}
		})
	}
}
