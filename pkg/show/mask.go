// Package show makes texts that strangers chose fit to be shown and logged: Mask hides who they are
// about, Printable and its kind leave nothing that a terminal would obey, Clip keeps them short. It
// knows nothing of events.
package show

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/touchbox/touchbox/pkg/spelling"
)

// Hidden stands for what is not shown at all.
const Hidden = "***"

// hiddenEmail stands for an e-mail address.
const hiddenEmail = "***@***"

// Digits of a run that may be a phone or a card, and how many of them stay.
const minDigits, shownDigits = 7, 2

// Mask hides what in a text may be about a person, wherever it stands: e-mail addresses; runs of
// seven or more digits, however they are grouped, but for the last two; and in the addresses of
// pages the values of all parameters but those of advertising. Dates with their time stay, and
// UUIDs. What stands there in another encoding, %40 for @, is found as well; the text is then given
// without that encoding. Of a text of more than 32 KB the beginning is given.
//
// It is for texts that are about something else. A field that is about a person is hidden whole, by
// Hide.
func Mask(text string) string {
	text = beginning(text, maxMasked)
	readings, whole := spelling.Readings(text)
	if !whole {
		return Hide(text)
	}
	if len(readings) == 1 {
		return mask(text)
	}
	for _, reading := range readings {
		if masked := mask(reading); hidesAll(reading, masked) {
			return masked
		}
	}
	return Hide(text)
}

// hidesAll reports whether nothing is left to hide in any reading of what was masked, and whether it
// would have been the same to mask each reading: half of an encoded address hidden, the other half
// would be no address any more.
func hidesAll(text, masked string) bool {
	left, whole := spelling.Readings(masked)
	if !whole || slices.ContainsFunc(left, func(reading string) bool { return mask(reading) != reading }) {
		return false
	}
	readings, whole := spelling.Readings(text)
	return whole && !slices.ContainsFunc(readings, func(reading string) bool { return !slices.Contains(left, mask(reading)) })
}

// Line is Mask for a text that becomes part of a line that is kept or logged: also without what is
// invisible, every run of white space as one blank, and at most limit bytes long.
func Line(text string, limit int) string {
	const shrinks = 8 // what is masked is rarely shorter than this part of it
	return Clip(maskPlain(beginning(text, shrinks*limit)), limit)
}

// maskPlain masks a text and leaves it plain. The mask may undo an encoding, and bring to light what is
// invisible: without that, digits may stand side by side that did not before, so it looks again.
func maskPlain(text string) string {
	const most = 4
	for range most {
		masked := Mask(plain(text))
		if text = plain(masked); text == masked {
			return text
		}
	}
	return Hide(text)
}

// maxMasked bounds the work on one text, in bytes.
const maxMasked = 32 << 10

// beginning cuts a text before the word in which the limit falls: half a number or address would not
// be known for one.
func beginning(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	text = Clip(text, limit)
	return text[:1+strings.LastIndexAny(text, " \t\n,;&\"")] + more
}

// Hide hides all letters and digits of what a person said or left, but for the last two digits where
// there are at least four. Signs and the length stay, so that one sees what kind of value it was.
func Hide(s string) string {
	digits := countDigits(s)
	hidden := digits
	if digits >= 2*shownDigits {
		hidden = digits - shownDigits
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsDigit(r):
			if hidden--; hidden < 0 {
				return r
			}
			return '*'
		case unicode.IsLetter(r), unicode.IsMark(r), unicode.Is(unicode.N, r), r == utf8.RuneError:
			return '*'
		}
		return r
	}, s)
}

// mask hides what stands in a text as it is. What is hidden may bring together what stood beside it:
// it looks again until nothing changes.
func mask(text string) string {
	const most = 4
	for range most {
		masked := maskDigits(maskEmails(maskParameters(text)))
		if masked == text {
			break
		}
		text = masked
	}
	return text
}

