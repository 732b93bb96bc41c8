package config

import (
	"encoding"
	"fmt"
	"strconv"
	"strings"
)

var (
	_ encoding.TextMarshaler   = Codes{}
	_ encoding.TextUnmarshaler = (*Codes)(nil)
)

// The codes a final answer can have. An informational answer (1xx) is never
// the last one, so it cannot mean success.
const (
	minCode = 200
	maxCode = 599
)

// Codes is a set of HTTP status codes from 200 to 599, comparable with ==. Its
// text lists codes, ranges and hundreds: "200", "2xx", "200-204,304". The zero
// value is the empty set, which has no text that reads back.
type Codes [(maxCode-minCode)/64 + 1]uint64

func codes(list ...int) (c Codes) {
	for _, n := range list {
		c.add(n)
	}
	return c
}

func (c *Codes) add(n int) { c[(n-minCode)/64] |= 1 << ((n - minCode) % 64) }

// Contains tells whether the status code n is in the set; any n may be asked.
func (c Codes) Contains(n int) bool {
	return n >= minCode && n <= maxCode && c[(n-minCode)/64]&(1<<((n-minCode)%64)) != 0
}

// String returns the shortest list in rising order.
func (c Codes) String() string {
	var parts []string
	for n := minCode; n <= maxCode; n++ {
		if !c.Contains(n) {
			continue
		}
		last := n
		for c.Contains(last + 1) {
			last++
		}
		parts = append(parts, run(n, last)...)
		n = last
	}
	return strings.Join(parts, ",")
}

// run writes the codes first to last, whole hundreds as "2xx".
func run(first, last int) []string {
	if h := (first + 99) / 100 * 100; h+99 <= last {
		var parts []string
		if first < h {
			parts = append(parts, run(first, h-1)...)
		}
		parts = append(parts, strconv.Itoa(h/100)+"xx")
		if h+99 < last {
			parts = append(parts, run(h+100, last)...)
		}
		return parts
	}
	if first == last {
		return []string{strconv.Itoa(first)}
	}
	return []string{strconv.Itoa(first) + "-" + strconv.Itoa(last)}
}

// MarshalText implements encoding.TextMarshaler.
func (c Codes) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Codes) UnmarshalText(text []byte) error {
	v, err := parseCodes(string(text))
	if err != nil {
		return fmt.Errorf("status codes %s %w", quote(string(text)), err)
	}
	*c = v
	return nil
}

func parseCodes(s string) (c Codes, err error) {
	if strings.TrimSpace(s) == "" {
		return c, errEmpty
	}
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		first, last, ok := codeRange(part)
		switch {
		case !ok:
			return Codes{}, fmt.Errorf("has the part %s, which is no status code", quote(part))
		case first < minCode || last > maxCode:
			return Codes{}, fmt.Errorf("has the part %s, outside of %d to %d", quote(part), minCode, maxCode)
		case first > last:
			return Codes{}, fmt.Errorf("has the part %s, which runs backwards", quote(part))
		}
		for n := first; n <= last; n++ {
			c.add(n)
		}
	}
	return c, nil
}

func codeRange(part string) (first, last int, ok bool) {
	if len(part) == 3 && (part[1:] == "xx" || part[1:] == "XX") && part[0] >= '0' && part[0] <= '9' {
		first = int(part[0]-'0') * 100
		return first, first + 99, true
	}
	from, to, ranged := strings.Cut(part, "-")
	if first, ok = code(strings.TrimSpace(from)); !ok {
		return 0, 0, false
	}
	if !ranged {
		return first, first, true
	}
	last, ok = code(strings.TrimSpace(to))
	return first, last, ok
}

func code(s string) (int, bool) {
	n, err := strconv.ParseUint(s, 10, 31)
	return int(n), err == nil && len(s) == 3
}
