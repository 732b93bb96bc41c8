package api

import (
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
)

// Bodies that are small beside what they become: the plain path takes none.
var (
	manyJSON = `{"callbackId":"crm-prod","messageId":"stored","responseMessage":{},"x":[0` + strings.Repeat(",0", 100_000) + `]}`
	manyXML  = `<ns2:response xmlns:ns2="` + spaceDAP + `"><x>` + strings.Repeat("<entry/>", 100_000) + `</x></ns2:response>`
)

// TestTreesArePaidFor has bodies of many values come when there is little memory
// left: they are told to come again, and small ones are taken.
func TestTreesArePaidFor(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: newFixed()})
	m := h.(*handler).memory
	const but = 4 << 20
	if !m.left.TryAcquire(m.size - but) {
		t.Fatal("no memory at all")
	}
	for kind, body := range map[string]string{"json": manyJSON, "xml": manyXML} {
		for _, target := range []string{"/responses", "/callbacks"} {
			if w := ask(h, "POST", target, body, "Content-Type: application/"+kind); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "1" {
				t.Errorf("%s to %s is answered %d %v %.300s", kind, target, w.Code, w.Header(), w.Body)
			}
		}
	}
	// Items are read one after the other, so that their trees are not there at once.
	few := `{"callbackId":"crm-prod","messageId":"stored","responseMessage":{},"customParameters":[` + strings.Repeat(`{"key":"","value":1},`, 99) + `{"key":"","value":1}]}`
	if w := ask(h, "POST", "/responses", "["+strings.Repeat(few+",", 200)+strings.TrimSpace(stored)+"]"); w.Code != http.StatusAccepted {
		t.Errorf("an array is answered %d %.300s", w.Code, w.Body)
	}
	m.left.Release(m.size - but)
	for kind, body := range map[string]string{"json": manyJSON, "xml": manyXML} {
		if w := ask(h, "POST", "/responses", body, "Content-Type: application/"+kind); w.Code == http.StatusTooManyRequests {
			t.Errorf("with memory %s is answered %d %.300s", kind, w.Code, w.Body)
		}
	}
	if !whole(h) {
		t.Error("memory was not given back")
	}
}

// TestTreesOfLinesArePaidFor has a stream with a line of many values: it alone is told to
// come again.
func TestTreesOfLinesArePaidFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, free := fullStreams(t, newFixed(), 4<<20)
		w := ask(h, "POST", "/responses", stored+manyJSON+"\n"+stored, ndjson)
		if got := strings.Join(answersOf(t, w.Body.Bytes()), "|"); got != "PENDING|429 at 2|PENDING" {
			t.Errorf("answers: %s", got)
		}
		free()
		if !whole(h) {
			t.Error("memory was not given back")
		}
	})
}

// TestTreesCostWhatIsPaid holds what a tree is charged to what it takes.
func TestTreesCostWhatIsPaid(t *testing.T) {
	for _, c := range []struct {
		name string
		body string
		read func([]byte, room) (node, error)
	}{{"JSON", manyJSON, parseJSON}, {"XML", manyXML, parseXML}} {
		held := hold{budget: newBudget(bodyMemory, 0)}
		body := []byte(c.body)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		n, err := c.read(body, room{left: 1 << 20, held: &held})
		runtime.GC()
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		took := int64(after.HeapAlloc) - int64(before.HeapAlloc)
		t.Logf("%s: %d KiB of a body of %d; charged %d", c.name, took>>10, len(body)>>10, held.n>>10)
		if took > held.n || took < held.n/4 {
			t.Errorf("%s: a tree takes %d bytes, and is charged %d", c.name, took, held.n)
		}
		runtime.KeepAlive(n)
		runtime.KeepAlive(body)
		held.free()
	}
}
