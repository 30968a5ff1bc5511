package admin_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/touchbox/touchbox/pkg/admin"
)

func TestPrintable(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "Иван O'Neil, 5 %", "Иван O'Neil, 5 %"},
		{"colour", "\x1b[31mred", `\x1b[31mred`},
		{"title of the window", "\x1b]0;owned\a", `\x1b]0;owned\a`},
		{"C1 control", "a\u009b31mb", `a\u009b31mb`},
		{"line breaks", "a\r\nb\tc", `a\r\nb\tc`},
		{"direction", "abc\u202etxt", `abc\u202etxt`},
		{"invalid bytes", "a\xff\x9bb", `a\xff\x9bb`},
		{"replacement character", "a\ufffdb", `a\ufffdb`},
		{"backspace", "a\bb", `a\bb`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := admin.Printable(tt.in); got != tt.want {
				t.Errorf("Printable(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestPrintableLeavesNothingToObey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		got := admin.Printable(string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")))
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }) {
			t.Fatalf("%q would be obeyed", got)
		}
	})
}

func TestMaskValue(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"phone", "79161234567", "*********67"},
		{"decorated", "+7 (916) 123-45-67", "+* (***) ***-**-67"},
		{"e-mail", "ivan@example.ru", "****@*******.**"},
		{"name", "Иван Петров", "**** ******"},
		{"three digits", "123", "***"},
		{"combined letters", "И\u0301н", "***"},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := admin.MaskValue(tt.in); got != tt.want {
				t.Errorf("MaskValue(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}
