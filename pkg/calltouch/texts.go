package calltouch

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"io"
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/spelling"
)

// deepest is how many encodings inside each other Texts undoes: a page's address in a form has its own
// parameters escaped twice.
const deepest = 3

// Texts iterates over all that an event says, whatever its field: the names and values of its URL's
// query and of its body, with form encoding, JSON and base64 undone, also where a value holds them
// again. Numbers come as their digits. A body that cannot be read comes as it is, one that is
// compressed unpacked, and a text that is no UTF-8 once more as hooks are read. The same text may come
// more than once, in several readings.
func Texts(e event.Event) iter.Seq[string] {
	return func(yield func(string) bool) {
		w := walker{yield: yield, charset: spelling.Charset(e.ContentType)}
		w.form(e.Query, 0)
		body := string(unpacked(e))
		if strings.Contains(body, ";") && strings.Contains(body, "&") { // what holds &nbsp; falls apart as a form
			w.say(body)
		}
		switch {
		case isMultipart(e.ContentType):
			w.say(body)
			w.multipart(body, e.ContentType)
		case !w.json(string(asUTF8([]byte(body), e.ContentType)), 0):
			w.form(body, 0)
		}
	}
}

// Whole lists the query and the body of an event with all their fields side by side, percent-encoding
// undone: what is one thing may stand in two fields.
func Whole(e event.Event) []string {
	escaped := strings.NewReplacer("+", "%2B") // a plus stays what it is
	return []string{unescape(escaped.Replace(e.Query)), unescape(escaped.Replace(string(unpacked(e))))}
}

// walker passes on texts until nobody wants more.
type walker struct {
	yield   func(string) bool
	charset string // that the content type names
	ended   bool
}

func (w *walker) say(text string) {
	if w.ended || text == "" {
		return
	}
	if w.ended = !w.yield(text); w.ended || utf8.ValidString(text) {
		return
	}
	if text, _ = spelling.Decode(text, w.charset); text != "" {
		w.ended = !w.yield(text)
	}
}

// multipart walks the parts, each by the charset that it names.
func (w *walker) multipart(body, contentType string) {
	if form, err := formOfParts([]byte(body), contentType); err == nil {
		w.form(form, 0)
	}
}

// form walks url-encoded text.
func (w *walker) form(encoded string, depth int) {
	for name, value := range parameters(encoded) {
		if w.ended {
			return
		}
		w.say(name)
		w.value(unescape(value), depth)
		if strings.Contains(value, "+") && strings.Contains(unescape(value), "@") { // not everybody escapes it: a+b@c.ru
			w.value(unescape(strings.ReplaceAll(value, "+", "%2B")), depth)
		}
	}
}

// json walks JSON, and reports whether text is any. What only begins like it comes as it is too.
func (w *walker) json(text string, depth int) bool {
	if begin := strings.TrimLeft(text, "\ufeff \t\r\n"); begin == "" || begin[0] != '{' && begin[0] != '[' {
		return false
	}
	v, err := decodeJSON([]byte(text))
	if err != nil {
		w.say(text)
		return false
	}
	w.walk(v, depth)
	return true
}

func (w *walker) walk(v any, depth int) {
	switch v := v.(type) {
	case string:
		w.value(v, depth)
	case json.Number:
		w.say(v.String())
		w.say(numberText(v.String()))
	case []any:
		for _, element := range v {
			w.walk(element, depth)
		}
	case map[string]any:
		for name, element := range v {
			w.say(name)
			w.walk(element, depth)
		}
	}
}

// value passes on a value, and what it holds once more encoded.
func (w *walker) value(text string, depth int) {
	w.say(text)
	if depth == deepest || w.ended {
		return
	}
	for plain := range base64Texts(text) {
		w.value(plain, depth+1)
	}
	if !w.json(text, depth+1) && strings.Contains(text, "%") {
		w.value(unescape(strings.ReplaceAll(text, "+", "%2B")), depth+1)
		if strings.Contains(text, "+") {
			w.value(unescape(text), depth+1)
		}
	}
}

// maxUnpacked bounds what is unpacked of a body, in bytes: thirty times what a hook may have.
const maxUnpacked = 8 << 20

// unpacked undoes a compression and UTF-16, as far as they can be undone.
func unpacked(e event.Event) []byte {
	plain, _ := unpack(e.Body, maxUnpacked)
	if len(plain) == 0 {
		plain = e.Body
	}
	plain, _ = spelling.DecodeUTF16(plain, spelling.Charset(e.ContentType))
	return plain
}

// unpack undoes gzip and zlib, which are known by their first bytes, up to a limit of bytes. With an error it returns what could be
// read; a body that is not compressed comes as it is.
func unpack(body []byte, limit int64) (plain []byte, err error) {
	var r io.Reader
	switch {
	case isGzip(body):
		r, err = gzip.NewReader(bytes.NewReader(body))
	case isZlib(body):
		r, err = zlib.NewReader(bytes.NewReader(body))
	default:
		return body, nil
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, limit))
}

// shortestBase64 is the shortest run that is looked at: an address of six characters.
const shortestBase64 = 8

// base64Texts iterates over the texts that stand in a text as base64, as mailings put an address into
// links. Runs of letters that do not stand for a text are passed over.
func base64Texts(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for len(text) >= shortestBase64 {
			n := 0
			for n < len(text) && isBase64(text[n]) {
				n++
			}
			if plain, ok := fromBase64(text[:n]); ok && !yield(plain) {
				return
			}
			text = text[min(len(text), n+1):]
		}
	}
}

func isBase64(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("+/-_", c) >= 0
}

// fromBase64 decodes a run without its padding, in the alphabet of texts or of addresses.
func fromBase64(run string) (string, bool) {
	if len(run) < shortestBase64 || len(run)%4 == 1 {
		return "", false
	}
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(run, "-_") {
		encoding = base64.RawURLEncoding
	}
	plain, err := encoding.DecodeString(run)
	if err != nil || !utf8.Valid(plain) {
		return "", false
	}
	isText := func(r rune) bool { return unicode.IsPrint(r) || unicode.IsSpace(r) }
	return string(plain), strings.IndexFunc(string(plain), func(r rune) bool { return !isText(r) }) < 0
}
