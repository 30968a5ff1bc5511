package mindbox_test

import (
	"regexp"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/touchbox/touchbox/pkg/mindbox"
)

func TestMask(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"a phone", "номер 79001234567 неверен", "номер *********67 неверен"},
		{"seven digits", "1234567", "*****67"},
		{"six digits stay", "код 123456", "код 123456"},
		{"a phone as people write it", "+7 (900) 123-45-67", "+* (***) ***-**-67"},
		{"a date stays", "at 2026-11-01 10:00:05.123", "at 2026-11-01 10:00:05.123"},
		{"a phone after a date", "2026-11-01 8 900 123 45 67", "2026-11-01 * *** *** ** 67"},
		{"an e-mail", `"ivan.petrov@mail.ru" не адрес`, `"***@***" не адрес`},
		{"an e-mail in a URL", "/x?email=ivan%40mail.ru&a=1", "/x?email=***@***&a=1"},
		{"digits of other scripts", "٠١٢٣٤٥٦٧", "******٦٧"},
		{"nothing hides between digits", "7900\u200b123\x0045 67", "********* 67"},
		{"escape sequences", "\x1b[31mred\nline\ttab", "[31mred line tab"},
		{"broken UTF-8", "a\xffb", "a\uFFFDb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := mindbox.Mask(tt.text, 200); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if got := mindbox.Mask("абвгд", 9); got != "абв…" {
		t.Errorf("cut: %q", got)
	}
}

var longDigits = regexp.MustCompile(`\p{Nd}{7}`)

func assertPresentable(t interface {
	Errorf(string, ...any)
	Helper()
}, s string, limit int) {
	t.Helper()
	if len(s) > limit || !utf8.ValidString(s) || longDigits.MatchString(s) {
		t.Errorf("not fit to be kept: %q", s)
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			t.Errorf("control character in %q", s)
		}
	}
}

func TestMaskAlwaysMasks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alphabet := []rune("0123456789 -().@aя\x00\x1b\u200b\n%4")
		text := string(rapid.SliceOfN(rapid.SampledFrom(alphabet), 0, 60).Draw(t, "text"))
		limit := rapid.IntRange(0, 80).Draw(t, "limit")
		assertPresentable(t, mindbox.Mask(text, limit), limit)
	})
}
