package admin

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/touchbox/touchbox/pkg/show"
)

// Kinds of a difference between two requests.
const (
	DifferenceChanged = "changed" // another value
	DifferenceAdded   = "added"   // a value where there was none
	DifferenceGone    = "gone"    // no value where there was one
)

// Parts of a request.
const (
	PartBody      = "body"
	PartHeader    = "header"
	PartParameter = "parameter"
	PartOperation = "operation"
	PartEndpoint  = "endpoint"
	PartURL       = "url"
	PartDevice    = "deviceUUID"
)

// Difference is one way in which the requests of two versions differ, and how often they do.
type Difference struct {
	Part    string `json:"part"`
	Path    string `json:"path,omitempty"` // in the body, or the name of a header or parameter
	Kind    string `json:"kind"`
	From    string `json:"from,omitempty"` // JSON in the body; masked unless revealed
	To      string `json:"to,omitempty"`
	Several bool   `json:"several,omitempty"` // there are more values than are told apart; From and To are empty
	Count   int    `json:"count"`             // events
	Example string `json:"example"`           // the key of one
}

// Bounds of what is told apart.
const (
	mostPairs = 50  // pairs of values at one place
	mostPaths = 500 // places
	maxShown  = 120 // bytes of a value
)

// place is where two requests differ, and how.
type place struct{ part, path, kind string }

// differences gather in what the requests of many events differ.
type differences struct {
	reveal bool
	at     map[place]*placeDifferences
}

// placeDifferences are the differences at one place: by their values, or one for all when there are too many.
type placeDifferences struct {
	pairs   map[[2]string]*Difference
	several *Difference
}

// add compares the requests of an event, counts in what they differ and reports whether they do.
func (d *differences) add(key string, before, after *request) (differ bool, err error) {
	if before.equal(after) {
		return false, nil
	}
	from, to := leavesOf(before), leavesOf(after)
	var shownFrom, shownTo map[leaf]string
	for _, at := range differing(from, to) {
		known := d.place(at.place)
		if known.several != nil {
			known.several.Count++
			continue
		}
		if shownFrom == nil {
			if shownFrom, shownTo, err = d.shown(before, after); err != nil {
				return true, err
			}
		}
		known.add(Difference{Part: at.part, Path: at.path, Kind: at.kind, From: text(shownFrom, at), To: text(shownTo, at), Count: 1, Example: key})
	}
	return true, nil
}

// shown are the leaves of two requests as they may be seen.
func (d *differences) shown(before, after *request) (from, to map[leaf]string, err error) {
	if d.reveal {
		return leavesOf(before), leavesOf(after), nil
	}
	maskedBefore, err := before.masked()
	if err != nil {
		return nil, nil, err
	}
	maskedAfter, err := after.masked()
	if err != nil {
		return nil, nil, err
	}
	return leavesOf(maskedBefore), leavesOf(maskedAfter), nil
}

// place finds what is known of a place; beyond mostPaths all share one.
func (d *differences) place(at place) *placeDifferences {
	if d.at == nil {
		d.at = map[place]*placeDifferences{}
	}
	if d.at[at] == nil && len(d.at) >= mostPaths {
		at.path = "..."
	}
	if d.at[at] == nil {
		d.at[at] = &placeDifferences{pairs: map[[2]string]*Difference{}}
	}
	return d.at[at]
}

// add counts a difference; when there are too many pairs of values they become one.
func (p *placeDifferences) add(one Difference) {
	pair := [2]string{one.From, one.To}
	if known := p.pairs[pair]; known != nil {
		known.Count++
		return
	}
	if len(p.pairs) < mostPairs {
		p.pairs[pair] = &one
		return
	}
	for _, other := range p.pairs {
		one.Count += other.Count
	}
	one.From, one.To, one.Several = "", "", true
	p.several, p.pairs = &one, nil
}

// list are all differences, the most frequent first.
func (d *differences) list() []Difference {
	var list []Difference
	for _, p := range d.at {
		if p.several != nil {
			list = append(list, *p.several)
		}
		for _, one := range p.pairs {
			list = append(list, *one)
		}
	}
	slices.SortFunc(list, func(x, y Difference) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Part, y.Part), cmp.Compare(x.Path, y.Path), cmp.Compare(x.Kind, y.Kind),
			cmp.Compare(x.From, y.From), cmp.Compare(x.To, y.To))
	})
	return list
}

// leaf is a place in a request that holds one value. In a list, index tells the values of one path apart.
type leaf struct {
	part, path string
	index      string
}

// leavesOf are all values of a request, those of the body as JSON.
func leavesOf(r *request) map[leaf]string {
	leaves := map[leaf]string{
		{part: PartOperation}: r.operation, {part: PartEndpoint}: r.endpoint, {part: PartURL}: r.url,
	}
	if r.DeviceUUID != "" {
		leaves[leaf{part: PartDevice}] = r.DeviceUUID
	}
	for name, value := range r.open(r.Header) {
		leaves[leaf{part: PartHeader, path: name}] = value
	}
	for name, value := range r.open(r.Query) {
		leaves[leaf{part: PartParameter, path: name}] = value
	}
	var body any
	decoder := json.NewDecoder(bytes.NewReader(r.Body))
	decoder.UseNumber()
	if decoder.Decode(&body) == nil {
		addLeaves(leaves, leaf{part: PartBody}, body)
	}
	return leaves
}

// addLeaves adds the values below a place of the body. The path of a list's values is one, name[], whichever they are.
func addLeaves(leaves map[leaf]string, at leaf, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			below := at
			if below.path != "" {
				below.path += "."
			}
			below.path += show.Mask(name)
			addLeaves(leaves, below, value)
		}
		if len(v) > 0 {
			return
		}
	case []any:
		for i, value := range v {
			addLeaves(leaves, leaf{at.part, at.path + "[]", fmt.Sprint(at.index, i, ".")}, value)
		}
		if len(v) > 0 {
			return
		}
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(v) == nil {
		leaves[at] = string(bytes.TrimSpace(b.Bytes()))
	}
}

// differingAt is a place with the leaf that shows it.
type differingAt struct {
	place
	leaf leaf
}

// differing are the places at which two requests differ, each once, in order.
func differing(from, to map[leaf]string) []differingAt {
	found := map[place]leaf{}
	note := func(l leaf, kind string) {
		at := place{l.part, l.path, kind}
		if other, known := found[at]; !known || l.index < other.index {
			found[at] = l
		}
	}
	for l, value := range from {
		other, stays := to[l]
		if !stays {
			note(l, DifferenceGone)
		} else if other != value {
			note(l, DifferenceChanged)
		}
	}
	for l := range to {
		if _, was := from[l]; !was {
			note(l, DifferenceAdded)
		}
	}
	list := make([]differingAt, 0, len(found))
	for _, at := range slices.SortedFunc(maps.Keys(found), func(x, y place) int {
		return cmp.Or(cmp.Compare(x.part, y.part), cmp.Compare(x.path, y.path), cmp.Compare(x.kind, y.kind))
	}) {
		list = append(list, differingAt{at, found[at]})
	}
	return list
}

// text is a value as it is shown; "" where there is none.
func text(shown map[leaf]string, at differingAt) string { return show.Clip(shown[at.leaf], maxShown) }
