package strictyaml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/spelling"
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

// Note lets a hint be hung on a problem that was just reported.
type Note struct {
	lang    lang.Language
	problem *Problem
	covered bool // it stands inside a secret
	number  int  // of the problem
}

// Mistake reports what makes the file unusable.
func (r *Reader) Mistake(at Pos, format string, args ...any) Note {
	return r.report(Problem{Pos: at}, format, args)
}

// Warn reports what a person should look at.
func (r *Reader) Warn(at Pos, format string, args ...any) Note {
	return r.report(Problem{Pos: at, Warning: true}, format, args)
}

// report words a problem and adds it. Inside a secret it quotes nothing, see Word.
func (r *Reader) report(p Problem, format string, args []any) Note {
	covered := r.inSecret(p.Pos)
	if covered {
		args = cover(args)
	}
	p.File, p.Text = r.Name, r.Language.Sprintf(format, args...)
	r.problems = append(r.problems, p)
	return Note{r.Language, &r.problems[len(r.problems)-1], covered, len(r.problems)}
}

// Hint says what to write instead. It must be hung on before the next report.
func (n Note) Hint(format string, args ...any) {
	if n.covered {
		args = cover(args)
	}
	n.problem.Hint = n.lang.Sprintf(format, args...)
}

// Code is a hint of nothing but code, which is the same in every language.
func (n Note) Code(format string, args ...any) {
	if n.covered {
		args = cover(args)
	}
	n.problem.Hint = fmt.Sprintf(format, args...)
}

// mostSuggested is for how many problems of a file a resembling name is looked for: nobody reads the
// thousandth, and it costs as much as the first.
const mostSuggested = 200

// Suggest hints at the one of the names that the wrong name resembles, and reports whether any does.
func (n Note) Suggest(wrong string, names []string) bool {
	if n.number > mostSuggested {
		return false
	}
	near := Nearest(wrong, names)
	if near == "" || n.OtherAlphabet(spelling.Differing(wrong, near)) {
		return near != ""
	}
	n.Hint("did you mean %s?", Word(near))
	return true
}

// OtherAlphabet hints at the letters that only look as if they were right, and reports whether there are
// any: see spelling.Foreign, spelling.Differing.
func (n Note) OtherAlphabet(letters string, russian bool) bool {
	switch {
	case letters == "":
		return false
	case russian:
		n.Hint("these letters in it are Russian: %s; type the word anew", letters)
	default:
		n.Hint("these letters in it are Latin: %s; type the word anew", letters)
	}
	return true
}

// Reported is how many problems were reported so far, for FailedSince.
func (r *Reader) Reported() int { return len(r.problems) }

// FailedSince reports whether a mistake was found since so many problems were reported.
func (r *Reader) FailedSince(reported int) bool {
	return slices.ContainsFunc(r.problems[reported:], func(p Problem) bool { return !p.Warning })
}

// Problems are all problems, in the order of their places; none is told twice of one place.
func (r *Reader) Problems() Problems { return r.problems.sorted() }

// Nearest is the name that differs from wrong by the fewest edits, at most a quarter of its
// letters, or by case, separators and letters that look the same only; "" when none is near.
func Nearest(wrong string, names []string) string {
	best, bestDistance := "", 1+max(1, len([]rune(wrong))/4)
	folded := Fold(spelling.Latin(wrong))
	for _, name := range names {
		if Fold(spelling.Latin(name)) == folded {
			return name
		}
		if d := distance(strings.ToLower(wrong), strings.ToLower(name)); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best
}

// Fold makes names equal that differ by case and separators only.
func Fold(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "").Replace(s))
}

// distance counts the letters to add, drop, change or swap with their neighbour. The libraries count a
// swap as two, and by that nothing would resemble lvie.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			change := rows[i-1][j-1]
			if x[i-1] != y[j-1] {
				change++
			}
			rows[i][j] = min(change, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(x)][len(y)]
}
