package calltouch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

var byteOrderMark = []byte("\xef\xbb\xbf")

// decodeObject reads one JSON object. Numbers keep their digits: Calltouch's visitor ids have 19
// of them, more than a float64 holds. The error is ErrUnreadable.
func decodeObject(data []byte) (map[string]any, error) {
	v, err := decodeJSON(data)
	if err != nil {
		return nil, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%w: no JSON object", ErrUnreadable)
	}
	return object, nil
}

// decodeJSON reads one JSON value. Control characters, which Calltouch's answers have been seen
// to carry inside strings and JSON forbids there, are forgiven.
func decodeJSON(data []byte) (any, error) {
	if data = bytes.TrimPrefix(data, byteOrderMark); !utf8.Valid(data) {
		data = asUTF8(data, "") // the decoder would put U+FFFD there
	}
	v, err := decodeStrict(data)
	if err != nil {
		v, err = decodeStrict(escapeControls(data, printableEscape))
	}
	if err != nil {
		// The parser's own words would quote the data.
		return nil, fmt.Errorf("%w: broken JSON", ErrUnreadable)
	}
	return v, nil
}

func decodeStrict(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, ErrUnreadable
	}
	return v, nil
}

// EscapeControls makes JSON of what is JSON but for raw control characters inside its texts, as they were
// seen in production: each becomes an escape, so that it survives.
func EscapeControls(data []byte) []byte {
	return escapeControls(data, func(c byte) string { return fmt.Sprintf(`\u%04x`, c) })
}

// printableEscape keeps line breaks and tabs, and takes out all other control characters, as printable does.
func printableEscape(c byte) string {
	switch c {
	case '\n':
		return `\n`
	case '\t':
		return `\t`
	case '\r':
		return `\r`
	}
	return ""
}

// escapeControls puts in the place of each control character inside the texts of JSON what escape gives
// for it.
func escapeControls(data []byte, escape func(c byte) string) []byte {
	out := make([]byte, 0, len(data)+16)
	inText, escaped := false, false
	for _, c := range data {
		if inText && c < ' ' {
			e := escape(c)
			if escaped && e != "" { // the backslash before it stands already
				e, escaped = e[1:], false
			}
			out = append(out, e...)
			continue
		}
		switch {
		case escaped:
			escaped = false
		case c == '\\':
			escaped = inText
		case c == '"':
			inText = !inText
		}
		out = append(out, c)
	}
	return out
}

// asText renders a JSON value as the text that a webhook would carry: "" for null and for what is
// empty, the JSON itself for what has parts.
func asText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return numberText(string(v))
	case bool:
		return strconv.FormatBool(v)
	case map[string]any:
		if len(v) == 0 {
			return ""
		}
	case []any:
		if len(v) == 0 {
			return ""
		}
	case nil:
		return ""
	}
	return jsonText(v)
}

func jsonText(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "" // unreachable: v came from JSON
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// exactInteger bounds the integers that a float64 holds without loss.
const exactInteger = 1 << 53

// numberText writes an integral JSON number without point and exponent, so that 148071 and
// 1.48071e5 are the same id. All other digits stay as they came.
func numberText(s string) string {
	if !strings.ContainsAny(s, ".eE") {
		return s
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != float64(int64(f)) || f > exactInteger || f < -exactInteger {
		return s
	}
	return strconv.FormatInt(int64(f), 10)
}

// object returns v as an object; of a list its first element. Calltouch has sent either.
func object(v any) map[string]any {
	if l, ok := v.([]any); ok && len(l) > 0 {
		v = l[0]
	}
	m, _ := v.(map[string]any)
	return m
}

// list returns v as a list; a single object is a list of one.
func list(v any) []any {
	switch v := v.(type) {
	case []any:
		return v
	case map[string]any:
		return []any{v}
	}
	return nil
}
