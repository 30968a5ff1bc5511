package spec

import (
	"cmp"
	"slices"
	"strings"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/strictyaml"
)

// Certainty is how sure a proposal is.
type Certainty string

// The certainties.
const (
	Sure   Certainty = "sure"   // it may be taken as it is
	Unsure Certainty = "unsure" // a person has to say
	Absent Certainty = "absent" // Calltouch has no such thing, or not with these events: the field is left out
)

// Proposal is a field with what is proposed for it.
type Proposal struct {
	Field
	Value      string // as a link has it: ${...}, or JSON of a constant; the best guess where it is unsure; "" where there is none
	Certainty  Certainty
	Candidates []Candidate // of one that is unsure: the best first
}

// Candidate is what a field could be.
type Candidate struct {
	Value string // as in Proposal
	Field string // the word of Calltouch's vocabulary in it; "" where it is another link's
}

// mostCandidates is how many a person is offered.
const mostCandidates = 3

// Context says for which link the fields are.
type Context struct {
	Kinds []event.Kind        // that the link reads
	Attrs []string            // that its site declares
	Known map[string][]string // by the path: what other links for such events have there
	// Elsewhere is true where the clock of a site is not Moscow's: what is wanted by Moscow's is then no function of ours.
	Elsewhere bool

	zone zone // by whose clock the field at hand is to be told
}

// Propose proposes an expression for each field of a specification.
func (s Spec) Propose(c Context) []Proposal {
	proposals := make([]Proposal, len(s.Fields))
	for i, f := range s.Fields {
		proposals[i] = c.propose(f)
	}
	return c.identified(proposals)
}

// identified gives a link that takes calls and form requests one field for the ids of both, where the
// specification has one.
func (c Context) identified(all []Proposal) []Proposal {
	const ofCall, ofRequest, ofBoth = "${id}", "${requestId}", "${id ?? requestId}"
	if !c.comes("id") || !c.comes("requestId") || slices.ContainsFunc(all, func(p Proposal) bool { return p.Value == ofRequest }) {
		return all
	}
	for i := range all {
		if all[i].Value == ofCall && all[i].Written == "" {
			all[i].Value = ofBoth
		}
		for j := range all[i].Candidates {
			if all[i].Candidates[j].Value == ofCall {
				all[i].Candidates[j].Value = ofBoth
			}
		}
	}
	return all
}

func (c Context) propose(f Field) Proposal {
	p := Proposal{Field: f, Certainty: Sure}
	switch {
	case f.Written != "":
		p.Value = f.Written
	case f.Constant != "":
		p.Value = f.Constant
	default:
		return c.inForm(p)
	}
	if f.Odd {
		p.Certainty, p.Candidates = Unsure, []Candidate{{Value: p.Value}}
	}
	return p
}

// inForm chooses for a field, and gives a time the form that is said of it.
func (c Context) inForm(p Proposal) Proposal {
	f, rest := formOf(p.Said, func(text string) bool { return c.named(text) != nil })
	if f.zone == moscow && c.Elsewhere {
		f.zone, f.unread = anyZone, true
	}
	c.zone = f.zone
	if slices.Equal(rest, p.Said) {
		return c.formed(c.choose(p), f)
	}
	said := p.Said
	p.Said = rest
	p = c.formed(c.choose(p), f)
	p.Said = said
	return p
}

// absent are the fields of Mindbox's that are about the customer and that no call and no form tells.
var absent = []string{"customer.birthDate", "customer.sex", "customer.timeZone"}

// standard are the fields of Mindbox's whose meaning their place tells, with the word of the vocabulary. Source: Mindbox's pages on API v3.
var standard = map[string]string{
	"customer.mobilePhone": "callerphone", "customer.email": "email", "customer.firstName": "firstName", "customer.lastName": "lastName",
	"customer.middleName": "middleName", "customer.fullName": "fio", "executionDateTimeUtc": "time",
}

