package link

import (
	"errors"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/token"
)

// syntax reports YAML's own error with a hint on what usually is behind it.
func (r *reader) syntax(err error) {
	at, message := Pos{1, 1}, err.Error()
	var e yaml.Error
	if errors.As(err, &e) {
		message = e.GetMessage()
		if t := e.GetToken(); t != nil {
			at = tokenPos(t)
		}
	}
	line := ""
	if at.Line >= 1 && at.Line <= len(r.lines) {
		line = r.lines[at.Line-1]
	}
	n := r.mistake(at, "YAML syntax: %s", message)
	r.syntaxHint(n, message, at, line)
}

var (
	indentTab  = regexp.MustCompile(`^ *\t`)
	flowExpr   = regexp.MustCompile(`[\[{].*(?:[:,] |\[)\$\{`)
	plainValue = regexp.MustCompile(`^\s*(?:- +)?(?:[^\s:"'{\[]+: +)?(\S.*?)\s*(?:\s#.*)?$`)
)

func (r *reader) syntaxHint(n note, message string, at Pos, line string) {
	value := ""
	if m := plainValue.FindStringSubmatch(line); m != nil {
		value = m[1]
	}
	misplaced := strings.Contains(message, "not allowed in this context")
	switch {
	case indentTab.MatchString(line):
		n.hint("indent with spaces, not with tabs")
	case at.Column == 1 && line != "" && strings.ContainsAny(line[:1], "{}[]\""):
		n.hint("pasted JSON must stand indented under `body: |`")
	case flowExpr.MatchString(line):
		n.hint(`inside { } and [ ] write an expression in quotes: "${...}"`)
	case value != "" && strings.ContainsAny(value[:1], "%@`{"):
		n.hint("a value that begins with %s must stand in quotes", value[:1])
	case misplaced && strings.HasPrefix(value, `"`):
		n.hint(`put the whole value in single quotes: '%s'`, value)
	case misplaced && strings.HasPrefix(value, "'"):
		n.hint(`put the whole value in double quotes: "%s"`, value)
	case misplaced && strings.Contains(value, ": "):
		n.hint("a value with a colon and a blank inside must stand in quotes")
	}
}

// comments refuses a comment that may have been meant as part of the value: after a plain value
// two blanks before its # and one after it are asked for.
func (r *reader) comments(tokens token.Tokens) {
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
		r.mistake(at, "everything from # on is a comment here and no part of the value").
			hint("put the value in quotes, or write the comment with two blanks before its # and one after")
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
