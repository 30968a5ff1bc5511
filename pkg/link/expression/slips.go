package expression

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/touchbox/touchbox/pkg/calltouch"
)

// longestRighted bounds what a hint writes out: nobody compares longer lines by eye.
const longestRighted = 300

// mostRighted is for how many mistakes of a file the right form is looked for: nobody reads more at once.
const mostRighted = 100

// rightForm is an expression as the language has it, for one that was written as other languages write it:
// `city contains "x"` for contains(city, "x"), `"x" in tags` for tags.includes('x'). The slips are mended one after
// the other, until the check finds nothing; "" where it does not come to that.
func (s *Scope) rightForm(o *origin, w want) string {
	if o.trial || len(o.text) > longestRighted || strings.ContainsAny(o.text, "§¶") || s.righted >= mostRighted {
		return ""
	}
	s.righted++
	text, texts := withoutTexts(o.text)
	for _, slip := range slips(w) {
		text = slip(text, texts)
		if right := withTexts(text, texts); right != strings.TrimSpace(o.text) && s.passes(right, w) {
			return right
		}
	}
	return ""
}

// passes reports whether the check finds nothing in an expression but Latin names that nobody gave, which get a hint of their own.
func (s *Scope) passes(text string, w want) bool {
	var f faults
	return s.check(&origin{text: text, reporter: &f, trial: true}, w) != nil && !f.found
}

// faults is a Reporter that keeps nothing but whether there was something else than an unknown name.
type faults struct{ found bool }

// Mistake implements Reporter.
func (f *faults) Mistake(_ int, format string, args ...any) Note {
	f.found = f.found || format != unknownName || strings.ContainsFunc(fmt.Sprint(args...), func(c rune) bool { return c > unicode.MaxASCII })
	return f
}

// Warn implements Reporter.
func (f *faults) Warn(int, string, ...any) Note { return f }

// Text implements Reporter.
func (*faults) Text(english string) string { return english }

// Line implements Reporter.
func (*faults) Line(int) int { return 0 }

// Hint implements Note.
func (*faults) Hint(string, ...any) {}

// Code implements Note.
func (*faults) Code(string, ...any) {}

// Suggest implements Note.
func (*faults) Suggest(string, []string) bool { return true }

// The texts of an expression stand outside of it while slips are looked for: §0§ is the first one, ¶ one that is empty.
var (
	inQuotes = regexp.MustCompile("''[^']+''|" + `"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|` + "`[^`]*`" + `|«[^»]*»|[“”„][^“”"]*[“”"]|[‘’‚][^‘’']*[‘’']|(?:=~|\bmatches)\s*/[^/]+/i?`)
	moved    = regexp.MustCompile(`§(\d+)§`)
)

const emptyText = "¶"

func withoutTexts(expression string) (text string, texts []string) {
	return inQuotes.ReplaceAllStringFunc(expression, func(quoted string) string {
		before, pattern, isPattern := strings.Cut(quoted, "/")
		inside := strings.Trim(quoted, "\"'`«»“”„‘’‚")
		switch {
		case isPattern && before != "" && !strings.ContainsAny(before[:1], "\"'`«“”„‘’‚"): // =~ /^М/i
			inside, quoted = strings.TrimSuffix(pattern, "/"), ""
			if bare, ok := strings.CutSuffix(pattern, "/i"); ok {
				inside = "(?i)" + bare
			}
			before = "matches "
		case inside == "":
			return emptyText
		default:
			before = ""
			if quoted[0] >= unicode.MaxASCII || strings.HasPrefix(quoted, "''") {
				quoted = ""
			}
		}
		if quoted == "" {
			quoted = strconv.Quote(inside)
		}
		texts = append(texts, quoted)
		return before + "§" + strconv.Itoa(len(texts)-1) + "§"
	}), texts
}

func withTexts(text string, texts []string) string {
	text = bare(strings.TrimSpace(text))
	text = moved.ReplaceAllStringFunc(text, func(m string) string { return texts[number(m, texts)] })
	return strings.ReplaceAll(text, emptyText, `""`)
}

// bare is a text without the brackets around all of it.
func bare(text string) string {
	depth := 0
	for i, c := range text {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 && i < len(text)-1 || depth < 0 {
			return text
		}
	}
	return strings.TrimSuffix(strings.TrimPrefix(text, "("), ")")
}

// number is the place among the texts of §2§.
func number(m string, texts []string) int {
	n, _ := strconv.Atoi(strings.Trim(m, "§"))
	return min(n, len(texts)-1)
}

