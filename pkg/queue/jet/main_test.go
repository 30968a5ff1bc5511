package jet_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/queue/embedded"
	"github.com/touchbox/touchbox/pkg/queue/jet"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

func TestMain(m *testing.M) { queuetest.Main(m) }

func dial(t testing.TB, o jet.Options) *jet.Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c, err := jet.Dial(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// open is a client of an embedded server.
func open(t testing.TB, s *embedded.Server) *jet.Client {
	t.Helper()
	return dial(t, jet.Options{InProcess: s.Conn})
}

const stream = "NUMBERS"

// numbers makes a stream on a server and returns a client of it.
func numbers(t testing.TB) *jet.Client {
	t.Helper()
	return numbersOf(t, open(t, queuetest.Start(t)))
}

// numbersOf makes the stream on a client's server.
func numbersOf(t testing.TB, c *jet.Client) *jet.Client {
	t.Helper()
	_, err := c.JetStream().CreateStream(t.Context(), jetstream.StreamConfig{
		Name: stream, Subjects: []string{"n.>"}, AllowDirect: true, AllowAtomicPublish: true, Storage: jetstream.FileStorage,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// number is a message on a subject of that stream.
func number(subject string) *nats.Msg {
	return &nats.Msg{Subject: "n." + subject, Data: []byte(subject), Header: nats.Header{"Own": {"x"}}}
}

func publish(t testing.TB, c *jet.Client, subjects ...string) {
	t.Helper()
	for _, s := range subjects {
		if _, err := c.Publish(t.Context(), number(s)); err != nil {
			t.Fatal(err)
		}
	}
}

// bucket is a bucket that exists.
func bucket(t testing.TB, c *jet.Client) *jet.Bucket {
	t.Helper()
	config := jetstream.KeyValueConfig{Bucket: "values", Storage: jetstream.FileStorage, LimitMarkerTTL: time.Minute}
	if _, err := c.JetStream().CreateOrUpdateKeyValue(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	return c.Bucket(jet.BucketOptions{Name: "values", MarkerTTL: time.Minute})
}
