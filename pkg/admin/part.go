package admin

import "iter"

// Part is a part of a long list, which is read from its newest end.
type Part[T any] struct {
	Rows  []T    // the newest first
	Total int    // of the whole list; Uncounted where nobody has counted
	Older uint64 // the next part is of what stands before this place; 0: there is none
}

// looked is what one thing is to whoever reads a list from its newest end.
type looked struct {
	place    uint64
	selected bool
	over     bool // neither this one nor any older one is selected
}

// partOf takes the newest of what is iterated over from the newest end: so many, looking at most things at most, 0 is any number. It
// counts where it comes to the end.
func partOf[T any](all iter.Seq2[T, error], limit, most int, look func(T) looked) (Part[T], error) {
	p, n := Part[T]{Total: Uncounted}, 0
	for one, err := range all {
		if err != nil {
			return p, err
		}
		x := look(one)
		if x.over {
			break
		}
		if x.selected && len(p.Rows) == limit || most > 0 && n == most {
			p.Older = x.place + 1
			return p, nil
		}
		if n++; x.selected {
			p.Rows = append(p.Rows, one)
		}
	}
	p.Total = len(p.Rows)
	return p, nil
}

// selectedOf iterates over what is selected of what is iterated over from the newest end.
func selectedOf[T any](all iter.Seq2[T, error], look func(T) looked) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for one, err := range all {
			if err != nil {
				yield(one, err)
				return
			}
			x := look(one)
			if x.over || x.selected && !yield(one, nil) {
				return
			}
		}
	}
}

// mostLookedAt is how many things a page may look at for one part of a list; 0: a command looks at all.
func (a Admin) mostLookedAt() int {
	if a.Board == nil {
		return 0
	}
	return mostLookedAt
}
