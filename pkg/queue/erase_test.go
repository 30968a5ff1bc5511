package queue_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/embedded"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// number is the phone of the person who is erased.
const number = "79161234567"

// person finds them.
var person = queue.Erasure{Match: func(e event.Event) bool { return bytes.Contains(e.Body, []byte(number)) }}

// theirs is a call of the person.
func theirs(id int) event.Event {
	e := call(id)
	e.Body = append(e.Body, "&callerphone="+number...)
	return e
}

func erase(t testing.TB, q *queue.Queue) queue.Traces {
	t.Helper()
	gone, err := q.Erase(t.Context(), person)
	if err != nil {
		t.Fatal(err)
	}
	left, err := q.FindPerson(t.Context(), person)
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
	dir := t.TempDir()
	s, err := embedded.Start(embedded.Config{Dir: dir, MaxStore: 400_000_000, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	q := queuetest.Open(t, s, queue.Options{})
	for id := range 10 {
		publish(t, q, call(id), theirs(100+id))
	}
	for _, body := range []string{"phone=" + number, "phone=79160000000"} {
		if err := q.PutAside(t.Context(), queue.Aside{Site: "10001", Reason: "no_id", Body: []byte(body), Received: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	h := &handler{decide: byLastDigit}
	stop := h.consume(t, openLink(t, q, calls("a")))
	eventually(t, "all are settled", func() bool {
		return h.outcomes()[event.Delivered] == 16 && h.outcomes()[event.Dead] == 2 && h.outcomes()[event.Waiting] == 22
	})
	stop()
	if found := bytesOf(t, dir, number); len(found) != 4 {
		t.Fatalf("before: %v; want four streams", found)
	}

	want := queue.Traces{Events: 10, Aside: 1, Retries: 1, DeadLetters: 1, History: 20}
	traces, err := q.FindPerson(t.Context(), person)
	if diff := cmp.Diff(want, traces); diff != "" || err != nil {
		t.Errorf("found: %v\n%s", err, diff)
	}
	if diff := cmp.Diff(want, erase(t, q)); diff != "" {
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
	if n := len(retries(t, q, queue.Filter{})) + len(deadLetters(t, q, queue.Filter{})); n != 2 {
		t.Errorf("of the others %d wait or are dead, want 2", n)
	}
	for id := range 10 {
		if len(history(t, q, call(id))) == 0 {
			t.Error("the history of another's call is gone")
		}
		records := history(t, q, theirs(100+id))
		if len(records) != 1 || records[0].Outcome != event.Erased || records[0].Link != "a" {
			t.Errorf("history of an erased call: %+v", records)
		}
		if _, err := q.GetEvent(t.Context(), theirs(100+id).Key); !errors.Is(err, queue.ErrErased) || !errors.Is(err, queue.ErrNotFound) {
			t.Errorf("an erased call: %v", err)
		}
	}
	if erase(t, q) != (queue.Traces{}) {
		t.Error("a second erasure found something")
	}
	for _, r := range retries(t, q, queue.Filter{}) {
		if err := q.CancelRetry(t.Context(), r, "cancelled"); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the number is gone from the files", func() bool { return len(bytesOf(t, dir, number)) == 0 })
}

func TestErasedEventsStayOut(t *testing.T) {
	s := queuetest.Start(t)
	q, other := queuetest.Open(t, s, queue.Options{}), queuetest.Open(t, s, queue.Options{})
	publish(t, q, theirs(1))
	if got, err := other.Publish(t.Context(), theirs(1)); got != event.ReceiptRepeated || err != nil {
		t.Fatal(got, err)
	}
	h := &handler{}
	h.consume(t, openLink(t, q, calls("a")))
	eventually(t, "the first call", func() bool { return h.outcomes()[event.Delivered] == 1 })
	erase(t, q)
	sweep := theirs(1)
	sweep.Origin, sweep.Time = event.Journal, time.Now()
	for _, e := range []event.Event{theirs(1), sweep, call(1)} {
		if got, err := q.Publish(t.Context(), e); got != event.ReceiptErased || err != nil {
			t.Errorf("%s again: %v, %v", e.Origin, got, err)
		}
	}
	eventually(t, "another process that remembers the key", func() bool {
		got, err := other.Publish(t.Context(), theirs(1))
		return got == event.ReceiptErased && err == nil
	})
	publish(t, q, theirs(2))
	eventually(t, "a new call is taken", func() bool { return h.outcomes()[event.Delivered] == 2 })
	eventually(t, "nothing is left unread", settledAll(t, q, "a"))
	for e, err := range q.Events(t.Context(), queue.ScanOptions{}) {
		if err != nil || e.Key != theirs(2).Key {
			t.Errorf("the log has %s, %v", e.Key, err)
		}
	}
}

// An event in hand can still be retried, die or be recorded after its tombstone was put: six of them,
// one half from EVENTS, the other from RETRIES.
func TestEraseWaitsForWhatIsInHand(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	outcomes := []event.Outcome{event.Waiting, event.Dead, event.Delivered}
	for id := range 6 {
		publish(t, q, theirs(id))
	}
	inHand, goOn := make(chan bool, 6), make(chan bool)
	h := &handler{decide: func(d *queue.Delivery) queue.Decision {
		id := int(d.Event.Key.ID[0] - '0')
		if d.Retry != (id >= 3) {
			return queue.Decision{Outcome: event.Waiting, Attempts: 1}
		}
		inHand <- true
		<-goOn
		return queue.Decision{Outcome: outcomes[id%3], Attempts: 2}
	}}
	spec := calls("a")
	spec.Workers = 8
	h.consume(t, openLink(t, q, spec))
	for range 6 {
		<-inHand
	}
	e := person
	var once sync.Once
	e.Progress = func(p queue.ErasureProgress) {
		if p.Step == queue.EraseWait {
			once.Do(func() { close(goOn) })
		}
	}
	if _, err := q.Erase(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	once.Do(func() { t.Error("it did not wait") })
	eventually(t, "nothing in hand", settledAll(t, q, "a"))
	left, err := q.FindPerson(t.Context(), person)
	if err != nil || !left.None() {
		t.Errorf("left: %+v, %v", left, err)
	}
	for id := range 6 {
		if r := history(t, q, theirs(id)); len(r) != 1 || r[0].Outcome != event.Erased {
			t.Errorf("history of %d: %+v", id, r)
		}
	}
}

// What somebody publishes all the same, an older worker for one, is found by the next look. What is in
// hand for longer than an erasure waits is not stored when it comes back.
func TestEraseLooksAgain(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	publish(t, q, theirs(1), theirs(2), theirs(3))
	inHand, goOn := make(chan bool, 2), make(chan bool)
	h := &handler{decide: func(d *queue.Delivery) queue.Decision {
		if id := d.Event.Key.ID; id == "2" || id == "3" {
			inHand <- true
			<-goOn
		}
		if d.Event.Key.ID == "3" {
			return queue.Decision{Outcome: event.Delivered, Attempts: 1}
		}
		return queue.Decision{Outcome: event.Dead, Attempts: 1}
	}}
	h.consume(t, openLink(t, q, calls("a")))
	<-inHand
	<-inHand
	eventually(t, "one is dead", func() bool { return len(deadLetters(t, q, queue.Filter{})) == 1 })
	letter := deadLetters(t, q, queue.Filter{})[0]
	e := person
	var once sync.Once
	e.Progress = func(p queue.ErasureProgress) {
		if p.Step == queue.EraseWait {
			once.Do(func() {
				if err := q.PauseLink(t.Context(), "a", queue.Stopped); err != nil {
					t.Error(err)
				}
				if err := queue.PublishReplay(t.Context(), q, letter); err != nil {
					t.Error(err)
				}
			})
		}
	}
	gone, err := q.Erase(t.Context(), e)
	if err != nil || gone.Retries != 1 {
		t.Errorf("erased %+v, %v", gone, err)
	}
	close(goOn)
	if err := q.ResumeLink(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	publish(t, q, call(4))
	eventually(t, "life goes on", func() bool { return h.outcomes()[event.Dead] == 2 })
	if left, err := q.FindPerson(t.Context(), person); err != nil || !left.None() {
		t.Errorf("left: %+v, %v", left, err)
	}
	if r := history(t, q, theirs(3)); len(r) != 1 || r[0].Outcome != event.Erased {
		t.Errorf("history %+v", r)
	}
}

// dying is a context that ends at the n-th thing that is asked of the server.
type dying struct {
	context.Context
	left atomic.Int64
	end  context.CancelFunc
}

func newDying(ctx context.Context, n int64) *dying {
	inner, cancel := context.WithCancel(ctx)
	d := &dying{Context: inner, end: cancel}
	d.left.Store(n)
	return d
}

func (d *dying) Done() <-chan struct{} {
	if d.left.Add(-1) < 0 {
		d.end()
	}
	return d.Context.Done()
}

func TestEraseGoesOnAfterACrashAtAnyLine(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	const people = 16
	phone := func(n int) string { return fmt.Sprintf("7916%07d", n) }
	for n := range people {
		for i := range 3 {
			e := call(10*n + 1 + i)
			e.Body = append(e.Body, phone(n)...)
			publish(t, q, e)
		}
		if err := q.PutAside(t.Context(), queue.Aside{Site: "10001", Reason: "no_id", Body: []byte(phone(n)), Received: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	h := &handler{decide: byLastDigit}
	stop := h.consume(t, openLink(t, q, calls("a")))
	eventually(t, "all are settled", func() bool {
		return h.outcomes()[event.Delivered] == people && h.outcomes()[event.Dead] == people && h.outcomes()[event.Waiting] == 4*people
	})
	stop()
	if err := queue.DeleteConsumers(t.Context(), q, "a"); err != nil { // so that nothing can be in hand
		t.Fatal(err)
	}
	died, at := 0, int64(1)
	for n := range people {
		at += at/2 + 1
		one := queue.Erasure{Match: func(e event.Event) bool { return bytes.Contains(e.Body, []byte(phone(n))) }}
		_, err := q.Erase(newDying(t.Context(), at), one)
		if err != nil {
			died++
		}
		if _, err := q.Erase(t.Context(), one); err != nil {
			t.Fatal(err)
		}
		if left, err := q.FindPerson(t.Context(), one); err != nil || !left.None() {
			t.Fatalf("died at %d: left %+v, %v", at, left, err)
		}
		for i := range 3 {
			e := call(10*n + 1 + i)
			if r := history(t, q, e); len(r) != 1 || r[0].Outcome != event.Erased {
				t.Fatalf("died at %d: history of an erased call %+v", at, r)
			}
			if got, err := q.Publish(t.Context(), e); got != event.ReceiptErased || err != nil {
				t.Fatalf("died at %d: again: %v, %v", at, got, err)
			}
		}
	}
	if died < people/2 || died == people {
		t.Errorf("it died %d times of %d", died, people)
	}
	if left, err := q.State().List(t.Context(), "erasing."); err != nil || len(left) != 0 {
		t.Errorf("STATE still has %v, %v", left, err)
	}
}

func TestEraseInAFullLog(t *testing.T) {
	q := queuetest.Open(t, queuetest.Start(t), queue.Options{Limits: queue.Limits{Disk: 200_000}})
	publish(t, q, theirs(1))
	big := bytes.Repeat([]byte("x"), 20_000)
	for id := 2; ; id++ {
		e := call(id)
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
	if gone := erase(t, q); gone.Events != 1 {
		t.Errorf("erased %+v", gone)
	}
	if got, err := q.Publish(t.Context(), theirs(1)); got != event.ReceiptErased || err != nil {
		t.Errorf("again: %v, %v", got, err)
	}
}

// Who cannot be read is found all the same, by the body.
func TestEraseDamagedEvents(t *testing.T) {
	q := queuetest.New(t)
	if err := queue.PublishRaw(t.Context(), q, call(1).Key, nil, []byte(number)); err != nil {
		t.Fatal(err)
	}
	newer := theirs(2)
	header := newer.Header()
	header["Touchbox-Format"] = []string{"99"}
	if err := queue.PublishRaw(t.Context(), q, newer.Key, header, newer.Body); err != nil {
		t.Fatal(err)
	}
	if gone := erase(t, q); gone.Events != 2 {
		t.Errorf("erased %+v", gone)
	}
}
