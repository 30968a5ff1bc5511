package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link/linktest"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// seen remembers what a link was given and delivers everything.
type seen struct {
	mu         sync.Mutex
	deliveries []queue.Delivery
}

func (s *seen) handle(d *queue.Delivery) queue.Decision {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deliveries = append(s.deliveries, *d)
	return queue.Decision{Outcome: event.Delivered, Attempts: d.Attempts + 1}
}

func (s *seen) of(key event.Key) (found []queue.Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.deliveries {
		if d.Event.Key == key {
			found = append(found, d)
		}
	}
	return found
}

func (h *house) selected(s admin.Selection) []admin.Item {
	h.t.Helper()
	items, err := h.Select(h.t.Context(), s)
	if err != nil {
		h.t.Fatal(err)
	}
	return items
}

func (h *house) replay(s admin.Selection, r admin.ReplayOptions) admin.Result {
	h.t.Helper()
	result, err := h.Replay(h.t.Context(), h.selected(s), r)
	if err != nil {
		h.t.Fatal(err)
	}
	return result
}

func TestReplayGivesDeadLettersBackToTheirLink(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.die(1, 2, 3)
	got := h.replay(admin.Selection{Filter: queue.Filter{Link: "dynamic"}}, admin.ReplayOptions{})
	if diff := cmp.Diff(admin.Result{Replayed: 3}, got); diff != "" {
		t.Fatal(diff)
	}
	var s seen
	h.run("dynamic", s.handle)
	h.wait("dynamic", event.Delivered, 1, 2, 3)
	if d := s.of(call(1)); len(d) != 1 || !d[0].Replayed || d[0].Attempts != 0 || d[0].Revision != "" {
		t.Errorf("the link was given %+v", d)
	}
	if left := h.selected(admin.Selection{}); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
}

func TestReplayByOtherOutcomes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register()
	h.publish(1, 2, 3, 5)
	h.store(event.Event{Key: call(4), Origin: event.Backfill, Body: []byte("id=4"), Received: time.Now(), Time: time.Now().AddDate(0, 0, -20)})
	outcomes := map[string]event.Outcome{"1": event.Filtered, "2": event.Undeliverable, "3": event.Delivered, "5": event.Shadow}
	stop := h.run("dynamic", func(d *queue.Delivery) queue.Decision {
		return queue.Decision{Outcome: outcomes[d.Event.Key.ID], TransactionID: "T"}
	})
	h.wait("dynamic", event.Filtered, 1)
	h.wait("dynamic", event.Undeliverable, 2)
	h.wait("dynamic", event.Delivered, 3)
	h.wait("dynamic", event.Shadow, 5)
	stop()
	tests := []struct {
		outcome  event.Outcome
		call     int
		revision string
	}{{event.Filtered, 1, ""}, {event.Undeliverable, 2, ""}, {event.Untaken, 4, ""}, {event.Shadow, 5, ""}, {event.Delivered, 3, "with-email"}}
	var s seen
	for _, tt := range tests {
		items := h.selected(admin.Selection{Outcome: tt.outcome, Filter: queue.Filter{Link: "dynamic"}})
		if len(items) != 1 || items[0].Key != call(tt.call) {
			t.Fatalf("%s selects %+v", tt.outcome, items)
		}
		if result, err := h.Replay(t.Context(), items, admin.ReplayOptions{Revision: tt.revision}); err != nil || result.Replayed != 1 {
			t.Fatalf("%s: %+v, %v", tt.outcome, result, err)
		}
	}
	h.run("dynamic", s.handle)
	for _, tt := range tests {
		h.wait("dynamic", event.Delivered, tt.call)
		h.until("call handled", func() bool { return len(s.of(call(tt.call))) == 1 })
		if d := s.of(call(tt.call)); d[0].Revision != tt.revision || !d[0].Replayed {
			t.Errorf("%s: the link was given %+v", tt.outcome, d)
		}
	}
}

