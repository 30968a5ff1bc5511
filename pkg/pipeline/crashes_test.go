package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// keeper is STATE as lives use it. A life that has ended writes nothing any more.
type keeper struct {
	mu    *sync.Mutex
	value *[]byte
	dead  *bool
}

func newKeeper() keeper { return keeper{new(sync.Mutex), new([]byte), new(bool)} }

// reborn is the same STATE for the next life.
func (k keeper) reborn() keeper { k.dead = new(bool); return k }

func (k keeper) Get(_ context.Context, _ string, v any) (uint64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if *k.value == nil {
		return 0, queue.ErrNotFound
	}
	return 1, json.Unmarshal(*k.value, v)
}

func (k keeper) Put(_ context.Context, _ string, v any) (uint64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if *k.dead {
		return 0, errors.New("no process")
	}
	var err error
	*k.value, err = json.Marshal(v)
	return 1, err
}

func (k keeper) end() {
	k.mu.Lock()
	defer k.mu.Unlock()
	*k.dead = true
}

// liveOnce begins a life, looks at events all at once as a link's handlers do, and reports what
// became of each. The one that is in ends ends the process.
func liveOnce(t *testing.T, k keeper, events []string, ends string) (*crashes, map[string]tried) {
	t.Helper()
	c := newCrashes(k, zerolog.Nop())
	if err := c.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, gone := context.WithCancel(t.Context())
	defer gone()
	var mu sync.Mutex
	saw := map[string]tried{}
	var all sync.WaitGroup
	for _, id := range events {
		all.Go(func() {
			got := c.try(ctx, &queue.Delivery{Link: "calls", Event: Hook(t, id)}, func() {
				if id == ends {
					k.end()
					gone()
				}
			})
			mu.Lock()
			defer mu.Unlock()
			saw[id] = got
		})
	}
	all.Wait()
	return c, saw
}

// TestWhatEndsTheProcessIsBuried: at five ends and not before, it alone, and once.
func TestWhatEndsTheProcessIsBuried(t *testing.T) {
	events := []string{"1", "2", "poison", "3", "4"}
	k := newKeeper()
	ends := 0
	for range 10 {
		k = k.reborn()
		_, saw := liveOnce(t, k, events, "poison")
		for id, got := range saw {
			if got == tryCondemned && id != "poison" {
				t.Fatalf("%s was taken for the cause after %d ends", id, ends)
			}
		}
		if saw["poison"] == tryCondemned {
			break
		}
		ends++
	}
	if ends != 5 {
		t.Fatalf("buried after %d ends", ends)
	}
	// A person replays it, and it does the same: it gets as many lives again.
	k = k.reborn()
	if _, saw := liveOnce(t, k, events, "poison"); saw["poison"] == tryCondemned {
		t.Error("a replay was buried without being looked at")
	}
}

// TestPlainEndsBuryNothing: stops, kills while events are in hand, and one slow event at each of them.
func TestPlainEndsBuryNothing(t *testing.T) {
	tests := []struct {
		name  string
		ended func(c *crashes, k keeper)
	}{
		{"stopped", func(c *crashes, _ keeper) { c.end() }},
		{"killed between two events", func(_ *crashes, k keeper) { k.end() }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := newKeeper()
			for i := range 10 {
				k = k.reborn()
				c, saw := liveOnce(t, k, []string{"1", "2", "3"}, "")
				for id, got := range saw {
					if got != tryMade {
						t.Fatalf("life %d: %s was not looked at", i, id)
					}
				}
				if stopped := tt.name == "stopped"; stopped && c.careful.Load() {
					t.Fatalf("life %d is careful", i)
				}
				tt.ended(c, k)
			}
		})
	}
}

// TestCareEnds: when it has gone well for a while, nothing is written for each event any more.
func TestCareEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKeeper()
		for range 3 {
			k = k.reborn()
			liveOnce(t, k, []string{"1"}, "1")
		}
		k = k.reborn()
		c := newCrashes(k, zerolog.Nop())
		if err := c.begin(t.Context()); err != nil || !c.careful.Load() {
			t.Fatal(err, "not careful after three crashes")
		}
		ctx, cancel := context.WithCancel(t.Context())
		go c.live(ctx, true)
		time.Sleep(carefulFor + time.Second)
		synctest.Wait()
		if c.careful.Load() || c.life.Crashes != 0 {
			t.Errorf("careful %v, %+v", c.careful.Load(), c.life)
		}
		cancel()
		k = k.reborn()
		if next, _ := liveOnce(t, k, nil, ""); next.careful.Load() {
			t.Error("one crash after a good life makes careful")
		}
	})
}

// TestWorkerBuriesWhatCrashedIt: an event with its lives behind it, among others.
func TestWorkerBuriesWhatCrashedIt(t *testing.T) {
	q := queuetest.New(t)
	b := newBench(t, mindboxtest.Config{}, "CallTouch")
	poison := Hook(t, "poison")
	cause := suspect{Link: "calls", Event: poison.Key.String()}
	last := life{Crashes: 4, Trial: &cause, Suspects: []suspect{{cause.Link, cause.Event, 2}}}
	if _, err := q.State().Put(t.Context(), newCrashes(q.State(), zerolog.Nop()).key, last); err != nil {
		t.Fatal(err)
	}
	w, err := New(Config{Queue: q, File: testFile(t, b.setup.to.file.URL, "CallTouch", `since: "2020-01-01"`), Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	waittest.Eventually(t, "running", func() bool { return running("lookAfterLinks") > 0 })
	keys := []event.Key{poison.Key}
	events := []event.Event{poison}
	for i := range 5 {
		events = append(events, Hook(t, fmt.Sprint(i)))
		keys = append(keys, events[i+1].Key)
	}
	outcome := func(key event.Key) (event.Outcome, string) {
		records, err := q.History(t.Context(), key)
		if err != nil || len(records) == 0 {
			return "", ""
		}
		return records[len(records)-1].Outcome, records[len(records)-1].Reason
	}
	for _, e := range events {
		waittest.Eventually(t, "published", func() bool { _, err := q.Publish(t.Context(), e); return err == nil })
	}
	for i, key := range keys {
		want, reason := event.Delivered, "accepted"
		if i == 0 {
			want, reason = event.Dead, ReasonCrashed
		}
		waittest.Eventually(t, fmt.Sprint(key, " ", want), func() bool {
			got, why := outcome(key)
			return got == want && why == reason
		})
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	var end life
	if _, err := q.State().Get(t.Context(), w.crashes.key, &end); err != nil || !end.Stopped {
		t.Errorf("the stop was not written down: %+v, %v", end, err)
	}
}
