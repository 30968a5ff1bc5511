package queue_test

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"
	"weak"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

func TestEventComesBackByteForByte(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	want := queuetest.Call(1)
	want.Body = []byte("id=1&name=%D0%98\xff\x00\r\n&x=")
	want.Query = "utm_source=a%20b"
	queuetest.Publish(t, q, want)
	got, err := q.GetEvent(t.Context(), want.Key)
	if err != nil {
		t.Fatal(err)
	}
	if got.Sequence == 0 || got.Stored.IsZero() {
		t.Errorf("no place in the log: %+v", got)
	}
	got.Sequence, got.Stored = 0, time.Time{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Rule 1: one key is stored once, however many bring it at once, and also when no process
// remembers it any more.
func TestPublishStoresAKeyOnce(t *testing.T) {
	t.Parallel()
	s := queuetest.Start(t)
	queues := []*queue.Queue{queuetest.Open(t, s, queue.Options{}), queuetest.Open(t, s, queue.Options{})}
	const keys, publishers = 50, 16
	var stored, repeated atomic.Int64
	var all sync.WaitGroup
	for p := range publishers {
		all.Go(func() {
			for i := range keys {
				switch got, err := queues[p%2].Publish(t.Context(), queuetest.Call(i)); {
				case err != nil:
					t.Error(err)
				case got == event.ReceiptStored:
					stored.Add(1)
				case got == event.ReceiptRepeated:
					repeated.Add(1)
				}
			}
		})
	}
	all.Wait()
	if stored.Load() != keys || repeated.Load() != keys*(publishers-1) {
		t.Errorf("stored %d, repeated %d; want %d and %d", stored.Load(), repeated.Load(), keys, keys*(publishers-1))
	}
	n := 0
	for _, err := range queues[0].Events(t.Context(), queue.ScanOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != keys {
		t.Errorf("EVENTS holds %d events, want %d", n, keys)
	}
}

func TestSecondEventUnderAKey(t *testing.T) {
	t.Parallel()
	s := queuetest.Start(t)
	byBody := func(e event.Event) event.Fingerprint { return event.Fingerprint{Phone: string(e.Body), Time: e.Time} }
	tests := []struct {
		name  string
		phone string
		later time.Duration
		want  event.Receipt
	}{
		{"the same call again", "79000000001", 0, event.ReceiptRepeated},
		{"same phone, other time", "79000000001", time.Hour, event.ReceiptRepeated},
		{"other phone, same time", "79000000002", time.Minute, event.ReceiptRepeated},
		{"no phone", "", time.Hour, event.ReceiptRepeated},
		{"another call", "79000000002", time.Hour, event.ReceiptCollision},
	}
	for i, tt := range tests {
		for _, memory := range []string{"remembered", "read from the log"} {
			t.Run(tt.name+", "+memory, func(t *testing.T) {
				q := queuetest.Open(t, s, queue.Options{Fingerprint: byBody})
				first := queuetest.Call(100 + i)
				first.Body = []byte("79000000001")
				first.Fingerprint = byBody(first)
				if _, err := q.Publish(t.Context(), first); err != nil {
					t.Fatal(err)
				}
				if memory != "remembered" {
					q = queuetest.Open(t, s, queue.Options{Fingerprint: byBody})
				}
				second := first
				second.Body, second.Time = []byte(tt.phone), first.Time.Add(tt.later)
				second.Received = first.Received.Add(time.Second)
				second.Fingerprint = byBody(second)
				if got, err := q.Publish(t.Context(), second); err != nil || got != tt.want {
					t.Errorf("got %v, %v; want %v", got, err, tt.want)
				}
			})
		}
	}
}

func TestPublishWhileTheServerIsGone(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "the server is away for longer than a publish waits")
	p := queuetest.Spawn(t)
	q := p.Open(queue.Options{})
	queuetest.Publish(t, q, queuetest.Call(1))
	if err := q.Ready(t.Context()); err != nil {
		t.Errorf("ready: %v", err)
	}
	p.Kill()
	queuetest.Eventually(t, "not ready", func() bool { return q.Ready(t.Context()) != nil })
	if got, err := q.Publish(t.Context(), queuetest.Call(2)); err == nil {
		t.Errorf("published without a server: %v", got)
	}
	p.Start()
	queuetest.Eventually(t, "ready again", func() bool { return q.Ready(t.Context()) == nil })
	queuetest.Publish(t, q, queuetest.Call(2)) // stored now: nothing was kept back and stored later
	if _, err := q.GetEvent(t.Context(), queuetest.Call(1).Key); err != nil {
		t.Errorf("an acknowledged event is lost: %v", err)
	}
}

func TestFullLogRefuses(t *testing.T) {
	t.Parallel()
	s := queuetest.Start(t)
	q := queuetest.Open(t, s, queue.Options{Limits: queue.Limits{Disk: 1_000_000}})
	e := queuetest.Call(1)
	e.Body = make([]byte, 300_000)
	for i := range 10 {
		e.Key = queuetest.Call(i).Key
		if _, err := q.Publish(t.Context(), e); err != nil {
			if i < 2 {
				t.Errorf("full after %d events: %v", i, err)
			}
			return
		}
	}
	t.Error("more was stored than the bound allows")
}

func TestAside(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	want := queue.Aside{Site: "10001", Reason: "ping", Origin: event.Webhook, ContentType: "application/json",
		Query: "a=b", Body: []byte(`{callerphone}`), Received: time.Now().UTC()}
	other := queue.Aside{Reason: "no_id", Key: "10001/call-ended/1~2", Body: []byte("x"), Received: want.Received}
	for _, a := range []queue.Aside{want, other} {
		if err := q.PutAside(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	var got []queue.Aside
	for a, err := range q.Asides(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if a.Sequence == 0 || a.Stored.IsZero() {
			t.Errorf("no place: %+v", a)
		}
		a.Sequence, a.Stored = 0, time.Time{}
		got = append(got, a)
	}
	if diff := cmp.Diff([]queue.Aside{want, other}, got); diff != "" {
		t.Error(diff)
	}
	for a, err := range q.Asides(t.Context(), "10001", "ping") {
		if err != nil || a.Reason != "ping" {
			t.Errorf("selected %+v, %v", a, err)
		}
		if err := q.RemoveAside(t.Context(), a.Sequence); err != nil {
			t.Error(err)
		}
	}
	for a := range q.Asides(t.Context(), "", "ping") {
		t.Errorf("still there: %+v", a)
	}
	if err := q.PutAside(t.Context(), queue.Aside{Site: "1.2", Reason: "x"}); err == nil {
		t.Error("a site of two words was taken")
	}
}

// The id of an event is a part of its hook's text, and twenty thousand ids are remembered: not their texts.
func TestAStoredKeyDoesNotKeepItsHook(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	hook := []byte("id=7&" + strings.Repeat("x", 1<<20))
	text, left := unsafe.String(&hook[0], len(hook)), weak.Make(&hook[0])
	e := queuetest.Call(7)
	e.Key.ID, e.Fingerprint.Phone = text[3:4], text[5:16]
	queuetest.Publish(t, q, e)
	hook, text, e = nil, "", event.Event{}
	waittest.Eventually(t, "the hook's text is garbage", func() bool {
		runtime.GC()
		return left.Value() == nil
	})
	if got, err := q.Publish(t.Context(), queuetest.Call(7)); err != nil || got != event.ReceiptRepeated {
		t.Errorf("the same again: %v, %v", got, err)
	}
}

// What is remembered of a fingerprint is all that tells two calls under one id apart.
func TestAStoredKeyIsRememberedWithItsFingerprint(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 14, 12, 45, 10, 999, time.UTC)
	tests := []struct {
		name  string
		print event.Fingerprint
		want  event.Fingerprint
		known bool
	}{
		{"whole", event.Fingerprint{Phone: "79000000001", Time: at}, event.Fingerprint{Phone: "79000000001", Time: at.Truncate(time.Second)}, true},
		{"the longest phone", event.Fingerprint{Phone: "999999999999999", Time: at}, event.Fingerprint{Phone: "999999999999999", Time: at.Truncate(time.Second)}, true},
		{"no phone", event.Fingerprint{Time: at}, event.Fingerprint{Time: at.Truncate(time.Second)}, true},
		{"no time", event.Fingerprint{Phone: "79000000001"}, event.Fingerprint{Phone: "79000000001"}, true},
		{"nothing", event.Fingerprint{}, event.Fingerprint{}, true},
		{"what is no phone", event.Fingerprint{Phone: strings.Repeat("7", 17), Time: at}, event.Fingerprint{}, false},
	}
	for _, tt := range tests {
		got, known := queue.Remembered(queuetest.Call(7).Key, tt.print)
		if known != tt.known || got.Phone != tt.want.Phone || !got.Time.Equal(tt.want.Time) || got.Time.IsZero() != tt.want.Time.IsZero() {
			t.Errorf("%s: %+v, %v, want %+v, %v", tt.name, got, known, tt.want, tt.known)
		}
	}
}
