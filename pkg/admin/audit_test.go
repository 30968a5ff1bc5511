package admin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/erase"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

var anna = admin.Actor{Name: "Анна", Role: "act", By: admin.ByConsole, Address: "10.0.0.7"}

// entries are those of the audit, each in a few words.
func (h *house) entries() []string {
	h.t.Helper()
	list, _, err := h.AuditEntries(h.t.Context(), admin.AuditQuery{})
	if err != nil {
		h.t.Fatal(err)
	}
	var words []string
	for _, e := range list {
		if e.Who != "Анна" || e.Role != "act" || e.By != "console" || e.Address != "10.0.0.7" || e.Time.IsZero() {
			h.t.Errorf("not hers: %+v", e)
		}
		words = append(words, fmt.Sprintf("%s %s %d %d %s", e.Verb, e.On, e.Found, e.Done, e.Why))
	}
	return words
}

func TestEveryChangeIsWrittenIntoTheAudit(t *testing.T) {
	h := newHouse(t)
	h.Actor = anna
	h.die(1, 2, 3)
	if err := h.Stop(t.Context(), "dynamic", "мы ждём шаблон, звоните +7 916 123-45-67"); err != nil {
		t.Fatal(err)
	}
	links, err := h.Links(t.Context())
	if err != nil || links[0].By != "Анна" || links[0].At == nil || links[0].Why != "мы ждём шаблон, звоните +* *** ***-**-67" {
		t.Errorf("the stopped link: %+v, %v", links[0], err)
	}
	if err := h.Start(t.Context(), "dynamic", ""); err != nil {
		t.Fatal(err)
	}
	if links, err = h.Links(t.Context()); err != nil || links[0].By != "" || links[0].Why != "" || links[0].At != nil {
		t.Errorf("the started link: %+v, %v", links[0], err)
	}
	if n, err := h.Drop(t.Context(), admin.Selection{Keys: []event.Key{call(1)}}, "a test call"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := h.Drop(t.Context(), admin.Selection{Keys: []event.Key{call(1)}}, "nothing is left"); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	of := admin.Selection{Filter: admin.Filter{Link: "dynamic"}}
	items, err := h.Select(t.Context(), of)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := h.Replay(t.Context(), items, admin.ReplayOptions{Of: of, Why: "mended"}); r.Replayed != 2 || err != nil {
		t.Fatalf("%+v, %v", r, err)
	}
	if n, err := h.Cancel(t.Context(), admin.Filter{Key: call(2)}, "no more"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if _, err := h.Erase(t.Context(), erase.Whom{Match: func(e event.Event) bool { return e.Key == call(3) }}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"link_stop link dynamic 0 0 мы ждём шаблон, звоните +* *** ***-**-67", "link_start link dynamic 0 0 ",
		"deadletters_drop event 10001/call-ended/1 1 0 a test call", "deadletters_drop event 10001/call-ended/1 1 1 a test call",
		"replay dead: link dynamic 2 0 mended", "replay dead: link dynamic 2 2 mended",
		"retries_cancel event 10001/call-ended/2 1 0 no more", "retries_cancel event 10001/call-ended/2 1 1 no more",
		"erase a person 0 0 ", "erase a person 0 ",
	}
	got := h.entries()
	if len(got) != len(want) {
		t.Fatalf("got  %q\nwant %q", got, want)
	}
	for i := range got {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("entry %d is %q, want %q", i, got[i], want[i])
		}
	}
	records, err := h.Queue.History(t.Context(), call(2))
	if err != nil {
		t.Fatal(err)
	}
	notes := map[string]string{}
	for _, r := range records {
		notes[r.Note] = r.By
	}
	if notes[admin.NoteReplayed] != "Анна" || notes[admin.NoteCancelled] != "Анна" {
		t.Errorf("the notes are by %v", notes)
	}
}

// What is full refuses, and nothing is done that is not written down.
func TestAFullAuditRefusesEveryChange(t *testing.T) {
	server := queuetest.Start(t)
	q := queuetest.Open(t, server, queue.Options{Limits: queue.Limits{Disk: 16_000_000}})
	h := &house{t: t, server: server, Admin: admin.Admin{Queue: q, File: config.Parse(t), Fields: readForm, Actor: anna}}
	h.register()
	var err error
	for _, on := range []string{strings.Repeat("x", 400), ""} { // until not even a short one fits
		err = nil
		for n := 0; err == nil && n < 2000; n++ {
			err = h.Audit(t.Context(), admin.AuditEntry{Verb: admin.VerbReveal, On: on})
		}
	}
	if !errors.Is(err, admin.ErrAuditFull) {
		t.Fatalf("the audit takes on: %v", err)
	}
	if err := h.Stop(t.Context(), "dynamic", ""); !errors.Is(err, admin.ErrAuditFull) {
		t.Errorf("a stop: %v", err)
	}
	links, err := h.Links(t.Context())
	if err != nil || links[0].State == admin.StateStopped {
		t.Errorf("it is %s, %v", links[0].State, err)
	}
}

func TestTheAuditIsFiltered(t *testing.T) {
	h := newHouse(t)
	for n, who := range []string{"Анна", "oleg", "Анна", ""} {
		a := h.Admin
		a.Actor = admin.Actor{Name: who, By: admin.ByCLI}
		a.Now = func() time.Time { return time.Date(2026, 11, 1+n, 0, 0, 0, 0, time.UTC) }
		if err := a.Audit(t.Context(), admin.AuditEntry{Verb: admin.VerbReveal, On: fmt.Sprint(n)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		q     admin.AuditQuery
		want  string
		total int
	}{
		{admin.AuditQuery{}, "0 1 2 3 ", 4}, {admin.AuditQuery{Who: "Анна"}, "0 2 ", 2}, {admin.AuditQuery{Who: "unknown"}, "3 ", 1},
		{admin.AuditQuery{Limit: 1}, "3 ", 4}, {admin.AuditQuery{Verb: admin.VerbErase}, "", 0},
		{admin.AuditQuery{Since: time.Now().Add(time.Hour)}, "", 0}, {admin.AuditQuery{Until: time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)}, "0 ", 1},
	} {
		list, total, err := h.AuditEntries(t.Context(), tt.q)
		got := ""
		for _, e := range list {
			got += e.On + " "
		}
		if got != tt.want || total != tt.total || err != nil {
			t.Errorf("%+v: %q of %d, %v; want %q of %d", tt.q, got, total, err, tt.want, tt.total)
		}
	}
}

// The JSON is a promise.
func TestAnAuditEntryAsJSON(t *testing.T) {
	e := admin.AuditEntry{Time: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Who: "oleg", By: "cli", Verb: "replay", Found: 2, Done: 1}
	text, err := json.Marshal(e)
	if want := `{"time":"2026-11-01T00:00:00Z","who":"oleg","by":"cli","verb":"replay","found":2,"done":1}`; string(text) != want || err != nil {
		t.Errorf("%s, %v", text, err)
	}
}
