package queue

import (
	"encoding/binary"
	"hash/fnv"
	"time"

	"ringback/callback"
)

// The kinds of key, the second byte of each. Keys of one callback begin with
// its slot; node-wide ones with slot 0.
const (
	kindCallback = 'c' // cb part              configuration
	kindLive     = 'n' // cb part              live state
	kindPayload  = 'r' // id                   response; the only kind that may lie in the value log
	kindDue      = 'q' // cb class due id      a waiting call
	kindRow      = 'l' // cb status ^id        a call that is not Fresh: its Entry
	kindLate     = 'd' // cb ^id               a call never tried that waits out of the order of ids: its Entry
	kindCode     = 'f' // cb code class ^id    a call whose last attempt was anything but a success with code 200
	kindMessage  = 'j' // id                   calls from that one on whose responses have message ids; node-wide
	kindAttempt  = 't' // cb ^started ^id ^n   one attempt
	kindExcerpt  = 'x' // id n part            beginning of a failure's answer
	kindClaim    = 'k' // seq                  attempts that were about to run
	kindAlert    = 'e' // cb ^created hash part
	kindOutbox   = 'E' // due cb created hash  an alert that waits
	kindOutage   = 'u' // cb ^n part
	kindKey      = 'i' // sha256(cb, key)      idempotency key
	kindAPIKey   = 'y' // SHA-256 of the key   API key; node-wide
	kindMeta     = 'm' // name
	kindCauses   = 'h' // cb hour part         why attempts failed, in one hour
	kindMinute   = 's' // minute part          figures of all callbacks; node-wide

	kindOperation = 'o' // cb seq part         operation
	kindUndo      = 'O' // seq id              a call as it was before an operation resolved it
	kindNamed     = 'N' // seq id              ids of calls that an operation names, up to that one
)

const (
	rowFailed  = 'F'
	rowSuccess = 'S'
)

// maxInline is the longest value of any kind but kindPayload. Badger moves
// values from valueThreshold on into the value log, where nothing that is ever
// changed or deleted may live: its garbage collection can bring it back.
const (
	maxInline      = 480
	valueThreshold = 512
	memtableSize   = 16 << 20
)

func slotOf(id callback.CallbackID) byte {
	h := fnv.New32a()
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(id))) // a hash never fails
	return byte(h.Sum32())
}

func key(slot byte, kind byte) []byte { return append(make([]byte, 0, 32), slot, kind) }

func put32(k []byte, n uint32) []byte { return binary.BigEndian.AppendUint32(k, n) }
func put64(k []byte, n uint64) []byte { return binary.BigEndian.AppendUint64(k, n) }

// ms is how times stand in keys and records: Unix milliseconds, 0 for the zero
// time.
func ms(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.UnixMilli())
}

func fromMS(n uint64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(n)).UTC()
}

func callbackKey(slot byte, num callback.Num) []byte {
	return put32(key(slot, kindCallback), uint32(num))
}
func liveKey(slot byte, num callback.Num) []byte { return put32(key(slot, kindLive), uint32(num)) }

func payloadKey(slot byte, id callback.CallID) []byte {
	return put64(key(slot, kindPayload), uint64(id))
}

func duePrefix(slot byte, num callback.Num, class callback.DueClass) []byte {
	return append(put32(key(slot, kindDue), uint32(num)), byte(class))
}

func dueKey(slot byte, e *callback.Entry) []byte {
	return put64(put64(duePrefix(slot, e.Num, e.DueClass()), ms(e.Due)), uint64(e.ID))
}

// freshKey is the place of a call never tried that is not late.
func freshKey(slot byte, num callback.Num, id callback.CallID) []byte {
	return put64(put64(duePrefix(slot, num, callback.Fresh), ms(id.Time())), uint64(id))
}

func rowPrefix(slot byte, num callback.Num, status byte) []byte {
	return append(put32(key(slot, kindRow), uint32(num)), status)
}

func rowKey(slot byte, num callback.Num, status byte, id callback.CallID) []byte {
	return put64(rowPrefix(slot, num, status), ^uint64(id))
}

// late reports whether e, a call never tried, waits at another place than its id
// says: those that do not stand in the schedule in the order of their ids.
func late(e *callback.Entry) bool { return ms(e.Due) != ms(e.ID.Time()) }

func lateKey(slot byte, num callback.Num, id callback.CallID) []byte {
	return put64(put32(key(slot, kindLate), uint32(num)), ^uint64(id))
}

func codePrefix(slot byte, num callback.Num) []byte { return put32(key(slot, kindCode), uint32(num)) }

// codeKey has the code in two bytes: no HTTP status is longer.
func codeKey(slot byte, num callback.Num, code int, class callback.Class, id callback.CallID) []byte {
	k := append(codePrefix(slot, num), byte(code>>8), byte(code), byte(class))
	return put64(k, ^uint64(id))
}

func attemptPrefix(slot byte, num callback.Num) []byte {
	return put32(key(slot, kindAttempt), uint32(num))
}

// attemptKey names attempt n of a call, which began at the given time. The last
// one's time stands in the call's entry, those before each in the next one's record.
func attemptKey(slot byte, num callback.Num, at time.Time, id callback.CallID, n int) []byte {
	return put32(put64(put64(attemptPrefix(slot, num), ^ms(at)), ^uint64(id)), ^uint32(n))
}

func excerptKey(slot byte, id callback.CallID, n, part int) []byte {
	return append(put32(put64(key(slot, kindExcerpt), uint64(id)), uint32(n)), byte(part))
}

func apiKeyKey(hash [32]byte) []byte {
	return append(make([]byte, 0, 34), append([]byte{0, kindAPIKey}, hash[:]...)...)
}

func claimKey(slot byte, seq uint64) []byte { return put64(key(slot, kindClaim), seq) }

func alertPrefix(slot byte, num callback.Num) []byte {
	return put32(key(slot, kindAlert), uint32(num))
}

func alertKey(slot byte, a *callback.Alert) []byte {
	return put32(put64(alertPrefix(slot, a.Num), ^ms(a.Created)), callback.AlertHash(a.Key))
}

func outboxKey(slot byte, a *callback.Alert) []byte {
	k := put32(put64(key(slot, kindOutbox), ms(a.Next)), uint32(a.Num))
	return put32(put64(k, ms(a.Created)), callback.AlertHash(a.Key))
}

func outagePrefix(slot byte, num callback.Num) []byte {
	return put32(key(slot, kindOutage), uint32(num))
}

func outageKey(slot byte, num callback.Num, n uint32) []byte {
	return put32(outagePrefix(slot, num), ^n)
}
