package app

import (
	"errors"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/poll"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue/backup"
	"github.com/touchbox/touchbox/pkg/queue/erase"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// A hook that becomes an event while a backup runs is in EVENTS after EVENTS was copied: it must be in
// ASIDE still when that is.
func TestHookIsNotForgottenWhileABackupRuns(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "a backup waits some seconds before its first copy")
	q := queuetest.New(t)
	err := q.PutAside(t.Context(), event.Aside{Site: "10001", Reason: string(calltouch.AsideUnpolled), Body: []byte("requestId=7"), Received: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	hooks := waitingHooks{q}
	waiting := func() []poll.WaitingHook {
		list, err := hooks.Waiting(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	lease, err := backup.HoldMoves(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if err := hooks.Forget(t.Context(), waiting()[0]); !errors.Is(err, poll.ErrNotNow) || len(waiting()) != 1 {
		t.Errorf("forgotten during a backup: %v", err)
	}
	lease.Release()
	if err := hooks.Forget(t.Context(), waiting()[0]); err != nil || len(waiting()) != 0 {
		t.Errorf("not forgotten: %v", err)
	}
}

// What was erased is not missing: a backfill must not be asked to bring it.
func TestLedgerKnowsWhatWasErased(t *testing.T) {
	q := queuetest.New(t)
	key := event.Key{Site: "10001", Kind: event.CallEnded, ID: "1"}
	if _, err := q.Publish(t.Context(), event.Event{Key: key, Origin: event.Webhook, Received: time.Now(), Time: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if _, err := erase.Erase(t.Context(), q, erase.Whom{Match: func(event.Event) bool { return true }}); err != nil {
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
