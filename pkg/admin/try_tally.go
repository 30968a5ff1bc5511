package admin

import (
	"cmp"
	"slices"

	"github.com/touchbox/touchbox/pkg/event"
)

// tally counts what two versions of a link make of events, one after the other.
type tally struct {
	o       TryOptions
	result  LinkTrial
	moves   map[Move]*Group // by a Move without its Group
	differ  differences
	changes int
}

// mostWhys bounds the reasons that are told apart: the text of an expression's error may name a value's type.
const mostWhys = 200

func newTally(id string, o TryOptions) *tally {
	return &tally{o: o, result: LinkTrial{Link: id}, moves: map[Move]*Group{}, differ: differences{reveal: o.Reveal}}
}

// count counts an event by what was and is made of it.
func (t *tally) count(key event.Key, before, after made) error {
	if before.why == WhyNotRead && after.why == WhyNotRead {
		return nil
	}
	t.result.Before.Add(before.outcome)
	t.result.After.Add(after.outcome)
	if before.outcome == event.Untaken && after.outcome == event.Untaken {
		t.result.Older.add(key)
		return nil
	}
	differs, err := t.compare(key, before, after)
	if err != nil {
		return err
	}
	if before.outcome != after.outcome {
		t.move(key, before, after)
	}
	if before.outcome == after.outcome && !differs {
		return nil
	}
	t.changes++
	if t.o.Each != nil {
		t.o.Each(Tried{Key: key, Link: t.result.Link, From: before.outcome, To: after.outcome, Differs: differs})
	}
	return nil
}

// compare compares what was rendered before and now.
func (t *tally) compare(key event.Key, before, after made) (differs bool, err error) {
	if before.request == nil || after.request == nil {
		return false, nil
	}
	if before.request == after.request { // of one version
		t.result.Same++
		return false, nil
	}
	if differs, err = t.differ.add(key.String(), before.request, after.request); err != nil || !differs {
		t.result.Same++
		return false, err
	}
	t.result.Differs++
	if len(t.result.Examples) < t.o.Examples {
		t.result.Examples = append(t.result.Examples, Example{
			Key:    key.String(),
			Before: before.request.link.Explain(before.request.fields, t.o.Reveal),
			After:  after.request.link.Explain(after.request.fields, t.o.Reveal),
		})
	}
	return true, nil
}

// move counts an event that has another outcome now.
func (t *tally) move(key event.Key, before, after made) {
	m := Move{From: before.outcome, To: after.outcome, Why: cmp.Or(after.why, before.why)}
	if t.moves[m] == nil && len(t.moves) >= mostWhys {
		m.Why = ""
	}
	if t.moves[m] == nil {
		t.moves[m] = &Group{}
	}
	t.moves[m].add(key)
}

// lists is the result with its lists put together.
func (t *tally) lists() LinkTrial {
	r := t.result
	r.Moves, r.Differences = t.listMoves(), t.differ.list()
	return r
}

// end is lists with what is to be said of the two versions.
func (t *tally) end(sides [bothSides]linkInfo) LinkTrial {
	r := t.lists()
	r.State = TrialChanged
	switch b, a := sides[before], sides[after]; {
	case a.file == nil:
		r.State = TrialGone
	case b.file == nil:
		r.State = TrialNew
	case b.file.Version == a.file.Version:
		r.State = TrialSame
	}
	for i, version := range []*string{&r.From, &r.To} {
		if sides[i].file != nil {
			*version = sides[i].file.Version
		}
	}
	if b, a := sides[before], sides[after]; b.stored && b.file != nil && a.file != nil {
		r.Resets = !b.start.Equal(a.start) || !sameSubjects(b.subjects, a.subjects)
	}
	return r
}

// listMoves are the moves, the most frequent first.
func (t *tally) listMoves() []Move {
	var list []Move
	for m, group := range t.moves {
		m.Group = *group
		list = append(list, m)
	}
	slices.SortFunc(list, func(x, y Move) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.From, y.From), cmp.Compare(x.To, y.To), cmp.Compare(x.Why, y.Why))
	})
	return list
}
