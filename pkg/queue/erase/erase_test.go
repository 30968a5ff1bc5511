package erase_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/embedded"
	"github.com/touchbox/touchbox/pkg/queue/erase"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// number is the phone of the person who is erased.
const number = "79161234567"

// person finds them.
var person = erase.Whom{Match: func(e event.Event) bool { return bytes.Contains(e.Body, []byte(number)) }}

// theirs is a call of the person.
func theirs(id int) event.Event {
	e := queuetest.Call(id)
	e.Body = append(e.Body, "&callerphone="+number...)
	return e
}

func eraseThem(t testing.TB, q *queue.Queue) erase.Traces {
	t.Helper()
	gone, err := erase.Erase(t.Context(), q, person)
	if err != nil {
		t.Fatal(err)
	}
	left, err := erase.Find(t.Context(), q, person)
	if err != nil || !left.None() {
		t.Fatalf("after erasing there is %+v, %v", left, err)
	}
	return gone
}

// byLastDigit decides by the event's id: it retries, and waits or dies or arrives in the end.
func byLastDigit(d *queue.Delivery) queue.Decision {
	id := d.Event.Key.ID
	switch x := (queue.Decision{Outcome: event.Waiting, Attempts: d.Attempts + 1}); {
	case d.Attempts == 0:
		return x // at once again: a message that was due leaves its bytes behind
	case strings.HasSuffix(id, "1"):
		x.Until = time.Now().Add(time.Hour)
		return x
	case strings.HasSuffix(id, "2"):
		return queue.Decision{Outcome: event.Dead, Attempts: d.Attempts + 1, Reason: "refused", Status: 400}
	}
	return queue.Decision{Outcome: event.Delivered, Attempts: d.Attempts + 1}
}

