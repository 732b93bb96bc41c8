package callback

import (
	"strconv"
	"time"
)

// Num is the number an engine gives a callback when it is created. It is used
// inside only, and never given to another callback.
type Num uint32

// CallbackID names a callback outside: 8 random bytes, written as 16
// upper-case hex digits.
type CallbackID uint64

// CallID names a call: the milliseconds since 2020-01-01 UTC in the upper 44 bits, a
// sequence in the lower 20, written as 16 upper-case hex digits. A later call
// has a greater id, also when the clock steps back.
type CallID uint64

// callEpoch is 2020-01-01T00:00:00Z in Unix milliseconds.
const callEpoch = 1577836800000

var callEpochTime = time.UnixMilli(callEpoch).UTC()

// NextCallID returns the id that follows last for a call enqueued at now.
func NextCallID(last CallID, now time.Time) CallID {
	return max(last, FirstCallID(now)) + 1
}

// FirstCallID returns the smallest id that a call enqueued at t may have. It
// bounds a search by time; it is never given to a call.
func FirstCallID(t time.Time) CallID {
	return CallID(max(t.UnixMilli()-callEpoch, 0)) << 20
}

// Time returns when the call was enqueued, in UTC, to the millisecond.
func (id CallID) Time() time.Time { return time.UnixMilli(int64(id>>20) + callEpoch).UTC() }

// String returns the 16 upper-case hex digits of the id.
func (id CallID) String() string { return digits(uint64(id)) }

// MarshalText implements encoding.TextMarshaler.
func (id CallID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *CallID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseCallID(string(b))
	return err
}

// String returns the 16 upper-case hex digits of the id.
func (id CallbackID) String() string { return digits(uint64(id)) }

// MarshalText implements encoding.TextMarshaler.
func (id CallbackID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *CallbackID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseCallbackID(string(b))
	return err
}

// ParseCallID reads 16 hex digits of either case.
func ParseCallID(s string) (CallID, error) {
	n, ok := parseID(s)
	if !ok {
		return 0, Errorf(CodeNotFound, "call id %q is not 16 hex digits", Sanitize(s, 40))
	}
	return CallID(n), nil
}

// ParseCallbackID reads 16 hex digits of either case.
func ParseCallbackID(s string) (CallbackID, error) {
	n, ok := parseID(s)
	if !ok {
		return 0, Errorf(CodeNotFound, "callback id %q is not 16 hex digits", Sanitize(s, 40))
	}
	return CallbackID(n), nil
}

func parseID(s string) (uint64, bool) {
	if len(s) != 16 {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 16, 64)
	return n, err == nil && s[0] != '+' && s[0] != '-'
}

// digits returns 16 upper-case hex digits. Every answer and every link has some:
// it is small enough that the string need not leave the stack.
func digits(n uint64) string {
	var b [16]byte
	for i := range b {
		b[i] = "0123456789ABCDEF"[n>>(60-4*i)&15]
	}
	return string(b[:])
}
