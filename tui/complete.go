package tui

import (
	"strings"
	"unicode"
)

// maxOffers is how many words a hint names at most.
const maxOffers = 12

// complete puts in what can only follow up to the cursor, which is at at; where
// there is a choice, hint names what there is.
func (g *language) complete(d *desk, text []rune, at int) (_ []rune, to int, hint string) {
	from := wordAt(text, at)
	word := string(text[from:at])
	key, value, hasKey := strings.Cut(word, ":")
	var offers []string
	lead, end := "", ":"
	if hasKey {
		k := g.key(key)
		if k == nil {
			return text, at, "no such key: " + key
		}
		lead, end = key+":", " "
		word = strings.Trim(value, `"`)
		offers = k.offer(d)
	} else {
		for i := range g.keys {
			offers = append(offers, g.keys[i].name)
		}
	}
	fits := startingWith(offers, word)
	if len(fits) == 0 {
		return text, at, "nothing begins so"
	}
	put := fits[0]
	if len(fits) > 1 {
		if put, end = common(fits), ""; len(put) < len(word) {
			put = word
		}
		hint = strings.Join(fits[:min(len(fits), maxOffers)], " ")
		if len(fits) > maxOffers {
			hint += " ..."
		}
	}
	if hasKey && strings.ContainsFunc(put, unicode.IsSpace) {
		if put = `"` + put; len(fits) == 1 {
			put += `"`
		}
	}
	if end == " " && at < len(text) && unicode.IsSpace(text[at]) {
		end = ""
	}
	put = lead + put + end
	rest := text[at:]
	out := append(append(append([]rune{}, text[:from]...), []rune(put)...), rest...)
	if len(out) > maxTyped {
		return text, at, "the line is full"
	}
	return out, from + len([]rune(put)), hint
}

// wordAt returns where the term begins that ends at at.
func wordAt(text []rune, at int) int {
	from, quoted := 0, false
	for i, r := range text[:at] {
		switch {
		case r == '"':
			quoted = !quoted
		case unicode.IsSpace(r) && !quoted:
			from = i + 1
		}
	}
	return from
}

// startingWith returns the words that begin so, any case.
func startingWith(words []string, with string) (out []string) {
	for _, w := range words {
		if len(w) >= len(with) && strings.EqualFold(w[:len(with)], with) {
			out = append(out, w)
		}
	}
	return out
}

// common returns what all words begin with, as the first one writes it.
func common(words []string) string {
	n := len(words[0])
	for _, w := range words[1:] {
		i := 0
		for i < min(n, len(w)) && strings.EqualFold(words[0][i:i+1], w[i:i+1]) {
			i++
		}
		n = i
	}
	return strings.ToValidUTF8(words[0][:n], "")
}
