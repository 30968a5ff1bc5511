package expression

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"

	"github.com/touchbox/touchbox/pkg/calltouch"
)

// Reporter hears of the problems in one text of the file. A place is the offset of a byte in it.
type Reporter interface {
	// Mistake reports what keeps the text from being used. Formats and their arguments are in English
	// and have their twins in the catalogue.
	Mistake(at int, format string, args ...any) Note
	// Warn reports what a person should look at.
	Warn(at int, format string, args ...any) Note
	// Text is an English text in the language of the problems.
	Text(english string) string
	// Line is the line of the file in which a place of the text stands.
	Line(at int) int
}

// Note hangs a hint on the problem that was just reported, before the next one.
type Note interface {
	// Hint says what to write instead.
	Hint(format string, args ...any)
	// Code is a hint of nothing but code, which is the same in every language.
	Code(format string, args ...any)
	// Suggest hints at the one of names that the wrong name resembles, and reports whether any does.
	Suggest(wrong string, names []string) bool
}

// origin is where an expression stands: in a text, from a byte on. It counts the mistakes.
type origin struct {
	text     string
	offset   int
	reporter Reporter
	mistakes int
}

// mistake reports a mistake at a character of the expression; expr counts in characters.
func (o *origin) mistake(character int, format string, args ...any) Note {
	o.mistakes++
	return o.reporter.Mistake(o.place(character), format, args...)
}

// warn reports a warning at a character of the expression.
func (o *origin) warn(character int, format string, args ...any) Note {
	return o.reporter.Warn(o.place(character), format, args...)
}

// place is where a character of the expression stands in the text.
func (o *origin) place(character int) int {
	if character == 0 {
		return o.offset
	}
	runes := []rune(o.text)
	return o.offset + len(string(runes[:min(character, len(runes))]))
}

