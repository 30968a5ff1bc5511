package link

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of a file: far above any real one, low enough that a hostile one does no harm.
const (
	maxFile  = 1 << 20 // bytes
	maxNodes = 100_000 // after aliases
)

// document reads a file into a node. Nil means that YAML's own syntax is broken: then the one
// mistake that says so is all there is to say.
func (r *reader) document(data []byte) *node {
	text, ok := r.decode(data)
	if !ok {
		return nil
	}
	r.lines = strings.Split(text, "\n")
	text = r.cleanSpaces(text)
	tokens, err := tokenize(text)
	if at := r.tooDeep(tokens); at != nil {
		r.mistake(*at, "the file is nested too deeply, or this line is too long")
		return nil
	}
	var file *ast.File
	if err == nil {
		file, err = parse(tokens)
	}
	if err != nil {
		r.problems = nil
		r.syntax(err)
		return nil
	}
	r.comments(tokens)
	return r.single(file)
}

// decode checks size and encoding and makes line ends plain.
func (r *reader) decode(data []byte) (string, bool) {
	start := Pos{1, 1}
	switch {
	case len(data) > maxFile:
		r.mistake(start, "the file is larger than 1 MB")
		return "", false
	case len(data) > 1 && (data[0] == 0xFE && data[1] == 0xFF || data[0] == 0xFF && data[1] == 0xFE):
		r.mistake(start, "the file is UTF-16").hint("save it as UTF-8")
		return "", false
	case !utf8.Valid(data):
		r.mistake(badByte(data), "the file is not UTF-8").hint("save it as UTF-8")
		return "", false
	}
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data))
	if rest, ok := strings.CutPrefix(text, "\ufeff"); ok {
		r.mistake(start, "the file begins with a byte order mark, which would become part of the first key").
			hint("save it as UTF-8 without BOM")
		text = rest
	}
	if i := strings.IndexFunc(text, isControl); i >= 0 {
		r.mistake(place(text, i), "a control character stands here").hint("delete it")
		return "", false
	}
	return text, true
}

func isControl(c rune) bool { return c < ' ' && c != '\n' && c != '\t' || c == 0x7F }

func badByte(data []byte) Pos {
	for i := 0; i < len(data); {
		c, n := utf8.DecodeRune(data[i:])
		if c == utf8.RuneError && n <= 1 {
			return place(string(data[:i]), i)
		}
		i += n
	}
	return Pos{1, 1}
}

// place turns a byte offset into line and column.
func place(text string, offset int) Pos {
	before := text[:offset]
	line := 1 + strings.Count(before, "\n")
	return Pos{line, 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])}
}

// oddSpace finds spaces that look like one and are none to YAML, where YAML's structure is: at
// the beginning of a line, after ":", "-" or ",", before "#". Inside a text they are welcome.
var oddSpace = regexp.MustCompile(`(?m)^[ \t]*[\x{A0}\x{2000}-\x{200B}\x{202F}\x{205F}\x{3000}\x{FEFF}]|[:,-] *[\x{A0}\x{2000}-\x{200B}\x{202F}\x{205F}\x{3000}\x{FEFF}]|[\x{A0}\x{2000}-\x{200B}\x{202F}\x{205F}\x{3000}\x{FEFF}] *#`)

// cleanSpaces reports odd spaces and makes them plain, so that the other mistakes come too.
func (r *reader) cleanSpaces(text string) string {
	for i, line := range r.lines {
		for _, m := range oddSpace.FindAllStringIndex(line, -1) {
			at := m[0] + strings.IndexFunc(line[m[0]:m[1]], func(c rune) bool { return c > '~' })
			if insideQuotes(line[:at]) {
				continue
			}
			c, _ := utf8.DecodeRuneInString(line[at:])
			r.mistake(Pos{i + 1, 1 + utf8.RuneCountInString(line[:at])},
				"a space that is none stands here (U+%04X)", c).hint("type it anew with the space bar")
		}
	}
	if len(r.problems) == 0 {
		return text
	}
	return strings.Map(func(c rune) rune {
		if c > '~' && oddSpace.MatchString(string(c)) {
			return ' '
		}
		return c
	}, text)
}

func insideQuotes(before string) bool {
	return strings.Count(before, `"`)%2 == 1 || strings.Count(before, "'")%2 == 1
}

// Bounds of nesting: the parser recurses, and a stack that overflows cannot be caught.
const (
	longestLine = 20_000 // bytes
	deepestFlow = 100    // brackets within brackets
)

// tooDeep finds where brackets nest too deeply, or a line too long to be sure.
func (r *reader) tooDeep(tokens token.Tokens) *Pos {
	for i, line := range r.lines {
		if len(line) > longestLine {
			return &Pos{i + 1, 1}
		}
	}
	depth := 0
	for _, t := range tokens {
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			depth++
		case token.MappingEndType, token.SequenceEndType:
			depth--
		}
		if depth > deepestFlow {
			at := tokenPos(t)
			return &at
		}
	}
	return nil
}

// tokenize and parse guard against the parser itself: a file must never crash us.
func tokenize(text string) (tokens token.Tokens, err error) {
	defer func() { err = recovered(recover(), err) }()
	return lexer.Tokenize(text), nil
}

func parse(tokens token.Tokens) (file *ast.File, err error) {
	defer func() { err = recovered(recover(), err) }()
	return parser.Parse(tokens, parser.ParseComments, parser.AllowDuplicateMapKey())
}

func recovered(p any, err error) error {
	if p != nil {
		return fmt.Errorf("unreadable: %v", p)
	}
	return err
}

// single takes the one document of the file.
func (r *reader) single(file *ast.File) *node {
	var body ast.Node
	for _, doc := range file.Docs {
		switch b := doc.Body.(type) {
		case nil, *ast.CommentGroupNode:
			continue
		case *ast.DirectiveNode:
			r.mistake(tokenPos(b.GetToken()), "an instruction to YAML itself stands here").hint("delete it")
			continue
		}
		if body != nil {
			r.mistake(startOf(doc), "a second document begins here, and would be passed over").
				hint("delete the line ---")
			continue
		}
		body = doc.Body
	}
	c := converter{reader: r, anchors: map[string]*node{}}
	if body == nil {
		r.mistake(Pos{1, 1}, "the file is empty")
		return &node{pos: Pos{1, 1}}
	}
	return c.convert(body)
}

func startOf(doc *ast.DocumentNode) Pos {
	if doc.Start != nil {
		return tokenPos(doc.Start)
	}
	return tokenPos(doc.Body.GetToken())
}
