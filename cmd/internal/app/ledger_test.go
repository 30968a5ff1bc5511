package app

import (
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// What was erased is not missing: a backfill must not be asked to bring it.
func TestLedgerKnowsWhatWasErased(t *testing.T) {
	q := queuetest.New(t)
	key := event.Key{Site: "10001", Kind: event.CallEnded, ID: "1"}
	if _, err := q.Publish(t.Context(), event.Event{Key: key, Origin: event.Webhook, Received: time.Now(), Time: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Erase(t.Context(), queue.Erasure{Match: func(event.Event) bool { return true }}); err != nil {
		t.Fatal(err)
	}
	ledger := NewLedger(q, &link.File{})
	if fate, err := ledger.Lookup(t.Context(), key); err != nil || !fate.Stored {
		t.Errorf("an erased event: %+v, %v", fate, err)
	}
	key.ID = "2"
	if fate, err := ledger.Lookup(t.Context(), key); err != nil || fate.Stored {
		t.Errorf("one that never came: %+v, %v", fate, err)
	}
}
