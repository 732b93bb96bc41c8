package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"sync"
	"time"
)

// feed is the body of a stream: the items of a file, one a line. It sends what
// waits already and waits for no more. Read is called by one goroutine, stop and
// Close by any.
type feed struct {
	// sent has each item that was sent, without what is in it, and each that
	// could not be read, in their order. It is closed when all is sent.
	sent chan item

	items chan item
	ended chan struct{} // closed by stop
	once  sync.Once
	over  sync.Once // of the closing of sent
	line  []byte    // what is left of the lines that are sent
}

// Bounds of a feed. Items that were sent wait for their answers, and are small.
const (
	itemsAhead = 64
	itemsSent  = 4096
)

// keepAlive is how often something is sent while no item comes: a blank line,
// which is no item. The server cuts a stream on which nothing comes.
const keepAlive = 20 * time.Second

// newFeed begins to read a file. When the feed is stopped while the file is
// waited for, as standard input may be, the goroutine that waits ends with the
// process.
func newFeed(in io.Reader) *feed {
	f := &feed{sent: make(chan item, itemsSent), items: make(chan item, itemsAhead), ended: make(chan struct{})}
	go func() {
		defer close(f.items)
		for it := range items(in) {
			select {
			case f.items <- it:
			case <-f.ended:
				return
			}
		}
	}()
	return f
}

// stop ends the sending, as if the file were over.
func (f *feed) stop() { f.once.Do(func() { close(f.ended) }) }

// Close implements io.Closer.
func (f *feed) Close() error { f.stop(); return nil }

// Read implements io.Reader.
func (f *feed) Read(p []byte) (int, error) {
	if len(f.line) == 0 && !f.wait() {
		f.over.Do(func() { close(f.sent) })
		return 0, io.EOF
	}
	for len(f.line) < len(p) && f.ready() {
		continue
	}
	n := copy(p, f.line)
	f.line = f.line[n:]
	return n, nil
}

// ready adds the next item if it is there already, and its note has room: who
// takes the notes waits for the answer to the first, whose line is not sent yet.
func (f *feed) ready() bool {
	if over(f.ended) || len(f.sent) == cap(f.sent) {
		return false
	}
	select {
	case it, ok := <-f.items:
		return ok && f.add(it)
	default:
		return false
	}
}

// wait waits until there is something to send, or nothing any more.
func (f *feed) wait() bool {
	if over(f.ended) {
		return false
	}
	for len(f.line) == 0 {
		select {
		case it, ok := <-f.items:
			if !ok || !f.add(it) {
				return false
			}
		case <-f.ended:
			return false
		case <-time.After(keepAlive):
			f.line = append(f.line, '\n')
		}
	}
	return true
}

// add adds the line of an item, unless the feed is stopped.
func (f *feed) add(it item) bool {
	note := item{line: it.line, err: it.err}
	select {
	case f.sent <- note:
	default:
		select {
		case f.sent <- note:
		case <-f.ended:
			return false
		}
	}
	if it.err != nil {
		return true
	}
	if bytes.IndexByte(it.raw, '\n') < 0 {
		f.line = append(append(f.line, it.raw...), '\n')
		return true
	}
	line := bytes.NewBuffer(f.line)
	_ = json.Compact(line, it.raw) // items yields nothing else than JSON
	f.line = append(line.Bytes(), '\n')
	return true
}
