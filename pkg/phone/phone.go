// Package phone turns phone numbers as people and telephone exchanges write them into the digits
// that Mindbox takes. It knows nothing of events.
package phone

// Options are the choices of a site. The zero value is the safe one.
type Options struct {
	// TenDigits is the country code put before a number of ten digits ("7" makes 9161234567
	// Russian). Empty means that ten digits are no number: nobody can know their country.
	TenDigits string
}

// Normalize returns the digits of raw with their country code, "79161234567", or "" when raw is
// no number that can be called back: hidden, short, internal, malformed.
func Normalize(raw string, o Options) string { return raw }

// Mask hides a phone number but for its last two digits.
func Mask(s string) string { return s }
