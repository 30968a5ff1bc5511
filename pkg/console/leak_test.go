package console_test

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// whyText is a reason as somebody gives it who does not think of what it holds.
var whyText = "просил клиент +7 (916) 123-45-67, " + person.email

// unmasked begins an answer of Mindbox that was stored by a version that masked less than this one.
const unmasked = "Unknown operation, contact "

// fillMore puts what pages and forms are made of into the house, besides what fill does: a stopped link, a replay under way and a stopped
// one, an older version of a link.
func (h *house) fillMore() (dead, waiting event.Key) {
	h.t.Helper()
	dead, waiting = h.fill()
	h.publish(4, 60)
	h.work("dynamic", queue.Decision{Outcome: event.Undeliverable, Reason: "missing", Version: h.admin.File.Link("dynamic").Version}, 1)
	for id := 5; id < 8; id++ {
		h.publish(id, 60)
	}
	h.work("dynamic", queue.Decision{
		Outcome: event.Dead, Reason: "client_error", Status: 404, Answer: unmasked + person.email + " " + person.phone, Attempts: 1, Version: h.admin.File.Link("dynamic").Version,
	}, 3)
	b := h.signedIn(actKey)
	if got := b.post("/links/other/stop", url.Values{"why": {whyText}}); got.status != http.StatusSeeOther {
		h.t.Fatalf("stop: %d %s", got.status, got.body)
	}
	if got := b.post("/jobs", url.Values{"link": {"dynamic"}, "reason": {"client_error"}, "shown": {"3"}, "rate": {"0.001"}, "why": {whyText}}); got.status != http.StatusSeeOther {
		h.t.Fatalf("replay: %d %s", got.status, got.body)
	}
	stopped := b.post("/jobs", url.Values{"link": {"dynamic"}, "reason": {"validation_error"}, "shown": {"1"}, "why": {whyText}})
	if got := b.post(stopped.location+"/stop", nil); got.status != http.StatusSeeOther {
		h.t.Fatalf("stop the job: %d %s", got.status, got.body)
	}
	before := config
	before.Links = slices.Clone(config.Links)
	before.Links[0].More = "title: Звонки, динамика\nwhen: duration > 7"
	old := before.Parse(h.t).Link("dynamic")
	if _, err := h.admin.Queue.State().Put(h.t.Context(), event.VersionKeys.Of(old.Version), rawJSON(old.Document())); err != nil {
		h.t.Fatal(err)
	}
	return dead, waiting
}

// TestNoByteHoldsPersonalDataOrASecret looks for them in all that a console gives, to whom it may show everything and to whom
// not: pages, lists, addresses, answers to forms, the stream, the log, the audit, the history, and what it stores.
func TestNoByteHoldsPersonalDataOrASecret(t *testing.T) {
	waittest.Slow(t, "every page and form, by three roles in two languages")
	h := newHouse(t, nil)
	dead, _ := h.fillMore()
	clean := func(where string, got answer) {
		t.Helper()
		impersonal(t, where, got.body)
		for name, values := range got.header {
			if name != "Set-Cookie" { // a session is the browser's own
				impersonal(t, where+": "+name, strings.Join(values, "\n"))
			}
		}
	}
	all := walkAll(h.signedIn(adminKey), "ru")
	w := walkAll(h.signedIn(adminKey), "en")
	for path, got := range w.pages {
		all.pages["en "+path] = got
	}
	for path, got := range all.pages {
		clean(path, got)
		clean("the address "+path, answer{body: path})
	}
	for _, key := range []string{seeKey, actKey} {
		b := h.signedIn(key)
		for path := range w.pages {
			clean(path+" for "+key, b.get(path))
		}
	}
	stream := h.streamed(t)
	for _, key := range []string{seeKey, actKey, adminKey} {
		for _, name := range slices.Sorted(maps.Keys(w.forms)) {
			f := w.forms[name]
			if strings.HasSuffix(f.action, "/sign-out") || strings.HasSuffix(f.action, "/sign-in") {
				continue
			}
			b := h.signedIn(key)
			got := b.post(f.action, f.filled())
			if strings.HasSuffix(f.action, "/reveal") {
				if may := key == adminKey; may != strings.Contains(got.body, person.phone) || !may && got.status != http.StatusForbidden {
					t.Errorf("%s for %s: %d", f.action, key, got.status)
				}
				if key == adminKey {
					continue
				}
			}
			if got.status >= http.StatusInternalServerError {
				t.Errorf("%s for %s: %d", f.action, key, got.status)
			}
			clean(f.action+" for "+key, got)
			if got.location != "" {
				clean(got.location, b.get(strings.TrimPrefix(got.location, h.server.URL)))
			}
		}
	}
	d, job := readDescription(t), ""
	if jobs, err := h.admin.Jobs(t.Context()); err == nil {
		job = jobs[0].ID
	}
	for _, key := range []string{programKey, seeKey, actKey, adminKey} {
		c := h.caller(d, key)
		for _, one := range d.operations(dead, job) {
			body := strings.ReplaceAll(one[2], `"x"`, strconv.Quote(whyText))
			clean(one[1]+" for "+key, c.asksRaw(one[0], one[1], body))
			clean(one[1]+" as a table for "+key, c.asksRaw(one[0], one[1], body, "Accept", "text/csv"))
			clean(one[1]+" with a mistake for "+key, c.asksRaw(one[0], one[1]+"?since="+url.QueryEscape(person.phone)+"&link="+url.QueryEscape(person.email), body))
		}
	}
	queuetest.Eventually(t, "the stream has what came", func() bool { return strings.Contains(stream(), "e-10001/call-ended/900") })
	impersonal(t, "the stream", stream())
	impersonal(t, "the audit", h.audited())
	impersonal(t, "the log", h.log.String())
	for where, text := range h.stored(t, event.HistoryStream, event.AuditStream, event.StateStream) {
		if !strings.Contains(text, unmasked) { // the house put it there
			impersonal(t, where, text)
		}
	}
	if h.signedIn(seeKey).post("/events/"+dead.String()+"/reveal", nil).status != http.StatusForbidden {
		t.Error("personal data is shown to whom it may not be shown")
	}
}

