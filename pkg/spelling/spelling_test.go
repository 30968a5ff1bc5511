package spelling_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/touchbox/touchbox/pkg/spelling"
)

func TestReadings(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"percent", "a%40b.ru", "a@b.ru"},
		{"percent, twice", "a%2540b.ru", "a@b.ru"},
		{"percent, three times", "a%252540b.ru", "a@b.ru"},
		{"percent in Russian", "%D0%90%D0%BD%D0%BD%D0%B0", "Анна"},
		{"escape of JavaScript", "%u0410%u043D%u043D%u0430", "Анна"},
		{"a broken percent stays", "5 % %zz %4", "5 % %zz %4"},
		{"entities", "8&nbsp;916&#49;&#x32;&commat;", "8 91612@"},
		{"entities, twice", "8&amp;nbsp;916", "8 916"},
		{"JSON", `\u0041\u0040\/b`, "A@/b"},
		{"quoted-printable", "=37=39anna=\r\n@b.ru", "79anna@b.ru"},
		{"quoted-printable at", "anna=40b.ru", "anna@b.ru"},
		{"tags", "8<b>916</b>", "8 916 "},
		{"punycode", "anna@xn--e1afmkfd.xn--p1ai", "anna@пример.рф"},
		{"wide digits", "７９１６", "7916"},
		{"Arabic digits", "٧٩١٦", "7916"},
		{"mathematical digits", "𝟕𝟗𝟏𝟔", "7916"},
		{"invisible signs", "a\u200bn\u00adn\u2060a\u202e\x00", "anna"},
		{"no-break space", "7\u00a0916", "7 916"},
		{"one within another", "&#37;40", "@"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, whole := spelling.Readings(tt.text)
			if !whole || got[0] != tt.text || !slices.Contains(got, tt.want) {
				t.Errorf("Readings(%q) = %q, %v: want %q among them", tt.text, got, whole, tt.want)
			}
		})
	}
}

func TestPlainTextHasOneReading(t *testing.T) {
	for _, text := range []string{"", "79161234567", "Перезвоните, пожалуйста", "https://clinic.ru/page?utm_source=yandex", "a\tb\nc"} {
		if got, whole := spelling.Readings(text); len(got) != 1 || !whole {
			t.Errorf("%q: %q, %v", text, got, whole)
		}
	}
}

func TestReadingsAreBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		alphabet := []rune("%25&amp;#37\\u0=3D<>xn--é７ \u200b")
		text := string(rapid.SliceOfN(rapid.SampledFrom(alphabet), 0, 80).Draw(t, "text"))
		if got, _ := spelling.Readings(text); len(got) > 32 {
			t.Fatalf("%d readings", len(got))
		}
	})
	if _, whole := spelling.Readings("%" + strings.Repeat("25", 100) + "41"); whole {
		t.Error("a hundred encodings inside each other were all undone")
	}
}

func TestFold(t *testing.T) {
	for r := rune(0); r <= 0x10ffff; r++ {
		if got := spelling.Fold("7" + string(r) + "9"); spelling.Invisible(r) && got != "79" {
			t.Fatalf("%U: %q", r, got)
		}
	}
}

func BenchmarkReadings(b *testing.B) {
	for name, text := range map[string]string{"plain": strings.Repeat("значение 12345 ", 100), "encoded": strings.Repeat("%D0%90&nbsp;", 100)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				spelling.Readings(text)
			}
		})
	}
}

// The letters of the names are spelt out by code point: nobody can see which of them are Russian.
func TestForeign(t *testing.T) {
	tests := []struct {
		name, letters string
		russian       bool
	}{
		{"callerphone", "", false},
		{"\u0441allerphone", "\u0441", true},
		{"\u0441allerph\u043ene", "\u0441, \u043e", true},
		{"clinic.Web\u0455ite", "", false}, // a letter of another alphabet that is not Russian
		{"customer.mobil\u0435Phone", "\u0435", true},
		{"п\u006fвторный", "\u006f", false},
		{"повторный", "", false},
		{"CallTouchЗвонок", "", false}, // two alphabets for all to see
		{"Звонок.CallTouch", "", false},
		{"CRM-сорт", "", false},
		{"utm_\u0441ity", "\u0441", true},
	}
	for _, tt := range tests {
		if letters, russian := spelling.Foreign(tt.name); letters != tt.letters || russian != tt.russian {
			t.Errorf("%s: got %q, %t", tt.name, letters, russian)
		}
	}
}

func TestDiffering(t *testing.T) {
	tests := []struct {
		name, like, letters string
		russian             bool
	}{
		{"\u0441ity", "city", "\u0441", true},
		{"\u0430\u0440\u0435", "ape", "\u0430, \u0440, \u0435", true}, // all of them
		{"m\u0061ма", "m\u0430ма", "\u0061", false},
		{"city", "city", "", false},
		{"cites", "city", "", false},
	}
	for _, tt := range tests {
		if letters, russian := spelling.Differing(tt.name, tt.like); letters != tt.letters || russian != tt.russian {
			t.Errorf("%s: got %q, %t", tt.name, letters, russian)
		}
	}
}
