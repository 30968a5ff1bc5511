package spec

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/touchbox/touchbox/pkg/link/expression"
	"github.com/touchbox/touchbox/pkg/strictyaml"
)

// readJSON reads the JSON that stands somewhere in a text.
func (r *reader) readJSON(text string) []Field {
	bodies := bodiesIn(text)
	if inner := held(text); len(inner) > 0 {
		bodies = inner
	}
	if len(bodies) == 0 && strings.Contains(text, `\"`) { // inside the quotes of a shell
		text = strings.ReplaceAll(text, `\"`, `"`)
		bodies = bodiesIn(text)
	}
	if len(bodies) == 0 {
		return nil
	}
	r.spec.Shape = JSON
	best := bodies[0]
	for _, b := range bodies[1:] {
		if len(b.fields) > len(best.fields) {
			best = b
		}
	}
	for _, b := range bodies {
		if b != best && !slices.EqualFunc(b.fields, best.fields, func(a, b Field) bool { return a.Path == b.Path }) {
			r.note(b.line, "another JSON begins here: the one of line %d was read, which has more fields; give this one alone for a link of its own", best.line)
		}
	}
	for _, note := range best.notes {
		r.note(note.line, note.format, note.args...)
	}
	return best.fields
}

// body is one JSON of a text.
type body struct {
	text   string
	i      int
	line   int // where it begins
	depth  int
	fields []Field
	notes  []bodyNote
	last   int // the field that a comment on this line is about; -1 = none

	cut, curly bool     // what was noted once
	before     []string // comments on lines of their own, of the field that comes
}

type bodyNote struct {
	line   int
	format string
	args   []any
}

// bodiesIn are the JSONs of a text that may be the body of a request, in their order.
func bodiesIn(text string) []*body {
	var found []*body
	for i := 0; i < len(text); i++ {
		if text[i] != '{' || i > 0 && text[i-1] == '$' {
			continue
		}
		b := &body{text: text, i: i, line: lineOf(text, i), last: -1}
		if !b.beginsObject() {
			continue
		}
		b.object("")
		b.fields = unwrapped(b.fields)
		i = max(i, b.i-1)
		if len(b.fields) > 0 && !b.isAnswer() {
			found = append(found, b)
		}
	}
	return found
}

// jsonText is a text of JSON's that holds quotes itself.
var jsonText = regexp.MustCompile(`"(?:[^"\\\n]|\\.)*\\"(?:[^"\\\n]|\\.)*"`)

// held are the bodies of Mindbox's that stand in the texts of another JSON, as requests do in a collection of Postman's.
func held(text string) []*body {
	var found []*body
	for _, at := range jsonText.FindAllStringIndex(text, -1) {
		var inner string
		if json.Unmarshal([]byte(text[at[0]:at[1]]), &inner) != nil || !strings.HasPrefix(strings.TrimSpace(inner), "{") {
			continue
		}
		for _, b := range bodiesIn(inner) {
			if slices.ContainsFunc(b.fields, func(f Field) bool { return isRoot(firstSegment(f.Path)) }) {
				found = append(found, b.at(lineOf(text, at[0])))
			}
		}
	}
	return found
}

// at says of all that was read in which line of the whole it stands.
func (b *body) at(line int) *body {
	b.line = line
	for i := range b.fields {
		b.fields[i].Line = line
	}
	for i := range b.notes {
		b.notes[i].line = line
	}
	return b
}

// isAnswer reports whether a JSON is what Mindbox answers.
func (b *body) isAnswer() bool {
	return slices.ContainsFunc(b.fields, func(f Field) bool {
		return f.Path == "status" || strings.HasSuffix(f.Path, ".processingStatus") || strings.HasPrefix(f.Path, "validationMessages")
	})
}

// member is the beginning of an object's first member: a key and a colon.
var member = regexp.MustCompile(`^\{(?:\s|//[^\n]*\n|#[^\n]*\n|/\*(?s:.*?)\*/)*(?:["'“”„«][^"'“”„«»\n]*["'“”„»]|[A-Za-z_][\w.-]*)\s*:`)

func (b *body) beginsObject() bool { return member.MatchString(b.text[b.i:]) }

func (b *body) note(format string, args ...any) {
	b.notes = append(b.notes, bodyNote{lineOf(b.text, min(b.i, len(b.text))), format, args})
}

// ended notes, once, that the text ends within the JSON.
func (b *body) ended() {
	if !b.cut {
		b.note("the JSON is cut here: what stands before was read")
	}
	b.cut = true
}

const deepest = 50

// object reads the members of an object, wherever it is broken as far as that goes.
func (b *body) object(path string) {
	b.i++
	b.depth++
	defer func() { b.depth-- }()
	for b.depth < deepest {
		b.blanks()
		switch c := b.peek(); {
		case c == 0:
			b.ended()
			return
		case c == '}':
			b.i++
			return
		case c == ',', c == ';':
			b.i++
		default:
			if !b.member(path) {
				return
			}
		}
	}
}