// inside is what a text of texts says, without its quotes.
func inside(m string, texts []string) string {
	quoted := texts[number(m, texts)]
	return quoted[1 : len(quoted)-1]
}

// slip is one way in which people write what the language writes otherwise.
type slip func(text string, texts []string) string

// Pieces of the patterns. A name may be an attribute, be called or have an index.
const (
	aName   = `(?:attrs\.)?[\pL_][\pL\pN_]*(?:\[[^\[\]]*\]|\([^()]*\))?`
	aText   = `§\d+§`
	aValue  = `(?:` + aText + `|-?\d+(?:\.\d+)?|` + aName + `)`
	anArg   = `\s*((?:[^(),;\[\]]|\([^()]*\)|\[[^\[\]]*\])+?)\s*`
	aSide   = `(?:startsWith|endsWith|contains|matches)` // operators between texts
	anOr    = `(?:or|\|\||,)`
	ofOne   = `lower|upper|len|trim|int|string|empty|filled|phone|email|date|utc|local`   // functions of one value
	holders = `call|event|body|data|request|lead|payload|fields|attributes|звонок|заявка` // what an event is called
)

// fields are the names of the vocabulary's fields of a type, as a pattern.
func fields(types ...calltouch.Type) string {
	var names []string
	for _, f := range calltouch.Vocabulary() {
		if slices.Contains(types, f.Type) {
			names = append(names, regexp.QuoteMeta(f.Name))
		}
	}
	return `\b(?:` + strings.Join(names, "|") + `)\b`
}

// written is a slip that a pattern finds.
func written(pattern, right string) slip {
	re := regexp.MustCompile(pattern)
	return func(text string, _ []string) string { return re.ReplaceAllString(text, right) }
}

// word is a slip of whole words in small or capital letters, Russian ones too.
func word(right, wrong string) slip {
	return written(`(?i)(^|[^\pL\pN_.§])(?:`+wrong+`)($|[^\pL\pN_(§])`, `${1}`+right+`${2}`)
}

// call is a slip of a function's name, which may be called as a method too.
func call(right, wrong string) slip {
	return written(`(?i)\b(?:`+wrong+`)(\s*\()`, right+`$1`)
}

// slips are in the order in which they are mended: names, signs, words, calls, then what needs those in place.
func slips(w want) []slip {
	if w == wantCondition {
		return conditionSlips()
	}
	return valueSlips()
}

var (
	conditionSlips = sync.OnceValue(func() []slip {
		return slices.Concat(nameSlips(), signSlips(), wordSlips(), callSlips(), nothingSlips(), severalSlips(), typeSlips())
	})
	valueSlips = sync.OnceValue(func() []slip {
		return slices.Concat(nameSlips(), signSlips(), wordSlips(), callSlips(), otherwiseSlips(), typeSlips())
	})
)

// otherwiseSlips are the ways to say what stands where nothing came.
func otherwiseSlips() []slip {
	return []slip{
		written(`\b(?:default|coalesce|ifnull|nvl)\(`+anArg+`,`+anArg+`\)`, "$1 ?? $2"), written(`\bdate\(`+anArg+`,`+anArg+`\)`, "local($1, $2)"),
		either, either, written(`^\s*(`+aName+`)\s*,\s*(`+aText+`)\s*$`, "$1 ?? $2"), written(`(`+aName+`)\s*\|\s*(`+ofOne+`)\b(?:\(\))?`, "$2($1)"),
		written(`(`+aValue+`)\s+\.\s+(`+aValue+`)`, "$1 + $2"), written(`(`+aText+`\s*\+\s*)(`+fields(calltouch.Number)+`)`, "${1}string($2)"), written(`(`+fields(calltouch.Number)+`)(\s*\+\s*`+aText+`)`, "string($1)$2"),
	}
}

// either is a value with another one for when it is missing: city or "нет". With a yes or no it would be something else.
func either(text string, _ []string) string {
	if strings.Contains(text, " ? ") {
		return text
	}
	return orElse.ReplaceAllString(text, "$1 ?? $2")
}

var orElse = regexp.MustCompile(`(\battrs\.[\pL_][\pL\pN_]*|` + fields(calltouch.Text, calltouch.Number) + `|[\pL_][\pL\pN_]*\[[^\[\]]*\]|\b(?:lower|upper|trim|phone|email|utc|local)\([^()]*\))` +
	`\s*(?:\bor\b|\|\|)\s*(` + aValue + `)`)

