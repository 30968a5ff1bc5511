package link

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Pos is a place in a file; both numbers count from 1, columns in characters.
type Pos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Problem is one mistake or warning with its place.
type Problem struct {
	File    string `json:"file"`
	Pos     Pos    `json:"pos"`
	Warning bool   `json:"warning"` // the file is usable all the same
	Text    string `json:"text"`    // in the reader's language
	Hint    string `json:"hint,omitempty"`
}

// String is the problem as a compiler prints it: touchbox.yaml:12:5: text (hint).
func (p Problem) String() string {
	s := fmt.Sprintf("%s:%d:%d: %s", p.File, p.Pos.Line, p.Pos.Column, p.Text)
	if p.Hint != "" {
		s += " (" + p.Hint + ")"
	}
	return s
}

// Problems are all mistakes and warnings of a file, in the order of their places.
type Problems []Problem

// Mistakes are the problems that make the file unusable.
func (p Problems) Mistakes() Problems { return p.only(false) }

// Warnings are the problems that a person should look at.
func (p Problems) Warnings() Problems { return p.only(true) }

func (p Problems) only(warning bool) Problems {
	var out Problems
	for _, one := range p {
		if one.Warning == warning {
			out = append(out, one)
		}
	}
	return out
}

// String is one problem a line.
func (p Problems) String() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// sorted orders by place and drops what was said twice about one place.
func (p Problems) sorted() Problems {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column), cmp.Compare(a.Text, b.Text))
	})
	return slices.CompactFunc(p, func(a, b Problem) bool {
		return a.Pos == b.Pos && a.Text == b.Text && a.Warning == b.Warning
	})
}

// InvalidError reports a file with mistakes: exit code 2.
type InvalidError struct{ Problems Problems }

// Error lists the mistakes, one a line.
func (e *InvalidError) Error() string { return e.Problems.Mistakes().String() }