// member reads a key with its value; false ends the object.
func (b *body) member(path string) bool {
	begin := b.i
	key := b.key()
	nameless := key == "" && b.i > begin
	b.blanks()
	if key == "" && !nameless || b.peek() != ':' && b.peek() != '=' {
		return b.unreadable()
	}
	b.i++
	if nameless {
		b.note("a field without a name stands here: it was left out")
		b.passOver()
		return true
	}
	if b.depth > 1 && strings.Contains(key, ".") {
		b.note("the name %s has a dot in it, which Touchbox reads as a field within a field: ask Mindbox for its name", key)
	}
	b.value(join(path, key), b.depth > 1 && strings.Contains(key, "."))
	return true
}

// passOver reads a value of which nothing is kept.
func (b *body) passOver() {
	n := len(b.fields)
	b.value("", false)
	b.fields, b.last = b.fields[:n], -1
}

// nextMember is where another member begins in a line.
var nextMember = regexp.MustCompile(`,\s*["'“”„«][^"'“”„«»\n]*["'“”„»]\s*:`)

// unreadable passes over what is no member, up to the next one of its line or the line's end. A text that goes on after a JSON that was
// never closed ends it.
func (b *body) unreadable() bool {
	line, _, more := strings.Cut(b.text[b.i:], "\n")
	if !strings.ContainsAny(line, `"':{}[]“”«»`) && strings.TrimSpace(line) != "" {
		b.ended()
		return false
	}
	b.note("this line could not be read")
	if next := nextMember.FindStringIndex(line); next != nil {
		b.i += next[0]
		return true
	}
	b.i += len(line)
	if !more {
		b.ended()
	}
	return more
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (b *body) peek() byte {
	if b.i >= len(b.text) {
		return 0
	}
	return b.text[b.i]
}

// blanks passes over blanks and comments; a comment is about the field of its line, or about the next one.
func (b *body) blanks() {
	for b.i < len(b.text) {
		rest := b.text[b.i:]
		switch {
		case rest[0] == '\n':
			b.last = -1
			b.i++
		case unicode.IsSpace(rune(rest[0])):
			b.i++
		case strings.HasPrefix(rest, "/*"):
			comment, _, closed := strings.Cut(rest[2:], "*/")
			b.comment(comment)
			b.i += min(len(rest), len(comment)+4)
			if !closed {
				b.i = len(b.text)
			}
		case strings.HasPrefix(rest, "//"), rest[0] == '#', b.last >= 0 && isRemark(rest):
			line, _, _ := strings.Cut(rest, "\n")
			b.comment(strings.TrimLeft(line, "/#-—–*←<=> "))
			b.i += len(line)
		default:
			return
		}
	}
}

// isRemark tells a remark behind a value that no sign of JSON's begins: — телефон клиента, (обязательно).
func isRemark(rest string) bool {
	c, _ := utf8.DecodeRuneInString(rest)
	return strings.ContainsRune("-—–*←(<", c) || unicode.Is(unicode.Cyrillic, c)
}

func (b *body) comment(text string) {
	text = said(text)
	switch {
	case text == "":
	case b.last >= 0:
		b.fields[b.last].Said = append(b.fields[b.last].Said, text)
	default:
		b.before = append(b.before, text)
	}
}

func (b *body) key() string {
	if open, _ := utf8.DecodeRuneInString(b.text[b.i:]); closers(open) != "" {
		return strings.TrimSpace(b.quoted())
	}
	end := strings.IndexFunc(b.text[b.i:], func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("_.-", c)
	})
	if end <= 0 {
		return ""
	}
	key := b.text[b.i : b.i+end]
	b.i += end
	return key
}

// value reads any value; each that is neither an object nor a list is a field.
func (b *body) value(path string, odd bool) {
	b.last = -1 // what stands before a value on its line is none of the field's before it
	b.blanks()
	c, _ := utf8.DecodeRuneInString(b.text[b.i:])
	f := Field{Path: path, Line: lineOf(b.text, b.i), Odd: odd}
	switch {
	case b.peek() == 0:
		b.ended()
	case c == '{' && b.beginsObject():
		b.object(path)
		return
	case c == '{' && strings.HasPrefix(strings.TrimLeft(b.text[b.i+1:], " \n\t"), "}"):
		b.i += strings.IndexByte(b.text[b.i:], '}') + 1
		return
	case c == '[':
		b.list(path)
		return
	case closers(c) != "":
		f.text(b.quoted(), true)
	case strings.HasPrefix(b.text[b.i:], "${"):
		if end := expression.Closing(b.text[b.i+2:]); end >= 0 {
			f.Written = lineEnds.ReplaceAllString(b.text[b.i:b.i+end+3], " ")
			b.i += end + 3
			break
		}
		fallthrough
	default:
		f.text(b.bare(), false)
	}
	b.add(f)
}

func (b *body) add(f Field) {
	f.Said = append(b.before, f.Said...)
	b.before = nil
	b.fields = append(b.fields, f)
	b.last = len(b.fields) - 1
}