// bytesOf counts how often the files of a store hold a text.
func bytesOf(t testing.TB, dir, text string) map[string]int {
	t.Helper()
	found := map[string]int{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && !d.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) { // the server has just removed it
			return nil
		}
		if n := bytes.Count(data, []byte(text)); n > 0 {
			found[strings.TrimPrefix(path, dir)] = n
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Rule 8: whatever was stored of a person is gone, from the files too, and the rest is there.
func TestErase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := embedded.Start(embedded.Config{Dir: dir, MaxStore: 400_000_000, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	q := queuetest.Open(t, s, queue.Options{})
	for id := range 10 {
		queuetest.Publish(t, q, queuetest.Call(id), theirs(100+id))
	}
	for _, body := range []string{"phone=" + number, "phone=79160000000"} {
		if err := q.PutAside(t.Context(), queue.Aside{Site: "10001", Reason: "no_id", Body: []byte(body), Received: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	h := &queuetest.Handler{Decide: byLastDigit}
	stop := h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Eventually(t, "all are settled", func() bool {
		return h.Outcomes()[event.Delivered] == 16 && h.Outcomes()[event.Dead] == 2 && h.Outcomes()[event.Waiting] == 22
	})
	stop()
	if found := bytesOf(t, dir, number); len(found) != 4 {
		t.Fatalf("before: %v; want four streams", found)
	}

	want := erase.Traces{Events: 10, Aside: 1, Retries: 1, DeadLetters: 1, History: 20}
	traces, err := erase.Find(t.Context(), q, person)
	if diff := cmp.Diff(want, traces); diff != "" || err != nil {
		t.Errorf("found: %v\n%s", err, diff)
	}
	if diff := cmp.Diff(want, eraseThem(t, q)); diff != "" {
		t.Errorf("erased:\n%s", diff)
	}
	// What was removed from RETRIES before the erasure, the retries that came due, stays in its file as
	// long as that has something else: here the retry of another's call.
	found := bytesOf(t, dir, number)
	for file, n := range found {
		if !strings.Contains(file, "RETRIES") || n > 20 {
			t.Errorf("%s still holds the number %d times", file, n)
		}
	}
	if n := len(queuetest.Retries(t, q, queue.Filter{})) + len(queuetest.DeadLetters(t, q, queue.Filter{})); n != 2 {
		t.Errorf("of the others %d wait or are dead, want 2", n)
	}
	for id := range 10 {
		if len(queuetest.History(t, q, queuetest.Call(id))) == 0 {
			t.Error("the history of another's call is gone")
		}
		records := queuetest.History(t, q, theirs(100+id))
		if len(records) != 1 || records[0].Outcome != event.Erased || records[0].Link != "a" {
			t.Errorf("history of an erased call: %+v", records)
		}
		if _, err := q.GetEvent(t.Context(), theirs(100+id).Key); !errors.Is(err, queue.ErrErased) || !errors.Is(err, queue.ErrNotFound) {
			t.Errorf("an erased call: %v", err)
		}
	}
	if eraseThem(t, q) != (erase.Traces{}) {
		t.Error("a second erasure found something")
	}
	queuetest.Cancel(t, q, queue.Filter{})
	queuetest.Eventually(t, "the number is gone from the files", func() bool { return len(bytesOf(t, dir, number)) == 0 })
}

func TestErasedEventsStayOut(t *testing.T) {
	t.Parallel()
	s := queuetest.Start(t)
	q, other := queuetest.Open(t, s, queue.Options{}), queuetest.Open(t, s, queue.Options{})
	queuetest.Publish(t, q, theirs(1))
	if got, err := other.Publish(t.Context(), theirs(1)); got != event.ReceiptRepeated || err != nil {
		t.Fatal(got, err)
	}
	h := &queuetest.Handler{}
	h.Consume(t, queuetest.OpenLink(t, q, queuetest.Calls("a")))
	queuetest.Eventually(t, "the first call", func() bool { return h.Outcomes()[event.Delivered] == 1 })
	eraseThem(t, q)
	sweep := theirs(1)
	sweep.Origin, sweep.Time = event.Journal, time.Now()
	for _, e := range []event.Event{theirs(1), sweep, queuetest.Call(1)} {
		if got, err := q.Publish(t.Context(), e); got != event.ReceiptErased || err != nil {
			t.Errorf("%s again: %v, %v", e.Origin, got, err)
		}
	}
	queuetest.Eventually(t, "another process that remembers the key", func() bool {
		got, err := other.Publish(t.Context(), theirs(1))
		return got == event.ReceiptErased && err == nil
	})
	queuetest.Publish(t, q, theirs(2))
	queuetest.Eventually(t, "a new call is taken", func() bool { return h.Outcomes()[event.Delivered] == 2 })
	queuetest.Eventually(t, "nothing is left unread", queuetest.SettledAll(t, q, "a"))
	for e, err := range q.Events(t.Context(), queue.ScanOptions{}) {
		if err != nil || e.Key != theirs(2).Key {
			t.Errorf("the log has %s, %v", e.Key, err)
		}
	}
}

func TestEraseInAFullLog(t *testing.T) {
	t.Parallel()
	q := queuetest.Open(t, queuetest.Start(t), queue.Options{Limits: queue.Limits{Disk: 200_000}})
	queuetest.Publish(t, q, theirs(1))
	big := bytes.Repeat([]byte("x"), 20_000)
	for id := 2; ; id++ {
		e := queuetest.Call(id)
		if len(big) > 0 {
			e.Body = big
		}
		_, err := q.Publish(t.Context(), e)
		if err == nil {
			continue
		}
		if !errors.Is(err, queue.ErrFull) {
			t.Fatal(err)
		}
		if big = big[:len(big)/2]; len(big) == 0 && len(e.Body) < 100 {
			break
		}
	}
	if gone := eraseThem(t, q); gone.Events != 1 {
		t.Errorf("erased %+v", gone)
	}
	if got, err := q.Publish(t.Context(), theirs(1)); got != event.ReceiptErased || err != nil {
		t.Errorf("again: %v, %v", got, err)
	}
}

// Who cannot be read is found all the same, by the body.
func TestEraseDamagedEvents(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	queuetest.PublishRaw(t, q, queuetest.Call(1).Key, nil, []byte(number))
	newer := theirs(2)
	header := newer.Header()
	header["Touchbox-Format"] = []string{"99"}
	queuetest.PublishRaw(t, q, newer.Key, header, newer.Body)
	if gone := eraseThem(t, q); gone.Events != 2 {
		t.Errorf("erased %+v", gone)
	}
}