// choose weighs what the place and the name of a field say against what is said of it.
func (c Context) choose(p Proposal) Proposal {
	heard := c.hear(p.Field)
	heard.whole = c.zone.byClock(heard.whole)
	base := c.byName(p.Path)
	if !isStandard(p.Path) {
		base = c.zone.byClock(base)
	}
	if known := c.Known[p.Path]; len(known) == 1 {
		return c.likeOthers(p, known[0], heard)
	}
	both := exactly(intersection(heard.whole, base), heard.exact)
	if len(base) == 0 {
		heard.whole = exactly(heard.whole, heard.exact)
	}
	switch {
	case slices.Contains(absent, p.Path) && len(heard.whole) == 0:
		p.Certainty = Absent
		return p
	case len(both) == 1 && !heard.unclear:
		return c.sure(p, both[0])
	case len(base) == 1 && heard.silent && (c.comes(base[0].field) || isStandard(p.Path)):
		return c.sure(p, base[0])
	case len(base) == 0 && len(heard.whole) == 1 && !heard.unclear:
		return c.sure(p, heard.whole[0])
	}
	return c.unsure(p, slices.Concat(both, heard.whole, base, ranked(heard.left), ranked(tokens(lastSegment(p.Path)))))
}

func isStandard(path string) bool {
	_, ok := standard[path]
	return ok
}

// likeOthers takes what another link has in the same field, unless something else is said of it.
func (c Context) likeOthers(p Proposal, known string, heard heard) Proposal {
	fits := heard.silent || slices.ContainsFunc(heard.whole, func(m meaning) bool { return strings.Contains(known, m.field) })
	if fits && !p.Odd {
		p.Value = known
		return p
	}
	p = c.unsure(p, heard.whole)
	p.Candidates = append([]Candidate{{Value: known}}, p.Candidates...)
	p.Candidates = p.Candidates[:min(len(p.Candidates), mostCandidates)]
	p.Value = known
	return p
}

func (c Context) sure(p Proposal, m meaning) Proposal {
	switch {
	case p.Odd:
		return c.unsure(p, []meaning{m})
	case !c.comes(m.field):
		p.Certainty = Absent
		return p
	}
	p.Value = m.value()
	return p
}

func (c Context) unsure(p Proposal, candidates []meaning) Proposal {
	p.Certainty = Unsure
	for _, m := range candidates {
		one := Candidate{m.value(), m.field}
		if c.comes(m.field) && !slices.Contains(p.Candidates, one) && len(p.Candidates) < mostCandidates {
			p.Candidates = append(p.Candidates, one)
		}
	}
	if len(p.Candidates) == 0 && (p.Example == "true" || p.Example == "false") {
		p.Candidates = []Candidate{{Value: p.Example}}
	}
	if len(p.Candidates) > 0 {
		p.Value = p.Candidates[0].Value
	}
	return p
}

func (m meaning) value() string { return "${" + m.expr + "}" }

// comes reports whether a word of the vocabulary comes with the link's events.
func (c Context) comes(field string) bool {
	f, ok := calltouch.Lookup(field)
	return !ok || slices.ContainsFunc(c.Kinds, func(k event.Kind) bool { return slices.Contains(f.Kinds, k) })
}

// byName are the meanings that a field's place or its name tells; several where it is not clear.
func (c Context) byName(path string) []meaning {
	if field, ok := standard[path]; ok {
		return meaningsOf(func(m meaning) bool { return m.field == field })[:1]
	}
	if isConstant(path) {
		return nil
	}
	name := lastSegment(path)
	if attr := c.attribute(name); attr != nil {
		return []meaning{*attr}
	}
	return c.coming(called(name))
}

// attribute is the attribute of the site's that has the name of the field.
func (c Context) attribute(name string) *meaning {
	for _, attr := range c.Attrs {
		if strictyaml.Fold(attr) == strictyaml.Fold(name) && strictyaml.Fold(name) != strictyaml.Fold("mindboxDeviceUUID") {
			return &meaning{field: "attrs." + attr, expr: "attrs." + attr}
		}
	}
	return nil
}

// called are the meanings of a name: by the names of fields, and by its words.
func called(name string) []meaning {
	words := tokens(name)
	return meaningsOf(func(m meaning) bool {
		return slices.Contains(m.names, strictyaml.Fold(name)) || len(words) > 0 && m.fit(words).whole
	})
}

// coming leaves out what does not come with the link's events, unless nothing else is left.
func (c Context) coming(all []meaning) []meaning {
	if some := slices.DeleteFunc(slices.Clone(all), func(m meaning) bool { return !c.comes(m.field) }); len(some) > 0 {
		return some
	}
	return all
}

