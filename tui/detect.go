package tui

import (
	"fmt"
	"image/color"
	"strconv"
	"strings"
)

// DetectTheme returns the theme to use. want is the configured one (auto,
// dark, light, ansi, none; empty is auto), getenv gives the environment, and
// background is what the terminal answered to OSC 11, nil without an answer.
// What was asked for by name wins over the environment.
func DetectTheme(want string, getenv func(string) string, background color.Color) (Theme, error) {
	dark, known := darkBackground(getenv("COLORFGBG"), background)
	switch want {
	case "dark":
		return ThemeDark, nil
	case "light":
		return ThemeLight, nil
	case "none":
		return ThemeNone, nil
	case "ansi":
		if known && !dark {
			return ThemeANSILight, nil
		}
		return ThemeANSI, nil
	case "", "auto":
	default:
		return 0, fmt.Errorf("theme %q: want auto, dark, light, ansi or none", want)
	}
	switch {
	case getenv("NO_COLOR") != "", getenv("TERM") == "dumb": // no-color.org: any value but the empty one
		return ThemeNone, nil
	case !known:
		return ThemeANSI, nil
	case dark:
		return ThemeDark, nil
	}
	return ThemeLight, nil
}

// darkBackground tells whether white is easier to read on the background than
// black. known is false where neither source says what the background is.
func darkBackground(colorfgbg string, background color.Color) (dark, known bool) {
	if background != nil {
		r, g, b, _ := background.RGBA()
		l := luminance(uint8(r>>8), uint8(g>>8), uint8(b>>8))
		return 1.05/(l+0.05) >= (l+0.05)/0.05, true
	}
	// rxvt's "foreground;background" or "foreground;pixmap;background", in
	// colours of the sixteen.
	n, err := strconv.Atoi(colorfgbg[strings.LastIndexByte(colorfgbg, ';')+1:])
	if err != nil || n < 0 || n > 15 {
		return false, false
	}
	return n <= 6 || n == 8, true
}

// DetectASCII tells whether the terminal can only be trusted with ASCII: the
// locale is not one of UTF-8, or the environment says that ambiguous
// characters, our rules and bars among them, take two cells.
func DetectASCII(getenv func(string) string) bool {
	if ea, err := strconv.ParseBool(getenv("RUNEWIDTH_EASTASIAN")); err == nil && ea {
		return true
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} { // the order of POSIX XBD 8.2
		if v := strings.ToLower(getenv(name)); v != "" {
			return !strings.Contains(v, "utf-8") && !strings.Contains(v, "utf8")
		}
	}
	return true
}