func signSlips() []slip {
	return []slip{
		written("[\u00a0\u2007\u202f]", " "), written(`≥`, ">="), written(`≤`, "<="), written(`≠`, "!="), written(`[–—−]`, "-"),
		written(`!==`, "!="), written(`===`, "=="), written(`<>`, "!="), written(`=>`, ">="), written(`=<`, "<="),
		written(`\s*!~\s*`, " not matches "), written(`\s*(?:=~|~)\s*`, " matches "), written(`([^=!<>])=([^=])`, "$1==$2"),
		written(`([^&])&(\s*(?:`+aName+`|!|\())`, "${1}and$2"), written(`([^|])\|(\s*(?:§|not\b|!|`+aName+`\s*[=!<>]))`, "${1}or$2"),
		written(`\b(`+ofOne+`)\s*[\[{]([^\[\]{}]*)[\]}]`, "$1($2)"),
		written(`\$?\{\{?\s*(`+aName+`)\s*\}?\}`, "$1"), written(`\$\{([^{}]*)\}`, "$1"), written(`[$@]\.?(`+aName+`)`, "$1"), written(`%(`+aName+`)%`, "$1"),
		written(`(^|[\s(])\[\s*(`+aName+`)\s*\](\s*[=!<>])`, "$1$2$3"),
		written(`(^|[^\pL_.])(?:`+holders+`)\.([\pL_])`, "$1$2"), fieldsInQuotes,
	}
}

// nameSlips are the names that Calltouch's cabinet has for its fields, and other spellings of the vocabulary's.
func nameSlips() []slip {
	all := []slip{spelt}
	for _, f := range calltouch.Vocabulary() {
		if label := strings.TrimSpace(aside.Split(f.Russian, 2)[0]); label != "" {
			all = append(all, word(f.Name, regexp.QuoteMeta(label)))
		}
	}
	return all
}

// aside begins what a name of Calltouch's says besides: Длительность разговора, с.
var aside = regexp.MustCompile(`[,;:(]`)

// wordSlips are words of people and of other languages.
func wordSlips() []slip {
	return []slip{
		word("!=", "не рав(?:но|ен|на)|ne|neq|not equals?"), word(">=", "больше или рав(?:но|ен)|не мен(?:ьше|ее)|gte|ge|greater than or equals?(?: to)?"),
		word("<=", "меньше или рав(?:но|ен)|не бол(?:ьше|ее)|не дольше|lte|le|less than or equals?(?: to)?"), word("nil", "не (?:заполнен|указан)о?"), word("filled", "не пусто|заполнено?|указано?"),
		word("and", "and|и"), word("or", "or|или|либо"), word("not", "not|не"), word("in", "in|в|один из|одно из|среди|входит в|one of"), word("is", "is"),
		word("true", "true|да"), word("false", "false|нет"), juxtaposed, word("nil", "null|none|undefined|nil|пусто|empty"),
		word("startsWith", "starts?[ _]?with|begins?[ _]?with|начинается (?:с|на)"), word("endsWith", "ends?[ _]?with|(?:за|о)канчивается на"),
		word("contains", "contains?|includes?|содержит|включает"), word("matches", "matches|regexp?|rlike"),
		word("==", "рав(?:но|ен|на)|это|eq|equals?"), word(">", "больше(?: чем)?|дольше|более|gt|greater(?: than)?|more than|longer than"),
		word("<", "меньше(?: чем)?|менее|lt|less(?: than)?|shorter than"), written(`\bevent(\s*[=!]=)`, "kind$1"),
	}
}

