package queue

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// mentioning enqueues n calls of two callbacks in turns, every third with the
// message id "m", and returns the ids of those.
func mentioning(t *testing.T, e *Engine, n int) (of []callback.CallID) {
	t.Helper()
	for i := range 2 {
		if _, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: callback.CallbackID(i + 1), Name: fmt.Sprint("a", i)}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		r := callback.Response{MessageID: fmt.Sprint("M-", i)}
		if i%3 == 0 {
			r.MessageID = "m"
		}
		out, err := e.Enqueue(t.Context(), queuetest.Start.Add(time.Duration(i)*time.Second), []callback.NewCall{{Num: callback.Num(1 + i%2), Response: r}})
		if err != nil {
			t.Fatal(err)
		}
		if i%3 == 0 {
			of = append(of, out[0].ID)
		}
	}
	return of
}

// walk lists the calls that a filter selects, in pages as short as they get.
func walk(t *testing.T, e *Engine, q callback.CallQuery) (ids []callback.CallID) {
	t.Helper()
	if q.Status == 0 {
		q.Status = callback.ListPending | callback.ListFailed | callback.ListSuccess
	}
	for pages, more := 0, true; more; pages++ {
		page, err := e.Calls(t.Context(), q)
		if err != nil || pages > 1000 {
			t.Fatalf("page %d of %+v: %v", pages, q, err)
		}
		for i := range page.Calls {
			ids = append(ids, page.Calls[i].ID)
		}
		q.After, more = page.Next, page.More
	}
	return ids
}

