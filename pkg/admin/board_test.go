package admin_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/erase"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// board gives the house a Board that is kept until the test ends; its Admin answers from it.
func (h *house) board() admin.Admin {
	h.t.Helper()
	board := admin.NewBoard(func() admin.Admin { return h.Admin }, zerolog.Nop())
	ctx, stop := context.WithCancel(h.t.Context())
	var done sync.WaitGroup
	done.Go(func() { _ = board.Run(ctx) })
	h.t.Cleanup(func() { stop(); done.Wait() })
	a := h.Admin
	a.Board = board
	h.until("the board has read all", func() bool {
		_, _, err := a.Events(h.t.Context(), admin.EventQuery{})
		s, standErr := board.Standing(h.t.Context())
		return err == nil && standErr == nil && s.Read == 1
	})
	return a
}

// sameAnswers holds what the Board answers to what is read without it.
func (h *house) sameAnswers(a admin.Admin) {
	h.t.Helper()
	for _, o := range append([]event.Outcome{""}, event.Outcomes...) {
		for _, link := range []string{"", "dynamic"} {
			q := admin.EventQuery{Outcome: o, Link: link}
			got, total, err := a.Events(h.t.Context(), q)
			want, wantTotal, wantErr := h.Events(h.t.Context(), q)
			if err != nil || wantErr != nil || total != wantTotal {
				h.t.Errorf("%q of %q: %d, want %d; %v, %v", o, link, total, wantTotal, err, wantErr)
			}
			if diff := cmp.Diff(shown(want), shown(got)); diff != "" {
				h.t.Errorf("%q of %q: %s", o, link, diff)
			}
		}
	}
	a.Board.Refresh(h.t.Context())
	links, sites, err := a.LinksWithOutcomes(h.t.Context())
	wantLinks, wantSites, wantErr := h.LinksWithOutcomes(h.t.Context())
	if err != nil || wantErr != nil {
		h.t.Fatal(err, wantErr)
	}
	for i := range links {
		if diff := cmp.Diff(wantLinks[i].Outcomes, links[i].Outcomes); diff != "" {
			h.t.Errorf("link %s: %s", links[i].ID, diff)
		}
	}
	if diff := cmp.Diff(wantSites, sites); diff != "" {
		h.t.Error(diff)
	}
	causes, err := a.Causes(h.t.Context(), admin.Filter{})
	wantCauses, wantErr := h.Causes(h.t.Context(), admin.Filter{})
	if err != nil || wantErr != nil {
		h.t.Fatal(err, wantErr)
	}
	if diff := cmp.Diff(wantCauses, causes); diff != "" {
		h.t.Error(diff)
	}
}

func shown(rows []admin.Row) []admin.RowView {
	var list []admin.RowView
	for _, row := range rows {
		list = append(list, admin.Mask{}.Row(row))
	}
	return list
}

func TestTheBoardAnswersAsAReadingOfTheStreamsDoes(t *testing.T) {
	t.Parallel()
	for name, kept := range map[string]bool{"of what is kept": true, "of the streams": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.register()
			h.publish(1, 2, 3, 4, 5, 6, 7, 8)
			settle := func() {
				stop := h.run("dynamic", func(d *queue.Delivery) queue.Decision {
					outcomes := []queue.Decision{
						{Outcome: event.Delivered, Attempts: 1}, {Outcome: event.Filtered}, {Outcome: event.Undeliverable}, refused,
						{Outcome: event.Waiting, Attempts: 1, Reason: "server_error", Until: time.Now().Add(time.Hour)},
					}
					return outcomes[int(d.Event.Key.ID[0])%len(outcomes)]
				})
				h.until("nothing is unread", func() bool {
					stats, err := h.Queue.LinkStats(t.Context(), "dynamic")
					return err == nil && stats.Unread == 0 && stats.InHand == 0
				})
				stop()
			}
			settle()
			if kept {
				h.keepCounts()
			}
			h.publish(9, 10)
			a := h.board()
			h.sameAnswers(a)
			h.publish(11, 12, 13)
			h.sameAnswers(a)
			settle()
			h.sameAnswers(a)
			items, err := h.Select(t.Context(), admin.Selection{})
			if err != nil || len(items) == 0 {
				t.Fatal(items, err)
			}
			if _, err := h.Replay(t.Context(), items[:1], admin.ReplayOptions{}); err != nil {
				t.Fatal(err)
			}
			h.sameAnswers(a)
			if _, err := h.Drop(t.Context(), admin.Selection{Filter: admin.Filter{Link: "dynamic"}}, "no more"); err != nil {
				t.Fatal(err)
			}
			h.sameAnswers(a)
		})
	}
}

