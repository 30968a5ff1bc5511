package admin

import (
	"fmt"
	"testing"

	"github.com/touchbox/touchbox/pkg/event"
)

// However many errors an expression makes of what came, a list of moves stays a list, and counts them all.
func TestMovesOfManyReasonsAreBounded(t *testing.T) {
	t.Parallel()
	const n = 5 * mostWhys
	counted := newTally("calls", TryOptions{})
	for i := range n {
		key := event.Key{Site: "10001", Kind: event.CallEnded, ID: fmt.Sprint(i)}
		if err := counted.count(key, made{outcome: event.Delivered}, made{outcome: event.Dead, why: fmt.Sprint("cannot use value ", i)}); err != nil {
			t.Fatal(err)
		}
	}
	sum := 0
	moves := counted.lists().Moves
	for _, m := range moves {
		sum += m.Count
	}
	if len(moves) > mostWhys+1 || sum != n || moves[0].Why != "" || moves[0].Count != n-mostWhys {
		t.Errorf("%d moves of %d events, the first %+v", len(moves), sum, moves[0])
	}
}