func lastSegment(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// heard is what the words about a field come to.
type heard struct {
	whole   []meaning // of which some words say nothing else
	left    []string  // words that say something else, or more
	silent  bool      // nothing is said of what is meant
	unclear bool      // more is said than one thing
	exact   []string  // fields whose name in the vocabulary stands there word for word
}

// exactly are those of some meanings whose name stands there word for word, or all where none is.
func exactly(all []meaning, exact []string) []meaning {
	var some []meaning
	for _, m := range all {
		if slices.Contains(exact, m.field) && !slices.Contains(ambiguous, m.field) {
			some = append(some, m)
		}
	}
	if len(some) > 0 {
		return some[:1] // of several ways to send a field the first is the usual one
	}
	return all
}

// ambiguous are the fields whose name is said word for word by who means another one too: in which form a time, a word or a yes.
var ambiguous = []string{"calltime", "requestDate", "time", "targetcall", "uniqtargetcall", "callback", "worktime", "targetrequest", "uniqtargetrequest", "uniquerequest"}

// hear reads what is said of a field: each remark alone, for one may be about the type and another about the meaning.
func (c Context) hear(f Field) heard {
	h := heard{silent: true}
	remarks := f.Said
	if f.Example != "" && len(called(f.Example)) > 0 {
		remarks = append(slices.Clone(remarks), f.Example)
	}
	for i, remark := range remarks {
		words := tokens(remark)
		if len(words) == 0 {
			continue
		}
		h.silent = false
		whole := c.coming(called(remark))
		if m := c.named(remark); m != nil {
			h.exact = append(h.exact, m.field)
			whole = append([]meaning{*m}, slices.DeleteFunc(whole, func(other meaning) bool { return other.expr == m.expr })...)
		}
		switch {
		case len(whole) == 0:
			h.left = append(h.left, words...)
			h.unclear = h.unclear || i == 0 || speaks(words)
		case len(h.whole) == 0:
			h.whole = whole
		case len(intersection(h.whole, whole)) > 0:
			h.whole = intersection(h.whole, whole)
		default:
			h.whole, h.unclear = append(h.whole, whole...), true
		}
	}
	return h
}

// named is the meaning whose field has this name in the vocabulary, and that comes with the link's events; nil without one.
func (c Context) named(text string) *meaning {
	for _, m := range meanings {
		f, ok := calltouch.Lookup(m.field)
		if ok && c.comes(m.field) && (sameText(f.Russian, text) || sameText(f.English, text)) {
			return &m
		}
	}
	return nil
}

// sameText reports whether two texts are the same but for capitals and blanks.
func sameText(a, b string) bool {
	plain := func(s string) string {
		return strings.ReplaceAll(strings.ToLower(strings.Join(strings.Fields(s), " ")), "ё", "е")
	}
	return plain(a) == plain(b)
}

// speaks reports whether words that say more than one thing speak of some meaning all the same.
func speaks(words []string) bool {
	return slices.ContainsFunc(meanings, func(m meaning) bool { return m.fit(words).score >= 3 })
}

// ranked are the meanings that words fit in part, the best first.
func ranked(words []string) []meaning {
	if len(words) == 0 {
		return nil
	}
	var some []meaning
	scores := map[string]float64{}
	for _, m := range meanings {
		if score := m.fit(words).score; score > 0 {
			some, scores[m.expr] = append(some, m), score
		}
	}
	slices.SortStableFunc(some, func(a, b meaning) int { return cmp.Compare(scores[b.expr], scores[a.expr]) })
	return some
}

// fit is the best of the fits of a meaning's phrases.
func (m meaning) fit(words []string) fit {
	var best fit
	for _, p := range m.phrases {
		if len(p.must) == 0 {
			continue
		}
		f := p.fit(words)
		best = fit{best.whole || f.whole, max(best.score, f.score)}
	}
	return best
}

func meaningsOf(ok func(meaning) bool) []meaning {
	var some []meaning
	for _, m := range meanings {
		if ok(m) {
			some = append(some, m)
		}
	}
	return some
}

// intersection keeps the order of the first.
func intersection(a, b []meaning) []meaning {
	var both []meaning
	for _, m := range a {
		if slices.ContainsFunc(b, func(other meaning) bool { return other.expr == m.expr }) {
			both = append(both, m)
		}
	}
	return both
}
