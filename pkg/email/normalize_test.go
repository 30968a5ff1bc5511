package email_test

import (
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/email"
)

func TestNormalize(t *testing.T) {
	for _, tt := range []struct{ name, raw, want string }{
		{"plain", "anna@example.ru", "anna@example.ru"},
		{"case is kept", "Anna.K+news@Example.RU", "Anna.K+news@Example.RU"},
		{"zero-width space before", "\u200banna@example.ru", "anna@example.ru"},
		{"zero-width joiner inside", "an\u200dna@exa\u2060mple.ru", "anna@example.ru"},
		{"byte order mark, soft hyphen", "\ufeffanna@exam\u00adple.ru", "anna@example.ru"},
		{"direction marks", "\u202aanna@example.ru\u202c", "anna@example.ru"},
		{"no-break spaces", "\u00a0anna@example.ru\u00a0", "anna@example.ru"},
		{"line break", "anna@example.ru\r\n", "anna@example.ru"},
		{"blanks beside the at", "anna @ example.ru", "anna@example.ru"},
		{"full-width signs", "anna＠example．ru", "anna@example.ru"},
		{"mailto", "mailto:anna@example.ru", "anna@example.ru"},
		{"mailto with a subject", "MAILTO:anna@example.ru?subject=Hi", "anna@example.ru"},
		{"percent-encoded", "mailto:anna%40example.ru", "anna@example.ru"},
		{"a name before", "Анна К. <anna@example.ru>", "anna@example.ru"},
		{"a quoted name", `"Anna" <anna@example.ru>`, "anna@example.ru"},
		{"guillemets", "«anna@example.ru»", "anna@example.ru"},
		{"typographic quotes", "“anna@example.ru”,", "anna@example.ru"},
		{"end of a sentence", "почта: anna@example.ru.", "anna@example.ru"},
		{"an ellipsis", "anna@example.ru…", "anna@example.ru"},
		{"a dash", "anna@example.ru—звоните", "anna@example.ru"},
		{"HTML entities", "&lt;anna@example.ru&gt;&nbsp;", "anna@example.ru"},
		{"the first of two", "anna@example.ru; boris@example.ru", "anna@example.ru"},
		{"behind a nick", "@anna_k, anna@example.ru", "anna@example.ru"},
		{"behind a nick and a blank", "пишите @anna_k или anna@example.ru", "anna@example.ru"},
		{"cyrillic domain", "anna@почта.рф", "anna@почта.рф"},
		{"punycode", "anna@xn--80a1acny.xn--p1ai", "anna@xn--80a1acny.xn--p1ai"},
		{"apostrophe", "o'hara@example.ru", "o'hara@example.ru"},

		{"nothing", "", ""},
		{"a nick", "@anna_k", ""},
		{"a nick with a domain", "@anna.example", ""},
		{"no domain", "anna@", ""},
		{"no dot", "anna@example", ""},
		{"two ats", "anna@home@example.ru", ""},
		{"two dots", "anna@example..ru", ""},
		{"a comma for a dot", "anna@example,ru", ""},
		{"dots in the mailbox", "anna..k@example.ru", ""},
		{"a Russian letter", "аnna@example.ru", ""},
		{"a Russian letter in the domain", "anna@exаmple.ru", ""},
		{"an address of a network", "anna@192.168.0.1", ""},
		{"a page", "https://medium.example/@anna.k", ""},
		{"a phone", "+7 916 123-45-67", ""},
		{"a long mailbox", strings.Repeat("a", 65) + "@example.ru", ""},
		{"a long text", strings.Repeat("слово ", 2000) + "anna@example.ru", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := email.Normalize(tt.raw); got != tt.want {
				t.Errorf("Normalize(%q) = %q, want %q", tt.raw, got, tt.want)
			}
		})
	}
}

func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"anna@example.ru", "\u200b<anna@example.ru>", "@nick", "a%40b.ru", "＠", "a @ b.ru"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got := email.Normalize(raw)
		if got == "" {
			return
		}
		if again := email.Normalize(got); again != got {
			t.Errorf("Normalize(%q) = %q, and of that %q", raw, got, again)
		}
	})
}
