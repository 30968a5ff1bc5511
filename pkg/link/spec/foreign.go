package spec

import (
	"encoding/xml"
	"regexp"
	"slices"
	"strings"
)

// Programs hand a body over in the notation of their language; read are those of PHP, Python and C# as JSON, and names in brackets as
// dotted ones. Every line stays where it is.
var (
	arrow       = regexp.MustCompile(`["'](\w+)["']\s*=>`)
	variable    = regexp.MustCompile(`\$\w+(?:(?:\[["'](\w+)["']\]|->(\w+))+)|\$(\w+)`)
	computed    = outside(`(=>|:)(\s*)(?:new\s+)?[A-Za-z_]\w*(?:\.\w+)*\((?:[^()\n]|\([^()\n]*\))*\)(?:\.\w+\((?:[^()\n]|\([^()\n]*\))*\))*`)
	otherwise   = outside(`(<\w+>)\s*\?[?:]\s*(?:"[^"\n]*"|'[^'\n]*'|\w+)`)
	item        = outside(`(:\s*)(?:(?:str|int|float|string)\()?\w+(?:\.get\(["'](\w+)["'][^()\n]*\)|\[["'](\w+)["']\])\)?`)
	anonymous   = outside(`\bnew\s*(?:\w+\s*)?\{`)
	none        = outside(`:\s*None\b`)
	assigned    = outside(`\b(\w+)\s*=\s*([^=>\s])`)
	inBrackets  = regexp.MustCompile(`\b(customer|customerAction)((?:\[["']?[\pL\w-]+["']?\])+)`)
	beginsArray = regexp.MustCompile(`^(?:array\s*\(|\[)(?:\s|//[^\n]*\n|#[^\n]*\n)*["']\w+["']\s*=>`)
)

func plainNotation(text string) string {
	if arrow.MatchString(text) {
		text = variable.ReplaceAllStringFunc(text, func(m string) string {
			for _, name := range slices.Backward(variable.FindStringSubmatch(m)[1:]) {
				if name != "" {
					return "<" + name + ">"
				}
			}
			return m
		})
		text = otherwise(arrow.ReplaceAllString(arrays(text), `"$1":`), "$1")
	}
	if plain := anonymous(text, "{"); plain != text {
		text = assigned(plain, "$1: $2")
	}
	if strings.Contains(text, "{") {
		text = computed(none(item(text, "$1<$2$3>"), ": null"), `$1$2""`)
	}
	return inBrackets.ReplaceAllStringFunc(text, func(m string) string {
		return strings.NewReplacer(`["`, ".", `['`, ".", "[", ".", `"]`, "", `']`, "", "]", "").Replace(m)
	})
}

// outside replaces what a pattern finds but in texts and in comments, where it says something to a person.
func outside(pattern string) func(text, right string) string {
	re := regexp.MustCompile(pattern)
	either := regexp.MustCompile(`"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|//[^\n]*|#[^\n]*|` + pattern)
	return func(text, right string) string {
		return either.ReplaceAllStringFunc(text, func(m string) string {
			if strings.ContainsAny(m[:1], "\"'/#") {
				return m
			}
			return re.ReplaceAllString(m, right)
		})
	}
}

