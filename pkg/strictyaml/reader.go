// Package strictyaml reads YAML, and JSON as people paste it, strictly and with places.
//
// What flows in is the text of a file; what flows out are its values as Nodes, each with its line and column, and
// Problems: whatever YAML would read otherwise than a person (a tag, a leading zero, a comment without blanks, a second
// value for one key) is a mistake with a hint. Its user reports what is wrong with the values by the same Reader, so
// that a person gets all mistakes of a file at once, in one order, in one language, and none of them quotes a secret.
//
// It knows nothing of what the file says: names of keys and their values are its user's.
package strictyaml

import (
	"errors"
	"io"
	"os"
	"regexp"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/touchbox/touchbox/pkg/lang"
)

// Reader reads one file and collects its problems: those of YAML, and those that its user finds in the
// nodes. The zero value reads a file without secrets in English. It is not safe for concurrent use.
type Reader struct {
	Name     string        // of the file, in the problems
	Language lang.Language // of the problems
	Secrets  Secrets       // where in the file secrets may stand: problems quote nothing there

	lines    []string // of the source, without line ends
	hidden   []int    // by line: the column from which a secret may stand there, 0 for none
	problems Problems
	walked   *walk // see At
}

// Bounds of a file: far above any real one, low enough that a hostile one does no harm.
const (
	maxFile  = 1 << 20 // bytes
	maxNodes = 100_000 // after aliases
)

// ReadFile reads a file for Read: whole, or as much of one that is too large as shows that it is. A named pipe into which
// nobody writes is empty: waiting for somebody would hold up all that a process reads behind it, and its end.
func ReadFile(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// Read reads a file into a node. Nil means that YAML's own syntax is broken: then the mistake that
// says so is all there is to say, beside the spaces that are none, of which it may come.
func (r *Reader) Read(data []byte) *Node {
	text, ok := r.decode(data)
	if !ok {
		return nil
	}
	r.lines = strings.Split(text, "\n")
	r.hidden = r.Secrets.columns(r.lines)
	text = r.cleanSpaces(text)
	tokens, err := tokenize(text)
	if at := r.tooDeep(tokens); at != nil {
		r.Mistake(*at, "the file is nested too deeply, or this line is too long")
		return nil
	}
	if at := tooWide(tokens); at != nil {
		r.Mistake(*at, "there are more than %d keys in one mapping", widest)
		return nil
	}
	var file *ast.File
	if err == nil {
		file, err = parse(tokens)
	}
	if err != nil {
		r.syntax(err)
		return nil
	}
	r.comments(tokens)
	return r.single(file)
}

// decode checks size and encoding and makes line ends plain.
func (r *Reader) decode(data []byte) (string, bool) {
	start := Pos{1, 1}
	switch {
	case len(data) > maxFile:
		r.Mistake(start, "the file is larger than 1 MB")
		return "", false
	case len(data) > 1 && (data[0] == 0xFE && data[1] == 0xFF || data[0] == 0xFF && data[1] == 0xFE):
		r.Mistake(start, "the file is UTF-16").Hint("save it as UTF-8")
		return "", false
	case !utf8.Valid(data):
		r.Mistake(badByte(data), "the file is not UTF-8").Hint("save it as UTF-8")
		return "", false
	}
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data))
	if rest, ok := strings.CutPrefix(text, "\ufeff"); ok {
		r.Mistake(start, "the file begins with a byte order mark, which would become part of the first key").
			Hint("save it as UTF-8 without BOM")
		text = rest
	}
	if i := strings.IndexFunc(text, isControl); i >= 0 {
		r.Mistake(place(text, i), "a control character stands here").Hint("delete it")
		return "", false
	}
	return text, true
}

func isControl(c rune) bool { return c < ' ' && c != '\n' && c != '\t' || c == 0x7F }

// oddSpace finds spaces that look like one and are none to YAML, where YAML's structure is: at
// the beginning of a line, after ":", "-" or ",", before "#". Inside a text they are welcome.
var oddSpace = regexp.MustCompile(`(?m)^[ \t]*[\x{A0}\x{2000}-\x{200B}\x{202F}\x{205F}\x{3000}\x{FEFF}]|[:,-] *[\x{A0}\x{2000}-\x{200B}\x{202F}\x{205F}\x{3000}\x{FEFF}]|[\x{A0}\x{2000}-\x{200B}\x{202F}\x{205F}\x{3000}\x{FEFF}] *#`)

// cleanSpaces reports odd spaces and makes them plain, so that the other mistakes come too.
func (r *Reader) cleanSpaces(text string) string {
	for i, line := range r.lines {
		for _, m := range oddSpace.FindAllStringIndex(line, -1) {
			at := m[0] + strings.IndexFunc(line[m[0]:m[1]], func(c rune) bool { return c > '~' })
			if insideQuotes(line[:at]) {
				continue
			}
			c, _ := utf8.DecodeRuneInString(line[at:])
			r.Mistake(Pos{i + 1, 1 + utf8.RuneCountInString(line[:at])},
				"a space that is none stands here (U+%04X)", c).Hint("type it anew with the space bar")
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
func (r *Reader) tooDeep(tokens token.Tokens) *Pos {
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

// widest bounds the keys of one mapping: the parser copies all that follow for each of them, which is a
// second for as many as this, and a minute for as many as a file holds.
const widest = 20_000

// tooWide finds where a mapping that is written line by line gets too many keys. One in braces costs
// no more than its length.
func tooWide(tokens token.Tokens) *Pos {
	type level struct{ column, keys int }
	var levels []level
	leave := func(column int) {
		for len(levels) > 0 && levels[len(levels)-1].column > column {
			levels = levels[:len(levels)-1]
		}
	}
	braces := 0
	for i, t := range tokens {
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			braces++
		case token.MappingEndType, token.SequenceEndType:
			braces--
		case token.SequenceEntryType: // - a: x begins a mapping of its own
			leave(t.Position.Column)
		case token.MappingValueType:
			if braces > 0 || i == 0 {
				continue
			}
			column := tokens[i-1].Position.Column
			leave(column)
			if len(levels) == 0 || levels[len(levels)-1].column < column {
				levels = append(levels, level{column: column})
			}
			top := &levels[len(levels)-1]
			if top.keys++; top.keys > widest {
				at := tokenPos(tokens[i-1])
				return &at
			}
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

var errUnreadable = errors.New("unreadable")

func recovered(p any, err error) error {
	if p != nil {
		return errUnreadable // what the parser panics with may quote the file
	}
	return err
}

// single takes the one document of the file.
func (r *Reader) single(file *ast.File) *Node {
	var body ast.Node
	for _, doc := range file.Docs {
		switch b := doc.Body.(type) {
		case nil, *ast.CommentGroupNode:
			continue
		case *ast.DirectiveNode:
			r.Mistake(tokenPos(b.GetToken()), "an instruction to YAML itself stands here").Hint("delete it")
			continue
		}
		if body != nil {
			r.Mistake(startOf(doc), "a second document begins here, and would be passed over").
				Hint("delete the line ---")
			continue
		}
		body = doc.Body
	}
	c := converter{Reader: r, anchors: map[string]*Node{}}
	if body == nil {
		r.Mistake(Pos{1, 1}, "the file is empty")
		return &Node{Pos: Pos{1, 1}}
	}
	return c.convert(body)
}

func startOf(doc *ast.DocumentNode) Pos {
	if doc.Start != nil {
		return tokenPos(doc.Start)
	}
	return tokenPos(doc.Body.GetToken())
}
