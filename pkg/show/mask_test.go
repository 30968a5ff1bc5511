package show_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/touchbox/touchbox/pkg/show"
	"github.com/touchbox/touchbox/pkg/spelling"
)

func TestMask(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"a phone", "номер 79001234567 неверен", "номер *********67 неверен"},
		{"seven digits", "1234567", "*****67"},
		{"six digits stay", "код 123456", "код 123456"},
		{"a phone as people write it", "+7 (900) 123-45-67", "+* (***) ***-**-67"},
		{"with underscores", "8_916_123_45_67", "*_***_***_**_67"},
		{"with slashes", "8/916/123/45/67", "*/***/***/**/67"},
		{"with dots in the middle", "8·916·123·45·67", "*·***·***·**·67"},
		{"with dashes between blanks", "8 - 916 - 123 - 45 - 67", "* - *** - *** - ** - 67"},
		{"in wide digits", "８９１６１２３４５６７", "*********６７"},
		{"with entities", "8&nbsp;916&nbsp;123&nbsp;45&nbsp;67", "*\u00a0***\u00a0***\u00a0**\u00a067"},
		{"between tags", "8<b>916</b>1234567", "* *** *****67"},
		{"a date stays", "at 2026-11-01 10:00:05.123", "at 2026-11-01 10:00:05.123"},
		{"a date with its zone stays", "at 2026-11-01T10:00:05+03:00.", "at 2026-11-01T10:00:05+03:00."},
		{"a phone after a date", "2026-11-01 8 900 123 45 67", "2026-11-01 * *** *** ** 67"},
		{"a UUID stays", "device 00000000-1111-4222-8333-444455556666 of", "device 00000000-1111-4222-8333-444455556666 of"},
		{"an e-mail", `"ivan.petrov@mail.ru" не адрес`, `"***@***" не адрес`},
		{"an e-mail in Russian", "почта иван@почта.рф", "почта ***@***"},
		{"an e-mail in quotes", "«anna.k@example.ru»", "***@***"},
		{"an e-mail with a quoted name", `"anna k"@example.ru`, "***@***"},
		{"an e-mail with its @ twice", "anna.k@@example.ru", "***@***"},
		{"an e-mail with its @ escaped", `anna.k\@example.ru`, "***@***"},
		{"an e-mail hidden from machines", "anna (at) example.ru", "***@***"},
		{"an e-mail in a URL", "/x?email=ivan%40mail.ru&a=1", "/x?email=***@***&a=1"},
		{"an e-mail encoded twice", "/x?next=%2Fy%3Fe%3Divan%2540mail.ru", "/x?next=***@***"},
		{"an e-mail in the path", "https://x.example/u/anna%40mail.ru/", "https://x.example/u/***@***/"},
		{"a phone in the path", "https://x.example/u/%2B79161234567/", "https://x.example/u/%2B*********67/"},
		{"a page", "https://x.example/?phone=79161234567&email=anna@example.ru&name=Anna+Ivanova", "https://x.example/?phone=*********67&email=***@***&name=***"},
		{"advertising stays", "https://x.example/p?utm_source=yandex&utm_campaign=brand_msk&page=2", "https://x.example/p?utm_source=yandex&utm_campaign=brand_msk&page=2"},
		{"a name within advertising", "https://x.example/?utm_content=a?name=Anna", "https://x.example/?utm_content=a?name=***"},
		{"a name in the fragment", "https://x.example/#/lk?fio=%D0%90%D0%BD%D0%BD%D0%B0", "https://x.example/#/lk?fio=***"},
		{"a name as the fragment", "https://x.example/p#name=Anna", "https://x.example/p#name=***"},
		{"a name with a blank", "https://x.example/?name=Anna Ivanova&page=2", "https://x.example/?name=***&page=2"},
		{"a whole address encoded", "https%3A%2F%2Fx.example%2F%3Fname%3DAnna%2BIvanova", "https://x.example/?name=***"},
		{"an address in a sentence", "Пришла с /p?fio=Anna на сайт", "Пришла с /p?fio=*** на сайт"},
		{"an address in JSON", `[{"url":"https:\/\/x.example\/?name=Anna\u0026page=1"}]`, `[{"url":"https:\/\/x.example\/?name=***\u0026page=1"}]`},
		{"parameters without a page", "fio=Anna&utm_source=yandex", "fio=***&utm_source=yandex"},
		{"a browser", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"},
		{"words", "Запись на приём, 100 %", "Запись на приём, 100 %"},
		{"nothing", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := show.Mask(tt.text)
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if again := show.Mask(got); again != got {
				t.Errorf("%q is masked once more to %q", got, again)
			}
		})
	}
}

// number writes the digits of 8 916 123-45-67 with signs between some of them.
func number(t *rapid.T) string {
	sign := rapid.SampledFrom([]string{"", "", "", " ", "-", "_", "/", ".", "·", "*", "~", "'", ",", " - ", ") ", "(", "\u00a0", "\u2011", "\t", "—", "…", "\u200b", "\u202e", "&nbsp;", "&#45;", "|", "{", "}", "<i>", " ", "\u3000"})
	digit := rapid.SampledFrom([]string{"%c", "%c", "%c", "%c", "wide"})
	var b strings.Builder
	for _, d := range "89161234567" {
		if digit.Draw(t, "digit") == "wide" {
			d += '０' - '0'
		}
		b.WriteRune(d)
		b.WriteString(sign.Draw(t, "sign"))
	}
	return b.String()
}