// arrays writes PHP's arrays with keys as objects, those without as lists.
func arrays(text string) string {
	var out strings.Builder
	var closing []byte
	for i := 0; i < len(text); i++ {
		rest := text[i:]
		switch c := text[i]; {
		case c == '"' || c == '\'':
			end := max(1, endOfQuoted(rest[1:], string(c))+2)
			out.WriteString(rest[:end])
			i += end - 1
		case beginsArray.MatchString(rest):
			out.WriteByte('{')
			closing = append(closing, '}')
			i += len(arrayOpens.FindString(rest)) - 1
		case c == '(' || c == '[':
			out.WriteByte(c)
			closing = append(closing, map[byte]byte{'(': ')', '[': ']'}[c])
		case (c == ')' || c == ']') && len(closing) > 0:
			out.WriteByte(closing[len(closing)-1])
			closing = closing[:len(closing)-1]
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

var arrayOpens = regexp.MustCompile(`^(?:array\s*\(|\[)`)

// unwrapped are the fields of a body that stands inside of something else, {"operation": ..., "data": {...}}, without what is around it.
func unwrapped(fields []Field) []Field {
	for _, f := range fields {
		names := strings.Split(f.Path, ".")
		if isRoot(names[0]) {
			return fields
		}
	}
	for _, f := range fields {
		names := strings.Split(f.Path, ".")
		at := slices.IndexFunc(names, isRoot)
		if at <= 0 {
			continue
		}
		around := strings.Join(names[:at], ".") + "."
		var inner []Field
		for _, g := range fields {
			if path, ok := strings.CutPrefix(g.Path, around); ok {
				g.Path = path
				inner = append(inner, g)
			}
		}
		return inner
	}
	return fields
}

// readXML reads a body of Mindbox's earlier API.
func (r *reader) readXML(text string) []Field {
	start := strings.Index(text, "<operation>")
	if start < 0 {
		start = strings.Index(text, "<customer>")
	}
	if start < 0 || !strings.Contains(text, "</customer>") {
		return nil
	}
	d := xml.NewDecoder(strings.NewReader(text[start:]))
	d.Strict = false
	var fields []Field
	var path []string
	leaf, value := false, ""
	for len(fields) < mostFields {
		token, err := d.Token()
		if err != nil {
			break
		}
		switch token := token.(type) {
		case xml.StartElement:
			path, leaf, value = append(path, token.Name.Local), true, ""
		case xml.CharData:
			value = string(token)
		case xml.EndElement:
			if leaf && len(path) > 0 {
				f := Field{Path: strings.Join(path, "."), Line: lineOf(text, start+int(d.InputOffset())-1)}
				f.text(value, true)
				fields = append(fields, f)
			}
			path, leaf = path[:max(0, len(path)-1)], false
		}
	}
	if len(fields) > 0 {
		r.spec.Shape = JSON
		r.note(lineOf(text, start), "the body is of Mindbox's earlier API, in XML; operations of API v3 take JSON, and Touchbox sends that: ask whether the fields have the same names")
	}
	return unwrapped(fields)
}

// branch is a line of a tree: a name, then perhaps what is said of it.
var branch = regexp.MustCompile("^(\\s*)(?:[-–—*•·└├│─]+\\s*)?[`\"']?([A-Za-z_][\\w-]*)[`\"']?\\s*(?:$|[-–—:=(]+\\s*(.*)$)")

// readTree reads names that stand below each other, each as far to the right as it is deep: a tree, or YAML.
func (r *reader) readTree(text string) []Field {
	type node struct {
		indent int
		name   string
	}
	var fields []Field
	var above []node
	deep := false
	for i, line := range strings.Split(strings.ReplaceAll(text, "\t", "  "), "\n") {
		m := branch.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		indent := len([]rune(line)) - len([]rune(strings.TrimLeft(line, " └├│─-–—*•·")))
		for len(above) > 0 && above[len(above)-1].indent >= indent {
			above = above[:len(above)-1]
		}
		if len(above) == 0 && !isRoot(m[2]) {
			continue
		}
		above = append(above, node{indent, m[2]})
		var names []string
		for _, n := range above {
			names = append(names, n.name)
		}
		deep = deep || len(names) > 1
		path := strings.Join(names, ".")
		fields = slices.DeleteFunc(fields, func(f Field) bool { return strings.HasPrefix(path, f.Path+".") })
		f := Field{Path: path, Line: i + 1}
		value, comment, _ := strings.Cut(m[3], "#")
		if comment != "" {
			f.cell(strings.TrimSpace(comment))
		} else if value = strings.Trim(value, " \"'"); value != "" {
			f.cell(value)
		}
		fields = append(fields, f)
	}
	if !deep {
		return nil
	}
	r.spec.Shape = Names
	return fields
}

// inProse is a field in a sentence, with the words before it that say what goes there: «номер телефона в customer.mobilePhone».
var inProse = regexp.MustCompile(`([^,;.:!?\n«»]*?)[\s«"'(]*\b((?:customer|customerAction)(?:\.[\pL\w]+)+|executionDateTimeUtc)`)

// aroundField are the words between what goes into a field and its name.
var aroundField = regexp.MustCompile(`(?i)(?:^|\s)(?:и|а|также|еще|ещё|пере\pL+|отправля\pL+|пишем|кладем|кладём|в|во|—|–|-|это|поле|поля|into|to|as|in|and|the|field)$|^\s*(?:и|а|также|and|—|–|-)\s`)

func (r *reader) readProse(text string) []Field {
	var fields []Field
	for _, m := range inProse.FindAllStringSubmatchIndex(text, -1) {
		f := Field{Path: text[m[4]:m[5]], Line: lineOf(text, m[4])}
		words := strings.TrimLeft(strings.TrimSpace(text[m[2]:m[3]]), ") ") // of the field before it
		for trimmed := ""; trimmed != words; {
			trimmed = words
			words = strings.TrimSpace(aroundField.ReplaceAllString(words, ""))
		}
		if words != "" {
			f.Said = append(f.Said, said(words))
		}
		fields = append(fields, f)
	}
	if len(fields) > 0 {
		r.spec.Shape = Names
	}
	return fields
}
