package backup_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/backup"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

var subjects = []string{event.SubjectOf("10001", event.CallEnded)}

// newQueue is a queue whose link has started.
func newQueue(t *testing.T) *queue.Queue {
	t.Helper()
	q := queuetest.New(t)
	if _, err := q.Register(t.Context(), queue.LinkSpec{ID: "calls", Subjects: subjects}); err != nil {
		t.Fatal(err)
	}
	return q
}

func publish(t *testing.T, q *queue.Queue, ids ...int) {
	t.Helper()
	for _, id := range ids {
		e := queuetest.Call(id)
		e.Body = fmt.Appendf(nil, "id=%d&duration=1", id)
		queuetest.Publish(t, q, e)
	}
}

// consume runs the link until the returned function is called.
func consume(t *testing.T, q *queue.Queue, decide func(*queue.Delivery) queue.Decision) (stop func()) {
	t.Helper()
	_, stop = queuetest.Consume(t, queuetest.OpenLink(t, q, queue.LinkSpec{ID: "calls", Subjects: subjects, Handlers: 8}), decide)
	return stop
}

func letters(t *testing.T, q *queue.Queue) (list []queue.DeadLetter) {
	t.Helper()
	for d, err := range q.DeadLetters(t.Context(), queue.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, d)
	}
	return list
}

func through(n int) (ids []int) {
	for i := range n {
		ids = append(ids, i)
	}
	return ids
}

// A store of every sort of thing comes back as it was: what was delivered stays so, what waits is tried again at its time, dead letters
// are there, and what had not been read is read.
func TestRestoredQueueGoesOn(t *testing.T) {
	t.Parallel()
	from := newQueue(t)
	publish(t, from, through(30)...)
	until := time.Now().Add(4 * time.Second)
	stop := consume(t, from, func(d *queue.Delivery) queue.Decision {
		switch {
		case d.Event.Key.ID < "1":
			return queue.Decision{Outcome: event.Dead, Reason: "protocol_error"}
		case d.Event.Key.ID < "2":
			return queue.Decision{Outcome: event.Waiting, Reason: "timeout", Until: until, Attempts: d.Attempts + 1}
		default:
			return queue.Decision{Outcome: event.Delivered}
		}
	})
	waittest.Eventually(t, "all are decided", func() bool {
		stats, err := from.LinkStats(t.Context(), "calls")
		return err == nil && stats.Unread == 0 && stats.InHand == 0 && len(letters(t, from)) == 1
	})
	stop()
	publish(t, from, 100, 101)

	dir := filepath.Join(t.TempDir(), "copy")
	saved, err := backup.Save(t.Context(), from, dir, backup.Options{Version: "v1"})
	if err != nil {
		t.Fatal(err)
	}
	if checked, err := backup.Check(dir); err != nil || checked.Messages() != saved.Messages() || saved.Streams[0].Messages != 32 {
		t.Fatalf("manifest %+v, %v", checked, err)
	}
	to := queuetest.New(t)
	if _, err := backup.Load(t.Context(), to, dir, backup.Options{}); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var seen []string
	consume(t, to, func(d *queue.Delivery) queue.Decision {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, d.Event.Key.ID)
		return queue.Decision{Outcome: event.Delivered}
	})
	want := []string{"100", "101", "1"}
	for i := 10; i < 20; i++ {
		want = append(want, fmt.Sprint(i))
	}
	slices.Sort(want)
	waittest.Eventually(t, "what waited and what was unread is handled", func() bool {
		mu.Lock()
		defer mu.Unlock()
		got := slices.Clone(seen)
		slices.Sort(got)
		return slices.Equal(got, want)
	})
	if list := letters(t, to); len(list) != 1 || list[0].Event.Key.ID != "0" {
		t.Errorf("dead letters %v", list)
	}
	publish(t, to, 200)
	if receipt, err := to.Publish(t.Context(), event.Event{Key: event.Key{Site: "10001", Kind: event.CallEnded, ID: "5"}, Origin: event.Webhook, Received: time.Now()}); receipt != event.ReceiptRepeated || err != nil {
		t.Errorf("a repeat after the restore: %s, %v", receipt, err)
	}
}

