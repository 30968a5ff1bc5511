package admin_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// manyCalls is how many calls a log has that is read in more than one window.
const manyCalls = 1300

func TestTheNewestEventsAreReadFromTheEndOfTheLog(t *testing.T) {
	h := newHouse(t)
	h.register()
	for id := range manyCalls / 100 { // in the order of their hundreds
		var some []int
		for n := range 100 {
			some = append(some, 100*id+n+1)
		}
		h.publish(some...)
	}
	var log []string
	for e, err := range h.Queue.Events(t.Context(), queue.ScanOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		log = append(log, e.Key.ID)
	}
	hundredth := func(id string) bool { n, _ := strconv.Atoi(id); return n%100 == 7 }
	tests := []struct {
		name  string
		by    admin.EventQuery
		match func(id string) bool
		total int
	}{
		{"few", admin.EventQuery{Limit: 3}, nil, admin.Uncounted},
		{"more than a window", admin.EventQuery{Limit: 1200}, nil, manyCalls},
		{"more than there are", admin.EventQuery{Limit: 5000}, nil, manyCalls},
		{"those of one link", admin.EventQuery{Limit: 3, Link: "dynamic"}, nil, admin.Uncounted},
		{"rare ones of both windows", admin.EventQuery{Limit: 12, About: func(e event.Event) bool { return hundredth(e.Key.ID) }}, hundredth, manyCalls / 100},
		{"enough rare ones", admin.EventQuery{Limit: 2, About: func(e event.Event) bool { return hundredth(e.Key.ID) }}, hundredth, admin.Uncounted},
		{"since", admin.EventQuery{Limit: 5, Since: time.Now().Add(-time.Hour)}, nil, admin.Uncounted},
		{"none", admin.EventQuery{Limit: 5, Site: "10002"}, func(string) bool { return false }, 0},
		{"all with an outcome", admin.EventQuery{Limit: 5, Outcome: event.Waiting}, nil, manyCalls},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var last admin.Scanned
			told := h.Admin
			told.Scans = func(s admin.Scanned) { last = s }
			rows, total, err := told.Events(t.Context(), tt.by)
			if err != nil {
				t.Fatal(err)
			}
			var got, want []string
			for _, row := range rows {
				got = append(got, row.Event.Key.ID)
			}
			for _, id := range log {
				if tt.match == nil || tt.match(id) {
					want = append(want, id)
				}
			}
			want = want[max(0, len(want)-tt.by.Limit):]
			if !slices.Equal(got, want) || total != tt.total {
				t.Errorf("got %v of %d, want %v of %d", got, total, want, tt.total)
			}
			if whole := total != admin.Uncounted; whole && (last.Done != last.Total || last.Total != manyCalls) {
				t.Errorf("the last word of the reading is %+v", last)
			}
		})
	}
}

func TestAListCountsWhatItDoesNotShow(t *testing.T) {
	h := newHouse(t)
	h.die(1, 2, 3, 4, 5)
	for _, f := range []queue.Filter{{}, {Link: "dynamic"}, {Reason: refused.Reason}, {Since: time.Now().Add(-time.Hour)}} {
		list, total, err := h.DeadLetters(t.Context(), f, 2)
		if err != nil || len(list) != 2 || total != 5 {
			t.Errorf("%+v: %d of %d, %v", f, len(list), total, err)
		}
	}
	list, total, err := h.DeadLetters(t.Context(), queue.Filter{Key: call(3)}, 2)
	if err != nil || len(list) != 1 || total != 1 || list[0].Event.Key != call(3) {
		t.Errorf("of one event: %v of %d, %v", list, total, err)
	}
	if list, total, err := h.DeadLetters(t.Context(), queue.Filter{Link: "other"}, 2); err != nil || len(list)+total != 0 {
		t.Errorf("of another link: %v of %d, %v", list, total, err)
	}
}
