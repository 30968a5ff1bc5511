package watch

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// What is wrong is said once an hour, with its count, and kept for the commands.
func TestTroublesAreSaidOnceAnHour(t *testing.T) {
	q, log := queuetest.New(t), &bytes.Buffer{}
	troubles := NewTroubles(q, zerolog.New(log))
	began := time.Now()
	lines := func(after time.Duration) []string {
		log.Reset()
		troubles.say(began.Add(after))
		return strings.Split(strings.TrimSpace(log.String()), "\n")
	}
	note := func(n int, one calltouch.Trouble) {
		for range n {
			troubles.Note(one)
		}
	}
	wrong := calltouch.Trouble{Site: "10001", Reason: calltouch.TroubleKey}
	note(5, wrong)
	note(1, calltouch.Trouble{Site: "10001", Reason: calltouch.TroubleTimezone, Detail: "UTC+7"})
	if got := lines(time.Second); len(got) != 2 || !strings.Contains(strings.Join(got, ""), `"requests":5`) || !strings.Contains(strings.Join(got, ""), "UTC+7") {
		t.Errorf("at first: %q", got)
	}
	note(7, wrong)
	if got := lines(time.Minute); got[0] != "" {
		t.Errorf("a minute later: %q", got)
	}
	if got := lines(2 * time.Hour); len(got) != 1 || !strings.Contains(got[0], `"requests":7`) || !strings.Contains(got[0], "wrong key") {
		t.Errorf("two hours later: %q", got)
	}
	troubles.store(t.Context())
	note(1, wrong)
	troubles.store(t.Context())
	list, err := ListTroubles(t.Context(), q.State(), time.Now())
	if err != nil || len(list) != 2 || list[0].Count != 13 || list[1].Detail != "UTC+7" {
		t.Errorf("STATE has %+v, %v", list, err)
	}
}

func TestTroublesOfStrangersAreBounded(t *testing.T) {
	troubles := NewTroubles(queuetest.New(t), zerolog.Nop())
	for i := range 100_000 {
		troubles.Note(calltouch.Trouble{Site: fmt.Sprint(i), Reason: calltouch.TroubleSite})
	}
	if got := len(troubles.counts); got > maxTroubles+1 {
		t.Errorf("%d are remembered", got)
	}
	if got := troubles.counts[troubleName{"", calltouch.TroubleSite}]; got == nil || got.unsaid != 100_000-maxTroubles {
		t.Errorf("the rest counts as %+v", got)
	}
}

func TestTroublesInState(t *testing.T) {
	state := queuetest.New(t).State()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	note := func(site string, reason calltouch.TroubleReason, count int, at time.Time) {
		t.Helper()
		one := Trouble{Site: site, Reason: reason, Count: count, First: at.Add(-time.Minute), Last: at}
		if err := addTrouble(t.Context(), state, one); err != nil {
			t.Fatal(err)
		}
	}
	note("10001", calltouch.TroubleKey, 9, now.Add(-40*time.Hour)) // mended then
	note("10001", calltouch.TroubleKey, 3, now.Add(-2*time.Hour))
	note("10001", calltouch.TroubleKey, 4, now.Add(-time.Hour)) // another process
	note("", calltouch.TroubleSite, 1, now)
	note("10002", calltouch.TroubleKey, 1, now.Add(-25*time.Hour))
	want := []Trouble{
		{Reason: calltouch.TroubleSite, Count: 1, First: now.Add(-time.Minute), Last: now},
		{Site: "10001", Reason: calltouch.TroubleKey, Count: 7, First: now.Add(-2*time.Hour - time.Minute), Last: now.Add(-time.Hour)},
	}
	expect := func() {
		t.Helper()
		got, err := ListTroubles(t.Context(), state, now)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	expect()
	if err := removeOldTroubles(t.Context(), state, now); err != nil {
		t.Fatal(err)
	}
	expect()
	if entries, err := state.List(t.Context(), "calltouch.trouble."); err != nil || len(entries) != 2 {
		t.Errorf("STATE has %v, %v", entries, err)
	}
}
