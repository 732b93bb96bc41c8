package api

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"time"
)

// Watch implements callback.Watcher. It returns when the server watches.
func (c *Client) Watch(ctx context.Context) (<-chan uint64, error) {
	ctx, cancel := context.WithCancel(ctx)
	quiet := time.AfterFunc(silence, cancel)
	res, err := c.send(ctx, &exchange{method: "GET", path: watchPattern})
	if err == nil && res.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10)) // what could be read explains the status
		res.Body.Close()                                        // nothing is written
		err = plain(c.fault(res, body))
	}
	if err != nil {
		quiet.Stop()
		cancel()
		return nil, err
	}
	revs := make(chan uint64, 1)
	go func() {
		defer close(revs)
		defer cancel()
		defer quiet.Stop()
		defer res.Body.Close() // nothing is written
		follow(res.Body, func() { quiet.Reset(silence) }, revs)
	}()
	return revs, nil
}

// follow reads lines until there are no more, and keeps the latest revision in
// revs. The first lines tell how things are, not that they changed: revision 0.
func follow(r io.Reader, alive func(), revs chan uint64) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	last := uint64(0)
	for lines.Scan() {
		alive()
		var l watchLine
		if err := decodeJSON(lines.Bytes(), &l); err != nil {
			return
		}
		if l.Rev == last {
			continue
		}
		last = l.Rev
		select { // only this goroutine sends: after the drain there is room
		case <-revs:
		default:
		}
		revs <- last
	}
}