// callSlips are names of functions in other languages, calls that are operators here, and operators that are calls.
func callSlips() []slip {
	return []slip{
		call("lower", "lowercase|to_?lower(?:case)?|lcase|strtolower|mb_strtolower"), call("upper", "uppercase|to_?upper(?:case)?|ucase|strtoupper|mb_strtoupper"),
		call("len", "length|size|strlen|mb_strlen"), call("trim", "strip"), call("empty", "is_?null|is_?empty|is_?blank|is_?nil"),
		call("filled", "not_?empty|is_?not_?empty|isset|exists|defined|is_?not_?null|not_?null|has|present"), call("int", "parseint|to_?int|intval|number|to_?number"),
		call("string", "str|to_?string|strval"), call("any", "some"), call("all", "every|each"), call("contains", "includes?|str_contains"),
		call("startsWith", "starts_?with|str_starts_with"), call("endsWith", "ends_?with|str_ends_with"), call("matches", "regexp?|match"), call("in", "is_?in|one_?of"),
		call("if", "iif|if|если"), call("local", "format|date_?format|format_?date"),
		written(`(`+aName+`)\.(`+aSide+`)\(([^()]*)\)`, "$1 $2 $3"), written(`(`+aName+`)\.(`+ofOne+`)\(\s*\)`, "$2($1)"),
		written(`(`+aName+`)\.(split|replace|cut|utc|local|join)\(([^()]+)\)`, "$2($1, $3)"), written(`(`+aName+`)\.(?:length|size|len|count)\b(?:\(\))?`, "len($1)"),
		written(`(?:\bnot\b|!)\s*\b(`+aSide+`|in)\(`+anArg+`,`+anArg+`\)`, "not ($2 $1 $3)"), written(`\b(`+aSide+`|in)\(`+anArg+`,`+anArg+`\)`, "$2 $1 $3"),
		written(`\bconcat\(\s*(`+aValue+`)\s*,\s*(`+aValue+`)\s*\)`, "$1 + $2"), written(`\bif\s*\(`+anArg+`[,;]`+anArg+`[,;]`+anArg+`\)`, "($1 ? $2 : $3)"),
		written(`\bif\s+(.+?)\s+then\s+(.+?)\s+else\s+(.+)`, "($1 ? $2 : $3)"),
		written(`\bleft\(\s*(`+aName+`)\s*,\s*(\d+)\s*\)`, "$1[:$2]"), written(`\bright\(\s*(`+aName+`)\s*,\s*(\d+)\s*\)`, "$1[-$2:]"),
		// From the beginning alone: some languages count from 1, and some say where it ends, others how long it is.
		written(`\b(?:(?:substr(?:ing)?|slice)\(\s*(`+aName+`)\s*,\s*0|mid\(\s*(`+aName+`)\s*,\s*1)\s*,\s*(\d+)\s*\)`, "$1$2[0:$3]"),
		written(`\bhour\((`+aName+`)\)|\b(`+aName+`)\.hours?\b(?:\(\))?`, `int(local($1$2, "HH"))`), written(`\bminute\((`+aName+`)\)`, `int(local($1, "mm"))`),
		written(`\byear\((`+aName+`)\)`, `int(local($1, "yyyy"))`), written(`\bmonth\((`+aName+`)\)`, `int(local($1, "MM"))`), written(`\bday\((`+aName+`)\)`, `int(local($1, "dd"))`),
		written(`(`+fields(calltouch.Text)+`)\s*\?:\s*(`+aValue+`)`, "($1 ?? $2)"), written(`(`+aName+`)\s*\?\?\s*(`+aValue+`)(\s*[=!<>])`, "($1 ?? $2)$3"),
	}
}

// nothingSlips are the ways to ask whether something came.
func nothingSlips() []slip {
	return []slip{
		written(`(`+aName+`)\s+is\s+not\s+nil\b|(`+aName+`)\s*!=\s*(?:nil\b|¶)`, "filled($1$2)"),
		written(`(`+aName+`)\s+is\s+(?:nil\b|¶)|(`+aName+`)\s*==\s*(?:nil\b|¶)`, "empty($1$2)"),
		written(`(`+aName+`)\s+(?:is\s+)?(?:not\s+nil\b|filled\b)`, "filled($1)"), written(`(`+aName+`)\s+nil\b`, "empty($1)"), word("!=", "is not"), word("==", "is"),
	}
}

// severalSlips compare with several values at once.
func severalSlips() []slip {
	list := fields(calltouch.List)
	return []slip{
		like, written(`!\s*in\b`, "not in"), listed, written(`\bin\s*[({]([^(){}]*)[)}]`, "in [$1]"), written(`\bin\s+(`+aText+`(?:\s*,\s*`+aText+`)*)`, "in [$1]"),
		written(`(`+aSide+`)\s+\[([^\[\]]*)\]`, "$1 $2"), written(`(`+aSide+`|[=!]=)\s*\((`+aText+`(?:\s*`+anOr+`\s*`+aText+`)+)\)`, "$1 $2"),
		written(`(`+aText+`)\s+in\s+(`+list+`)\s+(or|and|\|\||&&)\s+(`+aText+`)`, "($1 in $2 $3 $4 in $2)"), anyOf,
		written(`(`+aName+`)\s+between\s+(`+aValue+`)\s+and\s+(`+aValue+`)`, "$1 >= $2 and $1 <= $3"),
		written(`(`+aName+`)\s*([<>]=?)\s*(`+aValue+`)\s+(and|or|&&|\|\|)\s*([<>]=?)\s*(`+aValue+`)`, "$1 $2 $3 $4 $1 $5 $6"),
		written(`(`+list+`)\s*(?:==|contains)\s*(`+aText+`)`, "$2 in $1"), written(`(`+list+`)\s*(?:!=|not\s+contains)\s*(`+aText+`)`, "$2 not in $1"),
		written(`(`+list+`)\s+in\s+\[\s*(`+aText+`)\s*\]`, "$2 in $1"), written(`\bany\((`+list+`),\s*(`+aText+`)\)`, "$2 in $1"),
	}
}