func TestAnErasedPersonIsInNoRingAndNoList(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.die(1, 2, 3)
	a := h.board()
	keys := []event.Key{call(1), call(2), call(3)}
	person := erase.Whom{Match: func(e event.Event) bool { return bytes.Contains(e.Body, []byte("79160000002")) }}
	if gone, err := h.Erase(t.Context(), person); err != nil || gone.Events != 1 {
		t.Fatal(gone, err)
	}
	about := func(what string, rows []admin.Row, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		got := map[string]bool{}
		for _, row := range rows {
			got[row.Event.Key.ID] = true
		}
		if ids := slices.Sorted(maps.Keys(got)); !slices.Equal(ids, []string{"1", "3"}) {
			t.Errorf("%s: %v", what, ids)
		}
	}
	for _, q := range []admin.EventQuery{{}, {Outcome: event.Dead}, {Link: "dynamic"}} {
		rows, _, err := a.Events(t.Context(), q)
		about(fmt.Sprintf("%+v", q), rows, err)
	}
	rows, err := a.RowsOf(t.Context(), keys)
	about("a list that was found before", rows, err)
	causes, err := a.Causes(t.Context(), admin.Filter{})
	if err != nil || len(causes) != 1 || causes[0].Count != 2 {
		t.Errorf("causes: %+v, %v", causes, err)
	}
	letters, total, err := a.DeadRows(t.Context(), admin.Filter{}, causes[0].ID, 10)
	ids := map[string]bool{}
	for _, one := range letters {
		ids[one.ID] = true
	}
	if err != nil || total != 2 || len(letters) != 2 || !ids["1"] || !ids["3"] {
		t.Errorf("dead letters: %d of %d, %v", len(letters), total, err)
	}
}

func TestTheLiveTailTellsOfNewEventsAndOfTheirOutcomes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register()
	h.publish(1)
	a := h.board()
	ctx, stop := context.WithCancel(t.Context())
	var mu sync.Mutex
	var told []string
	followed := make(chan error, 1)
	go func() {
		followed <- a.Follow(ctx, admin.EventQuery{Link: "dynamic"}, func(r admin.Row) error {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, fmt.Sprintf("%s %s", r.Event.Key.ID, r.Outcomes["dynamic"]))
			return nil
		})
	}()
	has := func(want string) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return slices.Contains(told, want)
		}
	}
	n := 1
	h.until("a new event is told of", func() bool { n++; h.publish(n); return has(fmt.Sprintf("%d waiting", n-1))() })
	work := h.run("dynamic", always(queue.Decision{Outcome: event.Delivered, Attempts: 1}))
	h.until("its outcome is told of", has(fmt.Sprintf("%d delivered", n)))
	work()
	stop()
	if err := <-followed; err != nil {
		t.Error(err)
	}
}

