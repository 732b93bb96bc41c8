package config

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDurationText(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		text string
		want time.Duration
		back string // when not text
	}{
		{"0", 0, ""},
		{"0s", 0, "0"},
		{"0d", 0, "0"},
		{"5s", 5 * time.Second, ""},
		{"5m", 5 * time.Minute, ""},
		{"24h", 24 * time.Hour, ""},
		{"1d", 24 * time.Hour, "24h"},
		{"47h59m", 47*time.Hour + 59*time.Minute, ""},
		{"48h", 48 * time.Hour, "2d"},
		{"30d", 720 * time.Hour, ""},
		{"1d12h", 36 * time.Hour, "36h"},
		{"2d12h30m", 60*time.Hour + 30*time.Minute, ""},
		{"10m0.5s", 10*time.Minute + 500*time.Millisecond, "10m0.5s"},
		{"100ms", 100 * time.Millisecond, ""},
		{"1.5h", 90 * time.Minute, "1h30m"},
		{"10s", 10 * time.Second, ""},
		{"20h10m10s", 20*time.Hour + 10*time.Minute + 10*time.Second, ""},
		{"1us1ns", 1001, "1.001µs"},
		{"106751d23h47m16.854775807s", math.MaxInt64, ""},
	} {
		var d Duration
		if err := d.UnmarshalText([]byte(row.text)); err != nil || time.Duration(d) != row.want {
			t.Errorf("%q is %v, %v; want %v", row.text, time.Duration(d), err, row.want)
		}
		want := row.back
		if want == "" {
			want = row.text
		}
		if got, err := d.MarshalText(); err != nil || string(got) != want {
			t.Errorf("%q is written %q, %v; want %q", row.text, got, err, want)
		}
	}
	if _, err := Duration(-1).MarshalText(); err == nil {
		t.Error("a negative duration is written")
	}
	d := Duration(7)
	if err := d.UnmarshalText([]byte("106751d23h47m16.854775808s")); err == nil || d != 7 {
		t.Errorf("a duration past the end gives %d, %v", d, err)
	}
}

func TestSizeText(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		text string
		want ByteSize
		back string
	}{
		{"0", 0, ""},
		{"1", 1, ""},
		{"1000", 1000, ""},
		{"1024", KiB, "1KiB"},
		{"7B", 7, "7"},
		{"64KiB", 64 * KiB, ""},
		{"1MiB", MiB, ""},
		{"1536KiB", 1536 * KiB, ""},
		{"2GiB", 2 * GiB, ""},
		{"1024GiB", TiB, "1TiB"},
		{"8388607TiB", 8388607 * TiB, ""},
		{"9223372036854775807", math.MaxInt64, ""},
	} {
		var b ByteSize
		if err := b.UnmarshalText([]byte(row.text)); err != nil || b != row.want {
			t.Errorf("%q is %d, %v; want %d", row.text, int64(b), err, int64(row.want))
		}
		want := row.back
		if want == "" {
			want = row.text
		}
		if got, err := b.MarshalText(); err != nil || string(got) != want {
			t.Errorf("%q is written %q, %v; want %q", row.text, got, err, want)
		}
	}
	for _, text := range []string{"8388608TiB", "9223372036854775808", "-1", "", "0x10", "1kB", "1e3"} {
		b := ByteSize(7)
		if err := b.UnmarshalText([]byte(text)); err == nil || b != 7 {
			t.Errorf("%q gives %d, %v", text, int64(b), err)
		}
	}
	if _, err := ByteSize(-1).MarshalText(); err == nil {
		t.Error("a negative size is written")
	}
}

func TestTextsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := Duration(rapid.Int64Range(0, math.MaxInt64).Draw(t, "duration"))
		if rapid.Bool().Draw(t, "round") {
			d -= d % Duration(rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour}).Draw(t, "unit"))
		}
		var d2 Duration
		if err := d2.UnmarshalText([]byte(d.String())); err != nil || d2 != d {
			t.Fatalf("%d is written %q and read as %d, %v", d, d, d2, err)
		}
		b := ByteSize(rapid.Int64Range(0, math.MaxInt64).Draw(t, "size"))
		b >>= rapid.IntRange(0, 62).Draw(t, "right")
		b = b << 20 >> 20 // some with low zeros, none negative
		b = max(b, 0)
		var b2 ByteSize
		if err := b2.UnmarshalText([]byte(b.String())); err != nil || b2 != b {
			t.Fatalf("%d is written %q and read as %d, %v", int64(b), b, int64(b2), err)
		}
		var c, c2 Codes
		for range rapid.IntRange(1, 5).Draw(t, "ranges") {
			first := rapid.IntRange(minCode, maxCode).Draw(t, "first")
			for n := first; n <= rapid.IntRange(first, maxCode).Draw(t, "last"); n++ {
				c.add(n)
			}
			c.add(first)
		}
		if err := c2.UnmarshalText([]byte(c.String())); err != nil || c2 != c {
			t.Fatalf("codes are written %q and read as %q, %v", c, c2, err)
		}
	})
}

