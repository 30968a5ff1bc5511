package show_test

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/touchbox/touchbox/pkg/show"
)

func TestPrintable(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "Иван O'Neil, 5 %", "Иван O'Neil, 5 %"},
		{"colour", "\x1b[31mred", `\x1b[31mred`},
		{"title of the window", "\x1b]0;owned\a", `\x1b]0;owned\a`},
		{"delete", "a\x7fb", `a\x7fb`},
		{"C1 control", "a\u009b31mb", `a\u009b31mb`},
		{"line breaks", "a\r\nb\tc", `a\r\nb\tc`},
		{"other line breaks", "a\u2028b\u0085c", `a\u2028b\u0085c`},
		{"direction", "abc\u202etxt\u2066\u200f\u061c", `abc\u202etxt\u2066\u200f\u061c`},
		{"nothing to see", "a\u200b\u00ad\u3164\ufe0f\U000e0041b", `a\u200b\u00ad\u3164\ufe0f\U000e0041b`},
		{"invalid bytes", "a\xff\x9bb", `a\xff\x9bb`},
		{"replacement character", "a\ufffdb", `a\ufffdb`},
		{"backspace", "a\bb", `a\bb`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := show.Printable(tt.in); got != tt.want {
				t.Errorf("Printable(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestPrintableLeavesNothingToObey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		got := show.Printable(string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")))
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Fatalf("%q would be obeyed", got)
		}
	})
}

// hostile has every sign that is escaped.
func hostile() string {
	var b strings.Builder
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !unicode.IsPrint(r) && !unicode.Is(unicode.Cs, r) && (r < 0x3000 || r > 0xe000 && r < 0xe010 || r > 0xfe00 && r < 0x10000 || r >= 0xe0000 && r < 0xe0100) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func TestJSONIsTheSame(t *testing.T) {
	for _, text := range []string{hostile(), "Анна & <b>", "\u00a0", "a\ufffdb", "\U000e0041"} {
		raw, err := json.MarshalIndent(map[string]string{text: text}, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		out := show.JSON(raw)
		var back, before map[string]string
		if err := json.Unmarshal(out, &back); err != nil {
			t.Fatal(err)
		}
		_ = json.Unmarshal(raw, &before)
		if diff := cmp.Diff(before, back); diff != "" {
			t.Errorf("%.40q became another value: %.200s", text, diff)
		}
		for _, r := range string(out) {
			if !unicode.IsPrint(r) && r != '\n' && r != '\t' {
				t.Errorf("%U is not escaped", r)
			}
		}
	}
}

func TestWriter(t *testing.T) {
	var out bytes.Buffer
	w := show.Writer(&out)
	for _, text := range []string{"Звонки\tкол-центр\n", "\x1b[31m\u009b\u202e\x7f", "a\xffb"} {
		if n, err := io.WriteString(w, text); n != len(text) || err != nil {
			t.Errorf("%q: %d, %v", text, n, err)
		}
	}
	if want := "Звонки\tкол-центр\n" + `\u001b[31m\u009b\u202e\u007fa` + "\\ufffdb"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestClip(t *testing.T) {
	for _, tt := range []struct {
		text  string
		limit int
		want  string
	}{{"абвгд", 9, "абв…"}, {"abc", 3, "abc"}, {"abcd", 3, "…"}, {"abcd", 2, ""}, {"", 0, ""}} {
		if got := show.Clip(tt.text, tt.limit); got != tt.want {
			t.Errorf("Clip(%q, %d) = %q, want %q", tt.text, tt.limit, got, tt.want)
		}
	}
	if got := show.Cell("абвгд", 3); got != "абв…" {
		t.Errorf("Cell: %q", got)
	}
}

func TestAPlainLineIsTheWordsOfAText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ascii := rapid.StringOf(rapid.SampledFrom([]rune("ab .<&\t\n\x00\x1b\x7f7Я")))
		text := ascii.Draw(t, "text")
		visible := strings.Map(func(r rune) rune {
			if unicode.IsControl(r) && !unicode.IsSpace(r) {
				return -1
			}
			return r
		}, text)
		if got, want := show.Plain(text), strings.Join(strings.Fields(visible), " "); got != want {
			t.Fatalf("%q becomes %q, not %q", text, got, want)
		}
	})
}