func blocksOf(t *testing.T, e *Engine) (n int) {
	t.Helper()
	err := e.db.View(func(txn *badger.Txn) error {
		return eachKey(txn, key(0, kindMessage), nil, func([]byte) (bool, error) { n++; return true, nil })
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Blocks go on where the process before ended, and are read in both directions,
// however little of them a page looks at.
func TestMessagesOverBlocks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, err := openDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := mentioning(t, e, 400)
	before := blocksOf(t, e)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if e, err = openDir(dir); err != nil {
		t.Fatal(err)
	}
	defer e.Close() //nolint:errcheck // of a test
	out, err := e.Enqueue(t.Context(), queuetest.Start.Add(time.Hour), []callback.NewCall{{Num: 1, Response: callback.Response{MessageID: "m"}}})
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, out[0].ID)
	if n := blocksOf(t, e); n != before || n < 5 || n > 20 {
		t.Errorf("%d blocks of 401 calls, %d before the folder was closed", n, before)
	}
	for _, scan := range []int{1, 3, 0} {
		for _, oldest := range []bool{false, true} {
			got := walk(t, e, callback.CallQuery{Oldest: oldest, Limit: 7, Scan: scan, Filter: callback.Filter{MessageID: "m"}})
			if !oldest {
				slices.Reverse(got)
			}
			if !slices.Equal(got, want) {
				t.Errorf("scan %d, oldest %v: got %d calls, want %d", scan, oldest, len(got), len(want))
			}
			if got := walk(t, e, callback.CallQuery{Oldest: oldest, Scan: scan, Filter: callback.Filter{MessageID: "nobody's"}}); got != nil {
				t.Errorf("scan %d, oldest %v: got %v for nobody's", scan, oldest, got)
			}
		}
	}
	odd := walk(t, e, callback.CallQuery{Num: 2, Oldest: true, Filter: callback.Filter{MessageID: "m"}})
	if len(odd) != len(want)/2 || slices.ContainsFunc(odd, func(id callback.CallID) bool { return !slices.Contains(want, id) }) {
		t.Errorf("%d calls of the second callback, of %d", len(odd), len(want))
	}
	if err := e.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// A block goes with the last of its calls, and no sooner.
func TestPurgeOfMessages(t *testing.T) {
	t.Parallel()
	e := quick(t)
	mentioning(t, e, 400)
	all := walk(t, e, callback.CallQuery{Oldest: true, Filter: callback.Filter{Status: callback.ListPending}})
	before := blocksOf(t, e)
	later := queuetest.Start.Add(24 * time.Hour)
	for i, id := range all {
		if i == 100 {
			continue // it waits, however long
		}
		if _, err := e.Resolve(t.Context(), later, callback.Num(1+i%2), []callback.CallID{id}, "ana"); err != nil {
			t.Fatal(err)
		}
	}
	later = later.Add(24 * time.Hour)
	if n, err := e.Purge(t.Context(), later, later, later, 1000); n != len(all)-1 || err != nil {
		t.Fatalf("purged %d: %v", n, err)
	}
	if n := blocksOf(t, e); n != 1 {
		t.Errorf("%d of %d blocks are left for one call", n, before)
	}
	if got := walk(t, e, callback.CallQuery{Filter: callback.Filter{MessageID: "M-100"}}); !slices.Equal(got, all[100:101]) {
		t.Errorf("got %v, want %v", got, all[100])
	}
	if _, err := e.Resolve(t.Context(), later, 1, all[100:101], "ana"); err != nil {
		t.Fatal(err)
	}
	later = later.Add(24 * time.Hour)
	// What has ended so late is looked at when the walk begins anew.
	if _, err := e.PurgeStray(t.Context(), later, later); err != nil {
		t.Fatal(err)
	}
	if n, err := e.Purge(t.Context(), later, later, later, 1000); n != 1 || err != nil {
		t.Fatalf("purged %d: %v", n, err)
	}
	if n := blocksOf(t, e); n != 0 {
		t.Errorf("%d blocks are left of no call", n)
	}
	if out, err := e.Enqueue(t.Context(), later, []callback.NewCall{{Num: 1, Response: callback.Response{MessageID: "m"}}}); err != nil || out[0].Err != nil {
		t.Fatal(err, out)
	}
	if err := e.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// A damaged block hides its calls and no others, and Check tells of each.
func TestDamagedMessages(t *testing.T) {
	t.Parallel()
	e, err := openDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close() //nolint:errcheck // of a test
	want := mentioning(t, e, 400)
	var keys [][]byte
	err = e.db.View(func(txn *badger.Txn) error {
		return eachKey(txn, key(0, kindMessage), nil, func(k []byte) (bool, error) {
			keys = append(keys, slices.Clone(k))
			return true, nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	first, behind := callback.CallID(be64(keys[2][2:])), callback.CallID(be64(keys[3][2:]))
	hidden := func(id callback.CallID) bool { return id >= first && id < behind }
	damage(t, e, keys[2], garbage)
	for _, oldest := range []bool{false, true} {
		got := walk(t, e, callback.CallQuery{Oldest: oldest, Scan: 1, Filter: callback.Filter{MessageID: "m"}})
		if !oldest {
			slices.Reverse(got)
		}
		if !slices.Equal(got, slices.DeleteFunc(slices.Clone(want), hidden)) {
			t.Errorf("oldest %v: got %v", oldest, got)
		}
	}
	lost := 0
	all := walk(t, e, callback.CallQuery{Filter: callback.Filter{Status: callback.ListPending}})
	err = e.Check(t.Context())
	for _, id := range all {
		if told := err != nil && strings.Contains(err.Error(), fmt.Sprintf("call %s is not in the index of messages", id)); told != hidden(id) {
			t.Errorf("call %s: told %v of", id, told)
		} else if told {
			lost++
		}
	}
	if lost < 20 {
		t.Errorf("%d calls are told of: %v", lost, err)
	}
}

// Check tells of what the index names falsely: each call of it is looked at, and
// not just those that there are.
func TestCheckOfMessages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(list []mention) []mention
		want   string
	}{
		"as it is":            {func(l []mention) []mention { return l }, ""},
		"nobody's":            {func(l []mention) []mention { return append(l, mention{1, l[len(l)-1].id + 1, 1}) }, "1 calls of callback 1 are not there, 0 were removed"},
		"all nobody's":        {func(l []mention) []mention { return []mention{{1, l[0].id - 1, 2}} }, "1 calls of callback 2 are not there, 0 were removed"},
		"of no callback":      {func(l []mention) []mention { l[3].num = 7; return l }, "is of callback 7, which there never was"},
		"of another":          {func(l []mention) []mention { l[3].num = 3 - l[3].num; return l }, "are not there, 0 were removed"},
		"another message's":   {func(l []mention) []mention { l[3].hash++; return l }, "has another message id, or callback"},
		"twice":               {func(l []mention) []mention { return slices.Insert(l, 3, l[3]) }, "stands behind call"},
		"not in their order":  {func(l []mention) []mention { l[3], l[4] = l[4], l[3]; return l }, "stands behind call"},
		"one that is missing": {func(l []mention) []mention { return slices.Delete(l, 3, 4) }, "is not in the index of messages"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := openDir(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close() //nolint:errcheck // of a test
			mentioning(t, e, 20)
			list := c.change(slices.Clone(e.mentions.list))
			damage(t, e, blockKey(e.mentions.list[0].id), nil)
			damage(t, e, blockKey(list[0].id), encodeBlock(list))
			err = e.Check(t.Context())
			if got := fmt.Sprint(err); (err != nil) != (c.want != "") || !strings.Contains(got, c.want) {
				t.Errorf("got %v, want %q", got, c.want)
			}
		})
	}
}

// Of a message id that many calls have, the blocks are walked once and not for
// each step of a list: what later steps answer is read from the attempts.
func TestCrowdOfMessage(t *testing.T) {
	t.Parallel()
	e := quick(t)
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	ids := fill(t, e, cb.Num, maxOfMessage+1)
	failAll(t, e, cb.Num, queuetest.Start.Add(time.Second), callback.Attempt{Code: 500, Class: callback.ClassStatus}, ids[:20]...)
	q := callback.AttemptQuery{Limit: 5, Filter: callback.Filter{MessageID: "m"}}
	step := func() (n int) {
		t.Helper()
		page, err := e.Attempts(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		q.After = page.Next
		return len(page.Attempts)
	}
	if n := step(); n != 5 {
		t.Fatalf("the first page has %d attempts", n)
	}
	hidden := map[string][]byte{} // so that whoever walks finds nothing
	err = e.db.View(func(txn *badger.Txn) error {
		return eachItem(txn, key(0, kindMessage), nil, true, func(k, v []byte) (bool, error) {
			hidden[string(k)] = slices.Clone(v)
			return true, nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	for k := range hidden {
		damage(t, e, []byte(k), nil)
	}
	for _, oldest := range []bool{false, true} {
		if n := step(); n != 5 {
			t.Errorf("oldest %v: a later step found %d attempts", oldest, n)
		}
		q.Oldest = true
	}
	q.MessageID = "another" // of which nothing is known
	if n := step(); n != 0 {
		t.Errorf("%d attempts of another message", n)
	}
	// Retention may have left few of many: then it is found out anew.
	q.MessageID, q.After = "m", callback.AttemptKey{}
	if _, err := e.Purge(t.Context(), queuetest.Start, time.Time{}, time.Time{}, 10); err != nil {
		t.Fatal(err)
	}
	if n := step(); n != 0 {
		t.Errorf("%d attempts without an index after a purge", n)
	}
	for k, v := range hidden {
		damage(t, e, []byte(k), v)
	}
	if n := step(); n != 5 {
		t.Errorf("%d attempts with the index", n)
	}
}

// However ids and numbers lie, a block is no longer than a record may be, and
// tells what was put into it.
func FuzzBlock(f *testing.F) {
	f.Add(uint64(1), uint64(1), uint32(1), uint32(7))
	f.Add(uint64(1)<<63, uint64(1)<<56, ^uint32(0), ^uint32(0))
	f.Fuzz(func(t *testing.T, first, step uint64, num, hash uint32) {
		var b block
		for id := first; id >= first; id += step {
			if !b.add(mention{hash, callback.CallID(id), callback.Num(num)}) || step == 0 {
				break
			}
			num, hash = num*3, hash*5+1
		}
		v := encodeBlock(b.list)
		if len(v) > maxInline || len(b.list) == 0 {
			t.Fatalf("%d bytes of %d calls", len(v), len(b.list))
		}
		got, err := decodeBlock(nil, blockKey(callback.CallID(first)), v, everyHash)
		if err != nil || !slices.Equal(got, b.list) {
			t.Errorf("got %v, want %v: %v", got, b.list, err)
		}
	})
}
