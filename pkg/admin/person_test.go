package admin_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/spelling"
)

func TestPersonIsFoundInAnySpelling(t *testing.T) {
	const number = "79161234567"
	tests := []struct {
		name, text string
		want       bool
	}{
		{"as Calltouch writes it", "79161234567", true},
		{"from 8", "8 (916) 123-45-67", true},
		{"with a plus", "+7 916 123 45 67", true},
		{"ten digits", "916-123-45-67", true},
		{"no-break spaces", "+7\u00a0916\u2011123\u201345\u201467", true},
		{"with an extension", "+7 (916) 123-45-67 доб. 12", true},
		{"in a sentence", "Перезвоните на 8-916-123-45-67, пожалуйста", true},
		{"second of two", "79160000000 79161234567", true},
		{"second after a comma", "79160000000, 8 916 123 45 67", true},
		{"beside a year and a price", "2026 8 916 123 45 67 5000", true},
		{"in brackets", "Анна (+79161234567)", true},
		{"glued to a word", "тел79161234567", true},
		{"link", "tel:+79161234567", true},
		{"SIP address", "sip:79161234567@pbx.example", true},
		{"another number", "79161234568", false},
		{"its end alone", "1234567", false},
		{"in another country", "+380 916 123 45 67", false},
		{"inside a longer number", "179161234567890", false},
		{"spread over a text", "7 раз по 916, то есть 123, 45 и 67", false},
		{"nothing", "", false},
	}
	p := admin.NewPerson(number, "", nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for form, e := range map[string]event.Event{
				"form": {Body: []byte("id=1&field=" + url.QueryEscape(tt.text))},
				"JSON": {Body: []byte(fmt.Sprintf(`{"id": 1, "client": {"phones": [{"phoneNumber": %q}]}}`, tt.text))},
			} {
				if got := p.In(e) == admin.Certain; got != tt.want {
					t.Errorf("as %s: %v, want %v", form, got, tt.want)
				}
			}
		})
	}
}

func TestPersonOfAnotherCountry(t *testing.T) {
	p := admin.NewPerson("375291234567", "", []string{"37"})
	for text, want := range map[string]bool{"+375 (29) 123-45-67": true, "375291234567": true, "5291234567": true, "291234567": false, "+7 529 123-45-67": false} {
		if got := p.In(event.Event{Body: []byte("a=" + url.QueryEscape(text))}) == admin.Certain; got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// Scattered digits are doubtful without the code of the country, and so are those that a long row of signs keeps apart.
func TestPersonIsDoubtfulInPieces(t *testing.T) {
	abroad := admin.NewPerson("375291234567", "", nil)
	if got := abroad.InText("тел. 29 потом 123 потом 4567"); got != admin.Doubtful {
		t.Errorf("without the code: %d", got)
	}
	far := "8916" + strings.Repeat("-", spelling.Gap+1) + "1234567"
	if got := admin.NewPerson("79161234567", "", nil).InText(far); got != admin.Doubtful {
		t.Errorf("%s: %d", far, got)
	}
}

func TestPersonIsFoundByAddress(t *testing.T) {
	p := admin.NewPerson("", "Anna@Clinic.RU", nil)
	for text, want := range map[string]bool{
		"anna@clinic.ru": true, "ANNA@CLINIC.RU": true, "Пишите: anna@clinic.ru.": true, "<anna@clinic.ru>": true, "a,anna@clinic.ru;b": true,
		"joanna@clinic.ru": false, "anna@clinic.rural": false, "anna@clinic.ru.com": false, "j.anna@clinic.ru": false, "anna@clinic.ru-old": false,
		"joanna@clinic.ru anna@clinic.ru": true, "anna at clinic.ru": false,
	} {
		if got := p.In(event.Event{Body: []byte("email=" + url.QueryEscape(text))}) == admin.Certain; got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	plus := admin.NewPerson("", "a+b@c.ru", nil)
	for _, body := range []string{"email=a%2Bb%40c.ru", "email=a+b@c.ru", `{"email": "a+b@c.ru"}`} {
		if plus.In(event.Event{Body: []byte(body)}) != admin.Certain {
			t.Errorf("%s: not found", body)
		}
	}
}

func BenchmarkPerson(b *testing.B) {
	p := admin.NewPerson("79161234567", "anna@clinic.ru", nil)
	var form strings.Builder
	for i := range 60 {
		fmt.Fprintf(&form, "field%d=%s&", i, url.QueryEscape("значение номер 12345"))
	}
	e := event.Event{Body: []byte(form.String())}
	b.SetBytes(int64(len(e.Body)))
	for b.Loop() {
		p.In(e)
	}
}