func TestHoursAreCountedOnceAndKept(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.die(1, 2, 3)
	h.keepCounts()
	sum := func(a admin.Admin, link string) int {
		n := 0
		for _, hour := range a.Board.Hours(link, 24) {
			if !hour.Known {
				t.Errorf("%s is not known", hour.Start)
			}
			n += hour.Counts[event.Dead]
		}
		return n
	}
	// An hour before is over: it is kept by its own key, and read from there.
	before := time.Now().UTC().Truncate(time.Hour).Add(-time.Hour)
	const hours = 31 * 24
	value := map[string]any{"start": before, "links": map[string]map[event.Outcome]int{"dynamic": {event.Dead: 5, event.Delivered: 7}}}
	if _, err := h.Queue.State().Put(t.Context(), event.HourKeys.Of(fmt.Sprintf("%03d", before.Unix()/3600%hours)), value); err != nil {
		t.Fatal(err)
	}
	if err := h.Queue.Note(t.Context(), call(1), queue.Record{Link: "dynamic", Outcome: "of_a_newer_version"}); err != nil {
		t.Fatal(err)
	}
	a := h.board()
	for _, hour := range a.Board.Hours("dynamic", 24) {
		if n, counted := hour.Counts["of_a_newer_version"]; counted {
			t.Errorf("a word that nobody knows is counted: %d", n)
		}
	}
	if got := sum(a, "dynamic"); got != 8 {
		t.Errorf("%d dead by the hour, want 8", got)
	}
	if got := a.Board.Hours("dynamic", 24)[22].Counts[event.Delivered]; got != 7 && a.Board.Hours("dynamic", 24)[21].Counts[event.Delivered] != 7 {
		t.Errorf("%d delivered in the hour before", got)
	}
	if got := sum(a, "other"); got != 0 {
		t.Errorf("%d of another link", got)
	}
}

// TestHoursOfWhichHistoryHasAPartAreNotKnown: what was purged before makes the first hour a part.
func TestHoursOfWhichHistoryHasAPartAreNotKnown(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.die(1, 2, 3)
	if err := h.Queue.Client().Purge(t.Context(), event.HistoryStream, 2); err != nil {
		t.Fatal(err)
	}
	a := h.board()
	for _, hour := range a.Board.Hours("dynamic", 24) {
		if hour.Known {
			t.Errorf("%s counts as known: %v", hour.Start, hour.Counts)
		}
	}
}

func TestWithoutTheQueueTheBoardSaysSoAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.die(1, 2)
	a := h.board()
	h.server.Stop()
	h.until("nobody is asked in vain", func() bool {
		began := time.Now()
		_, err := a.Board.Standing(t.Context())
		return err != nil && time.Since(began) < time.Second
	})
	if _, err := a.Causes(t.Context(), admin.Filter{}); err == nil || errors.Is(err, admin.ErrReading) {
		t.Errorf("causes: %v", err)
	}
}

// TestABoardThatHasReadHalfSaysHowMuchAndCountsNothing holds that a part is not taken for the whole: neither a count nor a list is made of it.
func TestABoardThatHasReadHalfSaysHowMuchAndCountsNothing(t *testing.T) {
	waittest.Slow(t, "it reads slowly")
	t.Parallel()
	h := newHouse(t)
	h.register()
	h.publish(upTo(900)...)
	board := admin.NewBoard(func() admin.Admin { return h.Admin }, zerolog.Nop())
	board.ReadAtMost(250) // of the log it says every 256 messages how far it is
	a := h.Admin
	a.Board = board
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { _ = board.Run(ctx) })
	t.Cleanup(func() { stop(); done.Wait() })
	parts := map[float64]bool{}
	waittest.Within(t, time.Minute, "it has read all", func() bool {
		s, err := a.Standing(t.Context())
		if err != nil {
			return false // not even how links stand is known
		}
		if s.Read == 1 {
			return s.Links[0].Outcomes != nil && s.Links[0].Outcomes.Taken == 900
		}
		parts[s.Read] = true
		for _, l := range s.Links {
			if l.Outcomes != nil || l.Success != nil {
				t.Errorf("of %.0f %%: %s has %+v", 100*s.Read, l.ID, l.Outcomes)
			}
		}
		if _, _, err := a.Events(t.Context(), admin.EventQuery{}); len(s.Sites) > 0 || err == nil && board.Share() < 1 || err != nil && !errors.Is(err, admin.ErrReading) {
			t.Errorf("of %.0f %%: sites %v, events: %v", 100*s.Read, s.Sites, err)
		}
		return false
	})
	delete(parts, 0)
	if len(parts) == 0 {
		t.Error("nobody was told that it had read a part")
	}
}

