package calltouch

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/spelling"
)

// FormType is the content type of a hook by GET, and of most by POST.
const FormType = "application/x-www-form-urlencoded"

// content is what a hook's body says, freed of its wrapping: a form or an object. Relays and test tools wrap hooks in
// multipart/form-data, in lists of one, in JSON inside a parameter; Calltouch itself has never been seen to.
type content struct {
	form   string         // url-encoded
	object map[string]any // JSON; nil when it is a form
}

const (
	// deepestWrapping bounds how many wrappings inside each other are taken off.
	deepestWrapping = 3
	// maxUnwrapped bounds what a compressed body may grow to, in bytes.
	maxUnwrapped = 1 << 20
)

// unwrap opens the body of a hook. The error is ErrUnreadable: nothing is known to be inside.
func unwrap(e event.Event) (content, error) {
	return open(e.Body, e.ContentType, deepestWrapping)
}

func open(body []byte, contentType string, depth int) (content, error) {
	switch {
	case depth == 0:
		return content{}, fmt.Errorf("%w: too many wrappings", ErrUnreadable)
	case isCompressed(body):
		return openCompressed(body, contentType, depth)
	case isMultipart(contentType):
		return openMultipart(body, contentType, depth)
	}
	body = withoutMark(body, spelling.Charset(contentType))
	switch first(body) {
	case '{':
		object, err := decodeObjectOf(body, contentType)
		if err != nil {
			return content{}, err
		}
		return inner(object, depth-1)
	case '[', '"':
		value, err := decodeJSON(asUTF8(body, contentType))
		if err != nil {
			return content{}, err
		}
		return openValue(value, depth-1)
	case '<':
		return content{}, fmt.Errorf("%w: XML or HTML", ErrUnreadable)
	}
	return openForm(textOf(body), depth)
}

// textOf is a body as text. It is no copy: whoever has a body leaves it as it came.
func textOf(body []byte) string { return unsafe.String(unsafe.SliceData(body), len(body)) }

// withoutMark takes a byte order mark off, and UTF-16 apart.
func withoutMark(body []byte, charset string) []byte {
	if plain, ok := spelling.DecodeUTF16(body, charset); ok {
		return plain
	}
	return bytes.TrimPrefix(body, byteOrderMark)
}

// first returns the first byte that is no blank; 0 when there is none.
func first(body []byte) byte {
	if body = bytes.TrimLeft(body, " \t\r\n"); len(body) > 0 {
		return body[0]
	}
	return 0
}

func asUTF8(body []byte, contentType string) []byte {
	if utf8.Valid(body) {
		return body
	}
	text, _ := spelling.Decode(string(body), spelling.Charset(contentType))
	return []byte(text)
}

func decodeObjectOf(body []byte, contentType string) (map[string]any, error) {
	return decodeObject(asUTF8(body, contentType))
}

func openCompressed(body []byte, contentType string, depth int) (content, error) {
	plain, err := unpack(body, maxUnwrapped+1)
	if err != nil || len(plain) > maxUnwrapped {
		return content{}, fmt.Errorf("%w: broken compression", ErrUnreadable)
	}
	return open(plain, contentType, depth-1)
}

// openMultipart opens the form that the parts make. One part alone, as a file, may hold the whole hook.
func openMultipart(body []byte, contentType string, depth int) (content, error) {
	form, err := formOfParts(body, contentType)
	if err != nil {
		return content{}, err
	}
	return openForm(form, depth)
}

// formOfParts makes a url-encoded form of multipart/form-data. A body without the boundary that its type should name shows it in
// its first line.
func formOfParts(body []byte, contentType string) (string, error) {
	_, params, _ := mime.ParseMediaType(contentType)
	boundary := params["boundary"]
	if boundary == "" {
		line, _, _ := bytes.Cut(bytes.TrimLeft(body, "\r\n"), []byte("\n"))
		boundary = strings.TrimPrefix(strings.TrimSpace(string(line)), "--")
	}
	var form strings.Builder
	parts := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", fmt.Errorf("%w: broken multipart", ErrUnreadable)
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return "", fmt.Errorf("%w: broken multipart", ErrUnreadable)
		}
		text, _ := spelling.Decode(string(value), spelling.Charset(part.Header.Get("Content-Type")))
		fmt.Fprintf(&form, "%s=%s&", url.QueryEscape(part.FormName()), url.QueryEscape(text))
	}
	return strings.TrimSuffix(form.String(), "&"), nil
}

