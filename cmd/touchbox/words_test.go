package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/keep"
)

func TestErrorsHaveRussianWords(t *testing.T) {
	if got := lang.Russian.Error(fmt.Errorf("event %s: %w", "1", queue.ErrErased)); got != "событие 1: данные человека стёрты" {
		t.Errorf("%q", got)
	}
	if got := lang.English.Error(errors.Join(queue.ErrErased, queue.ErrHeld)); got != errors.Join(queue.ErrErased, queue.ErrHeld).Error() {
		t.Errorf("English: %q", got)
	}
}

// What the store, JSON and flags keep in English has a word for a person.
func TestEveryCodeHasAWord(t *testing.T) {
	codes := []string{
		admin.StateRunning, admin.StateStopped, admin.StateParked, admin.StateShadow, admin.StateGone, admin.StateNew, admin.StateUnwell, admin.StateIdle,
		admin.NoteReplayed, admin.NoteCancelled, admin.NoteDropped, keep.NoteRestored,
		string(event.Webhook), string(event.Poll), string(event.Journal), string(event.Backfill),
	}
	for _, outcome := range event.Outcomes {
		codes = append(codes, string(outcome))
	}
	for _, reason := range slices.Concat(reasons(), asideReasons()) {
		word := admin.ReasonWord(reason)
		if word == reason {
			t.Errorf("reason %q is said as it is", reason)
		}
		codes = append(codes, word)
	}
	for _, code := range codes {
		if _, ok := lang.Twin(code); !ok {
			t.Errorf("no word for %q", code)
		}
	}
}

func TestErrorsAreSaidInRussian(t *testing.T) {
	o := newOperator(t)
	if _, errs := o.runs(2, "links", "remove", "calls", "--lang", "ru"); !strings.Contains(errs, "сначала уберите") {
		t.Errorf("%s", errs)
	}
	if _, errs := o.runs(2, "events", "--limit", "0", "--lang", "ru"); !strings.Contains(errs, "положительное") {
		t.Errorf("%s", errs)
	}
}