// typeSlips compare with a value of another type than the field has.
func typeSlips() []slip {
	text, boolean := fields(calltouch.Text), fields(calltouch.Boolean)
	asks := `(^|\band\s+|\bor\s+|\|\|\s*|&&\s*|\()` // what a condition begins behind
	ends := `\s*(\band\b|&&|\bor\b|\|\||\)|$)`
	some := fields(calltouch.Text, calltouch.List) // a number may be 0, which is as good as nothing elsewhere
	all := []slip{
		written(`(`+boolean+`)\s*(?:==\s*(?:1|yes|true)|!=\s*(?:0|no|false))\b`, "$1"), written(`(`+boolean+`)\s*(?:==\s*(?:0|no|false)|!=\s*(?:1|yes|true))\b`, "not $1"),
	}
	for _, f := range calltouch.Vocabulary() {
		if len(f.Values) == 2 {
			all = append(all, written(`(^|[^\pL\pN_.])(`+f.Name+`\s*)(?:==\s*(?:1|yes|true)|!=\s*(?:0|no|false))\b`, `$1$2== "`+f.Values[0]+`"`),
				written(`(^|[^\pL\pN_.])(`+f.Name+`\s*)(?:==\s*(?:0|no|false)|!=\s*(?:1|yes|true))\b`, `$1$2== "`+f.Values[1]+`"`))
		}
	}
	return append(all,
		written(`\b(\d{4}-\d\d-\d\d)\b`, `"$1"`), written(`\btime(\s*[<>=!]=?\s*(?:§|"))`, "date(time)$1"), written(`\btime(\s*[<>]=?\s*\d{9,})`, "timestamp$1"),
		numbers, written(`(`+text+`)\s*(==|!=|`+aSide+`)\s*\+?(\d+)`, `$1 $2 "$3"`), written(`(`+text+`|\b(?:local|utc)\([^()]*\))\s*([<>]=?|%)\s*(\d+)`, "int($1) $2 $3"),
		written(`(`+text+`)\[-1\]`, "$1[-1:]"), written(`(`+text+`)\[0\]`, "$1[:1]"),
		written(`([<>]=?\s*\d+),(\d+)`, "$1.$2"), written(`(\d)\s*(?:секунд\pL*|сек|с|seconds?|sec|s)(?:\.|\b|$)`, "$1"), written(`([<>=]\s*[\d.]+)\s*(?:минут\pL*|мин|м|minutes?|min|m)(?:\.|\b|$)`, "$1 * 60"),
		written(`([=!]=\s*)([А-ЯЁа-яё]\pL*)`, `$1"$2"`), written(`([\[,]\s*)([А-ЯЁа-яё]\pL*)`, `$1"$2"`),
		written(asks+`(?:\bnot\s+|!\s*)(`+some+`)`+ends, "${1}empty($2) $3"), written(asks+`(`+some+`)`+ends, "${1}filled($2) $3"),
	)
}

// like is SQL's: the signs % say where in a text the other one stands. Several texts with the signs in the same places are several likes.
func like(text string, texts []string) string {
	return likes.ReplaceAllStringFunc(text, func(m string) string {
		at := moved.FindAllString(m, -1)
		first, _ := likened(inside(at[0], texts))
		for _, one := range at {
			if operator, plain := likened(inside(one, texts)); operator != first || plain == "" || strings.Contains(plain, "%") {
				return m
			}
		}
		for _, one := range at {
			_, plain := likened(inside(one, texts))
			texts[number(one, texts)] = strconv.Quote(plain)
		}
		return first + strings.TrimPrefix(m, likeWord.FindString(m))
	})
}

// likened is the operator for a text of a like, and the text without its signs.
func likened(quoted string) (operator, plain string) {
	plain = strings.Trim(quoted, "%*")
	switch before, behind := strings.HasPrefix(quoted, "%"), strings.HasSuffix(quoted, "%"); {
	case before && !behind:
		return "endsWith", plain
	case behind && !before:
		return "startsWith", plain
	}
	return "contains", plain
}

