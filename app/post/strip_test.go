package post

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestStrip(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		// without markup: byte for byte
		"":                                  "",
		"Yes":                               "Yes",
		"  two  spaces \r\n\tand lines\n\n": "  two  spaces \r\n\tand lines\n\n",
		"1 < 2 and 3 > 2":                   "1 < 2 and 3 > 2",
		"I <3 you  </3":                     "I <3 you  </3",
		"a <b and  no end":                  "a <b and  no end",
		"AT&T  &  co":                       "AT&T  &  co",
		"http://x/?a=1&copy=2&lt=3;":        "http://x/?a=1&copy=2&lt=3;",
		"Fred <fred@example.com>":           "Fred <fred@example.com>",
		"see <https://example.com/a>":       "see <https://example.com/a>",
		"&nosuch;  &;":                      "&nosuch;  &;",
		"a\xff\x00<":                        "a\xff\x00<",
		"<":                                 "<",
		"what <?? and <! no":                "what <?? and <! no",

		// with markup
		"<p>Yes, <b>confirmed</b>.<br>Regards,<br>Fred</p>":               "Yes, confirmed.\nRegards,\nFred",
		"a<br/>b<BR />c<br>\n d":                                          "a\nb\nc\nd",
		"a<br><br><br>b":                                                  "a\n\nb",
		"<div>a</div><div>b</div>":                                        "a\nb",
		"<ul><li>one</li><li>two</li></ul>end":                            "one\ntwo\nend",
		"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>": "a b\nc",
		"a<script>if (1<2) { x = '<b>' }</script>b":                       "ab",
		"a<style type=x>p { }</style> b":                                  "a b",
		"a<script>never closed <b>":                                       "a",
		"a<script/>b</script>c":                                           "ac",
		"a<!-- <b>c</b> -->d":                                             "ad",
		"<!DOCTYPE html><html><head><title>T</title></head><body>B":       "T\nB",
		"<noscript><b>n</b></noscript><iframe><i>f</i></iframe>":          "nf",
		"<textarea><b>x</b></textarea>":                                   "x",
		"Fish &amp; chips":                                                "Fish & chips",
		"&lt;b&gt; &#65;&#x42; &quot;":                                    "<b> AB \"",
		"a&nbsp;&nbsp;b":                                                  "a b",
		"x &amp y &semi; z":                                               "x &amp y ; z",
		"<b>1 &lt; 2</b> and 3 < 4":                                       "1 < 2 and 3 < 4",
		"<i>Fred</i> <fred@example.com>":                                  "Fred <fred@example.com>",
		"<b>a</b> <c and no end":                                          "a <c and no end",
		"<a href=\"x>y\" title='<b>'>link</a>":                            "link",
		"<p>  spaces\t\nare   <b> one </b> </p>  ":                        "spaces are one",
		"<p></p><br>":                                                     "",
		"<o:p>office</o:p>":                                               "office",
		"<img src=x onerror=alert(1)>hi":                                  "hi",
		"<b>👍🏽</b>\u200d":                                                 "👍🏽\u200d",
	} {
		if got := strip(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func FuzzStrip(f *testing.F) {
	f.Add("<p>Yes &amp; <b>no</b><br>x</p>")
	f.Add("<script>a</script")
	f.Add("<!--><a<b>&#0;&lt")
	f.Fuzz(func(t *testing.T, s string) {
		got := strip(s)
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("%q became %q, which is not UTF-8", s, got)
		}
		if !strings.ContainsAny(s, "<&") && got != s {
			t.Errorf("%q became %q without markup", s, got)
		}
		if len(got) > 3*len(s) { // a byte that is not UTF-8 becomes three
			t.Errorf("%q grew to %q", s, got)
		}
		if got != s && strings.TrimSpace(got) != got && utf8.ValidString(s) && !strings.ContainsAny(got, "\v\u0085\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u1680") {
			t.Errorf("%q became %q, which is not tidy", s, got)
		}
		// Text around an element that is whole comes through.
		if strings.Trim(s, "abcdefghijklmnopqrstuvwxyz") == "" {
			if got := strip("<b>" + s + "</b>"); got != s {
				t.Errorf("%q in bold became %q", s, got)
			}
		}
	})
}
