package strictyaml

import (
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/touchbox/touchbox/pkg/show"
)

// Excerpt is a part of a file as it stands there, comments and all.
type Excerpt struct {
	Line int    // where it begins
	Text string // without a line end behind it; what may be a secret reads ***
}

// ExcerptOfItem is the item of a list that stands at a place, with the comments right above it. False where the list stands in
// brackets: then the item has no lines of its own.
func (r *Reader) ExcerptOfItem(at Pos) (Excerpt, bool) {
	for first := at.Line - 1; first >= max(0, at.Line-2) && first < len(r.lines); first-- {
		if text := strings.TrimSpace(r.lines[first]); text == "-" || strings.HasPrefix(text, "- ") {
			return r.excerpt(first), true
		}
	}
	return Excerpt{}, false
}

// ExcerptOfKey is the same of a key of a mapping, whose value stands at a place.
func (r *Reader) ExcerptOfKey(key string, value Pos) (Excerpt, bool) {
	for first := min(value.Line, len(r.lines)) - 1; first >= 0; first-- {
		text := strings.TrimLeft(r.lines[first], ` "'`)
		if rest, ok := strings.CutPrefix(text, key); ok && strings.HasPrefix(strings.TrimLeft(rest, ` "'`), ":") {
			return r.excerpt(first), true
		}
		if text != "" && !isComment(text) && first < value.Line-1 {
			break
		}
	}
	return Excerpt{}, false
}

// excerpt is what begins on a line: all lines below that are indented further, and the comments right above.
func (r *Reader) excerpt(first int) Excerpt {
	depth, last := indent(r.lines[first]), first
	for i := first + 1; i < len(r.lines); i++ {
		if text := strings.TrimSpace(r.lines[i]); text == "" {
			continue
		}
		if indent(r.lines[i]) <= depth {
			break
		}
		last = i
	}
	for first > 0 && isComment(r.lines[first-1]) {
		first--
	}
	var b strings.Builder
	for i, text := range r.lines[first : last+1] {
		b.WriteString(r.shown(first+i, strings.TrimRight(text, " \t\r")) + "\n")
	}
	return Excerpt{Line: first + 1, Text: strings.TrimSuffix(b.String(), "\n")}
}

// shown is a line without what may be a secret.
func (r *Reader) shown(i int, text string) string {
	if i >= len(r.hidden) || r.hidden[i] == 0 {
		return text
	}
	open := []rune(text)
	return string(open[:min(r.hidden[i]-1, len(open))]) + show.Hidden
}

func isComment(line string) bool { return strings.HasPrefix(strings.TrimSpace(line), "#") }

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// FromJSON writes a JSON document as YAML, with its keys in their order.
func FromJSON(document []byte) (string, error) {
	text, err := yaml.JSONToYAML(document)
	return string(text), err
}
