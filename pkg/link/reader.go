package link

import (
	"fmt"
	"slices"
	"strings"

	"github.com/touchbox/touchbox/pkg/lang"
)

// reader collects the problems of one file.
type reader struct {
	name     string
	lines    []string // of the source, without line ends
	lang     lang.Language
	problems Problems
}

// note lets a hint be hung on a problem that was just reported.
type note struct {
	lang    lang.Language
	problem *Problem
}

// mistake reports what makes the file unusable.
func (r *reader) mistake(at Pos, format string, args ...any) note {
	return r.report(at, false, r.lang.Sprintf(format, args...))
}

// warn reports what a person should look at.
func (r *reader) warn(at Pos, format string, args ...any) note {
	return r.report(at, true, r.lang.Sprintf(format, args...))
}

func (r *reader) report(at Pos, warning bool, text string) note {
	r.problems = append(r.problems, Problem{File: r.name, Pos: at, Warning: warning, Text: text})
	return note{r.lang, &r.problems[len(r.problems)-1]}
}

// hint says what to write instead. It must be hung on before the next report.
func (n note) hint(format string, args ...any) {
	n.problem.Hint = n.lang.Sprintf(format, args...)
}

// code is a hint of nothing but code, which is the same in every language.
func (n note) code(format string, args ...any) {
	n.problem.Hint = fmt.Sprintf(format, args...)
}

// suggest hints at the one of names that the wrong name resembles, if any does.
func (n note) suggest(wrong string, names []string) {
	if near := nearest(wrong, names); near != "" {
		n.hint("did you mean %s?", near)
	}
}

// failed reports whether a mistake was found since the reader had n problems.
func (r *reader) failed(since int) bool {
	return slices.ContainsFunc(r.problems[since:], func(p Problem) bool { return !p.Warning })
}

// nearest is the name that differs from wrong by the fewest edits, at most a quarter of its
// letters, or by case and separators only; "" when none is near.
func nearest(wrong string, names []string) string {
	best, bestDistance := "", 1+max(1, len([]rune(wrong))/4)
	for _, name := range names {
		if fold(name) == fold(wrong) {
			return name
		}
		if d := distance(strings.ToLower(wrong), strings.ToLower(name)); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best
}

// fold makes names equal that differ by case and separators only.
func fold(s string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", ".", "").Replace(s))
}

// distance counts the letters to add, drop, change or swap with their neighbour.
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
