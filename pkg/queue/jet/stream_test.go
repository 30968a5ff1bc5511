package jet_test

import (
	"context"
	"errors"
	"net"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/queue/jet"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// A removal that was refused because somebody was faster is done.
func TestWhatIsGoneNeedNotBeRemoved(t *testing.T) {
	t.Parallel()
	c := numbers(t)
	publish(t, c, "1", "2", "3")
	for range 2 {
		if err := c.Remove(t.Context(), stream, 2); err != nil {
			t.Error(err)
		}
	}
	for _, code := range []int{10037, 10043, 10057} {
		if !jet.WasRemoved(t.Context(), c, stream, 2, code) {
			t.Errorf("code %d of a removed one is a failure", code)
		}
	}
	// The third code stands for every trouble of the store: what is still there was not removed.
	if jet.WasRemoved(t.Context(), c, stream, 1, 10057) {
		t.Error("a store that failed counts as done")
	}
}

func TestReads(t *testing.T) {
	t.Parallel()
	c := numbers(t)
	if n, _, err := c.Count(t.Context(), stream, jet.Anything, 1); n != 0 || err != nil {
		t.Errorf("an empty stream holds %d, %v", n, err)
	}
	publish(t, c, "a", "b", "a")
	if m, err := c.Last(t.Context(), stream, "n.a"); err != nil || m.Sequence != 3 || string(m.Data) != "a" {
		t.Errorf("last %+v, %v", m, err)
	}
	if _, err := c.Last(t.Context(), stream, "n.c"); !errors.Is(err, jet.ErrNotFound) {
		t.Errorf("nothing there: %v", err)
	}
	if m, err := c.Next(t.Context(), stream, "n.a", 2); err != nil || m.Sequence != 3 {
		t.Errorf("next %+v, %v", m, err)
	}
	if n, first, err := c.Count(t.Context(), stream, "n.a", 1); n != 2 || err != nil || first.Sequence != 1 {
		t.Errorf("counted %d from %+v, %v", n, first, err)
	}
	if _, err := c.Last(t.Context(), "MISSING", "n.a"); !jet.Away(err) || errors.Is(err, jet.ErrNotFound) {
		t.Errorf("a missing stream is no missing message: %v", err)
	}
	if at, err := c.SequenceAt(t.Context(), stream, time.Now().Add(time.Hour), 4); at != 4 || err != nil {
		t.Errorf("behind the end: %d, %v", at, err)
	}
	for _, read := range []string{"scan", "flow"} {
		each := map[string]func() []uint64{
			"scan": func() (out []uint64) {
				for m, err := range c.Scan(t.Context(), stream, "n.a", 1) {
					if err != nil {
						t.Fatal(err)
					}
					out = append(out, m.Sequence)
				}
				return out
			},
			"flow": func() (out []uint64) {
				for m, err := range c.Flow(t.Context(), stream, "n.a", 1) {
					if err != nil {
						t.Fatal(err)
					}
					out = append(out, m.Sequence)
				}
				return out
			},
		}
		if got := each[read](); len(got) != 2 || got[0] != 1 || got[1] != 3 {
			t.Errorf("%s: %v", read, got)
		}
	}
}

// A page whose rest does not come, because the server died in the middle, is no page.
// Whatever comes again after a start is looked up by a page each.
func TestAPageTakesWhatItHolds(t *testing.T) {
	c := numbers(t)
	batch := make([]*nats.Msg, 250)
	for i := range batch {
		batch[i] = number("a" + strconv.Itoa(i))
	}
	if err := c.PublishBatch(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	if page, more, err := c.Page(t.Context(), stream, "n.>", 1, 1000); err != nil || len(page) != 250 || more != 0 {
		t.Fatalf("%d messages and %d more, %v", len(page), more, err)
	}
	const pages = 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range pages {
		if _, _, err := c.Page(t.Context(), stream, "n.a1", 1, 10); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / pages; each > 100<<10 {
		t.Errorf("a page of one message takes %d bytes", each)
	}
}

func TestAPageThatIsCutShortIsAnError(t *testing.T) {
	t.Parallel()
	c := deaf(t)
	_, err := c.Conn().Subscribe("$JS.API.DIRECT.GET."+stream, func(m *nats.Msg) {
		for i := range 2 {
			_ = c.Conn().PublishMsg(&nats.Msg{Subject: m.Reply, Data: []byte("x"), Header: nats.Header{
				"Nats-Stream": {stream}, "Nats-Subject": {"n.a"}, "Nats-Sequence": {strconv.Itoa(i + 1)},
				"Nats-Time-Stamp": {time.Now().Format(time.RFC3339Nano)}, "Nats-Num-Pending": {"7"},
			}})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if page, _, err := c.Page(ctx, stream, jet.Anything, 1, 9); !jet.Unanswered(err) || page != nil {
		t.Errorf("a page of %d, %v", len(page), err)
	}
}

// deaf is a client of a server without JetStream.
func deaf(t *testing.T) *jet.Client {
	t.Helper()
	s, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	waittest.Eventually(t, "the server is up", func() bool { return s.ReadyForConnections(time.Second) })
	t.Cleanup(s.Shutdown)
	return dial(t, jet.Options{InProcess: func() (net.Conn, error) { return s.InProcessConn() }})
}

// What the server has sent and a busy machine has not read yet is not taken for removed: a list or a copy would be without it.
func TestAReadingWaitsForWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	cable := queuetest.NewCable(queuetest.Start(t))
	c := numbersOf(t, dial(t, jet.Options{InProcess: cable.Conn}))
	publish(t, c, "1")
	r, err := c.Reader(t.Context(), stream, jetstream.OrderedConsumerConfig{}, false)
	if err != nil || r.Left != 1 {
		t.Fatal(r.Left, err)
	}
	defer r.Stop()
	defer time.AfterFunc(3*jet.RemovedAfter/2, cable.Hold()).Stop()
	if m, err := r.NextLeft(t.Context()); err != nil || m == nil {
		t.Errorf("read %v, %v", m, err)
	}
}
