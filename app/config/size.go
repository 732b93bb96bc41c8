package config

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

var (
	_ encoding.TextMarshaler   = ByteSize(0)
	_ encoding.TextUnmarshaler = (*ByteSize)(nil)
	_ encoding.TextMarshaler   = MinFree{}
	_ encoding.TextUnmarshaler = (*MinFree)(nil)
)

// ByteSize is a number of bytes that is never negative. Its text is a whole
// number with one of the units B, KiB, MiB, GiB, TiB, or with none.
type ByteSize int64

// The units of a [ByteSize]: powers of 1024, as IEC 80000-13 names them.
const (
	KiB ByteSize = 1 << 10
	MiB ByteSize = 1 << 20
	GiB ByteSize = 1 << 30
	TiB ByteSize = 1 << 40
)

var sizes = []struct {
	unit string
	size ByteSize
}{{"TiB", TiB}, {"GiB", GiB}, {"MiB", MiB}, {"KiB", KiB}}

// String returns b in the largest unit that needs no fraction.
func (b ByteSize) String() string {
	for _, u := range sizes {
		if b != 0 && b%u.size == 0 {
			return strconv.FormatInt(int64(b/u.size), 10) + u.unit
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// MarshalText implements encoding.TextMarshaler; a negative size is an error.
func (b ByteSize) MarshalText() ([]byte, error) {
	if b < 0 {
		return nil, fmt.Errorf("size %d is negative", int64(b))
	}
	return []byte(b.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *ByteSize) UnmarshalText(text []byte) error {
	v, err := parseSize(string(text))
	if err != nil {
		return fmt.Errorf("size %s %w", quote(string(text)), err)
	}
	*b = v
	return nil
}

func parseSize(s string) (ByteSize, error) {
	switch {
	case s == "":
		return 0, errEmpty
	case s[0] == '-':
		return 0, errNegative
	}
	number, unit, tail := term(s)
	switch {
	case number == "" || tail != "":
		return 0, errors.New("is not a size")
	case strings.Contains(number, "."):
		return 0, errors.New("is not a whole number")
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0, errLarge
	}
	if unit == "" || unit == "B" {
		return ByteSize(n), nil
	}
	for _, u := range sizes {
		if u.unit != unit {
			continue
		}
		if n > math.MaxInt64/int64(u.size) {
			return 0, errLarge
		}
		return ByteSize(n) * u.size, nil
	}
	return 0, fmt.Errorf("has the unknown unit %s (known are B, KiB, MiB, GiB, TiB)", quote(unit))
}

// MinFree is a low-water mark of free disk: "auto", or a size.
type MinFree struct {
	Auto bool     // the mark follows the disk's own size; Size is not used
	Size ByteSize // the mark, when not Auto
}

// Mark returns the mark in bytes for a disk of total bytes: with Auto the
// larger of 512 MiB and 2 % of the disk.
func (m MinFree) Mark(total int64) int64 {
	if m.Auto {
		return max(int64(512*MiB), total/50)
	}
	return int64(m.Size)
}

// String returns "auto" or the size.
func (m MinFree) String() string {
	if m.Auto {
		return "auto"
	}
	return m.Size.String()
}

// MarshalText implements encoding.TextMarshaler; a negative size is an error.
func (m MinFree) MarshalText() ([]byte, error) {
	if m.Auto {
		return []byte("auto"), nil
	}
	return m.Size.MarshalText()
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *MinFree) UnmarshalText(text []byte) error {
	v, err := parseMinFree(string(text))
	if err != nil {
		return fmt.Errorf("free disk %s %w", quote(string(text)), err)
	}
	*m = v
	return nil
}

func parseMinFree(s string) (MinFree, error) {
	if s == "auto" {
		return MinFree{Auto: true}, nil
	}
	n, err := parseSize(s)
	return MinFree{Size: n}, err
}
