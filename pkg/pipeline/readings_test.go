package pipeline

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// stepFile is a file of three links on ended calls, each of which uses another field, and one on form requests.
func stepFile(t *testing.T) *link.File {
	t.Helper()
	text := new(strings.Builder)
	text.WriteString(`
calltouch:
  - {site: 10001, name: clinic, attrs: [mindboxDeviceUUID], device: mindboxDeviceUUID}
mindbox:
  - {name: main, url: "http://127.0.0.1:9", endpoint: clinic.Website, secret: {env: SECRET}}
links:
`)
	for _, l := range [][3]string{{"a", "call.ended", "callerphone"}, {"b", "call.ended", "utm_term"}, {"c", "call.ended", "city"}, {"d", "request", "utm_term"}} {
		fmt.Fprintf(text, "  - {id: %s, from: clinic, event: %s, to: main, operation: Op, body: {customer.ids.x: \"${id}\", customerAction.customFields.y: \"${%s}\"}}\n", l[0], l[1], l[2])
	}
	file, problems, err := link.Parse("touchbox.yaml", []byte(text.String()), link.Options{Getenv: func(string) string { return Secret }})
	if err != nil {
		t.Fatal(err, problems)
	}
	return file
}

// inLog is an event at a place of the log.
func inLog(e event.Event, sequence uint64) event.Event {
	e.Sequence, e.Stored = sequence, time.Unix(int64(sequence), 0)
	return e
}

// same reports whether two readings are one map.
func same(a, b read) bool {
	a.fields["mark"] = "here"
	defer delete(a.fields, "mark")
	_, there := b.fields["mark"]
	return there
}

func TestLinksInStepReadAnEventOnce(t *testing.T) {
	t.Parallel()
	file := stepFile(t)
	r := newReadings(file)
	first := queue.Delivery{Event: inLog(Hook(t, "1", "utm_term", "flat", "city", "Perm", "source", "unused"), 1)}
	var reads []read
	for _, l := range file.Links[:3] {
		d := first
		d.Link = l.ID
		reads = append(reads, r.read(&d, views(file, l)["10001"]))
	}
	for _, one := range reads {
		if one.err != nil || !same(reads[0], one) {
			t.Error("an event was read more than once", one.err)
		}
	}
	if f := reads[0].fields; f["utm_term"] != "flat" || f["city"] != "Perm" || f["callerphone"] == nil || f["source"] != nil {
		t.Errorf("read: %v; want what the three links use and nothing else", f)
	}
	if n := len(r.young) + len(r.old); n != 0 {
		t.Errorf("%d events are remembered that all links have read", n)
	}
	view := views(file, file.Links[0])["10001"]
	again := r.read(&first, view)
	if same(reads[0], again) {
		t.Error("what all links have read was not forgotten")
	}
	retry := first
	retry.Retry = true
	if same(again, r.read(&retry, view)) {
		t.Error("a retry found what a fresh event had left")
	}
	other := first
	other.Event = inLog(Hook(t, "2"), 2)
	if same(again, r.read(&other, view)) {
		t.Error("one event found another one's fields")
	}
	restored := first
	restored.Event.Stored = time.Unix(99, 0)
	if same(again, r.read(&restored, view)) {
		t.Error("an event of a restored log found the fields of another one")
	}
}

func TestOneLinkReadsForItselfAlone(t *testing.T) {
	t.Parallel()
	file := stepFile(t)
	r := newReadings(file)
	e := inLog(Hook(t, "1"), 1)
	e.Key.Kind = event.Request
	d := queue.Delivery{Event: e}
	r.read(&d, views(file, file.Links[3])["10001"])
	if len(r.young) != 0 {
		t.Error("an event that only one link reads is remembered")
	}
}

func TestWhatLinksOutOfStepLeaveIsBounded(t *testing.T) {
	t.Parallel()
	file := stepFile(t)
	r := newReadings(file)
	view := views(file, file.Links[0])["10001"]
	hook := Hook(t, "1")
	for i := range uint64(3 * readingsKept) {
		r.read(&queue.Delivery{Event: inLog(hook, i+1)}, view)
	}
	if n := len(r.young) + len(r.old); n > readingsKept {
		t.Errorf("%d events are remembered", n)
	}
	r = newReadings(file)
	first := queue.Delivery{Event: inLog(hook, 1)}
	r.read(&first, view)
	for i := range uint64(readingsKept / 2) {
		r.read(&queue.Delivery{Event: inLog(hook, i+2)}, view)
	}
	if len(r.old) == 0 {
		t.Fatal("the first is of the younger generation still")
	}
	r.read(&first, view)
	r.read(&first, view)
	if r.old[place{1, first.Event.Stored.UnixNano()}] != nil {
		t.Error("what all links have read is remembered, of the older generation")
	}
	before := len(r.young)
	r.read(&queue.Delivery{Event: inLog(Hook(t, "1", "comment", strings.Repeat("x", readingLargest)), 1)}, view)
	if len(r.young) != before {
		t.Error("a large one is remembered")
	}
}

// With the race detector this holds that no link changes what the others look at.
func TestLinksReadAndFilterAtOnce(t *testing.T) {
	t.Parallel()
	file := stepFile(t)
	r := newReadings(file)
	var all sync.WaitGroup
	for _, l := range file.Links[:3] {
		all.Go(func() {
			for i := range uint64(50) {
				d := queue.Delivery{Link: l.ID, Event: inLog(Hook(t, fmt.Sprint(i), "utm_term", "flat"), i+1)}
				one := r.read(&d, views(file, l)["10001"])
				if _, err := l.Filter(one.fields); err != nil {
					t.Error(err)
				}
				if _, err := l.Render(one.fields); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
