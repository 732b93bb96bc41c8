package queuetest

import (
	"fmt"
	"sync"
	"time"

	"ringback/callback"
)

// keyring: keys are unique by name, survive a restart, and are gone for good
// when they are removed. A list that was handed out does not change.
func keyring(h *harness) {
	if got := h.s.Keys(); len(got) != 0 {
		h.Fatalf("a new store has %d keys", len(got))
	}
	var want []callback.APIKey
	for i, name := range []string{"crm", "Zoë", "a b"} {
		k, err := h.s.AddKey(h.ctx, h.now, callback.APIKey{Name: name, Role: callback.Roles[i], Hash: callback.HashKey(name)})
		h.ok(err)
		want = append(want, callback.APIKey{Name: name, Role: callback.Roles[i], Created: h.now, Hash: callback.HashKey(name)})
		diff(h, "added", k, want[i])
		h.now = h.now.Add(time.Second)
	}
	want = []callback.APIKey{want[1], want[2], want[0]} // by name, bytewise
	diff(h, "keys", h.s.Keys(), want)
	_, err := h.s.AddKey(h.ctx, h.now, callback.APIKey{Name: "crm", Role: callback.RoleAdmin, Hash: callback.HashKey("other")})
	h.code(err, callback.CodeConflict)
	h.code(h.s.RemoveKey(h.ctx, h.now, "nobody"), callback.CodeNotFound)
	held := h.s.Keys()
	h.reopen()
	diff(h, "keys after a restart", h.s.Keys(), want)
	h.ok(h.s.RemoveKey(h.ctx, h.now, "crm"))
	h.code(h.s.RemoveKey(h.ctx, h.now, "crm"), callback.CodeNotFound)
	diff(h, "a list that was handed out", held, want)
	h.reopen()
	diff(h, "keys without the removed one", h.s.Keys(), want[:2])
	if _, ok := callback.FindKey(h.s.Keys(), "crm"); ok {
		h.Fatal("a removed key is found")
	}
	// Of several at once with one name one is made.
	var wg sync.WaitGroup
	made := make(chan error, 8)
	for i := range cap(made) {
		wg.Go(func() {
			_, err := h.s.AddKey(h.ctx, h.now, callback.APIKey{Name: "crm", Role: callback.RoleRead, Hash: callback.HashKey(fmt.Sprint(i))})
			made <- err
		})
	}
	wg.Wait()
	close(made)
	n := 0
	for err := range made {
		if err == nil {
			n++
			continue
		}
		h.code(err, callback.CodeConflict)
	}
	if n != 1 || len(h.s.Keys()) != 3 {
		h.Fatalf("%d keys of one name were made, there are %d in all", n, len(h.s.Keys()))
	}
}