// openForm takes a url-encoded form as it is, and opens one that is only the wrapping of something else.
func openForm(form string, depth int) (content, error) {
	trimmed := strings.TrimSpace(form)
	switch {
	case isNothing(trimmed):
		return content{}, nil
	case strings.HasPrefix(trimmed, "%7B"), strings.HasPrefix(trimmed, "%7b"), strings.HasPrefix(trimmed, "%5B"), strings.HasPrefix(trimmed, "%5b"):
		return open([]byte(strings.TrimSuffix(unescape(trimmed), "=")), "", depth-1)
	case !strings.Contains(trimmed, "="):
		return content{}, fmt.Errorf("%w: neither a form nor JSON", ErrUnreadable)
	}
	if !strings.Contains(trimmed, "&") {
		return openPair(trimmed, depth)
	}
	return content{form: form}, nil
}

// openPair opens a form of a single parameter: payload={...}, or parameters parted by semicolons or line by line.
func openPair(form string, depth int) (content, error) {
	name, value, _ := strings.Cut(form, "=")
	value = strings.TrimSpace(unescape(value))
	if hookField(unescape(name)) == nil && value != "" && strings.IndexByte(`{["`, value[0]) >= 0 {
		if c, err := open([]byte(value), "", depth-1); err == nil {
			return c, nil
		}
	}
	for _, sign := range []string{";", "\n"} {
		if pairs := partedBy(sign, form); len(pairs) > 1 && allParameters(pairs) {
			form = strings.Join(pairs, "&")
		}
	}
	return content{form: form}, nil
}

// partedBy lists what stands between the signs, without blanks around it; one at the end parts nothing.
func partedBy(sign, form string) []string {
	var pairs []string
	for pair := range strings.SplitSeq(form, sign) {
		if pair = strings.TrimSpace(pair); pair != "" {
			pairs = append(pairs, pair)
		}
	}
	return pairs
}

// allParameters reports whether each pair sets a field of the vocabulary: then what parts them are no signs of a value.
func allParameters(pairs []string) bool {
	for _, pair := range pairs {
		name, _, ok := strings.Cut(pair, "=")
		if !ok || hookField(unescape(name)) == nil {
			return false
		}
	}
	return true
}

// openValue opens JSON that is no object: a list of one hook, or JSON or a form as a text.
func openValue(value any, depth int) (content, error) {
	switch v := value.(type) {
	case map[string]any:
		return inner(v, depth)
	case string:
		return open([]byte(v), "", depth)
	case []any:
		if len(v) == 1 {
			return openValue(v[0], depth)
		}
		if len(v) > 1 {
			return content{}, fmt.Errorf("%w: a list of %d", ErrUnreadable, len(v))
		}
	}
	return content{}, nil
}

// inner finds the hook in an object that has no parameter of one itself: {"body": {...}}, {"data": "{...}"}. Where several members
// could be it, none is.
func inner(object map[string]any, depth int) (content, error) {
	if len(object) == 0 || depth == 0 || isHook(object) {
		return content{object: object}, nil
	}
	var found []content
	for name, member := range object {
		if hookField(name) != nil {
			continue
		}
		switch m := member.(type) {
		case map[string]any, []any:
		case string:
			if m == "" || strings.IndexByte("{[", m[0]) < 0 {
				continue
			}
		default:
			continue
		}
		if c, err := openValue(member, depth-1); err == nil && isHook(c.object) {
			found = append(found, c)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	return content{object: object}, nil
}

// isHook reports whether an object has one of the parameters that say what a hook is.
func isHook(object map[string]any) bool {
	for _, name := range []string{"id", "requestId", "callphase", "leadtype", "callerphone"} {
		if _, ok := object[name]; ok {
			return true
		}
	}
	return false
}

// isCompressed knows gzip and zlib by their first bytes. Calltouch has never been seen to compress.
func isCompressed(body []byte) bool { return isGzip(body) || isZlib(body) }

func isGzip(body []byte) bool { return len(body) > 1 && body[0] == 0x1f && body[1] == 0x8b }

// isZlib knows the four levels of compression that there are; 'x' begins texts too.
func isZlib(body []byte) bool {
	return len(body) > 1 && body[0] == 'x' && bytes.IndexByte([]byte("\x01\x5e\x9c\xda"), body[1]) >= 0
}

func isMultipart(contentType string) bool {
	return len(contentType) > 10 && strings.EqualFold(contentType[:10], "multipart/")
}
