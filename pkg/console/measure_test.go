package console_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link/linktest"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// measurePages says how quick the pages are at a hundred links, so many events and a tenth of them not delivered.
func measurePages(t *testing.T, events int) {
	const links, deadEach = 100, 10
	before := config
	t.Cleanup(func() { config = before })
	config.Links = nil
	for i := range links {
		config.Links = append(config.Links, linktest.Link{ID: fmt.Sprintf("link-%d", i), Operation: "Operation" + strconv.Itoa(i)})
	}
	server := queuetest.Start(t)
	h := newHouseOf(t, queuetest.Open(t, server, queue.Options{}), config.Parse(t))
	h.queue = server
	for _, l := range h.admin.File.Links {
		queuetest.OpenLink(t, h.admin.Queue, queue.LinkSpec{ID: l.ID, Subjects: l.Subjects(), Handlers: 16})
	}
	var group errgroup.Group
	group.SetLimit(256)
	began := time.Now()
	for id := range events {
		group.Go(func() error { h.publish(id+1, 30); return nil })
	}
	_ = group.Wait()
	t.Logf("%d events are stored after %s", events, time.Since(began))
	l := h.admin.File.Link("link-0")
	open := queuetest.OpenLink(t, h.admin.Queue, queue.LinkSpec{ID: l.ID, Subjects: l.Subjects(), Handlers: 256})
	_, stop := queuetest.Consume(t, open, func(d *queue.Delivery) queue.Decision {
		if id, _ := strconv.Atoi(d.Event.Key.ID); id%deadEach == 0 {
			return queue.Decision{Outcome: event.Dead, Reason: "validation_error", Status: 400, Answer: fmt.Sprintf("Unknown area «%d»", id), Attempts: 1}
		}
		return queue.Decision{Outcome: event.Delivered, Status: 200, Attempts: 1}
	})
	for {
		stats, err := h.admin.Queue.LinkStats(t.Context(), l.ID)
		if err == nil && stats.Unread == 0 && stats.InHand == 0 {
			break
		}
		time.Sleep(time.Second)
	}
	stop()
	t.Logf("and handled after %s", time.Since(began))
	took := func(what string, do func()) {
		began := time.Now()
		do()
		t.Logf("%s: %s", what, time.Since(began).Round(time.Millisecond))
	}
	took("counts, nothing kept", func() { _, _, _ = h.admin.LinksWithOutcomes(t.Context()) })
	took("keeping the counts", func() {
		if err := h.admin.KeepOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	took("Links", func() { _, _ = h.admin.Links(t.Context()) })
	took("links with kept counts", func() { _, _, _ = h.admin.LinksWithOutcomes(t.Context()) })
	took("events --outcome dead, kept", func() { _, _, _ = h.admin.Events(t.Context(), admin.EventQuery{Outcome: event.Dead}) })
	took("the board's start", h.look)
	h.serve(nil)
	b := h.signedIn(adminKey)
	for _, path := range []string{"/", "/links", "/causes", "/events", "/events?outcome=dead", "/events?link=link-0&outcome=delivered", "/deadletters?reason=validation_error", "/live", "/links/link-0"} {
		const rounds = 60
		var times []time.Duration
		size := 0
		for range rounds {
			began := time.Now()
			size = len(b.get(path).body)
			times = append(times, time.Since(began))
		}
		slices.Sort(times)
		t.Logf("%-40s p50 %s p95 %s, %d bytes", path, times[rounds/2].Round(100*time.Microsecond), times[rounds*95/100].Round(100*time.Microsecond), size)
	}
}
