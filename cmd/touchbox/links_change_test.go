package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// edit changes the operator's file.
func (o *operator) edit(from, to string) {
	o.t.Helper()
	config := os.Getenv("TOUCHBOX_CONFIG")
	text, err := os.ReadFile(config)
	if err != nil {
		o.t.Fatal(err)
	}
	if !strings.Contains(string(text), from) {
		o.t.Fatalf("the file does not say %q", from)
	}
	if err := os.WriteFile(config, []byte(strings.Replace(string(text), from, to, 1)), 0o600); err != nil {
		o.t.Fatal(err)
	}
}

func TestLinksReset(t *testing.T) {
	o := newOperator(t)
	o.hook(1)
	stop := o.work(queue.Decision{Outcome: event.Delivered})
	o.until("it is delivered", func() bool { return o.outcomes("calls").Delivered == 1 })
	stop()
	if out, _ := o.runs(0, "links", "reset", "calls"); !strings.Contains(out, "as the file says") {
		t.Errorf("nothing to reset: %s", out)
	}
	o.edit("event: call.ended", "event: [call.ended, request]\n    since: \"2026-01-01\"")
	var view linksJSON
	if o.reads(&view, "links", "--fast"); !view.Links[0].Differs {
		t.Error("the link does not say that it differs")
	}
	if out, _ := o.runs(0, "links", "--fast"); !strings.Contains(out, "touchbox links reset calls") {
		t.Errorf("links says\n%s", out)
	}
	out, errs := o.runs(2, "links", "reset", "calls")
	if !strings.Contains(errs, "again: 1;") || !strings.Contains(out, "starts at 2026-01-01 00:00:00") || !strings.Contains(out, "10001 call.ended, 10001 request, so far 10001 call.ended") {
		t.Errorf("without a terminal: %s%s", out, errs)
	}
	var result admin.ResetPlan
	o.reads(&result, "links", "reset", "calls", "--yes")
	if !result.Changed || len(result.After.Subjects) != 2 || result.Again != 1 || !result.After.Start.Before(result.Before.Start) {
		t.Errorf("reset: %+v", result)
	}
	view = linksJSON{}
	if o.reads(&view, "links", "--fast"); view.Links[0].Differs {
		t.Error("the link still differs")
	}
	o.runs(2, "links", "reset", "nope")
	o.runs(2, "links", "reset")
}

func (o *operator) outcomes(link string) admin.Counts {
	o.t.Helper()
	var view linksJSON
	o.reads(&view, "links")
	for _, l := range view.Links {
		if l.ID == link && l.Outcomes != nil {
			return *l.Outcomes
		}
	}
	return admin.Counts{}
}

func TestLinksRemove(t *testing.T) {
	o := newOperator(t)
	o.hook(1, 2)
	stop := o.work(queue.Decision{Outcome: event.Waiting, Attempts: 1, Until: time.Now().Add(time.Hour)})
	// What is unread counts as waiting too.
	o.until("both wait for a retry", func() bool { return len(queuetest.Retries(t, o.queue, queue.Filter{})) == 2 })
	stop()
	o.runs(0, "links", "stop", "calls")
	o.hook(3)
	if _, errs := o.runs(2, "links", "remove", "calls"); !strings.Contains(errs, "still in the file") {
		t.Errorf("a link of the file: %s", errs)
	}
	o.edit("id: calls", "id: talks")
	if out, _ := o.runs(0, "links", "--fast"); !strings.Contains(out, "touchbox links remove calls") {
		t.Errorf("links says\n%s", out)
	}
	if _, errs := o.runs(2, "links", "remove", "calls"); !strings.Contains(errs, "up to 1") || !strings.Contains(errs, "letters: 2") {
		t.Errorf("without a terminal: %s", errs)
	}
	if _, err := o.queue.State().Put(t.Context(), "worker.other", map[string][]string{"links": {"calls"}}); err != nil {
		t.Fatal(err)
	}
	if _, errs := o.runs(1, "links", "remove", "calls", "--yes"); !strings.Contains(errs, "still runs") {
		t.Errorf("a link that a worker runs: %s", errs)
	}
	if err := o.queue.State().Delete(t.Context(), "worker.other"); err != nil {
		t.Fatal(err)
	}
	var result removalJSON
	o.reads(&result, "links", "remove", "calls", "--yes")
	if result.Link != "calls" || result.Abandoned != 1 || result.DeadLetters != 2 {
		t.Errorf("removed %+v", result)
	}
	if out, _ := o.runs(0, "event", "3"); !strings.Contains(out, "abandoned, its link was removed (link_removed)") {
		t.Errorf("what was unread:\n%s", out)
	}
	o.runs(2, "links", "remove", "calls", "--yes")
	o.runs(0, "replay", "--link", "calls", "--as", "talks")
}

// A link under a new id looks like a new one; check --diff says that it is rather the old one, and what one that comes back
// has to send.
func TestCheckTellsARenamedLinkAndOneThatReturns(t *testing.T) {
	o := newOperator(t)
	o.hook(1)
	l := o.file.Link("calls")
	if _, err := o.queue.State().Put(t.Context(), event.VersionKeys.Of(l.Version), json.RawMessage(l.Document())); err != nil {
		t.Fatal(err)
	}
	o.edit("id: calls", "id: talks")
	if out, _ := o.runs(0, "check", "--diff"); !strings.Contains(out, "talks: it does what calls did") || !strings.Contains(out, "keep the id calls") {
		t.Errorf("renamed:\n%s", out)
	}
	o.edit("id: talks", "id: calls")
	if err := o.queue.PauseLink(t.Context(), "calls", queue.Gone); err != nil {
		t.Fatal(err)
	}
	if out, _ := o.runs(0, "check", "--diff"); !strings.Contains(out, "calls: it returns") || !strings.Contains(out, "events: 1") {
		t.Errorf("back:\n%s", out)
	}
}