func TestCodes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		text, back string
		in, out    []int
	}{
		{"200", "200", []int{200}, []int{-1, 0, 100, 199, 201, 204, 264, 599, 600, 10_000}},
		{"2xx", "2xx", []int{200, 204, 299}, []int{199, 300}},
		{"2XX, 304", "2xx,304", []int{299, 304}, []int{303, 305}},
		{"200-204,304", "200-204,304", []int{200, 204, 304}, []int{205, 303}},
		{" 200 - 204 ", "200-204", []int{202}, []int{205}},
		{"201,200,200-201", "200-201", []int{200, 201}, []int{202}},
		{"200-599", "2xx,3xx,4xx,5xx", []int{200, 599}, []int{600, 199}},
		{"250-499", "250-299,3xx,4xx", []int{250, 300, 499}, []int{249, 500}},
		{"500-599,410", "410,5xx", []int{410, 500}, []int{411}},
	} {
		var c Codes
		if err := c.UnmarshalText([]byte(row.text)); err != nil {
			t.Errorf("%q: %v", row.text, err)
		}
		if got := c.String(); got != row.back {
			t.Errorf("%q is written %q, want %q", row.text, got, row.back)
		}
		for _, n := range row.in {
			if !c.Contains(n) {
				t.Errorf("%q does not contain %d", row.text, n)
			}
		}
		for _, n := range row.out {
			if c.Contains(n) {
				t.Errorf("%q contains %d", row.text, n)
			}
		}
	}
}

func TestMinFreeMark(t *testing.T) {
	t.Parallel()
	auto := MinFree{Auto: true}
	for _, row := range []struct {
		m     MinFree
		total ByteSize
		want  ByteSize
	}{
		{auto, 10 * GiB, 512 * MiB},
		{auto, 25600 * MiB, 512 * MiB},
		{auto, 100 * GiB, 100 * GiB / 50},
		{auto, 0, 512 * MiB},
		{MinFree{Size: 64 * MiB}, TiB, 64 * MiB},
	} {
		got := ByteSize(row.m.Mark(int64(row.total)))
		if got != row.want {
			t.Errorf("%v of %v is %v, want %v", row.m, row.total, got, row.want)
		}
	}
	var m MinFree
	if err := m.UnmarshalText([]byte("auto")); err != nil || m != auto {
		t.Errorf("auto is %+v, %v", m, err)
	}
	if got, err := auto.MarshalText(); err != nil || string(got) != "auto" {
		t.Errorf("auto is written %q, %v", got, err)
	}
	if err := m.UnmarshalText([]byte("64MiB")); err != nil || m != (MinFree{Size: 64 * MiB}) {
		t.Errorf("64MiB is %+v, %v", m, err)
	}
}

// TestTextErrorsNameTheText: whoever reads such a text elsewhere gets a whole
// sentence, of bounded length.
func TestTextErrorsNameTheText(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 1000)
	for _, row := range []struct {
		err  error
		want string
	}{
		{new(Duration).UnmarshalText([]byte("5")), `duration "5" has a number without a unit`},
		{new(ByteSize).UnmarshalText([]byte("5x")), `size "5x" has the unknown unit "x" (known are B, KiB, MiB, GiB, TiB)`},
		{new(MinFree).UnmarshalText([]byte("x")), `free disk "x" is not a size`},
		{new(Codes).UnmarshalText([]byte("20")), `status codes "20" has the part "20", which is no status code`},
		{new(ByteSize).UnmarshalText([]byte(long)), `size "` + strings.Repeat("é", 32) + `"… is not a size`},
	} {
		if row.err == nil || row.err.Error() != row.want {
			t.Errorf("got %v\nwant %s", row.err, row.want)
		}
	}
}