// A replay between the copies of RETRIES and of DEADLETTERS takes nothing out of either: each event is in the copy.
func TestBackupBesideAReplay(t *testing.T) {
	t.Parallel()
	const n = 20
	q := newQueue(t)
	publish(t, q, through(n)...)
	stop := consume(t, q, func(*queue.Delivery) queue.Decision {
		return queue.Decision{Outcome: event.Dead, Reason: "protocol_error"}
	})
	waittest.Eventually(t, "all are dead", func() bool { return len(letters(t, q)) == n })
	stop()
	all := letters(t, q)
	replayed := make(chan error, 1)
	between := sync.OnceFunc(func() {
		go func() {
			var failed error
			for _, d := range all {
				failed = errors.Join(failed, q.Replay(context.Background(), d, queue.ReplayOptions{}))
			}
			replayed <- failed
		}()
		select { // a replay that does not wait is over soon
		case err := <-replayed:
			replayed <- err
		case <-time.After(time.Second):
		}
	})
	dir := filepath.Join(t.TempDir(), "copy")
	_, err := backup.Save(t.Context(), q, dir, backup.Options{Progress: func(p backup.Progress) {
		if p.Stream == "TOUCHBOX_DEADLETTERS" {
			between()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-replayed; err != nil {
		t.Fatal(err)
	}
	if left := letters(t, q); len(left) != 0 {
		t.Errorf("the replay has left %d", len(left))
	}
	to := queuetest.New(t)
	if _, err := backup.Load(t.Context(), to, dir, backup.Options{}); err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, d := range letters(t, to) {
		there[d.Event.Key.ID] = true
	}
	for r, err := range to.Retries(t.Context(), queue.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		there[r.Event.Key.ID] = true
	}
	if len(there) != n {
		t.Errorf("%d of %d events are in the copy", len(there), n)
	}
}

func TestRefusedRestores(t *testing.T) {
	t.Parallel()
	q := queuetest.New(t)
	publish(t, q, 1)
	dir := filepath.Join(t.TempDir(), "copy")
	if _, err := backup.Save(t.Context(), q, dir, backup.Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Save(t.Context(), q, dir, backup.Options{}); !errors.Is(err, backup.ErrExists) {
		t.Errorf("a second backup into the folder: %v", err)
	}
	if _, err := backup.Load(t.Context(), q, dir, backup.Options{}); !errors.Is(err, backup.ErrNotEmpty) {
		t.Errorf("into a queue that is not empty: %v", err)
	}
	to := queuetest.New(t)
	for name, spoil := range map[string]func(string) error{
		"no manifest": func(dir string) error { return os.Remove(filepath.Join(dir, "manifest.json")) },
		"a flipped byte": func(dir string) error {
			files, err := filepath.Glob(filepath.Join(dir, "TOUCHBOX_EVENTS", "stream.*"))
			if err != nil || len(files) != 1 {
				return fmt.Errorf("%v, %w", files, err)
			}
			data, err := os.ReadFile(files[0])
			if err != nil {
				return err
			}
			data[len(data)/2] ^= 1
			return os.WriteFile(files[0], data, 0o600)
		},
		"a missing stream": func(dir string) error { return os.RemoveAll(filepath.Join(dir, "TOUCHBOX_RETRIES")) },
		"a newer format": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "manifest.json"), []byte(`{"format":2}`), 0o600)
		},
	} {
		bad := filepath.Join(t.TempDir(), "bad")
		if err := errors.Join(os.CopyFS(bad, os.DirFS(dir)), spoil(bad)); err != nil {
			t.Fatal(err)
		}
		if _, err := backup.Load(t.Context(), to, bad, backup.Options{}); !errors.Is(err, backup.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := backup.Save(ctx, q, dir+"2", backup.Options{}); err == nil {
		t.Error("a stopped backup reports nothing")
	}
	if left, _ := filepath.Glob(dir + "2*"); len(left) != 0 {
		t.Errorf("a stopped backup leaves %v", left)
	}
	if _, err := backup.Load(t.Context(), to, dir, backup.Options{}); err != nil {
		t.Errorf("after refused ones: %v", err)
	}
}

// A restore that died between two streams: nothing starts on what it has left, nothing copies it, and the next one begins anew.
func TestBrokenOffRestore(t *testing.T) {
	t.Parallel()
	from := newQueue(t)
	publish(t, from, 1, 2, 3)
	dir := filepath.Join(t.TempDir(), "copy")
	if _, err := backup.Save(t.Context(), from, dir, backup.Options{}); err != nil {
		t.Fatal(err)
	}
	to := queuetest.New(t)
	died := errors.New("the process has died")
	func() {
		defer func() {
			if recover() != died {
				t.Fatal("the restore came to its end")
			}
		}()
		_, _ = backup.Load(t.Context(), to, dir, backup.Options{Progress: func(p backup.Progress) {
			if p.Nth == 3 {
				panic(died)
			}
		}})
	}()
	if err := to.Provision(t.Context()); !errors.Is(err, queue.ErrRestoring) {
		t.Errorf("a start on half a queue: %v", err)
	}
	if _, err := backup.Save(t.Context(), to, dir+"2", backup.Options{}); !errors.Is(err, queue.ErrRestoring) {
		t.Errorf("a backup of half a queue: %v", err)
	}
	m, err := backup.Load(t.Context(), to, dir, backup.Options{})
	if err != nil || m.Streams[0].Messages != 3 {
		t.Fatalf("the next restore: %+v, %v", m, err)
	}
	if err := to.Provision(t.Context()); err != nil {
		t.Errorf("a start on the whole: %v", err)
	}
	if _, err := backup.Load(t.Context(), to, dir, backup.Options{}); !errors.Is(err, backup.ErrNotEmpty) {
		t.Errorf("over the whole: %v", err)
	}
}

// A copy whose connection is lost ends, though its rest never comes: a backup that waits for ever holds up replays, too.
func TestBackupEndsWithItsConnection(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "the lease of a backup that was cut off runs out")
	server := queuetest.Start(t)
	q, cable := queuetest.OpenOver(t, server, queue.Options{Limits: queue.Limits{Disk: 100_000_000}})
	for id := range 100 { // more than the server sends unasked
		e := queuetest.Call(id)
		e.Body = make([]byte, 250_000)
		_, _ = rand.Read(e.Body)
		queuetest.Publish(t, q, e)
	}
	dir := filepath.Join(t.TempDir(), "copy")
	var once sync.Once
	cut := func(p backup.Progress) {
		if p.Done > 0 && p.Total > 1_000_000 {
			once.Do(func() { cable.Cut(); cable.Mend() })
		}
	}
	done := make(chan error, 1)
	go func() {
		_, err := backup.Save(t.Context(), q, dir, backup.Options{Progress: cut})
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), "the connection to NATS was lost") {
			t.Errorf("got %v", err)
		}
	case <-time.After(60 * time.Second):
		t.Fatal("it waits for what never comes")
	}
	queuetest.Eventually(t, "the next one comes to its end", func() bool {
		_, err := backup.Save(t.Context(), q, dir, backup.Options{})
		return err == nil
	})
}

// A restore whose last answer is lost ends, too. What the server makes of it is not known, so the queue stays marked, and the same
// restore begins anew.
func TestRestoreEndsWithItsConnection(t *testing.T) {
	t.Parallel()
	from := newQueue(t)
	publish(t, from, 1, 2, 3)
	dir := filepath.Join(t.TempDir(), "copy")
	if _, err := backup.Save(t.Context(), from, dir, backup.Options{}); err != nil {
		t.Fatal(err)
	}
	to, cable := queuetest.OpenOver(t, queuetest.Start(t), queue.Options{})
	var once sync.Once
	lose := func(p backup.Progress) {
		if p.Nth == 2 && p.Done > 0 { // the last bytes of a small stream: its end follows
			once.Do(func() {
				let := cable.Hold()
				time.AfterFunc(time.Second, func() { cable.Cut(); let(); cable.Mend() })
			})
		}
	}
	done := make(chan error, 1)
	go func() {
		_, err := backup.Load(t.Context(), to, dir, backup.Options{Progress: lose})
		done <- err
	}()
	select {
	case err := <-done:
		if !errors.Is(err, queue.ErrRestoring) {
			t.Errorf("got %v", err)
		}
	case <-time.After(60 * time.Second):
		t.Fatal("it waits for what never comes")
	}
	queuetest.Eventually(t, "the same restore, given again, brings all back", func() bool {
		m, err := backup.Load(t.Context(), to, dir, backup.Options{})
		return err == nil && m.Streams[0].Messages == 3
	})
}
