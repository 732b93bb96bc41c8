package post

import "unicode/utf8"

// plain returns how many of the first bytes of s stand in a JSON string as they
// are (RFC 8259, 7): printable ASCII but quotes and backslashes. In most texts
// that is all of them, so they are looked at eight at a time.
func plain(s string) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; n+8 <= len(s); n += 8 {
		b := s[n : n+8]
		v := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		quote, slash := v^ones*'"', v^ones*'\\'
		// A byte of x-ones*k has its top bit set where x has less than k, or where
		// one before it has: then all are looked at below.
		if (v|(v-ones*' ')|(quote-ones)|(slash-ones))&tops != 0 {
			break
		}
	}
	for n < len(s) && s[n] >= ' ' && s[n] < utf8.RuneSelf && s[n] != '"' && s[n] != '\\' {
		n++
	}
	return n
}
