package tui

import (
	"image/color"
	"testing"
)

func TestDetectTheme(t *testing.T) {
	t.Parallel()
	black, white, solarized := color.RGBA{A: 255}, color.RGBA{255, 255, 255, 255}, color.RGBA{0, 0x2b, 0x36, 255}
	for _, tt := range []struct {
		name       string
		want       string
		env        map[string]string
		background color.Color
		theme      Theme
	}{
		{"nothing known", "auto", nil, nil, ThemeANSI},
		{"not configured", "", nil, nil, ThemeANSI},
		{"black", "auto", nil, black, ThemeDark},
		{"white", "auto", nil, white, ThemeLight},
		{"solarized dark", "auto", nil, solarized, ThemeDark},
		{"solarized light", "auto", nil, color.RGBA{0xfd, 0xf6, 0xe3, 255}, ThemeLight},
		{"COLORFGBG dark", "auto", map[string]string{"COLORFGBG": "15;0"}, nil, ThemeDark},
		{"COLORFGBG light", "auto", map[string]string{"COLORFGBG": "0;15"}, nil, ThemeLight},
		{"COLORFGBG of rxvt with a pixmap", "auto", map[string]string{"COLORFGBG": "0;default;15"}, nil, ThemeLight},
		{"COLORFGBG bright black", "auto", map[string]string{"COLORFGBG": "7;8"}, nil, ThemeDark},
		{"COLORFGBG white", "auto", map[string]string{"COLORFGBG": "0;7"}, nil, ThemeLight},
		{"COLORFGBG default", "auto", map[string]string{"COLORFGBG": "15;default"}, nil, ThemeANSI},
		{"COLORFGBG out of range", "auto", map[string]string{"COLORFGBG": "15;230"}, nil, ThemeANSI},
		{"the answer wins over COLORFGBG", "auto", map[string]string{"COLORFGBG": "15;0"}, white, ThemeLight},
		{"NO_COLOR", "auto", map[string]string{"NO_COLOR": "1"}, black, ThemeNone},
		{"NO_COLOR empty", "auto", map[string]string{"NO_COLOR": ""}, black, ThemeDark},
		{"dumb", "auto", map[string]string{"TERM": "dumb"}, black, ThemeNone},
		{"asked for, against NO_COLOR", "light", map[string]string{"NO_COLOR": "1"}, black, ThemeLight},
		{"dark", "dark", nil, white, ThemeDark},
		{"none", "none", nil, white, ThemeNone},
		{"ansi", "ansi", nil, nil, ThemeANSI},
		{"ansi on white", "ansi", nil, white, ThemeANSILight},
	} {
		got, err := DetectTheme(tt.want, func(k string) string { return tt.env[k] }, tt.background)
		if err != nil || got != tt.theme {
			t.Errorf("%s: got %v, %v, want %v", tt.name, got, err, tt.theme)
		}
	}
	if _, err := DetectTheme("pink", func(string) string { return "" }, nil); err == nil {
		t.Errorf("an unknown theme was taken")
	}
}

func TestDetectASCII(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		env  map[string]string
		want bool
	}{
		{nil, true},
		{map[string]string{"LANG": "C"}, true},
		{map[string]string{"LANG": "C.UTF-8"}, false},
		{map[string]string{"LANG": "de_DE.utf8"}, false},
		{map[string]string{"LANG": "en_US.UTF-8", "LC_ALL": "C"}, true},
		{map[string]string{"LANG": "C", "LC_CTYPE": "C.UTF-8"}, false},
		{map[string]string{"LANG": "ja_JP.UTF-8", "RUNEWIDTH_EASTASIAN": "1"}, true},
	} {
		if got := DetectASCII(func(k string) string { return tt.env[k] }); got != tt.want {
			t.Errorf("%v: got %v, want %v", tt.env, got, tt.want)
		}
	}
}
