package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/pipeline"
	"github.com/touchbox/touchbox/pkg/pipeline/breaker"
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
	for _, reason := range slices.Concat(admin.Reasons(), admin.AsideReasons()) {
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

// What --reason, a page's filter and the API take for a reason is what the rooms give as one, no more and no less.
func TestReasonsAreThoseOfTheRooms(t *testing.T) {
	list := []string{
		pipeline.ReasonUnreadable, pipeline.ReasonExpression, pipeline.ReasonCondition, pipeline.ReasonMissing, pipeline.ReasonExpired,
		pipeline.ReasonTooOld, pipeline.ReasonParked, pipeline.ReasonCrashed, pipeline.ReasonUnknown,
		breaker.ReasonOutage, breaker.ReasonRefusals,
		queue.ReasonDamaged, queue.ReasonPanic, queue.ReasonTooLarge, queue.ReasonRemoved, keep.ReasonLost, keep.ReasonDiskFull, admin.ReasonCancelled,
	}
	for _, reason := range mindbox.Reasons {
		list = append(list, string(reason))
	}
	slices.Sort(list)
	if diff := cmp.Diff(list, admin.Reasons()); diff != "" {
		t.Error(diff)
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
