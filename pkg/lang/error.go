package lang

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Error is an error's text in this language. The packages of the core, the libraries and the system speak English alone: what
// an error wraps is said first, then what is around it, by coreCatalogue. Keys, names and paths stay.
func (l Language) Error(err error) string {
	if err == nil || l != Russian {
		return textOf(err)
	}
	if said, ok := err.(interface{ Text(Language) string }); ok {
		return said.Text(l)
	}
	around := err.Error()
	if twin, ok := Twin(around); ok {
		return twin
	}
	inside := map[string]string{}
	for i, cause := range causes(err) {
		if text := cause.Error(); text != "" {
			mark := "\x00" + strconv.Itoa(i) + "\x00"
			around = strings.Replace(around, text, mark, 1)
			inside[mark] = l.Error(cause)
		}
	}
	around = l.phrase(around)
	for mark, text := range inside {
		around = strings.ReplaceAll(around, mark, text)
	}
	return around
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// causes are what an error wraps, one or several.
func causes(err error) []error {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		return several.Unwrap()
	}
	if cause := errors.Unwrap(err); cause != nil {
		return []error{cause}
	}
	return nil
}

// Said is a message of the log, or the text of an error of which no more is left, in this language: what stands in the catalogues, and
// behind a colon what it quotes.
func (l Language) Said(text string) string {
	if l != Russian || text == "" {
		return text
	}
	if twin, ok := Twin(text); ok {
		return twin
	}
	for _, p := range flatPhrases() {
		if values := p.made.FindStringSubmatch(text); values != nil {
			values = values[1:]
			for i := range values {
				if p.wraps[i] {
					values[i] = l.Said(values[i])
				}
			}
			return p.say(values)
		}
	}
	if head, quoted, more := strings.Cut(text, ": "); more {
		return l.Said(head) + ": " + l.Said(quoted)
	}
	return text
}

// phrase is the twin of a text that a format of coreCatalogue made.
func (l Language) phrase(text string) string {
	if twin, ok := Twin(text); ok {
		return twin
	}
	for _, p := range phrases() {
		if values := p.made.FindStringSubmatch(text); values != nil {
			return p.say(values[1:])
		}
	}
	return text
}

// phrase recognises the texts that one format makes.
type phrase struct {
	made    *regexp.Regexp
	twin    string
	literal int    // how much of the format is no verb: the more, the surer
	wraps   []bool // which arguments are errors
}

// verb is one verb of a format of Sprintf, with the number of its argument where it says one.
var verb = regexp.MustCompile(`%(?:\[(\d+)\])?[-+# 0]*[\d.]*([a-zA-Z%])`)

// phrases are the formats of coreCatalogue with their twins, those that say most first.
var phrases = sync.OnceValue(func() []phrase { return phrasesWith("(\x00\\d+\x00)") })

// flatPhrases are the same for texts in which the errors stand as they are.
var flatPhrases = sync.OnceValue(func() []phrase { return phrasesWith("(.+)") })

func phrasesWith(wrapped string) []phrase {
	var all []phrase
	for format, twin := range coreCatalogue {
		if !verb.MatchString(format) {
			continue
		}
		p := phrase{made: recognizer(format, wrapped), twin: twin, literal: len(verb.ReplaceAllString(format, ""))}
		for _, v := range verb.FindAllStringSubmatch(format, -1) {
			if v[2] != "%" {
				p.wraps = append(p.wraps, v[2] == "w")
			}
		}
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b phrase) int {
		if a.literal != b.literal {
			return b.literal - a.literal
		}
		return strings.Compare(a.twin, b.twin)
	})
	return all
}

// recognizer matches the texts that a format makes, with a group for each argument, in their order.
func recognizer(format, wrapped string) *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`^(?s:`)
	from := 0
	for _, at := range verb.FindAllStringSubmatchIndex(format, -1) {
		b.WriteString(regexp.QuoteMeta(format[from:at[0]]))
		if letter := format[at[4]:at[5]]; letter == "w" {
			b.WriteString(wrapped)
		} else {
			b.WriteString(groupOf(letter))
		}
		from = at[1]
	}
	b.WriteString(regexp.QuoteMeta(format[from:]))
	b.WriteString(`)$`)
	return regexp.MustCompile(b.String())
}

func groupOf(verb string) string {
	switch verb {
	case "%":
		return "%"
	case "d":
		return `(-?\d+)`
	case "q":
		return `("(?:[^"\\]|\\.)*")`
	}
	return `(.*?)`
}

// say puts the values of the arguments into the twin.
func (p phrase) say(values []string) string {
	next := 0
	return verb.ReplaceAllStringFunc(p.twin, func(v string) string {
		parts := verb.FindStringSubmatch(v)
		if parts[2] == "%" {
			return "%"
		}
		if n, err := strconv.Atoi(parts[1]); err == nil {
			next = n - 1
		}
		next++
		return inUnits(values[next-1])
	})
}

// inUnits writes a value that is a span of time in Russian units: nobody else says 1m30s.
func inUnits(value string) string {
	if d, err := time.ParseDuration(value); err == nil && d.String() == value {
		return Russian.Duration(d)
	}
	return value
}
