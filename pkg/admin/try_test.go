package admin_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/linktest"
	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/pipeline"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/erase"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// reads reads events as a worker does.
func reads(file *link.File) func(event.Event) (map[string]any, error) {
	return func(e event.Event) (map[string]any, error) { return calltouch.Parse(e, file.View(e.Key.Site)) }
}

// hooks publishes ended calls with the durations that are given, the ids counted from 1.
func hooks(t *testing.T, q *queue.Queue, durations ...int) {
	t.Helper()
	var group errgroup.Group
	group.SetLimit(1) // in their order
	if len(durations) >= 1000 {
		group.SetLimit(64)
	}
	for i, seconds := range durations {
		group.Go(func() error {
			e := queuetest.Call(i + 1)
			e.Body = fmt.Appendf(nil, "id=%d&callerphone=7916%07d&duration=%d&callphase=calldisconnected", i+1, i+1, seconds)
			_, err := q.Publish(t.Context(), e)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// runs keeps the versions of a file's links in STATE and registers them, as a worker does that runs it.
func runs(t *testing.T, q *queue.Queue, file *link.File) {
	t.Helper()
	for _, l := range file.Links {
		if _, err := q.State().Put(t.Context(), event.VersionKeys.Of(l.Version), json.RawMessage(l.Document())); err != nil {
			t.Fatal(err)
		}
		if _, err := q.Register(t.Context(), queue.LinkSpec{ID: l.ID, Subjects: l.Subjects(), Since: l.Since}); err != nil {
			t.Fatal(err)
		}
	}
}

// try tries a file on what a queue holds, beside what runs.
func try(t *testing.T, q *queue.Queue, file *link.File, o admin.TryOptions) admin.Trial {
	t.Helper()
	trial, err := admin.Admin{Queue: q, File: file, Reads: reads}.Try(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return trial
}

const long = "since: \"2020-01-01\"\n"

// work runs a worker over a queue until each of so many calls has an outcome, and returns the outcomes by the event's id.
func work(t *testing.T, q *queue.Queue, file *link.File, calls int) map[string]event.Outcome {
	t.Helper()
	w, err := pipeline.New(pipeline.Config{Queue: q, File: file, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	outcomes := map[string]event.Outcome{}
	// A consumer is there for a moment before it has counted what it has to read, so that nothing unread proves nothing: the history does.
	waittest.Within(t, 5*time.Minute, "the worker has settled all", func() bool {
		stats, err := q.LinkStats(t.Context(), "calls")
		if err != nil || stats.Unread > 0 || stats.InHand > 0 || stats.Waiting > 0 {
			return false
		}
		for r, err := range q.Records(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			outcomes[r.Key.ID] = r.Outcome
		}
		return len(outcomes) == calls
	})
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return outcomes
}

// What a trial shows of a changed condition is what the workers then make of the same events.
func TestATrialShowsWhatTheLinksThenDo(t *testing.T) {
	waittest.Slow(t, "ten thousand calls go to a server, twice")
	const calls = 10_000
	far := httptest.NewServer(mindboxtest.New(mindboxtest.Config{}))
	t.Cleanup(far.Close)
	file := func(seconds int) *link.File {
		return linktest.File{URL: far.URL, To: "secret: a-secret", Links: []linktest.Link{{More: fmt.Sprintf("%swhen: duration > %d", long, seconds)}}}.Parse(t)
	}
	durations := make([]int, calls)
	for i := range durations {
		durations[i] = i * 7919 % 23
	}
	first, second := queuetest.New(t), queuetest.New(t)
	hooks(t, first, durations...)
	was := work(t, first, file(5), calls)

	shown := map[string][2]event.Outcome{}
	began := time.Now()
	trial := try(t, first, file(10), admin.TryOptions{Each: func(one admin.Tried) { shown[one.Key.ID] = [2]event.Outcome{one.From, one.To} }})
	t.Logf("tried in %s", time.Since(began))

	hooks(t, second, durations...)
	is := work(t, second, file(10), calls)
	moved := map[string][2]event.Outcome{}
	for id, outcome := range was {
		if is[id] != outcome {
			moved[id] = [2]event.Outcome{outcome, is[id]}
		}
	}
	if len(moved) < calls/10 {
		t.Fatalf("only %d events moved: this compares nothing", len(moved))
	}
	if diff := cmp.Diff(moved, shown); diff != "" {
		t.Errorf("moved by the workers, and as the trial shows it:\n%s", diff)
	}
	one := trial.Links[0]
	if trial.Tried != calls || trial.Lost.Count != len(moved) || len(one.Moves) != 1 || one.Moves[0].Count != len(moved) || one.Moves[0].Why != "duration > 10" {
		t.Errorf("%d moved, and the trial says %+v", len(moved), trial)
	}
	if one.Differs != 0 || one.Same == 0 || one.State != admin.TrialChanged {
		t.Errorf("the bodies: %+v", one)
	}
}

func TestATrialGroupsWhatDiffers(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	file := func(body string) *link.File {
		return linktest.File{Links: []linktest.Link{{More: long, Body: body}}}.Parse(t)
	}
	runs(t, q, file("customer.area: Питер\ncustomerAction.customFields.length: ${duration}\ncustomer.mail: ${callerphone}"))
	hooks(t, q, slices.Repeat([]int{30, 31}, 60)...)
	trial := try(t, q, file("customer.area: SPB\ncustomerAction.customFields.long: ${duration}\ncustomer.mail: +${callerphone}"), admin.TryOptions{Examples: 1})
	one := trial.Links[0]
	want := []admin.Difference{
		{Part: "body", Path: "customer.area", Kind: "changed", From: `"Питер"`, To: `"SPB"`, Count: 120, Example: "10001/call-ended/1"},
		{Part: "body", Path: "customer.mail", Kind: "changed", Several: true, Count: 120},
		{Part: "body", Path: "customerAction.customFields.length", Kind: "gone", From: "30", Count: 60, Example: "10001/call-ended/1"},
		{Part: "body", Path: "customerAction.customFields.length", Kind: "gone", From: "31", Count: 60, Example: "10001/call-ended/2"},
		{Part: "body", Path: "customerAction.customFields.long", Kind: "added", To: "30", Count: 60, Example: "10001/call-ended/1"},
		{Part: "body", Path: "customerAction.customFields.long", Kind: "added", To: "31", Count: 60, Example: "10001/call-ended/2"},
	}
	for i := range one.Differences {
		if one.Differences[i].Several {
			one.Differences[i].Example = ""
		}
	}
	if diff := cmp.Diff(want, one.Differences); diff != "" {
		t.Error(diff)
	}
	if one.Differs != 120 || one.Same != 0 || len(one.Moves) != 0 || len(one.Examples) != 1 || trial.Changes != 120 {
		t.Errorf("%+v", trial)
	}
	text, err := json.Marshal(trial)
	if err != nil {
		t.Fatal(err)
	}
	for _, phone := range []string{"79160000001", "9160000001"} {
		if strings.Contains(string(text), phone) {
			t.Errorf("%s is shown in %s", phone, text)
		}
	}
}

// A phone is masked, and another phone is another one all the same.
func TestATrialSeesADifferenceThatTheMaskHides(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	file := func(body string) *link.File {
		return linktest.File{Links: []linktest.Link{{More: long, Body: body}}}.Parse(t)
	}
	runs(t, q, file("customer.phone: ${callerphone}"))
	hooks(t, q, 30)
	one := try(t, q, file("customer.phone: ${phone(phonenumber) ?? callerphone}"), admin.TryOptions{}).Links[0]
	if one.Differs != 0 {
		t.Errorf("the same phone differs: %+v", one.Differences)
	}
	one = try(t, q, file("customer.phone: \"8${callerphone[1:]}\""), admin.TryOptions{}).Links[0]
	if one.Differs != 1 || len(one.Differences) != 1 {
		t.Errorf("another phone: %+v", one)
	}
}

func TestATrialOfNewAndGoneLinks(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	runs(t, q, linktest.File{Links: []linktest.Link{{More: long}, {ID: "old", More: long + "when: duration > 20", Operation: "Old"}}}.Parse(t))
	hooks(t, q, 10, 30, 30)
	file := linktest.File{Links: []linktest.Link{
		{More: long + "when: duration > 20"}, {ID: "fresh", Operation: "Fresh", More: "when: duration > 20"},
	}}.Parse(t)
	trial := try(t, q, file, admin.TryOptions{})
	states := map[string]string{}
	for _, one := range trial.Links {
		states[one.Link] = fmt.Sprint(one.State, " ", one.Before.Delivered, " ", one.After.Delivered)
	}
	if diff := cmp.Diff(map[string]string{"calls": "changed 3 2", "old": "gone 2 0", "fresh": "new 0 2"}, states); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]admin.Twice{{Links: []string{"calls", "fresh"}, Group: admin.Group{Count: 2, Example: "10001/call-ended/2"}}}, trial.Twice); diff != "" {
		t.Error(diff)
	}
	if trial.Lost.Count != 1 || trial.Lost.Example != "10001/call-ended/1" {
		t.Errorf("lost: %+v", trial.Lost)
	}
	for what, want := range map[string]bool{"": false, "any": true, "lost": true, "double": false} {
		if got, err := trial.FailsOn(what); got != want || err != nil {
			t.Errorf("fails on %q: %v, %v", what, got, err)
		}
	}
	if _, err := trial.FailsOn("nonsense"); err == nil {
		t.Error("nonsense is no mistake")
	}
	if again := try(t, q, file, admin.TryOptions{Link: "fresh"}); len(again.Links) != 1 || again.Links[0].After.Delivered != 2 {
		t.Errorf("one link: %+v", again)
	}
	if _, err := (admin.Admin{Queue: q, File: file, Reads: reads}).Try(t.Context(), admin.TryOptions{Link: "nope"}); err == nil {
		t.Error("a link that nobody knows")
	}
}

func TestATrialCountsApartWhatCannotBeTried(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	file := linktest.File{Links: []linktest.Link{{More: "since: \"2026-01-01\""}}}.Parse(t)
	runs(t, q, file)
	hooks(t, q, 30, 30)
	broken, old, strange, backfilled, request := queuetest.Call(11), queuetest.Call(12), queuetest.Call(13), queuetest.Call(14), queuetest.Request(15)
	broken.Body, broken.ContentType = []byte("{"), "application/json"
	old.Received, old.Time = time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC)
	strange.Key.Site = "99"
	backfilled.Origin, backfilled.ContentType, backfilled.Body = event.Backfill, "application/json", []byte(`{"callId": 14}`)
	queuetest.Publish(t, q, broken, old, strange, backfilled, request)
	if _, err := erase.Erase(t.Context(), q, erase.Whom{Match: func(e event.Event) bool { return e.Key == call(1) }}); err != nil {
		t.Fatal(err)
	}
	trial := try(t, q, file, admin.TryOptions{})
	type counts struct{ Events, Tried, Erased, Unreadable, Unnamed, Older, Delivered, Untaken int }
	one := trial.Links[0]
	got := counts{trial.Events, trial.Tried, trial.Erased, trial.Unreadable.Count, trial.Unnamed.Count, one.Older.Count, one.After.Delivered, 0}
	for _, u := range trial.Untaken {
		got.Untaken += u.Count
	}
	if diff := cmp.Diff(counts{Events: 7, Tried: 4, Erased: 1, Unreadable: 1, Unnamed: 1, Older: 2, Delivered: 1, Untaken: 3}, got); diff != "" {
		t.Errorf("%s\n%+v", diff, trial)
	}
	if sum := trial.Tried + trial.Skipped + trial.Erased + trial.Unreadable.Count + trial.Unnamed.Count; sum != trial.Events {
		t.Errorf("%d of %d events are counted", sum, trial.Events)
	}
}

func TestATrialOfASampleSaysSo(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	file := linktest.File{Links: []linktest.Link{{More: long}}}.Parse(t)
	runs(t, q, file)
	hooks(t, q, make([]int, 400)...)
	trial := try(t, q, file, admin.TryOptions{Most: 100})
	if trial.Events != 400 || trial.Tried+trial.Skipped != 400 || trial.Tried < 50 || trial.Tried > 200 {
		t.Errorf("%+v", trial)
	}
	if again := try(t, q, file, admin.TryOptions{Most: 100}); again.Tried != trial.Tried {
		t.Errorf("again it tries %d, and tried %d", again.Tried, trial.Tried)
	}
}
