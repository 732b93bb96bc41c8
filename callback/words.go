package callback

import (
	"strconv"
	"time"
)

// Duration returns d as people read it, in at most two units, always the same
// ones for a length: 0.2s 12s 4m10s 4h51m 2d03h. It rounds down; less than
// nothing is 0.0s.
func Duration(d time.Duration) string {
	var room [32]byte
	return string(AppendDuration(room[:0], d))
}

// AppendDuration appends what Duration returns.
func AppendDuration(b []byte, d time.Duration) []byte {
	d = max(d, 0)
	if d < time.Second {
		return append(b, '0', '.', byte('0'+d/(100*time.Millisecond)), 's')
	}
	if d < time.Minute {
		return append(strconv.AppendInt(b, int64(d/time.Second), 10), 's')
	}
	return AppendMinutes(b, d)
}

// AppendMinutes is AppendDuration from a minute on; below it writes a minute's
// form too, 0m41s, for columns that stand still.
func AppendMinutes(b []byte, d time.Duration) []byte {
	s := uint64(max(d, 0) / time.Second)
	switch {
	case s < 3600:
		return append(appendTwo(append(strconv.AppendUint(b, s/60, 10), 'm'), s%60), 's')
	case s < 86400:
		return append(appendTwo(append(strconv.AppendUint(b, s/3600, 10), 'h'), s/60%60), 'm')
	}
	return append(appendTwo(append(strconv.AppendUint(b, s/86400, 10), 'd'), s/3600%24), 'h')
}

// appendTwo appends n, which is below a hundred, in two digits.
func appendTwo(b []byte, n uint64) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

// Plural returns n with its noun: 1 call, 1,284 calls.
func Plural(n uint64, noun string) string {
	var room [32]byte
	return string(appendPlural(room[:0], n, noun))
}

func appendPlural(b []byte, n uint64, noun string) []byte {
	if n == 1 {
		return append(append(b, "1 "...), noun...)
	}
	var room [20]byte
	digits := strconv.AppendUint(room[:0], n, 10)
	for i, digit := range digits {
		if left := len(digits) - i; i > 0 && left%3 == 0 {
			b = append(b, ',')
		}
		b = append(b, digit)
	}
	return append(append(append(b, ' '), noun...), 's')
}
