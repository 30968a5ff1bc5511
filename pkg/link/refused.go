package link

import (
	"reflect"
	"regexp"
	"strings"
	"unicode"
)

// wordHints are words of other languages for what expr spells otherwise.
var wordHints = map[string]string{
	"null": "nil", "none": "nil", "true": "true", "false": "false", "and": "and", "or": "or", "not": "not",
	"и": "and", "или": "or", "не": "not", "да": "true", "нет": "false", "пусто": "empty(...)", "is": "==",
	"like": "contains", "eq": "==", "ne": "!=", "len": "len(...)",
}

var unexpectedToken = regexp.MustCompile(`^unexpected token (\w+)(?:\("(.*)"\))?`)

// notParsed reports what expr's parser refused, in words, with what was probably meant.
func (l *loader) notParsed(o origin, n names, err error) {
	at, message, from := l.located(o, err)
	token := ""
	if m := unexpectedToken.FindStringSubmatch(message); m != nil {
		token = m[2]
	}
	report := func() note { return l.mistake(at, "the expression is not understood: %s", message) }
	if token != "" {
		report = func() note { return l.mistake(at, "the expression is not understood at %s", token) }
	}
	switch {
	case token == ">" && from > 0 && []rune(o.text)[from-1] == '<':
		report().hint("write %s", "!=")
	case token == "=":
		report().hint("two equal signs compare: ==")
	case wordHints[strings.ToLower(token)] != "":
		report().hint("write %s", wordHints[strings.ToLower(token)])
	case strings.HasPrefix(message, "unrecognized character") && oddQuote(o.text, from):
		report().hint(`texts stand in plain quotes: "..."`)
	case strings.Contains(message, "coalesce"):
		l.mistake(at, "?? and another operator need parentheses").code("(a ?? b) == c")
	case strings.HasPrefix(message, "unexpected token EOF"), message == "unexpected end of expression":
		l.mistake(at, "the expression ends too early")
	case token != "":
		report().suggest(token, functionNames())
	default:
		report()
	}
}

func oddQuote(text string, from int) bool {
	runes := []rune(text)
	return from < len(runes) && (unicode.In(runes[from], unicode.Pi, unicode.Pf, unicode.Ps) || runes[from] == '„')
}

var (
	mismatched   = regexp.MustCompile(`^invalid operation: (\S+) \(mismatched types? (\S+)(?: and (\S+))?\)`)
	badArgument  = regexp.MustCompile(`^cannot use (\S+) as argument \(type (\S+)\) to call (\S+)`)
	argumentSum  = regexp.MustCompile(`(?:not enough|too many) arguments to call (\S+)|invalid number of arguments|no matching overload for (\S+)|invalid argument for`)
	typeWords    = map[string]string{"string": "a text", "bool": "yes or no", "int": "a number", "float64": "a number", "time.Time": "a time", "nil": "nil", "unknown": "any value", "[]string": "a list", "[]interface": "a list"}
	notCondition = regexp.MustCompile(`^(?:non-bool expression|predicate should return boolean)`)
)

// notTyped reports what expr's checker refused.
func (l *loader) notTyped(o origin, n names, err error) {
	at, message, _ := l.located(o, err)
	switch {
	case mismatched.MatchString(message):
		m := mismatched.FindStringSubmatch(message)
		l.mismatch(at, m[1], m[2], m[3])
	case badArgument.MatchString(message):
		m := badArgument.FindStringSubmatch(message)
		l.mistake(at, "%s() takes %s, not %s", m[3], l.word(m[2]), l.word(m[1]))
	case argumentSum.MatchString(message):
		l.mistake(at, "the arguments do not fit the function").hint("see `touchbox fields` and docs/links.md")
	case notCondition.MatchString(message):
		l.mistake(at, "a condition belongs here")
	default:
		l.mistake(at, "the expression is not understood: %s", message)
	}
}

func (l *loader) mismatch(at Pos, operator, left, right string) {
	if right == "" {
		n := l.mistake(at, "%s does not go with %s", operator, l.word(left))
		if operator == "not" || operator == "!" {
			n.hint("put what it negates in parentheses: not (...)")
		}
		return
	}
	n := l.mistake(at, "%s does not go with %s and %s", operator, l.word(left), l.word(right))
	pair := left + " " + right
	switch {
	case operator == "and" || operator == "or" || operator == "&&" || operator == "||":
		n.hint("on both sides a condition belongs, as in city == \"Москва\" or city == \"Тверь\"")
	case operator == "contains" && strings.Contains(left, "[]"):
		n.hint(`"..." in tags looks into a list`)
	case strings.Contains(pair, "bool") && strings.Contains(pair, "string"):
		n.hint("yes or no is no text: write unique or not unique")
	case strings.Contains(pair, "string") && (strings.Contains(pair, "int") || strings.Contains(pair, "float")):
		n.hint("a number stands without quotes; int(...) makes a number of a text, string(...) a text of a number")
	case strings.Contains(pair, "time.Time"):
		n.hint(`date(time) == "2026-11-01" compares days`)
	}
}

// word is the name of a Go type for people.
func (l *loader) word(goType string) string {
	if w := typeWords[goType]; w != "" {
		return l.lang.Text(w)
	}
	switch {
	case strings.HasPrefix(goType, "map["):
		return l.lang.Text("a table")
	case strings.HasPrefix(goType, "[]"):
		return l.lang.Text("a list")
	}
	return goType
}

func (l *loader) typeName(t reflect.Type) string { return l.word(t.String()) }