const (
	// atSign is the @, as it stands in a URL, in wide letters, and as people hide it from machines.
	atSign = `(?:\\?@+|%40|＠|﹫|[(\[{][ \t]?(?:at|собака|эт)[ \t]?[)\]}])`
	// part is of an address, before or behind its @.
	part = `[^\s"'<>(),;:=&?/\\@]+`
)

var (
	hasAt = regexp.MustCompile(`(?i)` + atSign)
	// email is an address, with a name in quotes too, and with blanks around its @ where a domain
	// stands behind it.
	email = regexp.MustCompile(`(?i)(?:"[^"@]{1,64}"|` + part + `)(?:` + atSign + part + `|[ \t]?` + atSign + `[ \t]?` + part + `\.` + part + `)`)
)

func maskEmails(text string) string {
	if !strings.ContainsAny(text, "@%＠﹫([{") || !hasAt.MatchString(text) {
		return text
	}
	return email.ReplaceAllString(text, hiddenEmail)
}

var uuid = regexp.MustCompile(`(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// maskDigits hides the runs of digits, but for UUIDs: one must see which device it was.
func maskDigits(text string) string {
	if countDigits(text) < minDigits {
		return text
	}
	var b strings.Builder
	if strings.Count(text, "-") < 4 {
		maskRuns(&b, text)
		return b.String()
	}
	done := 0
	for _, at := range uuid.FindAllStringIndex(text, -1) {
		if alone(text[:at[0]], text[at[1]:]) {
			maskRuns(&b, text[done:at[0]])
			b.WriteString(text[at[0]:at[1]])
			done = at[1]
		}
	}
	maskRuns(&b, text[done:])
	return b.String()
}

// alone reports whether what stands between two texts is no part of a longer word.
func alone(before, after string) bool {
	last, _ := utf8.DecodeLastRuneInString(before)
	first, _ := utf8.DecodeRuneInString(after)
	inWord := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '+' }
	return (before == "" || !inWord(last)) && (after == "" || !inWord(first))
}

// maskRuns hides the runs of digits of a text. A run goes over what stands between its groups, as
// long as these are no letters.
func maskRuns(b *strings.Builder, text string) {
	for {
		begin := strings.IndexFunc(text, unicode.IsDigit)
		if begin < 0 {
			b.WriteString(text)
			return
		}
		b.WriteString(text[:begin])
		dated := !strings.HasSuffix(text[:begin], "+")
		text = text[begin:]
		n := 0
		if dated {
			n = lengthOfMoment(text)
		}
		if n > 0 {
			b.WriteString(text[:n])
		} else {
			n = runOfDigits(text)
			b.WriteString(maskRun(text[:n]))
		}
		text = text[n:]
	}
}

// runOfDigits is where the run ends that begins the text: behind the last digit before a letter, or
// before more signs than one number has between its digits.
func runOfDigits(text string) int {
	end, gap := 0, 0
	for i, r := range text {
		switch {
		case unicode.IsDigit(r):
			end, gap = i+utf8.RuneLen(r), 0
		case unicode.IsLetter(r):
			return end
		default:
			if gap++; gap > spelling.Gap {
				return end
			}
		}
	}
	return end
}

// moment is a date, whose digits are no phone, with the time and zone behind it.
var moment = regexp.MustCompile(`^(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])` +
	`(?:[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:[.,]\d{1,9})?)?(?:[+-](?:0\d|1[0-4]):?(?:00|15|30|45))?)?(?:$|[^\d\-.:])`)

// lengthOfMoment is the length of the moment that begins the text, 0 for none.
func lengthOfMoment(text string) int {
	if !strings.HasPrefix(text, "19") && !strings.HasPrefix(text, "20") {
		return 0
	}
	found := moment.FindString(text)
	return len(strings.TrimRightFunc(found, func(r rune) bool { return !unicode.IsDigit(r) }))
}

func maskRun(run string) string {
	hidden := countDigits(run) - shownDigits
	if hidden < minDigits-shownDigits {
		return run
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) && hidden > 0 {
			hidden--
			return '*'
		}
		return r
	}, run)
}

func countDigits(s string) int {
	n := 0
	for _, r := range s {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}
