package phone_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/touchbox/touchbox/pkg/phone"
)

func TestNormalize(t *testing.T) {
	tests := []struct {
		name, raw, tenDigits, want string
	}{
		{"as Calltouch writes it", "79161234567", "", "79161234567"},
		{"from 8", "89161234567", "", "79161234567"},
		{"with a plus", "+79161234567", "", "79161234567"},
		{"decorated", "8 (916) 123-45-67", "", "79161234567"},
		{"decorated with a plus", "+7 (916) 123 45 67", "", "79161234567"},
		{"plus and 8", "+8 916 123-45-67", "", "79161234567"},
		{"no-break spaces and dashes", "+7\u00a0916\u2011123\u201345\u201467", "", "79161234567"},
		{"marks of direction", "\u202a+79161234567\u202c", "", "79161234567"},
		{"link", "tel:+79161234567", "", "79161234567"},
		{"extension", "+7 (812) 123-45-67 доб. 12", "", "78121234567"},
		{"extension in brackets", "+7 (812) 123-45-67(доб. 12)", "", "78121234567"},
		{"extension by a sign", "78121234567#12", "", "78121234567"},
		{"two numbers", "79161234567, 79161234568", "", "79161234567"},
		{"Kazakhstan", "+7 701 123 45 67", "", "77011234567"},
		{"Belarus with a plus", "+375 29 123-45-67", "", "375291234567"},
		{"Belarus without a plus", "375291234567", "", "375291234567"},
		{"Belarus with the setting", "375291234567", "7", "375291234567"},
		{"Belarus by 8 10", "8 10 375 29 123-45-67", "", "375291234567"},
		{"Germany by 00", "0049 30 123456", "", "4930123456"},
		{"Ukraine", "+380 50 123 4567", "", "380501234567"},
		{"United States without a plus", "12125550123", "", "12125550123"},
		{"ten digits of another country behind a plus", "+47 22 12 34 56", "", "4722123456"},
		{"Hong Kong behind a plus", "+852 2345 6789", "", "85223456789"},
		{"trunk zero is no part", "+49 (0) 30 123456", "", "4930123456"},

		{"ten digits", "9161234567", "", ""},
		{"ten digits by the setting", "916 123-45-67", "7", "79161234567"},
		{"ten digits from zero by the setting", "0161234567", "7", ""},
		{"nothing", "", "", ""},
		{"spaces", "  ", "", ""},
		{"hidden", "anonymous", "", ""},
		{"hidden by zeros", "70000000000", "", ""},
		{"internal", "1234", "", ""},
		{"internal with the setting", "1234", "7", ""},
		{"emergency", "+112", "", ""},
		{"short service", "0911", "", ""},
		{"seven digits", "1234567", "", ""},
		{"SIP address", "sip:79161234567@pbx.example", "", ""},
		{"word among digits", "7916CALLNOW", "", ""},
		{"twelve digits of no country", "791612345678", "", ""},
		{"too many digits", "+7916123456789012", "", ""},
		{"plus inside", "7+9161234567", "", ""},
		{"broken encoding", "7916\xff1234567", "", ""},
		{"zero byte", "7916\x001234567", "", ""},
		{"endless", strings.Repeat("7", 1<<20), "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := phone.Normalize(tt.raw, phone.Options{TenDigits: tt.tenDigits}); got != tt.want {
				t.Errorf("Normalize(%q) = %q, want %q", tt.raw, got, tt.want)
			}
		})
	}
}

func TestNormalizeGivesDigitsOrNothing(t *testing.T) {
	raw := rapid.OneOf(rapid.String(), rapid.StringMatching(`\+?[0-9 ()-]{1,20}`))
	ten := rapid.SampledFrom([]string{"", "7", "380"})
	rapid.Check(t, func(t *rapid.T) {
		got := phone.Normalize(raw.Draw(t, "raw"), phone.Options{TenDigits: ten.Draw(t, "ten")})
		if strings.Trim(got, "0123456789") != "" {
			t.Fatalf("%q is not digits alone", got)
		}
		if got != "" && (len(got) < 7 || len(got) > 15) {
			t.Fatalf("%q has an impossible length", got)
		}
	})
}

func ExampleNormalize() {
	fmt.Println(phone.Normalize("8 (916) 123-45-67", phone.Options{}))
	fmt.Println(phone.Normalize("375291234567", phone.Options{}))
	fmt.Printf("%q\n", phone.Normalize("9161234567", phone.Options{}))
	fmt.Println(phone.Normalize("9161234567", phone.Options{TenDigits: "7"}))
	fmt.Printf("%q\n", phone.Normalize("anonymous", phone.Options{}))
	// Output:
	// 79161234567
	// 375291234567
	// ""
	// 79161234567
	// ""
}

func BenchmarkNormalize(b *testing.B) {
	for name, raw := range map[string]string{"Calltouch": "79161234567", "decorated": "8 (916) 123-45-67", "Belarus": "375291234567"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				phone.Normalize(raw, phone.Options{})
			}
		})
	}
}
