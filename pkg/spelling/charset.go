package spelling

import (
	"bytes"
	"mime"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	xunicode "golang.org/x/text/encoding/unicode"
)

// Charset returns the charset that a content type names, in lower case; "" when it names none.
func Charset(contentType string) string {
	switch contentType { // nearly all hooks
	case "", "application/x-www-form-urlencoded":
		return ""
	case "application/x-www-form-urlencoded; charset=utf-8":
		return "utf-8"
	}
	if _, params, err := mime.ParseMediaType(contentType); err == nil {
		return strings.ToLower(params["charset"])
	}
	_, after, _ := strings.Cut(strings.ToLower(contentType), "charset=")
	after, _, _ = strings.Cut(after, ";")
	return strings.Trim(after, ` "'`)
}

// Decode returns text as UTF-8: by the charset that was named for it, else as windows-1251 where that makes Russian of it. What is UTF-8 already stays whatever the label says: Java's clients label it ISO-8859-1. doubtful
// is true where the encoding had to be guessed or bytes were lost. U+FFFD never comes out: who keeps the text would keep it for ever.
func Decode(text, charset string) (out string, doubtful bool) {
	if utf8.ValidString(text) {
		return text, false
	}
	if e := labelled(charset); e != nil {
		if out, err := e.NewDecoder().String(text); err == nil && !strings.ContainsRune(out, utf8.RuneError) {
			return out, false
		}
	}
	if whole := strings.TrimSuffix(text, cutRune(text)); len(whole) < len(text) && utf8.ValidString(whole) && !ascii(whole) {
		return whole, true // UTF-8 that was cut in the middle of its last character
	}
	if out, ok := russian(text); ok {
		return out, true
	}
	return strings.ToValidUTF8(text, ""), true
}

// labelled finds the encoding of a label. Labels that say nothing, because they are the defaults of clients that never asked, have
// none.
func labelled(charset string) encoding.Encoding {
	switch charset {
	case "", "utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1":
		return nil
	case "cp1251", "cp-1251", "win1251", "win-1251":
		charset = "windows-1251"
	}
	e, _ := htmlindex.Get(charset)
	return e
}

// cutRune returns the incomplete character at the end of UTF-8 text; "" when the last one is whole.
func cutRune(text string) string {
	for n := 1; n <= 3 && n <= len(text); n++ {
		if tail := text[len(text)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRuneInString(tail) {
				return ""
			}
			return tail
		}
	}
	return ""
}

// russian reads text as windows-1251, or as KOI8-R where windows-1251 would put capitals behind small letters; ok is false where
// what comes out is no Russian.
func russian(text string) (out string, ok bool) {
	for _, e := range []encoding.Encoding{charmap.Windows1251, charmap.KOI8R} {
		out, err := e.NewDecoder().String(text)
		if err == nil && looksRussian(out) {
			return out, true
		}
	}
	return "", false
}

// looksRussian accepts Russian letters, at least one, and the signs that Russian texts have beside them. No word has letters of two
// alphabets or a capital behind a small letter.
func looksRussian(text string) bool {
	letters, before := false, ' '
	for _, r := range text {
		switch {
		case unicode.IsLetter(r) && unicode.IsLetter(before) && unicode.Is(unicode.Cyrillic, r) != unicode.Is(unicode.Cyrillic, before):
			return false
		case 'А' <= r && r <= 'я', r == 'ё', r == 'Ё':
			if letters = true; unicode.IsUpper(r) && unicode.IsLower(before) {
				return false
			}
		case r >= utf8.RuneSelf && !strings.ContainsRune("«»—–…№“”„’‘•·°\u00a0іїєґІЇЄҐўЎ", r):
			return false
		}
		before = r
	}
	return letters
}

// DecodeUTF16 returns UTF-16 bytes as UTF-8, where the charset or a byte order mark says that they are; ok is false for all others.
func DecodeUTF16(b []byte, charset string) (out []byte, ok bool) {
	marked := bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff"))
	if !marked && !strings.HasPrefix(charset, "utf-16") {
		return b, false
	}
	order := xunicode.BigEndian
	if charset == "utf-16le" {
		order = xunicode.LittleEndian
	}
	out, err := xunicode.UTF16(order, xunicode.UseBOM).NewDecoder().Bytes(b)
	return out, err == nil
}
