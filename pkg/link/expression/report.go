package expression

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
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
	trial    bool // it is only looked whether there are mistakes
}

const unknownName = "unknown name %s"

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
func (s *Scope) parse(o *origin, w want) *parser.Tree {
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
		s.notParsed(o, w, err)
		return nil
	}
	return tree
}

// notParsed reports what expr's parser refused, in words, with what was probably meant.
func (s *Scope) notParsed(o *origin, w want, err error) {
	at, message := located(err)
	right := s.rightForm(o, w)
	token := ""
	if m := unexpectedToken.FindStringSubmatch(message); m != nil {
		token = m[2]
	}
	if strings.HasPrefix(message, "unrecognized character") {
		token = string([]rune(o.text)[at:][:1])
	}
	n := o.notUnderstood(at, token, message)
	switch hint := wordHints[strings.ToLower(token)]; {
	case aUnit(o.text, at, token, message):
		n.Hint("durations are in seconds, as in %s", cmp.Or(right, "duration > 30"))
	case right != "":
		n.Hint("write %s", right)
	case ended(message) && strings.Count(o.text, "(") > strings.Count(o.text, ")"):
		n.Hint("brackets that nothing closes: %d", strings.Count(o.text, "(")-strings.Count(o.text, ")"))
	case strings.Contains(message, "coalesce"):
		n.Code("(a ?? b) == c")
	case strings.Contains(o.text, "${"):
		n.Hint("a name stands without ${ } inside an expression")
	case token == "=":
		n.Hint("two equal signs compare: ==")
	case hint != "" && hint != token:
		n.Hint("write %s", hint)
	case token == ",":
		n.Hint("conditions are joined by and; several values stand in brackets: city in [\"Москва\", \"Тверь\"]")
	case nameForm.MatchString(token) && !slices.Contains(keywords, token):
		if !n.Suggest(token, keywords) && w == wantCondition {
			n.Hint("join conditions by and")
		}
	}
}

// notUnderstood says where expr's parser stopped, and why where that is more than a sign that it did not expect.
func (o *origin) notUnderstood(at int, token, message string) Note {
	switch {
	case aUnit(o.text, at, token, message):
		return o.mistake(at, "a number stands alone, without a unit")
	case ended(message):
		return o.mistake(at, "the expression ends too early")
	case strings.HasPrefix(message, "literal not terminated"):
		return o.mistake(at, "a text has no closing quote")
	case strings.Contains(message, "coalesce"):
		return o.mistake(at, "?? and another operator need parentheses")
	case token == ")" && strings.Count(o.text, "(") < strings.Count(o.text, ")"):
		return o.mistake(at, "this bracket closes none")
	case token != "":
		return o.mistake(at, "the expression is not understood at %s", token)
	}
	return o.mistake(at, "the expression is not understood here")
}

// ended is true of the messages of an expression that ends where more was to come.
func ended(message string) bool {
	return strings.HasPrefix(message, "unexpected token EOF") || message == "unexpected end of expression"
}

// aUnit reports whether a unit stands behind a number: 30s, 30 сек, 0:30.
func aUnit(text string, at int, token, message string) bool {
	return strings.HasPrefix(message, "bad number syntax") || token == ":" && clock.MatchString(text) ||
		unitAfterNumber.MatchString(string([]rune(text)[:at])+token)
}

// clock is a span of time as clocks show it.
var clock = regexp.MustCompile(`\b\d+:\d\d\b`)

// unitAfterNumber is a number with a word behind it.
var unitAfterNumber = regexp.MustCompile(`\d\s*(?:с|сек|секунд|мин|минут|ч|час|s|sec|seconds?|m|min|minutes?|h|hours?)\.?$`)

var (
	mismatched   = regexp.MustCompile(`^invalid operation: (\S+) \(mismatched types? (\S+(?: \{\})?)(?: and (\S+(?: \{\})?))?\)`)
	badArgument  = regexp.MustCompile(`^cannot use (\S+) as argument \(type (\S+)\) to call (\S+)`)
	badArguments = regexp.MustCompile(`(?:not enough|too many) arguments to call|invalid number of arguments|no matching overload for|invalid argument for`)
	notCondition = regexp.MustCompile(`^(?:non-bool expression|predicate should return boolean)`)
	noField      = regexp.MustCompile(`^type (\S+) has no field (\S+)`)

	typeWords = map[string]string{"string": "a text", "bool": "yes or no", "int": "a number", "float64": "a number", "time.Time": "a time", "nil": "nil", "unknown": "any value", "[]string": "a list", "[]interface": "a list"}
)

// notTyped reports what expr's checker refused, with the whole written right or how its function is called.
func (s *Scope) notTyped(o *origin, w want, err error) {
	at, message := located(err)
	right := s.rightForm(o, w)
	n := o.refused(at, message, right == "")
	if right != "" {
		n.Hint("write %s", right)
		return
	}
	if name := functionAt(o.text, at, message); name != "" {
		n.Code("%s", usages[name])
	}
}

// refused reports a mistake of types; advised asks for a hint where the words are known.
func (o *origin) refused(at int, message string, advised bool) Note {
	switch {
	case mismatched.MatchString(message):
		m := mismatched.FindStringSubmatch(message)
		n := o.mismatch(at, m[1], m[2], m[3])
		if advised {
			adviseOn(n, m[1], m[2], m[3])
		}
		return n
	case badArgument.MatchString(message):
		m := badArgument.FindStringSubmatch(message)
		return o.mistake(at, "%s() takes %s, not %s", strings.TrimSuffix(m[3], "()"), o.word(m[2]), o.word(m[1]))
	case badArguments.MatchString(message):
		return o.mistake(at, "the arguments do not fit the function")
	case notCondition.MatchString(message):
		return o.mistake(at, "a condition belongs here")
	case noField.MatchString(message):
		m := noField.FindStringSubmatch(message)
		return o.mistake(at, "%s has no field %s", o.word(m[1]), m[2])
	}
	return o.mistake(at, "the expression is not understood here")
}

// functionAt is the function whose arguments the checker refused, where its usage is known; "" for anything else.
func functionAt(text string, at int, message string) string {
	m := badArgument.FindStringSubmatch(message)
	if m == nil && !badArguments.MatchString(message) {
		return ""
	}
	name := beginsWithName.FindString(string([]rune(text)[min(at, len([]rune(text))):]))
	if m != nil {
		name = strings.TrimSuffix(m[3], "()")
	}
	if usages[name] == "" {
		return ""
	}
	return name
}

var beginsWithName = regexp.MustCompile(`^\w+`)

func (o *origin) mismatch(at int, operator, left, right string) Note {
	if right == "" {
		return o.mistake(at, "%s does not go with %s", operator, o.word(left))
	}
	return o.mistake(at, "%s does not go with %s and %s", operator, o.word(left), o.word(right))
}

// adviseOn hints at what goes with an operator; right is "" where it takes one value.
func adviseOn(n Note, operator, left, right string) {
	pair := left + " " + right
	switch {
	case operator == "not" || operator == "!":
		n.Hint("put what it negates in parentheses: not (...)")
	case right == "":
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
