package queue_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/embedded"
	"github.com/touchbox/touchbox/pkg/queue/keep"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// inside connects to a server without the queue.
func inside(t *testing.T, s *embedded.Server) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect("", nats.InProcessServer(dial(s.Conn)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

type dial func() (net.Conn, error)

func (d dial) InProcessConn() (net.Conn, error) { return d() }

func TestProvisionGivesEachStreamItsBounds(t *testing.T) {
	t.Parallel()
	s := queuetest.Start(t)
	queuetest.Open(t, s, queue.Options{Limits: queue.Limits{Disk: 100_000_000, DeadLetters: 24 * time.Hour}})
	js := inside(t, s)
	type bounds struct {
		Bytes   int64
		Age     time.Duration
		Subject int64
		Discard jetstream.DiscardPolicy
		Keep    jetstream.RetentionPolicy
	}
	want := map[string]bounds{
		"TOUCHBOX_EVENTS":      {100_000_000, 0, -1, jetstream.DiscardNew, jetstream.LimitsPolicy},
		"TOUCHBOX_RETRIES":     {-1, 0, -1, jetstream.DiscardOld, jetstream.WorkQueuePolicy},
		"TOUCHBOX_DEADLETTERS": {10_000_000, 24 * time.Hour, 1, jetstream.DiscardNew, jetstream.LimitsPolicy},
		"TOUCHBOX_HISTORY":     {50_000_000, 0, -1, jetstream.DiscardOld, jetstream.LimitsPolicy},
		"TOUCHBOX_ASIDE":       {9_000_000, 7 * 24 * time.Hour, -1, jetstream.DiscardOld, jetstream.LimitsPolicy},
		"TOUCHBOX_AUDIT":       {1_000_000, 365 * 24 * time.Hour, -1, jetstream.DiscardNew, jetstream.LimitsPolicy},
	}
	got := map[string]bounds{}
	for name := range want {
		stream, err := js.Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		c := stream.CachedInfo().Config
		got[name] = bounds{c.MaxBytes, c.MaxAge, c.MaxMsgsPerSubject, c.Discard, c.Retention}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestProvisionAgain(t *testing.T) {
	t.Parallel()
	s := queuetest.Start(t)
	q := queuetest.Open(t, s, queue.Options{Limits: queue.Limits{Disk: 100_000_000}})
	queuetest.Publish(t, q, queuetest.Call(1))
	bigger := queuetest.Open(t, s, queue.Options{Limits: queue.Limits{Disk: 150_000_000}})
	stream, err := inside(t, s).Stream(t.Context(), "TOUCHBOX_EVENTS")
	if err != nil || stream.CachedInfo().Config.MaxBytes != 150_000_000 {
		t.Errorf("not updated: %v, %v", stream.CachedInfo().Config.MaxBytes, err)
	}
	if _, err := bigger.GetEvent(t.Context(), queuetest.Call(1).Key); err != nil {
		t.Errorf("an update lost an event: %v", err)
	}
}

func TestProvisionSaysWhatItCannotChange(t *testing.T) {
	t.Parallel()
	s := queuetest.Start(t)
	js := inside(t, s)
	_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: "TOUCHBOX_RETRIES", Subjects: []string{"touchbox.retry.>"}, Storage: jetstream.MemoryStorage,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "touchbox.retry.x", []byte("kept")); err != nil {
		t.Fatal(err)
	}
	q, err := queue.Open(t.Context(), queue.Options{Connection: queue.Connection{InProcess: s.Conn}, Limits: queue.Limits{Disk: 100_000_000}})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	err = q.Provision(t.Context())
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"TOUCHBOX_RETRIES", "retention is Limits, to be WorkQueue", "storage is Memory, to be File", "nothing was changed or deleted"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	stream, err := js.Stream(t.Context(), "TOUCHBOX_RETRIES")
	if err != nil || stream.CachedInfo().State.Msgs != 1 {
		t.Errorf("the stream was touched: %v", err)
	}
}

func TestProvisionNeedsRoom(t *testing.T) {
	t.Parallel()
	s := queuetest.Start(t)
	q, err := queue.Open(t.Context(), queue.Options{Connection: queue.Connection{InProcess: s.Conn}}) // 10 GB on a small server
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	if err := q.Provision(t.Context()); err == nil || !strings.Contains(err.Error(), "keep.disk") {
		t.Errorf("got %v", err)
	}
}

// keep.disk is lowered: the streams shrink although they had reserved more than the server is to use
// then, and nothing that is kept is dropped for it.
func TestKeepDiskIsLowered(t *testing.T) {
	t.Parallel()
	const before, after = 100_000_000, 10_000_000
	dir := t.TempDir()
	open := func(disk int64) (*embedded.Server, *queue.Queue) {
		t.Helper()
		s, err := embedded.Start(embedded.Config{Dir: dir, MaxStore: 2 * disk, Log: zerolog.Nop()})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Stop)
		return s, queuetest.Open(t, s, queue.Options{Limits: queue.Limits{Disk: disk}})
	}
	s, q := open(before)
	const n = 50
	for i := range n {
		queuetest.Publish(t, q, sized(i, 150_000))
		if err := q.Note(t.Context(), sized(i, 150_000).Key, queue.Record{Note: "x", Detail: []byte(`"` + strings.Repeat("x", 120_000) + `"`)}); err != nil {
			t.Fatal(err)
		}
	}
	q.Close()
	s.Stop()

	external, err := server.NewServer(&server.Options{DontListen: true, JetStream: true, StoreDir: dir, JetStreamMaxStore: 2 * after})
	if err != nil {
		t.Fatal(err)
	}
	go external.Start()
	queuetest.Eventually(t, "it has read its store", func() bool { return external.ReadyForConnections(time.Second) })
	outside, err := queue.Open(t.Context(), queue.Options{Connection: queue.Connection{InProcess: external.InProcessConn, Log: zerolog.Nop()}, Limits: queue.Limits{Disk: after}})
	if err != nil {
		t.Fatal(err)
	}
	if err := outside.Provision(t.Context()); err == nil || !strings.Contains(err.Error(), "max_file_store of at least 170000000") {
		t.Errorf("a server of one's own: %v", err)
	}
	outside.Close()
	external.Shutdown()
	external.WaitForShutdown()

	s, q = open(after)
	bound := func(stream string) int64 {
		one, err := inside(t, s).Stream(t.Context(), stream)
		if err != nil {
			t.Fatal(err)
		}
		return one.CachedInfo().Config.MaxBytes
	}
	if got := bound("TOUCHBOX_EVENTS"); got != after {
		t.Errorf("EVENTS is bounded to %d", got)
	}
	if got := bound("TOUCHBOX_HISTORY"); got <= after/2 || got >= before/2 {
		t.Errorf("HISTORY is bounded to %d, and holds more than it should", got)
	}
	for i := range n {
		if r := queuetest.History(t, q, sized(i, 150_000)); len(r) != 1 {
			t.Fatalf("the history of call %d is gone", i)
		}
	}
	queuetest.Eventually(t, "room is made, and the bound follows", func() bool {
		if err := keep.Once(t.Context(), q, keep.Config{}); err != nil {
			t.Fatal(err)
		}
		return bound("TOUCHBOX_HISTORY") == after/2
	})
	queuetest.Publish(t, q, queuetest.Call(n+1))
}

func TestProvisionNamesTheStreamInItsWay(t *testing.T) {
	t.Parallel()
	q, err := queue.Open(t.Context(), queue.Options{
		Connection: queue.Connection{InProcess: queuetest.Start(t).Conn}, SyncKnown: true, Limits: queue.Limits{Disk: 10_000_000},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	if _, err := q.Client().JetStream().CreateStream(t.Context(), jetstream.StreamConfig{Name: "EVERYTHING", Subjects: []string{"touchbox.>"}}); err != nil {
		t.Fatal(err)
	}
	if err := q.Provision(t.Context()); err == nil || !strings.Contains(err.Error(), "EVERYTHING") {
		t.Errorf("got %v", err)
	}
}

func TestReadySaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	s := queuetest.Start(t)
	q := queuetest.Open(t, s, queue.Options{})
	if err := q.Ready(t.Context()); err != nil {
		t.Errorf("ready: %v", err)
	}
	if err := queue.DeleteStream(t.Context(), q, "TOUCHBOX_HISTORY"); err != nil {
		t.Fatal(err)
	}
	if err := q.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "TOUCHBOX_HISTORY is missing") {
		t.Errorf("got %v", err)
	}
}

func TestRoundUp(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 10, 0, 0, 500, time.UTC)
	second := time.Date(2026, 11, 1, 10, 0, 1, 0, time.UTC)
	tests := []struct {
		name    string
		t, want time.Time
	}{
		{"a fraction", second.Add(time.Nanosecond), second.Add(time.Second)},
		{"a whole second", second, second},
		{"past", now.Add(-time.Hour), second},
		{"zero", time.Time{}, second},
		{"another zone", second.Add(1).In(time.FixedZone("", 3*3600)), second.Add(time.Second)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := queue.RoundUp(tt.t, now); !got.Equal(tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	key := func(i int) event.Key { return queuetest.Call(i).Key }
	if n := queue.MemorySize(100, 1000, key); n > 100 {
		t.Errorf("%d keys are remembered, want at most 100", n)
	}
	if n := queue.MemorySize(100, 50, key); n != 50 {
		t.Errorf("%d keys are remembered of 50", n)
	}
}
