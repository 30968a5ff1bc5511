package phone

import (
	"strings"
	"unicode"
)

// shown is how many digits at the end Mask leaves.
const shown = 2

// Mask hides a phone number but for its last two digits: "79161234567" becomes "*********67".
// Signs between the digits stay, letters are hidden too. Fewer than four digits are all hidden,
// since two of three are the whole.
func Mask(s string) string {
	digits := 0
	for _, r := range s {
		if unicode.IsDigit(r) {
			digits++
		}
	}
	hide := digits
	if digits >= 2*shown {
		hide = digits - shown
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsDigit(r):
			if hide--; hide < 0 {
				return r
			}
			return '*'
		case unicode.IsLetter(r):
			return '*'
		}
		return r
	}, s)
}
