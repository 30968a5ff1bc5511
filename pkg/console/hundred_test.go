package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link/linktest"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// hundred is a house with a hundred links that all read the same calls: each call is of every outcome for some of them.
func hundred(t *testing.T, calls int) *house {
	t.Helper()
	before := config
	t.Cleanup(func() { config = before })
	config.Links = nil
	for i := range 100 {
		config.Links = append(config.Links, linktest.Link{
			ID: fmt.Sprintf("calls-of-a-clinic-%d", i), Operation: "Operation" + strconv.Itoa(i), More: "title: Звонки клиники, динамический пул\nwhen: duration > 5", Body: "customer.area: ${city}",
		})
	}
	h := newHouse(t, nil)
	for id := range calls {
		h.publish(id+1, 30)
	}
	for i, l := range h.admin.File.Links[:60] {
		x := queue.Decision{Outcome: event.Filtered, Reason: "condition", Version: l.Version}
		if i < 5*len(outcomesOfFixture) {
			x = outcomesOfFixture[i%len(outcomesOfFixture)]
			x.Version = l.Version
			if x.Answer != "" {
				x.Answer = strings.Repeat(fmt.Sprintf("Неизвестное значение поля, %s. ", l.ID), 8)
			}
		}
		open := queuetest.OpenLink(t, h.admin.Queue, queue.LinkSpec{ID: l.ID, Subjects: l.Subjects(), Handlers: 16})
		handler, stop := queuetest.Consume(t, open, func(*queue.Delivery) queue.Decision { return x })
		waittest.Within(t, time.Minute, "all are handled", func() bool { return len(handler.Deliveries()) >= calls })
		stop()
	}
	h.admin.Board.Refresh(t.Context())
	return h
}

// TestPagesAreLightWithAHundredLinks weighs each page of a house with a hundred links, and the older parts of its lists.
func TestPagesAreLightWithAHundredLinks(t *testing.T) {
	waittest.Slow(t, "sixty links work off their events")
	h := hundred(t, 60)
	b := h.signedIn(adminKey)
	b.get("/?lang=ru")
	if got := b.post("/jobs", url.Values{"shown": {"0"}, "outcome": {"untaken"}}); got.status >= http.StatusInternalServerError {
		t.Fatal(got.body)
	}
	key := event.Key{Site: "10001", Kind: event.CallEnded, ID: "1"}
	for _, path := range []string{
		"/", "/live", "/events", "/events?outcome=dead", "/events?link=calls-of-a-clinic-1", "/events/" + key.String(), "/events/" + key.String() + "?link=calls-of-a-clinic-99", "/causes", "/deadletters", "/retries",
		"/aside", "/links", "/links/calls-of-a-clinic-4", "/sites", "/sites/10001", "/settings", "/health", "/jobs", "/audit", "/people", "/replays/new?outcome=dead", "/replays/new?outcome=filtered&link=calls-of-a-clinic-59",
	} {
		for n := 0; path != "" && n < 3; n++ {
			got := b.get(path)
			t.Logf("%s: %d bytes", path, len(got.body))
			if got.status != http.StatusOK {
				t.Errorf("%s: %d", path, got.status)
			}
			if len(got.body) > mostHTML {
				t.Errorf("%s has %d bytes, at most %d", path, len(got.body), mostHTML)
			}
			path = ""
		}
	}
}