// filled is what a person sends who fills the form in.
func (f form) filled() url.Values {
	v := clone(f.fields)
	for _, name := range f.ask {
		switch name {
		case "rate":
			v.Set(name, "0.001")
		case "why", "reason", "revision":
			v.Set(name, whyText)
		case "what":
			v.Set(name, person.phone)
		}
	}
	return v
}

// streamed reads the live tail from now on, and has an event come.
func (h *house) streamed(t *testing.T) func() string {
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	b := h.signedIn(seeKey)
	response, err := b.client.Do(b.request("GET", "/live/stream", nil).WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	var text waittest.Buffer
	go func() {
		defer response.Body.Close()
		buffer := make([]byte, 4096)
		for {
			n, err := response.Body.Read(buffer)
			_, _ = text.Write(buffer[:n])
			if err != nil {
				return
			}
		}
	}()
	id := 900
	return func() string {
		if id == 900 {
			time.Sleep(300 * time.Millisecond) // the stream begins with what comes after it, and says nothing when it does
			h.publish(id, 30)
			id++
		}
		return text.String()
	}
}

// stored are all messages of streams, by where they stand.
func (h *house) stored(t *testing.T, streams ...string) map[string]string {
	t.Helper()
	nc, err := nats.Connect("", nats.InProcessServer(inside(h.queue.Conn)))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, name := range streams {
		s, err := js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(name, err)
		}
		info := s.CachedInfo().State
		for n := info.FirstSeq; n <= info.LastSeq; n++ {
			if m, err := s.GetMsg(t.Context(), n); err == nil {
				all[fmt.Sprintf("%s %d %s", name, n, m.Subject)] = fmt.Sprint(m.Subject, m.Header, string(m.Data))
			}
		}
	}
	if len(all) == 0 {
		t.Fatal("nothing is stored")
	}
	return all
}

// inside connects within the process.
type inside func() (net.Conn, error)

// InProcessConn is what nats asks for.
func (f inside) InProcessConn() (net.Conn, error) { return f() }

// TestEveryRouteIsReachedByALinkOrAForm holds that nothing can be done that no page offers, and that the other tests see all.
func TestEveryRouteIsReachedByALinkOrAForm(t *testing.T) {
	h := newHouse(t, nil)
	h.fillMore()
	w, find := walkAll(h.signedIn(adminKey), "en"), routing(t)
	reached := map[string]bool{"GET /healthz": true, "GET /live/stream": true, "GET /jobs/{id}/stream": true} // by machines; by the script
	for path, got := range w.pages {
		reached[find("GET", path)] = true
		want := http.StatusOK
		switch {
		case path == "/nothing":
			want = http.StatusNotFound
		case got.location != "":
			continue
		}
		if got.status != want {
			t.Errorf("%s, to which %s leads: %d %s", path, w.from[path], got.status, h.log.String())
		}
		if strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
			wellFormed(t, path, got.body, "en")
		}
	}
	for _, f := range w.forms {
		if pattern := find("POST", f.action); pattern == "" {
			t.Errorf("the form %s leads nowhere", f.action)
		} else {
			reached[pattern] = true
		}
	}
	for _, p := range patterns(t) {
		if !reached[p] && !ofPrograms(p) {
			t.Errorf("no page leads to %s", p)
		}
	}
}
