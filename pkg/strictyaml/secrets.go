package strictyaml

import (
	"regexp"
	"slices"
	"strings"

	"github.com/touchbox/touchbox/pkg/show"
)

// Word is an argument of a problem that is ours, or that no secret can be in: it is said wherever
// the problem stands. Every other text in a problem inside a secret reads ***.
type Word string

// Words is a list of them.
func Words(list []string) Word { return Word(strings.Join(list, ", ")) }

// cover replaces what a problem would quote from inside a secret.
func cover(args []any) []any {
	covered := slices.Clone(args)
	for i, arg := range covered {
		if _, isText := arg.(string); isText {
			covered[i] = show.Hidden
		}
	}
	return covered
}

// Secrets says where in a file secrets may stand.
type Secrets struct {
	Keys  []string // keys whose values are secrets, or may be
	Plain []string // keys beside them that hold none: whatever else stands there, a misspelt key too, may be one
	Open  []string // sections at the top that hold no secrets
}

var (
	sectionKey = regexp.MustCompile(`^["']?([^\s"':#{\[-][^\s"':#]*)["']?\s*:`)
	anyKey     = regexp.MustCompile(`(?:^|[\s{\[,"'-])([\pL_][\pL\pN_.-]*)["']?\s*[:=]`)
)

// columns finds, in the source itself, from which column on each line may hold a secret: what YAML
// makes of a line with a mistake is not to be trusted, and a broken file has no structure at all.
func (s Secrets) columns(lines []string) []int {
	if len(s.Keys) == 0 {
		return nil
	}
	scan := secretScan{secrets: s, within: true}
	scan.word = regexp.MustCompile(`(?:^|[^\pL\pN_])(?:` + strings.Join(s.Keys, "|") + `)(?:$|[^\pL\pN_])`)
	columns := make([]int, len(lines))
	for i, line := range lines {
		columns[i] = scan.line(line)
	}
	return columns
}

// secretScan goes through a source line by line.
type secretScan struct {
	secrets Secrets
	word    *regexp.Regexp // one of the secret keys, anywhere
	within  bool           // in a section that may hold secrets
	secret  bool           // the last key holds one
	plain   bool           // the last key holds none
	indent  int            // of the last key
	open    int            // brackets that the secret's value has left open
}

// line returns the column from which a line is hidden, 0 for none.
func (s *secretScan) line(line string) int {
	indent := len(line) - len(strings.TrimLeft(line, " \t"))
	rest := line[indent:]
	if m := sectionKey.FindStringSubmatch(line); m != nil && s.open <= 0 {
		s.within, s.secret, s.plain, s.open = !slices.Contains(s.secrets.Open, m[1]), false, false, 0
	}
	if !s.within || rest == "" {
		return 0
	}
	item := strings.HasPrefix(rest, "-")
	below := indent > s.indent || indent == s.indent && item
	if s.secret && s.open > 0 {
		s.open += brackets(line)
		return 1
	}
	if s.secret && below {
		return 1
	}
	s.secret = false
	keys := anyKey.FindAllStringSubmatchIndex(line, -1)
	for i, at := range keys {
		name := line[at[2]:at[3]]
		if i == 0 {
			s.indent, s.plain = at[2], slices.Contains(s.secrets.Plain, name)
		}
		if sectionKey.MatchString(line) && i == 0 || slices.Contains(s.secrets.Plain, name) {
			continue
		}
		s.secret, s.plain, s.open = true, false, opened(line[at[1]:])
		return 1 + len([]rune(line[:at[1]]))
	}
	if len(keys) == 0 && !(s.plain && below) || s.word.MatchString(line) {
		return 1
	}
	return 0
}

// opened counts the brackets that a value leaves open: only one that begins with a bracket goes on
// behind its line for their sake.
func opened(value string) int {
	if value = strings.TrimSpace(value); value == "" || !strings.ContainsAny(value[:1], "{[") {
		return 0
	}
	return brackets(value)
}

var inQuotes = regexp.MustCompile(`"[^"]*"|'[^']*'`)

// brackets counts how many more open than close, outside of quotes.
func brackets(s string) int {
	s = inQuotes.ReplaceAllString(s, "")
	return strings.Count(s, "{") + strings.Count(s, "[") - strings.Count(s, "}") - strings.Count(s, "]")
}

// inSecret reports whether a problem's place may lie inside a secret.
func (r *Reader) inSecret(at Pos) bool {
	from := r.hiddenFrom(at.Line)
	return from > 0 && at.Column >= from
}

// hiddenFrom is the column from which a line may hold a secret, 0 for none.
func (r *Reader) hiddenFrom(line int) int {
	if line < 1 || line > len(r.hidden) {
		return 0
	}
	return r.hidden[line-1]
}
