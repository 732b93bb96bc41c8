package tui

import (
	"math/bits"
	"strconv"
	"time"

	"ringback/callback"
)

// absent stands where there is nothing to say.
const absent = "-"

// Duration is callback.Duration: 0.2s 12s 4m10s 4h51m 2d03h.
func Duration(d time.Duration) string { return callback.Duration(d) }

// figure is room for one. A frame has hundreds, drawn anew each second: they are
// written by functions that append, and the short ones that make strings of that
// are inlined where they are called, so that a string which is only drawn lives on
// the stack there.
type figure [32]byte

// appendTwo appends n, which is below a hundred, in two digits.
func appendTwo(b []byte, n uint64) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

// Countdown returns how long it is until due: in 2m10s, in 0m41s (a minute's
// form below one minute too, so that the column stands still), in 0.3s, now.
// From one second after due it is late 12s, and late is true: that is shown in
// RoleFailing. A zero due is "-".
func Countdown(due, now time.Time) (s string, late bool) {
	var room figure
	b, late := appendCountdown(room[:0], due, now)
	return string(b), late
}

func appendCountdown(b []byte, due, now time.Time) (_ []byte, late bool) {
	left := due.Sub(now)
	switch {
	case due.IsZero():
		return append(b, absent...), false
	case left <= -time.Second:
		return callback.AppendDuration(append(b, "late "...), -left), true
	case left < 100*time.Millisecond:
		return append(b, "now"...), false
	case left < time.Second:
		return callback.AppendDuration(append(b, "in "...), left), false
	}
	return callback.AppendMinutes(append(b, "in "...), left), false
}

// Age returns how long ago t was, as a Duration; "-" for the zero time.
func Age(t, now time.Time) string {
	var room figure
	return string(appendAge(room[:0], t, now))
}

func appendAge(b []byte, t, now time.Time) []byte {
	if t.IsZero() {
		return append(b, absent...)
	}
	return callback.AppendDuration(b, now.Sub(t))
}

// Count returns n with its thousands apart: 1,284.
func Count(n uint64) string {
	var room figure
	return string(appendCount(room[:0], n))
}

func appendCount(b []byte, n uint64) []byte {
	from := len(b)
	b = strconv.AppendUint(b, n, 10)
	for i := len(b) - 3; i > from; i -= 3 {
		b = append(b, 0)
		copy(b[i+1:], b[i:])
		b[i] = ','
	}
	return b
}

// CountShort is Count for narrow columns: from a million on three digits and a
// unit, rounded down: 1.20M 31.2M 4.07G. It never takes more than 7 cells up to
// a thousand G.
func CountShort(n uint64) string {
	var room figure
	return string(appendShort(room[:0], n))
}

func appendShort(b []byte, n uint64) []byte {
	switch {
	case n < 1e6:
		return appendCount(b, n)
	case n < 1e9:
		return appendThree(b, n, 1e6, 'M')
	}
	return appendThree(b, n, 1e9, 'G')
}

// CountTight is a count of at most five cells: 9,999 12k 1M; more adds a + to
// one that is "at least", to one of four digits in place of the comma.
func CountTight(n uint64, more bool) string {
	plus := ""
	if more && n > 0 {
		plus = "+"
	}
	switch {
	case n < 1000 || n < 10_000 && plus == "":
		return Count(n) + plus
	case n < 10_000:
		return strconv.FormatUint(n, 10) + plus
	case n < 1e6:
		return strconv.FormatUint(n/1000, 10) + "k" + plus
	case n < 1e9:
		return strconv.FormatUint(n/1e6, 10) + "M" + plus
	}
	return strconv.FormatUint(n/1e9, 10) + "G" + plus
}

// appendThree appends n in units, three digits of it at least, rounded down.
func appendThree(b []byte, n, unit uint64, name byte) []byte {
	whole, rest := n/unit, n%unit
	b = appendCount(b, whole)
	switch {
	case whole < 10:
		b = appendTwo(append(b, '.'), rest/(unit/100))
	case whole < 100:
		b = append(b, '.', byte('0'+rest/(unit/10)))
	}
	return append(b, name)
}

// Rate returns a number of things per second without the unit: 0.4 below ten,
// else a Count, rounded down. Nothing at all is 0.
func Rate(perSecond float64) string {
	var room figure
	return string(appendRate(room[:0], perSecond))
}

func appendRate(b []byte, perSecond float64) []byte {
	switch {
	case !(perSecond > 0):
		return append(b, '0')
	case perSecond < 10:
		return appendTenths(b, uint64(perSecond*10), "")
	}
	return appendCount(b, uint64(perSecond))
}

// Success returns the share of calls that went well in percent, without the
// sign. It is rounded down and never up, so that 100 says that none failed: 97.4,
// from 99.9 on with two digits where the second is not zero, and "-" without
// calls.
func Success(ok, failed uint64) string {
	var room figure
	return string(appendSuccess(room[:0], ok, failed))
}

func appendSuccess(b []byte, ok, failed uint64) []byte {
	if failed == 0 {
		if ok == 0 {
			return append(b, absent...)
		}
		return append(b, "100"...)
	}
	all, carry := bits.Add64(ok, failed, 0)
	if carry != 0 { // never in practice; halves have the same share
		ok, all = ok/2, all/2|1<<63
	}
	hi, lo := bits.Mul64(ok, 10000)
	share, _ := bits.Div64(hi, lo, all) // hundredths of a percent, below 10000 for ok < all
	if share > 9990 {
		return appendTwo(append(strconv.AppendUint(b, share/100, 10), '.'), share%100)
	}
	return appendTenths(b, share/10, "")
}

// appendTenths appends n tenths of a unit.
func appendTenths(b []byte, n uint64, unit string) []byte {
	return append(append(strconv.AppendUint(b, n/10, 10), '.', byte('0'+n%10)), unit...)
}

// Latency returns how long an answer took: <1ms 84ms 1.9s, rounded down, from
// 100 s on as a Duration. Less than nothing stands for no answer: "-".
func Latency(d time.Duration) string {
	var room figure
	return string(appendLatency(room[:0], d))
}

func appendLatency(b []byte, d time.Duration) []byte {
	switch {
	case d < 0:
		return append(b, absent...)
	case d < time.Millisecond:
		return append(b, "<1ms"...)
	case d < time.Second:
		return append(strconv.AppendInt(b, d.Milliseconds(), 10), "ms"...)
	case d < 100*time.Second:
		return appendTenths(b, uint64(d/(100*time.Millisecond)), "s")
	}
	return callback.AppendDuration(b, d)
}

// Bytes returns a size in bytes or binary units (IEC 80000-13), rounded down:
// 190 B, 1.5 KiB, 18.2 GiB, 412 MiB.
func Bytes(n uint64) string {
	var room figure
	return string(appendBytes(room[:0], n))
}

func appendBytes(b []byte, n uint64) []byte {
	if n < 1<<10 {
		return append(strconv.AppendUint(b, n, 10), " B"...)
	}
	unit, name := uint64(1)<<10, "KiB"
	for _, next := range []string{"MiB", "GiB", "TiB", "PiB", "EiB"} {
		if n>>10 < unit {
			break
		}
		unit, name = unit<<10, next
	}
	whole, rest := n/unit, n%unit
	if whole < 100 {
		b = appendTenths(b, whole*10+rest>>3*10/(unit>>3), " ")
	} else {
		b = append(strconv.AppendUint(b, whole, 10), ' ')
	}
	return append(b, name...)
}
