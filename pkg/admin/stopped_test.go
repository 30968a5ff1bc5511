package admin_test

import (
	"context"
	"errors"
	"testing"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
)

func TestASearchThatIsStoppedTellsWhatItHasFound(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register()
	for id := range manyCalls / 100 {
		var some []int
		for n := range 100 {
			some = append(some, 100*id+n+1)
		}
		h.publish(some...)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	looked := 0
	const enough = manyCalls - 100 // behind the first window
	rows, total, err := h.Events(ctx, admin.EventQuery{Limit: manyCalls, About: func(e event.Event) bool {
		if looked++; looked == enough {
			stop()
		}
		return len(e.Key.ID) > 0 && e.Key.ID[len(e.Key.ID)-1] == '7'
	}})
	if !errors.Is(err, context.Canceled) || total != admin.Uncounted || len(rows) < 90 || len(rows) > 130 {
		t.Errorf("%d of %d, %v", len(rows), total, err)
	}
	for _, row := range rows {
		if row.Outcomes["dynamic"] != event.Waiting {
			t.Errorf("%s: %v", row.Event.Key, row.Outcomes)
		}
	}
}