// located takes place and message out of an error of expr.
func located(err error) (character int, message string) {
	var e *file.Error
	if errors.As(err, &e) {
		return e.From, e.Message
	}
	return 0, firstLine(err.Error())
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// wordHints are words of other languages for what expr spells otherwise.
var wordHints = map[string]string{
	"null": "nil", "none": "nil", "true": "true", "false": "false", "and": "and", "or": "or", "not": "not",
	"и": "and", "или": "or", "не": "not", "да": "true", "нет": "false", "пусто": "empty(...)", "is": "==",
	"like": "contains", "eq": "==", "ne": "!=", "len": "len(...)",
}

var unexpectedToken = regexp.MustCompile(`^unexpected token (\w+)(?:\("(.*)"\))?`)

// longestExpression bounds the work of the parser.
const longestExpression = 10_000

// parse reads an expression; nil after a mistake.
func (s *Scope) parse(o *origin) *parser.Tree {
	switch {
	case strings.TrimSpace(o.text) == "":
		o.mistake(0, "the expression is empty")
		return nil
	case len(o.text) > longestExpression:
		o.mistake(0, "the expression is too long")
		return nil
	}
	tree, err := parseCalls(o.text, s.strict)
	if err != nil {
		o.notParsed(err)
		return nil
	}
	return tree
}

// notParsed reports what expr's parser refused, in words, with what was probably meant.
func (o *origin) notParsed(err error) {
	at, message := located(err)
	token := ""
	if m := unexpectedToken.FindStringSubmatch(message); m != nil {
		token = m[2]
	}
	report := func() Note { return o.mistake(at, "the expression is not understood: %s", message) }
	if token != "" {
		report = func() Note { return o.mistake(at, "the expression is not understood at %s", token) }
	}
	switch {
	case strings.Contains(o.text, "${"):
		report().Hint("a name stands without ${ } inside an expression")
	case strings.HasPrefix(o.text, "{") && strings.HasSuffix(o.text, "}"):
		report().Hint("one pair of braces is enough: ${%s}", strings.Trim(o.text, "{} "))
	case labelled(o.text) != "":
		report().Hint("write %s", labelled(o.text))
	case (token == ">" || token == "<" || token == "=") && around(o.text, at) != "":
		report().Hint("write %s", around(o.text, at))
	case token == ">" && at > 0 && []rune(o.text)[at-1] == '<':
		report().Hint("write %s", "!=")
	case token == "=":
		report().Hint("two equal signs compare: ==")
	case wordHints[strings.ToLower(token)] != "":
		report().Hint("write %s", wordHints[strings.ToLower(token)])
	case strings.HasPrefix(message, "unrecognized character") && oddQuote(o.text, at):
		report().Hint(`texts stand in plain quotes: "..."`)
	case strings.HasPrefix(message, "bad number syntax"), unitAfterNumber.MatchString(string([]rune(o.text)[:at]) + token):
		o.mistake(at, "a number stands alone, without a unit").Hint("durations are in seconds, as in %s", "duration > 30")
	case token == ",":
		report().Hint("conditions are joined by and; several values stand in brackets: city in [\"Москва\", \"Тверь\"]")
	case calledWithout(o.text, at, token) != "":
		report().Code("%s", calledWithout(o.text, at, token))
	case strings.Contains(message, "coalesce"):
		o.mistake(at, "?? and another operator need parentheses").Code("(a ?? b) == c")
	case strings.HasPrefix(message, "unexpected token EOF"), message == "unexpected end of expression":
		o.mistake(at, "the expression ends too early")
	case token != "":
		report().Suggest(token, slices.Concat(functionNames(), keywords))
	default:
		report()
	}
}

// unitAfterNumber is a number with a word behind it.
var unitAfterNumber = regexp.MustCompile(`\d\s*(?:с|сек|секунд|мин|минут|ч|час|s|sec|seconds?|m|min|minutes?|h|hours?)\.?$`)

// around is the operator that two signs in the wrong order were meant to be; "" where they are none.
func around(text string, at int) string {
	runes := []rune(text)
	for from := max(0, at-1); from <= at && from+1 < len(runes); from++ {
		switch string(runes[from : from+2]) {
		case "=>":
			return ">="
		case "=<":
			return "<="
		}
	}
	return ""
}

// calledWithout is the call that a function's name with a name behind it was meant to be.
func calledWithout(text string, at int, token string) string {
	before := strings.Fields(string([]rune(text)[:at]))
	if len(before) == 0 || !slices.Contains(functionNames(), before[len(before)-1]) || !nameForm.MatchString(token) {
		return ""
	}
	return before[len(before)-1] + "(" + token + ")"
}

// labelled is the field whose Russian name, of two words or more, stands in an expression; "" without one.
func labelled(text string) string {
	best := calltouch.Field{}
	for _, f := range calltouch.Vocabulary() {
		label := strings.ToLower(f.Russian)
		if strings.Contains(label, " ") && strings.Contains(strings.ToLower(text), label) && len(label) > len(best.Russian) {
			best = f
		}
	}
	return best.Name
}

// byLabel is the field whose Russian name is this word; "" where there is none.
func byLabel(word string) string {
	for _, f := range calltouch.Vocabulary() {
		if strings.EqualFold(f.Russian, word) {
			return f.Name
		}
	}
	return ""
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
func (o *origin) notTyped(err error) {
	at, message := located(err)
	switch {
	case mismatched.MatchString(message):
		m := mismatched.FindStringSubmatch(message)
		o.mismatch(at, m[1], m[2], m[3])
	case badArgument.MatchString(message):
		m := badArgument.FindStringSubmatch(message)
		o.mistake(at, "%s() takes %s, not %s", m[3], o.word(m[2]), o.word(m[1]))
	case argumentSum.MatchString(message):
		o.mistake(at, "the arguments do not fit the function").Hint("see `touchbox fields` and docs/links.md")
	case notCondition.MatchString(message):
		o.mistake(at, "a condition belongs here")
	default:
		o.mistake(at, "the expression is not understood: %s", message)
	}
}

func (o *origin) mismatch(at int, operator, left, right string) {
	if right == "" {
		n := o.mistake(at, "%s does not go with %s", operator, o.word(left))
		if operator == "not" || operator == "!" {
			n.Hint("put what it negates in parentheses: not (...)")
		}
		return
	}
	n := o.mistake(at, "%s does not go with %s and %s", operator, o.word(left), o.word(right))
	pair := left + " " + right
	switch {
	case operator == "and" || operator == "or" || operator == "&&" || operator == "||":
		n.Hint("on both sides a condition belongs, as in city == \"Москва\" or city == \"Тверь\"")
	case operator == "contains" && strings.Contains(left, "[]"):
		n.Hint(`"..." in tags looks into a list`)
	case strings.Contains(pair, "bool") && strings.Contains(pair, "string"):
		n.Hint("yes or no is no text: write unique or not unique")
	case strings.Contains(pair, "string") && (strings.Contains(pair, "int") || strings.Contains(pair, "float")):
		n.Hint("a number stands without quotes; int(...) makes a number of a text, string(...) a text of a number")
	case strings.Contains(pair, "time.Time"):
		n.Hint(`date(time) == "2026-11-01" compares days`)
	}
}

// word is the name of a Go type for people.
func (o *origin) word(goType string) string {
	if w := typeWords[goType]; w != "" {
		return o.reporter.Text(w)
	}
	switch {
	case strings.HasPrefix(goType, "map["):
		return o.reporter.Text("a table")
	case strings.HasPrefix(goType, "[]"):
		return o.reporter.Text("a list")
	}
	return goType
}
