package admin

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// What an event's own records say and what a scan of all of them says is the same, whatever they are.
func TestBothWaysToAnOutcomeAgree(t *testing.T) {
	k := linkInfo{id: "calls", start: time.Now()}
	e := event.Event{Key: event.Key{Site: "10001", Kind: event.CallEnded, ID: "1"}, Received: time.Now()}
	rapid.Check(t, func(t *rapid.T) {
		records := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) queue.Record {
			return queue.Record{
				Link:     rapid.SampledFrom([]string{"calls", "other"}).Draw(t, "link"),
				Outcome:  rapid.SampledFrom(outcomeWords).Draw(t, "outcome"),
				Source:   rapid.SampledFrom([]string{"", queue.FromEvents, queue.FromRetries}).Draw(t, "source"),
				Sequence: rapid.Uint64Range(0, 2).Draw(t, "sequence"),
			}
		}), 0, 5).Draw(t, "records")
		scan := outcomeTable{number: map[string]int{"calls": 0, "other": 1}, newest: map[event.Key][]byte{}, waiting: map[linkEvent]uint64{}}
		var retry *queue.Retry
		if rapid.Bool().Draw(t, "it waits in RETRIES") {
			retry = &queue.Retry{Sequence: rapid.Uint64Range(1, 2).Draw(t, "at")}
			scan.waiting[linkEvent{k.id, e.Key}] = retry.Sequence
		}
		for _, r := range records {
			scan.add(e.Key, r)
		}
		want := outcomeBy(records, retry, k.id)
		if want == "" {
			want = k.unrecorded(e)
		}
		if got, _ := scan.of(e, k); got != want {
			t.Fatalf("a scan says %s, the event's own records %s: %+v, %+v", got, want, retry, records)
		}
	})
}
