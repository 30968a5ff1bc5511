package console_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/linktest"
	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/pipeline"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// sends runs the links of a file, as the worker does, until the returned function is called.
func (h *house) sends(file *link.File) (stop func()) {
	h.t.Helper()
	w, err := pipeline.New(pipeline.Config{Queue: h.admin.Queue, File: file, Log: zerolog.Nop()})
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(h.t.Context()))
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Error(err)
		}
	}
}

// outcomes counts what became of calls for the link "dynamic".
func (h *house) outcomes(keys []event.Key) map[event.Outcome]int {
	h.t.Helper()
	counts := map[event.Outcome]int{}
	for _, key := range keys {
		timeline, err := h.admin.Timeline(h.t.Context(), key)
		if err != nil {
			h.t.Fatal(err)
		}
		counts[timeline.Links[0].Outcome]++
	}
	return counts
}

// TestAPreviewSaysWhatTheReplayThenDoes changes a link in six ways, each of which concerns other calls: a value, a field that goes, one that
// comes, a condition, a required field that is missing, and an expression that fails.
func TestAPreviewSaysWhatTheReplayThenDoes(t *testing.T) {
	var mended atomic.Bool
	mindbox := mindboxtest.New(mindboxtest.Config{Script: func(r mindboxtest.Request) *mindboxtest.Reply {
		if mended.Load() {
			return nil
		}
		return &mindboxtest.Reply{Status: 400, Body: fmt.Sprintf(`{"status":"ValidationError","validationMessages":[{"message":"Unknown area of %s","location":"/customer/area"}]}`, r.CallID)}
	}})
	server := httptest.NewServer(mindbox)
	defer server.Close()
	file := linktest.File{URL: server.URL, To: "secret: the-secret-of-the-test", Site: "timezone: Europe/Moscow"}
	file.Links = []linktest.Link{{ID: "dynamic", Body: "customer.area: ${city}"}}
	h := newHouse(t, nil)
	h.admin.File = file.Parse(t)
	var keys []event.Key
	areas := map[string]string{} // by the call's id
	for city, n := range map[string]int{"A": 3, "B": 2, "C": 2, "D": 2, "E": 2, "F": 1} {
		for range n {
			id := len(keys) + 1
			key := event.Key{Site: "10001", Kind: event.CallEnded, ID: fmt.Sprint(id)}
			body := url.Values{"id": {key.ID}, "callphase": {"calldisconnected"}, "callerphone": {person.phone}, "duration": {"30"}, "city": {city}, "siteId": {"10001"}}
			queuetest.Publish(t, h.admin.Queue, event.Event{
				Key: key, Origin: event.Webhook, ContentType: "application/x-www-form-urlencoded", Body: []byte(body.Encode()), Received: time.Now(), Time: time.Now(),
			})
			keys, areas[key.ID] = append(keys, key), city
		}
	}
	stop := h.sends(h.admin.File)
	queuetest.Eventually(t, "all are refused", func() bool { return h.outcomes(keys)[event.Dead] == len(keys) })
	stop()

	file.Links = []linktest.Link{{ID: "dynamic", More: "when: 'city != \"C\"'\nrequire: [customer.email]", Body: "customer.area: '${city == \"B\" ? nil : (city == \"A\" ? \"Alpha\" : city)}'\n" +
		"customer.email: '${city == \"D\" ? nil : \"office@clinic.ru\"}'\ncustomerAction.customFields.number: '${city == \"E\" ? int(city) : nil}'"}}
	h.admin.File = file.Parse(t)
	b := h.signedIn(actKey)
	page := b.get("/replays/new?link=dynamic&outcome=dead").body
	wellFormed(t, "the preview", page, "en")
	impersonal(t, "the preview", page)
	for _, want := range []string{
		row("✓", "good", "would be sent", 6), row("─", "", "would not meet the conditions", 2), row("◌", "wait", "data is missing", 2), row("✖", "bad", "an expression fails", 2),
		`<th scope="row">Together</th><td class="n">12</td>`, "another request: 6, the same: 0",
		`<th scope="row"><code>customer.area</code></th><td><span class="bad">− <code>&#34;A&#34;</code></span></td><td><span class="good">+ <code>&#34;Alpha&#34;</code></span></td><td class="n">3</td>`,
		`<th scope="row"><code>customer.area</code></th><td><span class="bad">− <code>&#34;B&#34;</code></span></td><td><span class="quiet">nothing</span></td><td class="n">2</td>`,
		`<td class="n">6</td>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the preview lacks %s", want)
		}
	}
	if t.Failed() {
		t.Fatal(page)
	}

	mended.Store(true)
	h.worker()
	defer h.sends(h.admin.File)()
	got := b.post("/jobs", with(shown(t, page), "link", "dynamic"))
	if j := h.ended(got.location); j.State != admin.JobDone || j.Changed != len(keys) {
		t.Errorf("%+v", j)
	}
	want := map[event.Outcome]int{event.Delivered: 6, event.Filtered: 2, event.Undeliverable: 2, event.Dead: 2}
	queuetest.Eventually(t, "the outcomes are those of the preview", func() bool { return fmt.Sprint(h.outcomes(keys)) == fmt.Sprint(want) })
	for _, d := range queuetest.DeadLetters(t, h.admin.Queue, queue.Filter{}) {
		if d.Reason != "expression" {
			t.Errorf("%s is dead for %s", d.Event.Key, d.Reason)
		}
	}
	executed := mindbox.Executed(mindboxtest.Query{})
	if len(executed) != want[event.Delivered] {
		t.Errorf("%d were executed", len(executed))
	}
	for _, e := range executed {
		var sent struct{ Customer struct{ Area, Email string } }
		if err := json.Unmarshal(e.Body, &sent); err != nil {
			t.Fatal(err)
		}
		now := map[string]string{"A": "Alpha", "B": "", "F": "F"}
		if city := areas[e.CallID]; sent.Customer.Area != now[city] || sent.Customer.Email != "office@clinic.ru" || city != "A" && city != "B" && city != "F" {
			t.Errorf("of %s was sent %s", city, e.Body)
		}
	}
}

// row is a row of the preview.
func row(sign, class, text string, n int) string {
	return fmt.Sprintf(`<th scope="row"><span class="%s"><span aria-hidden="true">%s</span>&nbsp;%s</span></th><td class="n">%d</td>`, class, sign, text, n)
}