func (b *body) list(path string) {
	b.i++
	b.depth++
	defer func() { b.depth-- }()
	for n := 0; b.depth < deepest; {
		b.blanks()
		switch b.peek() {
		case 0:
			b.ended()
			return
		case ']':
			b.i++
			return
		case '}':
			b.ended()
			return
		case ',':
			b.i++
		default:
			at := b.i
			b.value(join(path, strconv.Itoa(n)), false)
			n++
			if b.i == at {
				b.i++
			}
		}
	}
}

// closers are the signs that end a text which begins with this one; "" where it begins none.
func closers(open rune) string {
	switch open {
	case '"':
		return "\"”"
	case '\'':
		return "'"
	case '“', '”', '„':
		return "”“\""
	case '«':
		return "»"
	}
	return ""
}

// quoted reads a text in quotes of any kind, to the end of its line where they do not end.
func (b *body) quoted() string {
	open, size := utf8.DecodeRuneInString(b.text[b.i:])
	if !b.curly && open != '"' && open != '\'' {
		b.curly = true
		b.note("the quotes here are those of a text editor: they were read as plain ones")
	}
	start := b.i + size
	end := endOfQuoted(b.text[start:], closers(open))
	if open == '"' && end < 0 {
		end = endOfQuoted(b.text[start:], "”")
	}
	if end < 0 {
		line, _, _ := strings.Cut(b.text[start:], "\n")
		b.i = start + len(line)
		if b.i >= len(b.text) {
			b.ended()
		}
		return strings.TrimRight(line, ", ")
	}
	_, size = utf8.DecodeRuneInString(b.text[start+end:])
	b.i = start + end + size
	return unescaped.Replace(b.text[start : start+end])
}

// lineEnds are those of an expression that is written over several lines, with the blanks around them.
var lineEnds = regexp.MustCompile(`\s*\n\s*`)

var unescaped = strings.NewReplacer(`\"`, `"`, `\\`, `\`, `\/`, `/`, `\n`, " ", `\t`, " ")

// endOfQuoted finds the sign that ends a text on its line; -1 without one. A plain quote that is asked for goes before
// others, which may stand within the text.
func endOfQuoted(s, closers string) int {
	for i := 0; i < len(s) && s[i] != '\n'; {
		c, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case c == '\\':
			i++
		case strings.ContainsRune(closers, c) && (c != '”' || closers[0] != '"' || !strings.Contains(firstLine(s[i+size:]), `"`) || endsValue(s[i+size:])):
			return i
		}
		i += size
	}
	return -1
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// endsValue reports whether what follows a quote shows that it was the closing one.
func endsValue(rest string) bool {
	rest = strings.TrimLeft(firstLine(rest), " \t")
	return rest == "" || strings.ContainsRune(",:}]/", rune(rest[0]))
}

// bare reads a value without quotes: <Мобильный телефон>, {Идентификатор}, true, 12, a word.
func (b *body) bare() string {
	rest := b.text[b.i:]
	line := firstLine(rest)
	for open, closing := range map[byte]string{'<': ">", '{': "}", '%': "%"} {
		if end := strings.Index(line[1:], closing); line != "" && line[0] == open && end >= 0 {
			end += 2
			if strings.HasPrefix(line[end:], closing) { // {{phone}}
				end++
			}
			b.i += end
			return line[:end]
		}
	}
	end := strings.IndexAny(line, ",}]")
	if comment := strings.Index(line, "//"); comment >= 0 && (end < 0 || comment < end) {
		end = comment
	}
	if end < 0 {
		end = len(line)
	}
	b.i += end
	return strings.TrimSpace(line[:end])
}

var (
	// marked is a placeholder by its form.
	marked = regexp.MustCompile(`^\s*(?:<[^<>]*>|\{\{?[^{}]*\}\}?|\[\[?[^\[\]]*\]\]?|%[^%]+%|\*[^*]+\*|\$\w+)\s*$`)

	cyrillic = regexp.MustCompile(`\p{Cyrillic}`)
)

// text takes a value that stands in the specification: an expression, a placeholder, a constant or an example.
func (f *Field) text(value string, quoted bool) {
	value = strings.TrimSpace(value)
	switch {
	case value == "" || value == "null" && !quoted:
	case strings.Contains(value, "${"):
		f.Written = value
	case marked.MatchString(value):
		f.Said = append(f.Said, said(strings.Trim(value, "<>{}[]%*$ ")))
	case isConstant(f.Path):
		f.Constant = constant(value, quoted)
		f.Odd = f.Odd || cyrillic.MatchString(value) // it may be a placeholder as well
	case tellsMeaning(value):
		f.Said = append(f.Said, said(value))
	default:
		f.Example = value
	}
}

// tellsMeaning reports whether a value is words for a field, with or without a form ("Дата звонка в формате ДД.ММ.ГГГГ"), and no example of one.
func tellsMeaning(value string) bool {
	if !cyrillic.MatchString(value) {
		return false
	}
	_, words := formOf([]string{value}, func(string) bool { return false })
	return len(called(words[0])) > 0
}

func constant(value string, quoted bool) string {
	if !quoted && (value == "true" || value == "false" || strictyaml.IsNumber(value)) {
		return value
	}
	return string(expression.AppendString(nil, said(value)))
}