// TestWhatWaitsIsAskedForOnce replays more than a look may ask questions, with nobody who works at it.
func TestWhatWaitsIsAskedForOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var calls []int
	for n := range 60 {
		calls = append(calls, 100+n)
	}
	h.die(calls...)
	items := h.selected(admin.Selection{})
	if len(items) != len(calls) {
		t.Fatal(len(items))
	}
	if _, err := h.Replay(t.Context(), items, admin.ReplayOptions{}); err != nil {
		t.Fatal(err)
	}
	a := h.board()
	h.sameAnswers(a)
	sent := func() uint64 { return h.Queue.Client().Conn().Stats().OutMsgs }
	h.publish(900)
	before := sent()
	a.Board.Refresh(t.Context())
	if n := sent() - before; n >= uint64(len(calls)) {
		t.Errorf("a look with %d replayed events that wait asks the queue %d times", len(calls), n)
	}
	stop := h.run("dynamic", func(*queue.Delivery) queue.Decision { return refused })
	h.wait("dynamic", event.Dead, 900)
	h.until("all have died again", func() bool { return len(queuetest.Retries(t, h.Queue, queue.Filter{})) == 0 })
	stop()
	h.sameAnswers(a)
}

// A page about dead letters waits for a server that is slow to answer as long as for any other news, and not for all who ask besides.
func TestAPageOfDeadLettersIsNotHeldUpByASlowServer(t *testing.T) {
	t.Parallel()
	server := queuetest.Spawn(t)
	h := &house{t: t, Admin: admin.Admin{Queue: server.Open(queue.Options{}), File: config.Parse(t), Fields: readForm}}
	h.die(1, 2)
	a := h.board()
	thaw := server.Freeze()
	defer thaw()
	for range 3 { // the Board's reader asks, too
		began := time.Now()
		causes, err := a.Causes(t.Context(), admin.Filter{})
		if took := time.Since(began); took > 3*time.Second || err != nil || len(causes) != 1 || causes[0].Count != 2 {
			t.Errorf("after %s: %+v, %v", took, causes, err)
		}
	}
}

// A list that is taken away whole asks the queue no more than its log: what became of its events the Board knows.
func TestAListThatIsTakenAwayAsksForNoEventByItself(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ids := upTo(60)
	h.die(ids...)
	a := h.board()
	sent := func() uint64 { return h.Queue.Client().Conn().Stats().OutMsgs }
	before, rows := sent(), 0
	for row, err := range a.EachEvent(t.Context(), admin.EventQuery{}) {
		if err != nil || row.Outcomes["dynamic"] != event.Dead || row.Outcomes["other"] != event.Waiting {
			t.Fatalf("%+v, %v", row, err)
		}
		rows++
	}
	if n := sent() - before; rows != len(ids) || n >= uint64(len(ids)) {
		t.Errorf("%d rows, the queue was asked %d times", rows, n)
	}
}

// A program that asks while the dead letters are still being read is told so: it would take none for none.
func TestTheLatestStandingIsNoneWithoutTheDeadLetters(t *testing.T) {
	waittest.Slow(t, "it reads slowly")
	t.Parallel()
	h := newHouse(t)
	h.die(upTo(150)...)
	board := admin.NewBoard(func() admin.Admin { return h.Admin }, zerolog.Nop())
	board.ReadAtMost(25)
	a := h.Admin
	a.Board = board
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { _ = board.Run(ctx) })
	t.Cleanup(func() { stop(); done.Wait() })
	reading := 0
	waittest.Within(t, time.Minute, "it says what needs a person", func() bool {
		now, err := a.Latest(t.Context())
		if errors.Is(err, admin.ErrReading) {
			reading++
			return false
		}
		if err != nil || len(now.Attention) != 1 || now.Attention[0].N != 150 {
			t.Fatalf("%+v, %v", now.Attention, err)
		}
		return true
	})
	if reading == 0 {
		t.Error("nobody was told that it is being read")
	}
}
