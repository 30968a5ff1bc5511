package strictyaml

import (
	"regexp"
	"slices"
	"strings"
)

var (
	// keyLine is a line that begins with a key, behind dashes or not; its groups are the dashes and the value.
	keyLine = regexp.MustCompile(`^((?:- +)*)(?:[^\s:"'{}\[\]#,&*|>@%-][^\s:"'{}\[\]]*|"[^"]*"|'[^']*')\s*:(?:\s+(.*))?$`)
	// opensText is a value that goes on below as a text, of which YAML reads nothing.
	opensText = regexp.MustCompile(`^(?:&\S+ +)?[|>][-+0-9]*\s*(?:#.*)?$`)
	// opensMapping is a value that stands below.
	opensMapping = regexp.MustCompile(`^(?:[&!]\S+)?\s*(?:#.*)?$`)
)

// indentation follows a source line by line, for the columns in which a key may begin.
type indentation struct {
	columns []int // of the mappings that are open
	left    []int // those that the last line has left
	opened  bool  // the last key's value stands below it
	text    int   // column of the key whose text goes on below; -1 where none does
	flow    int   // brackets that are open
	last    Pos   // of the last key
}

// misplaced finds the first key that begins where none may, up to the line below the one at which the parser
// gave up.
func misplaced(lines []string, until int) (at Pos, ok bool) {
	s := indentation{columns: []int{0}, text: -1}
	for i, line := range lines[:min(until+1, len(lines))] {
		if at, ok := s.line(line, i+1); ok {
			return at, true
		}
	}
	return Pos{}, false
}

func (s *indentation) line(line string, number int) (at Pos, ok bool) {
	rest := strings.TrimLeft(line, " ")
	indent := len(line) - len(rest)
	if rest == "" || rest[0] == '#' || s.text >= 0 && indent > s.text {
		return Pos{}, false
	}
	s.text = -1
	inFlow := s.flow > 0
	s.flow = max(0, s.flow+brackets(line))
	m := keyLine.FindStringSubmatch(rest)
	if m == nil || inFlow {
		return Pos{}, false
	}
	return s.key(Pos{number, indent + 1}, indent+len(m[1]), m[2])
}

// key takes the key of a line, in whose column the keys of one mapping stand.
func (s *indentation) key(at Pos, column int, value string) (odd Pos, ok bool) {
	indent := at.Column - 1
	inItem := column > indent
	if !inItem && indent > s.columns[len(s.columns)-1] && !s.opened {
		if slices.Contains(s.left, indent) { // the others go on: the line between was the odd one
			return s.last, true
		}
		return at, true
	}
	s.left = nil
	for len(s.columns) > 1 && s.columns[len(s.columns)-1] > indent {
		s.left = append(s.left, s.columns[len(s.columns)-1])
		s.columns = s.columns[:len(s.columns)-1]
	}
	if top := s.columns[len(s.columns)-1]; column > top {
		if !inItem && len(s.left) > 0 {
			return at, true
		}
		s.columns = append(s.columns, column)
	}
	s.opened, s.last = opensMapping.MatchString(value), at
	if opensText.MatchString(value) {
		s.text = indent
	}
	return Pos{}, false
}