var (
	likes    = regexp.MustCompile(`(?i)\blike\s+` + aText + `(?:\s*` + anOr + `\s*` + aText + `)*`)
	likeWord = regexp.MustCompile(`(?i)^like`)
)

// listed takes several values out of the one text in which they stand: in "Москва, Тверь".
func listed(text string, texts []string) string {
	return oneListed.ReplaceAllStringFunc(text, func(m string) string {
		values := strings.FieldsFunc(inside(moved.FindString(m), texts), func(c rune) bool { return c == ',' || c == ';' || c == '|' })
		if len(values) < 2 {
			return m
		}
		for i, v := range values {
			values[i] = strconv.Quote(strings.TrimSpace(v))
		}
		return "in [" + strings.Join(values, ", ") + "]"
	})
}

var oneListed = regexp.MustCompile(`\bin\s+` + aText)

// anyOf writes out what people shorten: city == "Москва" or "Тверь".
func anyOf(text string, _ []string) string {
	return shortened.ReplaceAllStringFunc(text, func(m string) string {
		parts := shortened.FindStringSubmatch(m)
		name, operator, values := parts[1], parts[2], moved.FindAllString(m, -1)
		switch operator {
		case "==":
			return name + " in [" + strings.Join(values, ", ") + "]"
		case "!=":
			return name + " not in [" + strings.Join(values, ", ") + "]"
		}
		for i, v := range values {
			values[i] = name + " " + operator + " " + v
		}
		return "(" + strings.Join(values, " or ") + ")"
	})
}

var shortened = regexp.MustCompile(`(` + aName + `)\s*(==|!=|` + aSide + `)\s*` + aText + `(?:\s*` + anOr + `\s*` + aText + `)+`)

// numbers takes what is compared with a field that holds numbers out of its quotes.
func numbers(text string, texts []string) string {
	return quotedNumber.ReplaceAllStringFunc(text, func(m string) string {
		at := moved.FindString(m)
		if _, err := strconv.Atoi(inside(at, texts)); err != nil {
			return m
		}
		return strings.Replace(m, at, inside(at, texts), 1)
	})
}

var quotedNumber = regexp.MustCompile(fields(calltouch.Number) + `\s*(?:[<>]=?|[=!]=)\s*` + aText + `|` + aText + `\s*(?:[<>]=?|[=!]=)\s*` + fields(calltouch.Number))

// fieldsInQuotes takes fields out of the quotes in which other languages name them: data["duration"], "duration" > 30.
func fieldsInQuotes(text string, texts []string) string {
	return quotedField.ReplaceAllStringFunc(text, func(m string) string {
		at := moved.FindString(m)
		if _, ok := calltouch.Lookup(inside(at, texts)); !ok {
			return m
		}
		_, behind, _ := strings.Cut(m, at)
		return inside(at, texts) + strings.TrimPrefix(behind, "]")
	})
}

var quotedField = regexp.MustCompile(`\b(?:` + holders + `)\[` + aText + `\]|` + aText + `\s*(?:[<>]=?|[=!]=)\s*(?:§|-?\d|true\b|false\b|nil\b)`)

// juxtaposed gives a function its brackets: len city.
func juxtaposed(text string, _ []string) string {
	return beside.ReplaceAllStringFunc(text, func(m string) string {
		parts := beside.FindStringSubmatch(m)
		if slices.Contains(keywords, parts[2]) {
			return m
		}
		return parts[1] + "(" + parts[2] + ")"
	})
}

var beside = regexp.MustCompile(`\b(` + ofOne + `)\s+(` + aName + `)`)

// spelt writes fields as the vocabulary does: utmSource, CITY.
func spelt(text string, _ []string) string {
	return aWord.ReplaceAllStringFunc(text, func(m string) string {
		if _, known := calltouch.Lookup(m); known || len(m) < 4 || slices.Contains(keywords, m) || slices.Contains(functionNames(), m) {
			return m
		}
		i := slices.IndexFunc(calltouch.Vocabulary(), func(f calltouch.Field) bool { return strings.EqualFold(joined.Replace(f.Name), joined.Replace(m)) })
		if i < 0 {
			return m
		}
		return calltouch.Vocabulary()[i].Name
	})
}

// joined takes out of a name what other spellings of it do without.
var joined = strings.NewReplacer("_", "", "-", "")

var aWord = regexp.MustCompile(`[A-Za-z_][\w-]*\w`)