// A link that still tries events out would try them out once more; nothing would be sent, and nobody would see it.
func TestReplayOfWhatWasTriedOutWaitsForTheLinkToGoLive(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register()
	h.publish(1)
	stop := h.run("dynamic", always(queue.Decision{Outcome: event.Shadow}))
	h.wait("dynamic", event.Shadow, 1)
	stop()
	live := h.File
	h.File = linktest.File{Links: []linktest.Link{{ID: "dynamic", More: "mode: shadow"}}}.Parse(t)
	tried := admin.Selection{Outcome: event.Shadow, Filter: queue.Filter{Link: "dynamic"}}
	if _, err := h.Replay(t.Context(), h.selected(tried), admin.ReplayOptions{}); !errors.Is(err, admin.ErrShadow) {
		t.Fatalf("in shadow: %v", err)
	}
	h.File = live
	if got := h.replay(tried, admin.ReplayOptions{}); got.Replayed != 1 {
		t.Fatalf("live: %+v", got)
	}
	var s seen
	h.run("dynamic", s.handle)
	h.wait("dynamic", event.Delivered, 1)
	if left := h.selected(tried); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
}

func TestReplaySelects(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register()
	h.publish(1, 2, 3)
	stop := h.run("dynamic", func(d *queue.Delivery) queue.Decision {
		x := refused
		if d.Event.Key.ID == "2" {
			x.Reason, x.Status = "expired", 0
		}
		return x
	})
	h.wait("dynamic", event.Dead, 1, 2, 3)
	stop()
	soon := time.Now().Add(time.Minute)
	tests := []struct {
		name string
		by   admin.Selection
		want []string
	}{
		{"everything", admin.Selection{}, []string{"1", "2", "3"}},
		{"by reason", admin.Selection{Filter: queue.Filter{Reason: "expired"}}, []string{"2"}},
		{"by status", admin.Selection{Filter: queue.Filter{Status: 400}}, []string{"1", "3"}},
		{"by event", admin.Selection{Keys: []event.Key{call(3), call(1)}}, []string{"1", "3"}},
		{"by reason and event", admin.Selection{Keys: []event.Key{call(2)}, Filter: queue.Filter{Reason: "refused"}}, nil},
		{"by another link", admin.Selection{Filter: queue.Filter{Link: "other"}}, nil},
		{"until now", admin.Selection{Filter: queue.Filter{Until: soon}}, []string{"1", "2", "3"}},
		{"since later", admin.Selection{Filter: queue.Filter{Since: soon}}, nil},
		{"by kind", admin.Selection{Filter: queue.Filter{Kind: event.Request}}, nil},
		{"dead by another outcome", admin.Selection{Outcome: event.Delivered}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, item := range h.selected(tt.by) {
				got = append(got, item.Key.ID)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.SortSlices(strings.Compare)); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, outcome := range []event.Outcome{event.Waiting, event.Erased, "nonsense"} {
		if _, err := h.Select(t.Context(), admin.Selection{Outcome: outcome}); !errors.Is(err, admin.ErrNotReplayable) {
			t.Errorf("%s: %v, want ErrNotReplayable", outcome, err)
		}
	}
}

func TestReplayRefuses(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.die(1)
	dead := h.selected(admin.Selection{})
	delivered := []admin.Item{{Link: "dynamic", Key: call(1), Outcome: event.Delivered}}
	if _, err := h.Replay(t.Context(), delivered, admin.ReplayOptions{}); !errors.Is(err, admin.ErrRevision) {
		t.Errorf("delivered without a revision: %v", err)
	}
	if _, err := h.Replay(t.Context(), dead, admin.ReplayOptions{As: "unknown"}); !errors.Is(err, admin.ErrGone) {
		t.Errorf("as an unknown link: %v", err)
	}
	h.File.Links = h.File.Links[1:]
	if _, err := h.Replay(t.Context(), dead, admin.ReplayOptions{}); !errors.Is(err, admin.ErrGone) {
		t.Errorf("a link that is gone: %v", err)
	}
	if left := h.selected(admin.Selection{}); len(left) != 1 {
		t.Errorf("a refused replay left %d dead letters, want 1", len(left))
	}
}

func TestReplayForARenamedLinkKeepsItsOldName(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.die(1)
	h.File.Links = h.File.Links[1:]
	if got := h.replay(admin.Selection{Filter: queue.Filter{Link: "dynamic"}}, admin.ReplayOptions{As: "other"}); got.Replayed != 1 {
		t.Fatalf("%+v", got)
	}
	var s seen
	h.run("other", s.handle)
	h.until("the new link has it", func() bool {
		for _, d := range s.of(call(1)) {
			if d.As == "dynamic" && d.Link == "other" {
				return true
			}
		}
		return false
	})
	if left := h.selected(admin.Selection{}); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
}

func TestASecondReplayIsRefusedWhileTheFirstIsUnderWay(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register()
	h.publish(1)
	stop := h.run("dynamic", always(queue.Decision{Outcome: event.Filtered}))
	h.wait("dynamic", event.Filtered, 1)
	stop()
	items := h.selected(admin.Selection{Outcome: event.Filtered, Filter: queue.Filter{Link: "dynamic"}})
	for _, want := range []admin.Result{{Replayed: 1}, {UnderWay: 1}} {
		got, err := h.Replay(t.Context(), items, admin.ReplayOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestTwoReplaysAtOnceGiveEachEventBackOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	calls := upTo(60)
	h.die(calls...)
	items := h.selected(admin.Selection{})
	var results [2]admin.Result
	var both sync.WaitGroup
	for i := range results {
		both.Go(func() {
			var err error
			if results[i], err = h.Replay(context.Background(), items, admin.ReplayOptions{}); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if results[0].Replayed+results[1].Replayed != len(calls) {
		t.Errorf("%+v and %+v, want %d replayed together", results[0], results[1], len(calls))
	}
	var s seen
	h.run("dynamic", s.handle)
	h.wait("dynamic", event.Delivered, calls...)
	for _, id := range calls {
		if n := len(s.of(call(id))); n != 1 {
			t.Errorf("call %d was handled %d times", id, n)
		}
	}
}

func TestReplayLeavesWhatIsHalted(t *testing.T) {
	halts := []struct {
		name   string
		halt   func(*house) error
		resume func(*house) error
		want   admin.Halt
	}{
		{"stopped", func(h *house) error { return h.Stop(h.t.Context(), "dynamic", "") },
			func(h *house) error { return h.Start(h.t.Context(), "dynamic", "") }, admin.Halt{Link: "dynamic", State: "stopped"}},
		{"parked link", func(h *house) error {
			_, err := h.Queue.PutPark(h.t.Context(), queue.Park{Scope: "link/dynamic", Reason: "not_found", Text: "wrong"})
			return err
		}, func(h *house) error { return h.Queue.Unpark(h.t.Context(), "link/dynamic") },
			admin.Halt{Link: "dynamic", State: "parked", Why: "not_found: wrong"}},
	}
	for _, tt := range halts {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t)
			h.die(1, 2)
			if err := tt.halt(h); err != nil {
				t.Fatal(err)
			}
			got := h.replay(admin.Selection{}, admin.ReplayOptions{})
			if diff := cmp.Diff(admin.Result{Left: 2, Halted: []admin.Halt{tt.want}}, got); diff != "" {
				t.Fatal(diff)
			}
			if err := tt.resume(h); err != nil {
				t.Fatal(err)
			}
			if got := h.replay(admin.Selection{}, admin.ReplayOptions{}); got.Replayed != 2 {
				t.Errorf("after it goes on: %+v", got)
			}
		})
	}
}

func TestReplayOfAllLinksLeavesThoseThatAreGone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.die(1)
	stop := h.run("other", always(refused))
	h.wait("other", event.Dead, 1)
	stop()
	h.File.Links = h.File.Links[1:]
	got := h.replay(admin.Selection{}, admin.ReplayOptions{})
	if got.Replayed != 1 || got.Left != 1 || len(got.Halted) != 1 || got.Halted[0].State != admin.StateGone {
		t.Errorf("%+v", got)
	}
	if got := h.outcome(call(1), "dynamic"); got != event.Dead {
		t.Errorf("of the link that is gone: %s, want dead", got)
	}
}

func TestWhatMindboxRefusesAgainDiesAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.die(1, 2, 3)
	var mu sync.Mutex
	times := map[string]int{}
	h.run("dynamic", func(d *queue.Delivery) queue.Decision {
		mu.Lock()
		defer mu.Unlock()
		times[d.Event.Key.ID]++
		x := refused
		x.Reason = "again"
		return x
	})
	if got := h.replay(admin.Selection{}, admin.ReplayOptions{}); got.Replayed != 3 {
		t.Fatalf("%+v", got)
	}
	h.until("all are dead again", func() bool {
		_, total, err := h.DeadLetters(t.Context(), queue.Filter{Reason: "again"}, 0)
		return err == nil && total == 3
	})
	mu.Lock()
	defer mu.Unlock()
	if diff := cmp.Diff(map[string]int{"1": 1, "2": 1, "3": 1}, times); diff != "" {
		t.Error(diff)
	}
}

func TestReplayInterruptedGoesOn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	calls := upTo(40)
	h.die(calls...)
	ctx, cancel := context.WithCancel(t.Context())
	result, err := h.Replay(ctx, h.selected(admin.Selection{}), admin.ReplayOptions{Progress: func(p admin.Progress) {
		if p.Done == 15 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) || result.Replayed < 15 || result.Replayed > 30 {
		t.Fatalf("%+v, %v", result, err)
	}
	left := h.selected(admin.Selection{})
	_, waiting, err := h.Retries(t.Context(), queue.Filter{}, 0)
	if err != nil || len(left)+waiting < len(calls) {
		t.Fatalf("%d dead and %d waiting of %d: some are neither (%v)", len(left), waiting, len(calls), err)
	}
	h.replay(admin.Selection{}, admin.ReplayOptions{})
	var s seen
	h.run("dynamic", s.handle)
	h.wait("dynamic", event.Delivered, calls...)
}

// A replay of many events keeps its distance from live traffic: it never has more than a thousand
// of a link's events in RETRIES.
func TestReplayHoldsAtMostAThousand(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "more than a thousand dead letters")
	h := newHouse(t)
	h.die(upTo(1100)...)
	items := h.selected(admin.Selection{})
	held := make(chan int, len(items))
	done := make(chan error, 1)
	go func() {
		result, err := h.Replay(t.Context(), items, admin.ReplayOptions{Progress: func(p admin.Progress) {
			if p.Held > 0 {
				held <- p.Held
			}
		}})
		if err == nil && result.Replayed != len(items) {
			err = fmt.Errorf("replayed %d", result.Replayed)
		}
		done <- err
	}()
	if n := <-held; n < 980 || n > 1000 {
		t.Errorf("it waits at %d, want about 1000", n)
	}
	h.run("dynamic", always(queue.Decision{Outcome: event.Delivered}))
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	close(held)
	for n := range held {
		if n > 1000 {
			t.Errorf("%d at a time", n)
		}
	}
}

// One that cannot be given back is left, and the others go on.
func TestReplayGoesOnBehindOneThatFails(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register()
	h.store(event.Event{Key: call(2), Origin: event.Webhook, Body: bytes.Repeat([]byte("x"), 5000), Received: time.Now(), Time: time.Now()})
	h.publish(1, 3)
	stop := h.run("dynamic", always(refused))
	var items []admin.Item
	h.until("all are dead", func() bool { items = h.selected(admin.Selection{}); return len(items) == 3 })
	stop()
	queuetest.MaxMsgSize(t, h.server, "TOUCHBOX_RETRIES", 3000)
	result, err := h.Replay(t.Context(), items, admin.ReplayOptions{})
	if err == nil || result.Replayed != 2 || result.Failed != 1 {
		t.Errorf("%+v, %v", result, err)
	}
	if left := h.selected(admin.Selection{}); len(left) != 1 || left[0].Key != call(2) {
		t.Errorf("left: %+v", left)
	}
}

// Nobody works off what was replayed: the replay ends, and says so.
func TestReplayEndsWhereNobodyWorks(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "more than a thousand dead letters")
	h := newHouse(t)
	h.die(upTo(1050)...)
	result, err := h.Replay(t.Context(), h.selected(admin.Selection{}), admin.ReplayOptions{Patience: time.Millisecond})
	if err != nil || result.Left == 0 || len(result.Halted) != 1 || result.Halted[0].State != admin.StateIdle {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestReplayKeepsItsPace(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.die(1, 2, 3)
	begin := time.Now()
	h.replay(admin.Selection{}, admin.ReplayOptions{Rate: 10})
	if took := time.Since(begin); took < 200*time.Millisecond {
		t.Errorf("three at 10/s took %s, want at least 200ms", took)
	}
}

func TestPreviewShowsWhatWasSentAndWhatWouldBe(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	before := h.File.Link("dynamic")
	then := before.Version
	if _, err := h.Queue.State().Put(t.Context(), "version."+then, json.RawMessage(before.Document())); err != nil {
		t.Fatal(err)
	}
	h.register()
	h.publish(1)
	stop := h.run("dynamic", func(*queue.Delivery) queue.Decision {
		x := refused
		x.Version = then
		return x
	})
	h.wait("dynamic", event.Dead, 1)
	stop()
	mended := config
	mended.Links = slices.Clone(config.Links)
	mended.Links[0].Body = "customer.email: ${email(email)}"
	item := h.selected(admin.Selection{})[0]
	preview := func(reveal bool) admin.Preview {
		t.Helper()
		p, err := h.Preview(t.Context(), item, admin.ReplayOptions{}, reveal)
		if err != nil || p.Now == nil || p.Then == nil {
			t.Fatalf("%+v, %v", p, err)
		}
		return p
	}
	if p := preview(true); p.Changed || string(p.Now.Request.Body) != string(p.Then.Request.Body) {
		t.Errorf("the same link: %+v", p)
	}
	h.File = mended.Parse(t)
	p := preview(true)
	if !p.Changed || !strings.Contains(string(p.Now.Request.Body), "a@b.ru") || strings.Contains(string(p.Then.Request.Body), "a@b.ru") {
		t.Errorf("the mended link: now %s, then %s", p.Now.Request.Body, p.Then.Request.Body)
	}
	if p := preview(false); strings.Contains(string(p.Now.Request.Body), "79160000001") {
		t.Errorf("not masked: %s", p.Now.Request.Body)
	}
	if _, err := h.Preview(t.Context(), admin.Item{Link: "gone", Key: call(1)}, admin.ReplayOptions{}, false); !errors.Is(err, admin.ErrGone) {
		t.Errorf("a link that is gone: %v", err)
	}
}

// What a removed link had not read can be given to it when it is back, as far as the log holds it.
func TestAbandonedEventsCanBeReplayed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register()
	h.publish(1)
	if _, err := h.Queue.RemoveLink(t.Context(), "dynamic", queue.Watching{}); err != nil {
		t.Fatal(err)
	}
	h.register()
	items := h.selected(admin.Selection{Outcome: event.Abandoned, Filter: queue.Filter{Link: "dynamic"}})
	if got, err := h.Replay(t.Context(), items, admin.ReplayOptions{}); err != nil || got.Replayed != 1 {
		t.Fatalf("replayed %+v, %v", got, err)
	}
	h.run("dynamic", always(queue.Decision{Outcome: event.Delivered}))
	h.wait("dynamic", event.Delivered, 1)
}
