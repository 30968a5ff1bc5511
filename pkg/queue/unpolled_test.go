package queue_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/erase"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// waitingHook is the hook of a form request that waits in ASIDE.
func waitingHook(t *testing.T, q *queue.Queue, id string) event.Key {
	t.Helper()
	key := event.Key{Site: "10001", Kind: event.Request, ID: id}
	err := q.PutAside(t.Context(), queue.Aside{
		Site: "10001", Reason: queue.AsideUnpolled, Key: key.String(), Origin: event.Webhook,
		Body: []byte("requestId=" + id + "&fio=Marked"), Received: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Who is erased while a hook waits for its record is not brought back by the record.
func TestErasingTakesTheKeyOfAHookThatWaits(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	key := waitingHook(t, q, "7")
	_, err := erase.Erase(t.Context(), q, erase.Whom{Match: func(e event.Event) bool { return bytes.Contains(e.Body, []byte("Marked")) }})
	if err != nil {
		t.Fatal(err)
	}
	for a, err := range q.Asides(t.Context(), "", "") {
		t.Errorf("still set aside: %+v, %v", a, err)
	}
	if _, err := q.GetEvent(t.Context(), key); !errors.Is(err, queue.ErrErased) {
		t.Errorf("the key is free: %v", err)
	}
	if has, err := q.HasEvent(t.Context(), key); !has || err != nil {
		t.Errorf("not known: %v, %v", has, err)
	}
	record := event.Event{Key: key, Origin: event.Poll, Body: []byte(`{"requestId":7}`), Received: time.Now(), Time: time.Now()}
	if receipt, err := q.Publish(t.Context(), record); receipt != event.ReceiptErased || err != nil {
		t.Errorf("its record is %s, %v", receipt, err)
	}
}

// What waits counts as neither stored nor set aside, and is gone without a trace in the end.
func TestHookThatWaitsIsNotSetAside(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	waitingHook(t, q, "7")
	if err := q.PutAside(t.Context(), queue.Aside{Site: "10001", Reason: "ping", Received: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if _, asides, err := q.CountSince(t.Context(), "10001", time.Now().Add(-time.Hour)); asides != 1 || err != nil {
		t.Errorf("%d set aside, %v", asides, err)
	}
	if has, err := q.HasEvent(t.Context(), event.Key{Site: "10001", Kind: event.Request, ID: "7"}); has || err != nil {
		t.Errorf("known: %v, %v", has, err)
	}
	for a, err := range q.Asides(t.Context(), "", queue.AsideUnpolled) {
		if err != nil {
			t.Fatal(err)
		}
		if err := q.EraseAside(t.Context(), a.Sequence); err != nil {
			t.Fatal(err)
		}
	}
	if _, asides, _ := q.CountSince(t.Context(), "10001", time.Now().Add(-time.Hour)); asides != 1 {
		t.Errorf("%d set aside", asides)
	}
}

// When ASIDE fills up, its older half is known to be in danger.
func TestAsideEdge(t *testing.T) {
	t.Parallel()
	q := queuetest.Open(t, queuetest.Start(t), queue.Options{Limits: queue.Limits{Disk: 16e6}})
	if edge, err := q.AsideEdge(t.Context()); edge != 0 || err != nil {
		t.Errorf("an empty one has an edge: %d, %v", edge, err)
	}
	const n = 30
	for range n { // of 1.6 MB
		if err := q.PutAside(t.Context(), queue.Aside{Site: "10001", Reason: "ping", Body: make([]byte, 50_000), Received: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	if edge, err := q.AsideEdge(t.Context()); edge < n/3 || edge > n || err != nil {
		t.Errorf("edge %d of %d, %v", edge, n, err)
	}
}

// A record of Calltouch's of several MB is an event like any other.
func TestLargeEvent(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	large := queuetest.Call(1)
	large.Body = make([]byte, 4<<20)
	queuetest.Publish(t, q, large)
	large = queuetest.Call(2)
	large.Body = make([]byte, 9<<20)
	if _, err := q.Publish(t.Context(), large); !errors.Is(err, queue.ErrTooLarge) || !errors.Is(err, event.ErrTooLarge) {
		t.Errorf("9 MB: %v", err)
	}
}
