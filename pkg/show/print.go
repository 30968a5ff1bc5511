package show

import (
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/touchbox/touchbox/pkg/spelling"
)

// Printable makes a text that a stranger may have chosen safe for a terminal: escape sequences,
// control characters, marks of text direction and what nobody sees are shown as Go writes them
// (\x1b, \u202e), not obeyed, and a line stays one line. Invalid bytes are shown the same way.
func Printable(s string) string {
	if strings.IndexFunc(s, dangerous) < 0 {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)):
			quoted := strconv.Quote(s[i : i+1])
			b.WriteString(quoted[1 : len(quoted)-1])
		case dangerous(r):
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// dangerous reports whether a terminal would do something else with r than show it. The
// replacement character is among them, because invalid bytes come as it.
func dangerous(r rune) bool {
	return r == utf8.RuneError || !unicode.IsPrint(r) || r >= utf8.RuneSelf && spelling.Invisible(r)
}

// plain leaves out what is invisible, so that nothing hides between digits and no terminal is
// driven, and makes every run of white space one blank. The result is valid UTF-8.
func plain(text string) string {
	if isPlain(text) {
		return text
	}
	var b strings.Builder
	blank := false
	for _, r := range strings.ToValidUTF8(text, string(utf8.RuneError)) {
		switch {
		case unicode.IsSpace(r):
			blank = true
		case spelling.Invisible(r), unicode.Is(unicode.C, r) && !unicode.Is(unicode.Co, r):
		default:
			if blank && b.Len() > 0 {
				b.WriteByte(' ')
			}
			blank = false
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isPlain reports whether plain leaves a text as it is; of ASCII alone, as most are.
func isPlain(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c == ' ' && i > 0 && i < len(text)-1 && text[i-1] != ' ':
		case c <= ' ' || c >= 0x7f:
			return false
		}
	}
	return true
}

// JSON escapes in JSON, or in any text that is read as lines, what Printable escapes, but for line
// breaks and tabs between its parts: as \u and four digits, so that JSON stays the same JSON.
func JSON(raw []byte) []byte {
	at := firstEscaped(raw)
	if at < 0 {
		return raw
	}
	out := append(make([]byte, 0, len(raw)+16), raw[:at]...)
	for at < len(raw) {
		r, size := utf8.DecodeRune(raw[at:])
		if escaped(r, size) {
			out = appendEscape(out, r)
		} else {
			out = append(out, raw[at:at+size]...)
		}
		at += size
	}
	return out
}

func firstEscaped(raw []byte) int {
	for at := 0; at < len(raw); {
		r, size := utf8.DecodeRune(raw[at:])
		if escaped(r, size) {
			return at
		}
		at += size
	}
	return -1
}

// escaped: a replacement character that stands there in full is a sign like any other.
func escaped(r rune, size int) bool {
	switch r {
	case '\n', '\t':
		return false
	case utf8.RuneError:
		return size == 1
	}
	return dangerous(r)
}

func appendEscape(out []byte, r rune) []byte {
	for _, unit := range utf16.AppendRune(nil, r) {
		const hex = "0123456789abcdef"
		out = append(out, '\\', 'u', hex[unit>>12], hex[unit>>8&15], hex[unit>>4&15], hex[unit&15])
	}
	return out
}

// Writer passes on what is written to it as JSON writes it: the last guard before a terminal or a
// log, whoever forgot to escape what. Each write has to hold whole characters.
func Writer(w io.Writer) io.Writer { return writer{w} }

type writer struct{ w io.Writer }

// Unwrap is what stands behind the guard, for whoever asks whether it is a terminal.
func (w writer) Unwrap() io.Writer { return w.w }

// Write reports all of p as written, or none of it.
func (w writer) Write(p []byte) (int, error) {
	if _, err := w.w.Write(JSON(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// more stands at the end of what was cut.
const more = "…"

// Clip shortens a text to limit bytes at the border of a character; an ellipsis then says so.
func Clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	if limit < len(more) {
		return ""
	}
	end := limit - len(more)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + more
}

// Cell shortens a text to so many characters, for the cell of a table.
func Cell(s string, most int) string {
	if len(s) <= most {
		return s
	}
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + more
	}
	return s
}
