package cases

import (
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link/expression"
)

// Covered is what the cases have shown of the links.
type Covered struct {
	Points int   `json:"points"` // places that decide: conditions, ??, ?:, rows of tables
	Both   int   `json:"both"`   // of these, decided both ways
	Gaps   []Gap `json:"gaps"`
}

// Gap is a place of touchbox.yaml that no case has decided both ways.
type Gap struct {
	Line   int                  `json:"line"`
	Kind   expression.PointKind `json:"kind"`
	Source string               `json:"source"`
	Yes    bool                 `json:"yes"` // it held, its left side had come, the row was found
	No     bool                 `json:"no"`
}

// Cover sums up what was noted while cases ran.
func Cover(c *expression.Coverage) Covered {
	out := Covered{Gaps: []Gap{}} // none are [], not null
	for _, p := range c.Points() {
		if out.Points++; p.Decided() {
			out.Both++
			continue
		}
		out.Gaps = append(out.Gaps, Gap{Line: p.Line, Kind: p.Kind, Source: p.Source, Yes: p.Yes, No: p.No})
	}
	return out
}

// Text says what is missing.
func (g Gap) Text(l lang.Language) string {
	switch {
	case g.Kind == expression.CoveredRow:
		return l.Sprintf("%s: no case asks for this row", g.Source)
	case !g.Yes && !g.No:
		return l.Sprintf("%s: no case gets here", g.Source)
	case g.Kind == expression.CoveredOr && g.Yes:
		return l.Sprintf("%s: in every case the left side has come", g.Source)
	case g.Kind == expression.CoveredOr:
		return l.Sprintf("%s: in no case the left side has come", g.Source)
	case g.Yes:
		return l.Sprintf("%s: holds in every case", g.Source)
	}
	return l.Sprintf("%s: holds in no case", g.Source)
}
