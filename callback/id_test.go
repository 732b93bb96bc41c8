package callback

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestNextCallID(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 987654321, time.UTC)
	first := NextCallID(0, at)
	sameTime(t, "time", first.Time(), at.Truncate(time.Millisecond))
	if bound := FirstCallID(at); bound >= first || bound <= NextCallID(0, at.Add(-time.Millisecond)) {
		t.Fatalf("FirstCallID %s does not part %s from what came before", bound, first)
	}
	same(t, "next in the same millisecond", NextCallID(first, at), first+1)
	same(t, "next after the clock stepped back", NextCallID(first, at.Add(-time.Hour)), first+1)
	if got := NextCallID(first, at.Add(time.Millisecond)); got <= first || !got.Time().After(first.Time()) {
		t.Fatalf("a millisecond later: %s after %s", got, first)
	}
	same(t, "before the epoch", NextCallID(0, time.Time{}), 1)
	same(t, "bound before the epoch", FirstCallID(time.Time{}), 0)
}

// TestCallIDOrder proves that a later call has a greater id, whatever the clock
// does.
func TestCallIDOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		last, now := CallID(0), noon
		for _, ms := range rapid.SliceOfN(rapid.IntRange(-5000, 5000), 1, 50).Draw(t, "steps") {
			now = now.Add(time.Duration(ms) * time.Millisecond)
			next := NextCallID(last, now)
			if next <= last || next.String() <= last.String() {
				t.Fatalf("%s follows %s", next, last)
			}
			last = next
		}
	})
}

func TestParseID(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		want uint64
		ok   bool
	}{
		{"A1B2C3D4E5F60718", 0xA1B2C3D4E5F60718, true},
		{"a1b2c3d4e5f60718", 0xA1B2C3D4E5F60718, true},
		{"0000000000000000", 0, true},
		{"FFFFFFFFFFFFFFFF", 1<<64 - 1, true},
		{"", 0, false},
		{"A1B2C3D4E5F6071", 0, false},
		{"A1B2C3D4E5F607189", 0, false},
		{"+1B2C3D4E5F60718", 0, false},
		{"-1B2C3D4E5F60718", 0, false},
		{"0x1B2C3D4E5F6071", 0, false},
		{"A1B2C3D4_5F60718", 0, false},
		{"A1B2C3D4 5F60718", 0, false},
		{"G1B2C3D4E5F60718", 0, false},
		{"éééééééé", 0, false},
	} {
		call, err := ParseCallID(c.in)
		cb, err2 := ParseCallbackID(c.in)
		if uint64(call) != c.want || uint64(cb) != c.want || (err == nil) != c.ok || (err2 == nil) != c.ok {
			t.Errorf("%q: %v, %v and %v, %v, want %x, %v", c.in, call, err, cb, err2, c.want, c.ok)
		}
		if !c.ok && (ErrorCode(err) != CodeNotFound || ErrorCode(err2) != CodeNotFound) {
			t.Errorf("%q: codes %q and %q", c.in, ErrorCode(err), ErrorCode(err2))
		}
	}
	_, err := ParseCallID("\x1b]0;x\a")
	if s := err.Error(); Sanitize(s, len(s)) != s {
		t.Errorf("the error repeats control characters: %q", s)
	}
}

func TestIDText(t *testing.T) {
	t.Parallel()
	type ids struct {
		Call     CallID
		Callback CallbackID
	}
	in := ids{0x1F, labID}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "JSON", string(b), `{"Call":"000000000000001F","Callback":"A1B2C3D4E5F60718"}`)
	var out ids
	if err := json.Unmarshal(b, &out); err != nil || out != in {
		t.Fatalf("read back: %+v, %v", out, err)
	}
	if json.Unmarshal([]byte(`{"Call":"1"}`), &out) == nil || json.Unmarshal([]byte(`{"Callback":"1"}`), &out) == nil {
		t.Fatal("an id too short was taken")
	}
}