// encoded wraps a text in encodings.
func encoded(t *rapid.T, text string) string {
	for range rapid.IntRange(0, 2).Draw(t, "depth") {
		switch rapid.SampledFrom([]string{"query", "path", "entities", "json", "printable", "none"}).Draw(t, "encoding") {
		case "query":
			text = url.QueryEscape(text)
		case "path":
			text = url.PathEscape(text)
		case "entities":
			text = each(text, func(r rune) string { return fmt.Sprintf("&#%d;", r) })
		case "json":
			text = each(text, func(r rune) string {
				if r > 0xffff {
					return string(r)
				}
				return fmt.Sprintf(`\u%04x`, r)
			})
		case "printable":
			var b strings.Builder
			for _, c := range []byte(text) {
				fmt.Fprintf(&b, "=%02X", c)
			}
			text = b.String()
		}
	}
	return text
}

func each(text string, write func(rune) string) string {
	var b strings.Builder
	for _, r := range text {
		b.WriteString(write(r))
	}
	return b.String()
}

var surroundings = rapid.SampledFrom([]string{
	"%s", "Перезвоните на %s, пожалуйста", "https://x.example/?phone=%s&page=1", "https://x.example/u/%s/", "https://x.example/#tel=%s", "«%s»",
	`{"comment":"%s"}`, "a=%s", "limit for %s exceeded", "id 5; %s", "%s доб. 12", "?q=%s#x", "<a href=\"tel:%s\">",
})

// holds reports whether a reading of a text holds the number: its digits in a row, whatever stands
// between them but letters.
func holds(text string) bool {
	readings, _ := spelling.Readings(text)
	for _, reading := range readings {
		digits := each(spelling.Fold(reading), func(r rune) string {
			switch {
			case unicode.IsDigit(r):
				return string(r)
			case unicode.IsLetter(r):
				return " "
			}
			return ""
		})
		if strings.Contains(digits, "91612345") {
			return true
		}
	}
	return false
}

func TestNoPhoneSurvives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := fmt.Sprintf(surroundings.Draw(t, "surroundings"), encoded(t, number(t)))
		if got := show.Mask(text); holds(got) {
			t.Fatalf("%q shows the number: %q", text, got)
		}
	})
}

func TestNoAddressAndNoNameSurvives(t *testing.T) {
	who := rapid.SampledFrom([]string{
		"marker.m@example.ru", "MARKER@почта.рф", "marker＠example.ru", "marker@xn--e1afmkfd.xn--p1ai", "x-marker+tag@mail.example.com", "marker @ example.ru", `"marker m"@example.ru`,
	})
	rapid.Check(t, func(t *rapid.T) {
		text := fmt.Sprintf(surroundings.Draw(t, "surroundings"), encoded(t, who.Draw(t, "who")))
		assertNoMarker(t, text)
	})
	in := rapid.SampledFrom([]string{
		"https://x.example/?name=%s", "https://x.example/p?a=1&fio=%s&b=2", "/p?client_name=%s#x", "https://x.example/#name=%s", "https://x.example/#/a?user=%s",
		"https://x.example/?next=%s", "?имя=%s", "name=%s&phone=1", `[{"url":"https://x.example/?q=%s"}]`, "https://x.example/;name=%s",
	})
	rapid.Check(t, func(t *rapid.T) {
		assertNoMarker(t, encoded(t, fmt.Sprintf(in.Draw(t, "in"), encoded(t, "MarkerМаркер"))))
	})
}

func assertNoMarker(t *rapid.T, text string) {
	got := show.Mask(text)
	readings, _ := spelling.Readings(got)
	for _, reading := range readings {
		if low := strings.ToLower(spelling.Fold(reading)); strings.Contains(low, "marker") || strings.Contains(low, "маркер") {
			t.Fatalf("%q shows the marker: %q", text, got)
		}
	}
}

func TestMaskIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alphabet := []rune("0123456789 -().@aя\x00\x1b\u200b\n%4=?&#;/<>\"\\u0[]*")
		text := string(rapid.SliceOfN(rapid.SampledFrom(alphabet), 0, 60).Draw(t, "text"))
		once := show.Mask(text)
		if again := show.Mask(once); again != once {
			t.Fatalf("%q is masked to %q, and that to %q", text, once, again)
		}
	})
}

func TestLine(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"digits of other scripts", "٠١٢٣٤٥٦٧", "******٦٧"},
		{"nothing hides between digits", "7900\u200b123\x0045 67", "********* 67"},
		{"escape sequences", "\x1b[31mred\nline\ttab", "[31mred line tab"},
		{"C1 and direction", "a\u009b31m\u202eb", "a31mb"},
		{"broken UTF-8", "a\xffb", "a\uFFFDb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := show.Line(tt.text, 200); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(0, 80).Draw(t, "limit")
		got := show.Line(rapid.String().Draw(t, "text"), limit)
		if len(got) > limit || !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Fatalf("not fit to be logged: %q", got)
		}
	})
}

func TestHide(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"phone", "79161234567", "*********67"},
		{"decorated", "+7 (916) 123-45-67", "+* (***) ***-**-67"},
		{"e-mail", "ivan@example.ru", "****@*******.**"},
		{"name", "Иван Петров", "**** ******"},
		{"three digits", "123", "***"},
		{"word", "sip:12345@host", "***:***45@****"},
		{"combined letters", "И\u0301н", "***"},
		{"numbers that are no digits", "①②Ⅳ", "***"},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := show.Hide(tt.in); got != tt.want {
				t.Errorf("Hide(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func BenchmarkMask(b *testing.B) {
	for name, text := range map[string]string{
		"words": strings.Repeat("значение 12345 ", 100),
		"page":  "https://x.example/?utm_source=yandex&utm_campaign=%D0%B1%D1%80%D0%B5%D0%BD%D0%B4&phone=79161234567&name=Anna",
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				show.Mask(text)
			}
		})
	}
}
