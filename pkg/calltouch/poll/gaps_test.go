package poll_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/calltouchtest"
	"github.com/touchbox/touchbox/pkg/calltouch/poll"
	"github.com/touchbox/touchbox/pkg/event"
)

func TestGaps(t *testing.T) {
	onStage(t, calltouchtest.Config{Location: time.UTC, Faults: calltouchtest.Faults{ListTomorrow: true, Cut: 0.3}}, func(t *testing.T, s *stage) {
		midnight := time.Now()
		call := func(id int64, after time.Duration) {
			s.source.Add(s.source.NewCall(calltouchtest.Dynamic, id, midnight.Add(after)))
		}
		call(1, time.Hour)    // before the horizon
		call(2, 5*time.Hour)  // stored, delivered by one link and filtered by another
		call(3, 6*time.Hour)  // stored, untaken
		call(4, 23*time.Hour) // missing
		call(5, 26*time.Hour) // missing, of the second day
		call(6, 50*time.Hour) // after the span
		s.source.AddRequest(s.source.NewRequest(calltouchtest.Form, 1, midnight.Add(30*time.Hour)))
		time.Sleep(40 * time.Hour)
		long := s.source.NewCall(calltouchtest.Long, 7, time.Now())
		long.Duration = 3600
		s.source.Add(long)

		s.know(event.CallEnded, "2")
		s.know(event.CallEnded, "3")
		s.know(event.Request, "1")
		fate := func(kind event.Kind, id string, outcomes map[string]event.Outcome) {
			key, _ := event.NewKey("10001", kind, id)
			s.log.fates[key] = outcomes
		}
		fate(event.CallEnded, "2", map[string]event.Outcome{"a": event.Delivered, "b": event.Filtered})
		fate(event.CallEnded, "3", map[string]event.Outcome{"a": event.Untaken})
		fate(event.Request, "1", map[string]event.Outcome{"c": event.Delivered})
		s.log.horizon = midnight.Add(2 * time.Hour)

		rows, err := poll.Gaps(t.Context(), s.span(t))
		if err != nil {
			t.Fatal(err)
		}
		want := []poll.GapsRow{
			{
				Day: day(t, "2000-01-01"), Kind: "call.ended", Listed: 4, Stored: 2, Missing: 1, TooOld: 1, Keys: []string{"10001/call-ended/4"},
				Outcomes: map[event.Outcome]int{event.Delivered: 1, event.Filtered: 1, event.Untaken: 1},
			},
			{Day: day(t, "2000-01-01"), Kind: "request", Outcomes: map[event.Outcome]int{}},
			{
				Day: day(t, "2000-01-02"), Kind: "call.ended", Listed: 2, Missing: 1, InProgress: 1, Keys: []string{"10001/call-ended/5"},
				Outcomes: map[event.Outcome]int{},
			},
			{Day: day(t, "2000-01-02"), Kind: "request", Listed: 1, Stored: 1, Outcomes: map[event.Outcome]int{event.Delivered: 1}},
		}
		if diff := cmp.Diff(want, rows, cmp.AllowUnexported(calltouch.Day{})); diff != "" {
			t.Error(diff)
		}
		if !poll.AnyMissing(rows) || poll.AnyMissing(rows[1:2]) {
			t.Error("AnyMissing")
		}
	})
}

// TestMidnightOfACabinet counts each call once, on the day that it has in the cabinet.
func TestMidnightOfACabinet(t *testing.T) {
	berlin := location(t, "Europe/Berlin")
	onStage(t, calltouchtest.Config{Location: berlin}, func(t *testing.T, s *stage) {
		time.Sleep(time.Until(time.Date(2000, 3, 28, 12, 0, 0, 0, berlin)))
		for i, at := range []time.Time{
			time.Date(2000, 3, 25, 23, 59, 0, 0, berlin), time.Date(2000, 3, 26, 0, 0, 0, 0, berlin), // 23 hours long
			time.Date(2000, 3, 26, 23, 59, 59, 0, berlin), time.Date(2000, 3, 27, 0, 0, 0, 0, berlin),
		} {
			s.source.Add(s.source.NewCall(calltouchtest.Dynamic, int64(i+1), at))
		}
		span := s.span(t)
		span.Site.Location = berlin
		span.Kinds = []event.Kind{event.CallEnded}
		span.From, span.To = day(t, "2000-03-25"), day(t, "2000-03-27")
		rows, err := poll.Gaps(t.Context(), span)
		if err != nil || len(rows) != 3 || rows[0].Listed != 1 || rows[1].Listed != 2 || rows[2].Listed != 1 {
			t.Errorf("%v: %+v", err, rows)
		}
	})
}
