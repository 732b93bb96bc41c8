package config

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind is what a value looks like before it is given to a field.
type kind uint8

const (
	loose kind = iota // from the environment: a text that may stand for anything
	textual
	whole
	fraction
	boolean
	list
	table
	date
)

func (k kind) String() string {
	return [...]string{
		"a text", "a text", "a whole number", "a number with a fraction",
		"true or false without quotes", "a list", "a table", "a date",
	}[k]
}

// value is a value not yet given to a field.
type value struct {
	kind  kind
	text  string  // decoded for texts, as written for numbers
	items []value // of a list
	at    place
}

// place is where something was set.
type place struct {
	line, col int    // in the file
	env       string // or by this variable
}

// flaw is what is wrong with a value, at a place within it.
type flaw struct {
	at      place
	problem string
}

// assign gives v to the field that dst points to. On a flaw the field keeps
// what it held.
func assign(dst any, v value) []flaw {
	switch dst := dst.(type) {
	case *[]string:
		return assignList(dst, v, parseText)
	case *[]netip.Prefix:
		return assignList(dst, v, parsePrefix)
	}
	var err error
	switch dst := dst.(type) {
	case *string:
		err = scan(dst, v, parseText, textual)
	case *bool:
		err = scan(dst, v, parseBool, boolean)
	case *int:
		err = scan(dst, v, parseInt, whole)
	case *float64:
		err = scan(dst, v, parseFloat, fraction, whole)
	case *Duration:
		if v.kind == whole || v.kind == fraction {
			err = errors.New("is a number without a unit and quotes")
			break
		}
		err = scan(dst, v, parseDuration, textual)
	case *ByteSize:
		err = scan(dst, v, parseSize, textual, whole)
	case *MinFree:
		err = scan(dst, v, parseMinFree, textual, whole)
	case *Codes:
		err = scan(dst, v, parseCodes, textual, whole)
	default:
		panic(fmt.Sprintf("config: no reader for a field of type %T", dst))
	}
	if err != nil {
		return []flaw{{v.at, err.Error()}}
	}
	return nil
}

// scan parses v into dst when its kind is one of kinds.
func scan[T any](dst *T, v value, parse func(string) (T, error), kinds ...kind) error {
	if v.kind != loose {
		fits := false
		for _, k := range kinds {
			fits = fits || k == v.kind
		}
		if !fits {
			return fmt.Errorf("is %s", v.kind)
		}
	}
	text := v.text
	if v.kind == whole {
		n, err := strconv.ParseInt(text, 0, 64)
		if errors.Is(err, strconv.ErrRange) {
			return fmt.Errorf("%s %w", text, errLarge)
		}
		if err != nil {
			return errors.New("is not a number")
		}
		text = strconv.FormatInt(n, 10)
	}
	got, err := parse(text)
	if err == nil {
		*dst = got
		return nil
	}
	if text == "" || errors.Is(err, errControl) { // nothing to show, or not fit to be shown
		return err
	}
	return fmt.Errorf("%s %w", quote(text), err)
}

func assignList[T any](dst *[]T, v value, parse func(string) (T, error)) []flaw {
	items := v.items
	switch v.kind {
	case list:
	case loose:
		items = split(v)
	default:
		return []flaw{{v.at, "is " + v.kind.String() + ", not a list"}}
	}
	got := make([]T, 0, len(items))
	var flaws []flaw
	for _, item := range items {
		var one T
		err := scan(&one, item, parse, textual)
		if err != nil {
			flaws = append(flaws, flaw{item.at, "one item " + err.Error()})
		}
		got = append(got, one)
	}
	if flaws == nil {
		*dst = got
	}
	return flaws
}

// split cuts a variable's text at its commas; an empty text is an empty list.
func split(v value) []value {
	var items []value
	if strings.TrimSpace(v.text) == "" {
		return nil
	}
	for s := range strings.SplitSeq(v.text, ",") {
		items = append(items, value{kind: loose, text: strings.TrimSpace(s), at: v.at})
	}
	return items
}

var errControl = errors.New("has a control character or is not UTF-8")

func parseText(s string) (string, error) {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return "", errControl
	}
	return s, nil
}

func parseBool(s string) (bool, error) {
	if s != "true" && s != "false" {
		return false, errors.New("is neither true nor false")
	}
	return s == "true", nil
}

func parseInt(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if errors.Is(err, strconv.ErrRange) {
		return 0, errLarge
	}
	if err != nil {
		return 0, errors.New("is not a whole number")
	}
	return n, nil
}

func parseFloat(s string) (float64, error) {
	n, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
	if errors.Is(err, strconv.ErrRange) {
		return 0, errLarge
	}
	if err != nil {
		return 0, errors.New("is not a number")
	}
	return n, nil
}

// parsePrefix refuses what netip reads but what would never match the address
// dialled: bits beyond the mask are a slip, and an IPv4 network in its IPv6 form
// matches nothing once addresses are unmapped.
func parsePrefix(s string) (netip.Prefix, error) {
	if s == "" {
		return netip.Prefix{}, errEmpty
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
			return p, fmt.Errorf("has no /bits, which would be /%d for this one address", a.BitLen())
		}
		return p, errors.New("is not a network")
	}
	if p.Addr().Is4In6() {
		return p, errors.New("is an IPv4 network written as IPv6")
	}
	if m := p.Masked(); m != p {
		return p, fmt.Errorf("has bits beyond its mask, without them it is %s", m)
	}
	return p, nil
}
