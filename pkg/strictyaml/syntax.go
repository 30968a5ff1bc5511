package strictyaml

import (
	"errors"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/token"

	"github.com/touchbox/touchbox/pkg/show"
)

// syntax reports YAML's own error with a hint on what usually is behind it.
func (r *Reader) syntax(err error) {
	at, message := Pos{1, 1}, Word("unreadable")
	var e yaml.Error
	if errors.As(err, &e) {
		message = Word(e.GetMessage())
		if t := e.GetToken(); t != nil {
			at = tokenPos(t)
		}
	}
	if odd, ok := misplaced(r.lines, at.Line); ok {
		r.Mistake(odd, "this line is indented otherwise than those around it").
			Hint("what belongs together begins in one column, what belongs under a line some blanks further right")
		return
	}
	line := ""
	if at.Line >= 1 && at.Line <= len(r.lines) {
		line = r.lines[at.Line-1]
	}
	n := r.Mistake(at, "YAML syntax: %s", Word(r.Language.Text(string(message))))
	if r.hiddenFrom(at.Line) > 0 || r.hiddenFrom(at.Line-1) > 0 {
		n = n.cover(message)
	}
	r.syntaxHint(n, string(message), at, line)
}

var (
	indentTab  = regexp.MustCompile(`^ *\t`)
	flowExpr   = regexp.MustCompile(`[\[{].*(?:[:,] |\[)\$\{`)
	plainValue = regexp.MustCompile(`^\s*(?:- +)?(?:[^\s:"'{\[]+: +)?(\S.*?)\s*(?:\s#.*)?$`)
)

// cover hides what a syntax error on the line of a secret quotes: the hint gives the whole value
// back, and some of the parser's messages quote in double quotes.
func (n Note) cover(message Word) Note {
	if strings.Contains(string(message), `"`) {
		n.problem.Text = n.lang.Sprintf("YAML syntax: %s", show.Hidden)
	}
	n.covered = true
	return n
}

func (r *Reader) syntaxHint(n Note, message string, at Pos, line string) {
	value := ""
	if m := plainValue.FindStringSubmatch(line); m != nil {
		value = m[1]
	}
	misplaced := strings.Contains(message, "not allowed in this context")
	switch {
	case indentTab.MatchString(line):
		n.Hint("indent with spaces, not with tabs")
	case at.Column == 1 && line != "" && strings.ContainsAny(line[:1], "{}[]\""):
		n.Hint("pasted JSON must stand indented under `body: |`")
	case flowExpr.MatchString(line):
		n.Hint(`inside { } and [ ] write an expression in quotes: "${...}"`)
	case value != "" && strings.ContainsAny(value[:1], "%@`{"):
		n.Hint("a value that begins with %s must stand in quotes", Word(value[:1]))
	case misplaced && strings.HasPrefix(value, `"`):
		n.Hint(`put the whole value in single quotes: '%s'`, value)
	case misplaced && strings.HasPrefix(value, "'"):
		n.Hint(`put the whole value in double quotes: "%s"`, value)
	case message == "non-map value is specified", misplaced && r.afterItem(at.Line):
		n.Hint("each item of a list begins with - and a blank, and a key ends with a colon")
	case misplaced && strings.Contains(value, ": "):
		n.Hint("a value with a colon and a blank inside must stand in quotes")
	}
}

// afterItem reports whether a line stands where the next item of a list would, and is none.
func (r *Reader) afterItem(line int) bool {
	if line < 2 || line > len(r.lines) {
		return false
	}
	above, here := r.lines[line-2], r.lines[line-1]
	item := strings.TrimLeft(above, " ")
	rest := strings.TrimLeft(here, " ")
	return strings.HasPrefix(item, "- ") && !strings.HasPrefix(rest, "-") && len(above)-len(item) == len(here)-len(rest)
}

// comments refuses a comment that may have been meant as part of the value: after a plain value
// two blanks before its # and one after it are asked for.
func (r *Reader) comments(tokens token.Tokens) {
	for i, t := range tokens {
		if t.Type != token.CommentType || i == 0 || !plainToken(tokens[i-1]) {
			continue
		}
		at := tokenPos(t)
		if at.Line > len(r.lines) {
			continue
		}
		line := []rune(r.lines[at.Line-1])
		hash := at.Column - 1
		if hash < 0 || hash >= len(line) || line[hash] != '#' {
			continue
		}
		before := strings.TrimLeft(string(line[:hash]), " ")
		blanks := len(before) - len(strings.TrimRight(before, " "))
		after := hash+1 == len(line) || line[hash+1] == ' '
		if before == "" || blanks >= 2 && after {
			continue
		}
		r.Mistake(at, "everything from # on is a comment here and no part of the value").
			Hint("put the value in quotes, or write the comment with two blanks before its # and one after")
	}
}

// plainToken reports whether a token is a scalar without quotes.
func plainToken(t *token.Token) bool {
	switch t.Type {
	case token.StringType, token.IntegerType, token.FloatType, token.BoolType, token.NullType,
		token.HexIntegerType, token.OctetIntegerType, token.BinaryIntegerType,
		token.InfinityType, token.NanType:
		return true
	}
	return false
}

func tokenPos(t *token.Token) Pos { return Pos{max(1, t.Position.Line), max(1, t.Position.Column)} }
