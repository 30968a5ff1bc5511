// Package spelling reads a text as a person would who knows how machines wrap it: percent-encoded,
// once or twice, with HTML's entities or tags, with the \u of JSON, quoted-printable, as punycode,
// in wide digits, with invisible signs, in another charset. Whoever looks for a number or an address, or hides them,
// has to look at every reading. It knows nothing of events.
package spelling

import (
	"html"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Gap is how many signs in a row may stand between two digits of one number, however it is written.
const Gap = 8

// Bounds of what is read of one text. Whoever wraps it deeper than that hides it on purpose.
const (
	deepest  = 6
	maxBytes = 32 << 20
)

// Readings lists a text and what it stands for with encodings in it undone: the text itself comes
// first, then with each encoding undone by itself, for what only looks like another one, then with all
// of them, again and again. Whole is false when that came to no end.
func Readings(text string) (list []string, whole bool) {
	list = []string{text}
	for _, undo := range undoing {
		list = with(list, undo(text))
	}
	if list = with(list, tags(text)); len(list) == 1 {
		return list, true
	}
	bytes := 0
	for range deepest {
		before := text
		for _, undo := range undoing {
			text = undo(text)
		}
		if text == before {
			return list, true
		}
		if bytes += len(list) * len(text); bytes > maxBytes {
			return list, false
		}
		list = with(with(list, text), tags(text))
	}
	return list, false
}

// with adds a reading that is not there yet.
func with(list []string, reading string) []string {
	if reading == list[0] || slices.Contains(list, reading) {
		return list
	}
	return append(list, reading)
}

// undoing are the encodings that are undone, each in the whole text. Texts without the sign of one
// come back as they are, at the price of looking for that sign. Tags are not among them: an address
// may stand between < and >.
var undoing = []func(string) string{percent, entities, backslashes, quotedPrintable, punycode, Fold}

// percent undoes %41 and the %u0041 of JavaScript's escape; what is no encoding stays.
func percent(text string) string {
	return replaced(text, '%', func(rest string) (string, int) {
		if len(rest) >= 6 && (rest[1] == 'u' || rest[1] == 'U') {
			return rune16(rest[2:6], 6)
		}
		return byteOf(rest, 1)
	})
}

// entities undoes HTML's &nbsp; and &#43;.
func entities(text string) string {
	if !strings.Contains(text, "&") {
		return text
	}
	return html.UnescapeString(text)
}

// backslashes undoes what JSON and JavaScript put into texts: \u0041, \x41, \/, \n.
func backslashes(text string) string {
	return replaced(text, '\\', func(rest string) (string, int) {
		switch {
		case len(rest) < 2:
			return "", 0
		case rest[1] == 'u' && len(rest) >= 6:
			return rune16(rest[2:6], 6)
		case rest[1] == 'x':
			return byteOf(rest, 2)
		case strings.IndexByte("nrtbf", rest[1]) >= 0:
			return " ", 2
		case strings.IndexByte(`/"'\`, rest[1]) >= 0:
			return rest[1:2], 2
		}
		return "", 0
	})
}

// printable is what only quoted-printable text has: encoded bytes side by side, or a line's soft end.
var printable = regexp.MustCompile(`=[0-9A-Fa-f]{2}=[0-9A-Fa-f]{2}|=\r?\n`)

// quotedPrintable undoes =41 and the line breaks of e-mails. In the address of a page a value may
// look like it (phone=79161234567): elsewhere only the @ of an address is undone.
func quotedPrintable(text string) string {
	if !strings.Contains(text, "=") {
		return text
	}
	if !printable.MatchString(text) {
		return lonelyAt.ReplaceAllString(text, "@$1")
	}
	return replaced(text, '=', func(rest string) (string, int) {
		switch {
		case strings.HasPrefix(rest, "=\r\n"):
			return "", 3
		case strings.HasPrefix(rest, "=\n"):
			return "", 2
		}
		return byteOf(rest, 1)
	})
}

var lonelyAt = regexp.MustCompile(`=40([\pL\d-]+\.\pL)`)

var tag = regexp.MustCompile(`<[^<>]{0,200}>`)

// tags makes a blank of each of HTML's tags.
func tags(text string) string {
	if !strings.Contains(text, "<") {
		return text
	}
	return tag.ReplaceAllString(text, " ")
}

var punycoded = regexp.MustCompile(`(?i)xn--[a-z0-9-]+`)

// punycode writes the labels of domains in their own letters.
func punycode(text string) string {
	if !strings.Contains(text, "--") {
		return text
	}
	return punycoded.ReplaceAllStringFunc(text, func(label string) string {
		if own, err := idna.Punycode.ToUnicode(strings.ToLower(label)); err == nil {
			return own
		}
		return label
	})
}

// replaced replaces what begins with mark: undo gets the text from there on and says what it stands
// for and how long it is; 0 leaves the mark. The result is valid UTF-8.
func replaced(text string, mark byte, undo func(rest string) (string, int)) string {
	at := strings.IndexByte(text, mark)
	if at < 0 {
		return text
	}
	var b strings.Builder
	changed := false
	for ; at >= 0; at = strings.IndexByte(text, mark) {
		b.WriteString(text[:at])
		sign, n := undo(text[at:])
		if n == 0 {
			sign, n = text[at:at+1], 1
		} else {
			changed = true
		}
		b.WriteString(sign)
		text = text[at+n:]
	}
	b.WriteString(text)
	if !changed {
		return b.String()
	}
	return strings.ToValidUTF8(b.String(), string(utf8.RuneError))
}

// byteOf reads two hexadecimal digits that stand at begin.
func byteOf(s string, begin int) (string, int) {
	if len(s) < begin+2 {
		return "", 0
	}
	n, err := strconv.ParseUint(s[begin:begin+2], 16, 8)
	if err != nil {
		return "", 0
	}
	return string([]byte{byte(n)}), begin + 2
}

// rune16 reads four hexadecimal digits, the whole of which is n bytes long.
func rune16(hex string, n int) (string, int) {
	r, err := strconv.ParseUint(hex, 16, 16)
	if err != nil {
		return "", 0
	}
	return string(rune(r)), n
}
