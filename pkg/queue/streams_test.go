package queue_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/embedded"
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
		"TOUCHBOX_ASIDE":       {10_000_000, 7 * 24 * time.Hour, -1, jetstream.DiscardOld, jetstream.LimitsPolicy},
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
	publish(t, q, call(1))
	bigger := queuetest.Open(t, s, queue.Options{Limits: queue.Limits{Disk: 150_000_000}})
	stream, err := inside(t, s).Stream(t.Context(), "TOUCHBOX_EVENTS")
	if err != nil || stream.CachedInfo().Config.MaxBytes != 150_000_000 {
		t.Errorf("not updated: %v, %v", stream.CachedInfo().Config.MaxBytes, err)
	}
	if _, err := bigger.GetEvent(t.Context(), call(1).Key); err != nil {
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
	q, err := queue.Open(t.Context(), queue.Options{InProcess: s.Conn, Limits: queue.Limits{Disk: 100_000_000}})
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
	q, err := queue.Open(t.Context(), queue.Options{InProcess: s.Conn}) // 10 GB on a small server
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	if err := q.Provision(t.Context()); err == nil || !strings.Contains(err.Error(), "keep.disk") {
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

func TestOldServerIsRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		version string
		ok      bool
	}{
		{"2.14.0", true}, {"2.15.2", true}, {"3.0.0", true}, {"2.14.9-RC.1", true},
		{"2.13.99", false}, {"2.12.15", false}, {"1.4.0", false}, {"", false}, {"2", false}, {"x.y.z", false},
	}
	for _, tt := range tests {
		t.Run(tt.version, func(t *testing.T) {
			err := queue.CheckVersion(tt.version)
			if (err == nil) != tt.ok {
				t.Fatalf("got %v", err)
			}
			if err != nil && !strings.Contains(err.Error(), "2.14 or newer") {
				t.Errorf("%q does not say what is needed", err)
			}
		})
	}
}

// An old server is not asked again and again: Open ends at once and says why.
func TestOpenRefusesAnOldServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go pretend(c, "2.12.15")
		}
	}()
	began := time.Now()
	_, err = queue.Open(t.Context(), queue.Options{Servers: "nats://me:secret@" + l.Addr().String()})
	if err == nil || !strings.Contains(err.Error(), "2.12.15") || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	if time.Since(began) > 3*time.Second {
		t.Error("it was tried on")
	}
}

// pretend answers a client's greeting as a server of the version.
func pretend(c net.Conn, version string) {
	defer func() { _ = c.Close() }()
	_, _ = c.Write([]byte(`INFO {"server_id":"x","version":"` + version + `","headers":true,"max_payload":1048576,"proto":1}` + "\r\n"))
	buffer := make([]byte, 4096)
	for {
		n, err := c.Read(buffer)
		if err != nil {
			return
		}
		if strings.Contains(string(buffer[:n]), "PING") {
			_, _ = c.Write([]byte("PONG\r\n"))
		}
	}
}

func TestOpenWaitsForTheServer(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := queue.Open(ctx, queue.Options{Servers: "nats://me:secret@127.0.0.1:1"})
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	if _, err := queue.Open(t.Context(), queue.Options{}); err == nil {
		t.Error("opened nothing")
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
	key := func(i int) event.Key { return call(i).Key }
	if n := queue.MemorySize(100, 1000, key); n > 100 {
		t.Errorf("%d keys are remembered, want at most 100", n)
	}
	if n := queue.MemorySize(100, 50, key); n != 50 {
		t.Errorf("%d keys are remembered of 50", n)
	}
}
