package jet_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/queue/embedded"
)

// What a deleted namesake has left on the disk goes within moments: until then the server answers with the disk's error.
func TestAConsumerIsMadeWhileItsNamesakeGoes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := embedded.Start(embedded.Config{Dir: dir, MaxStore: 1 << 30, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	c := open(t, s)
	config := jetstream.StreamConfig{Name: stream, Subjects: []string{"n.>"}, Storage: jetstream.FileStorage}
	if _, err := c.JetStream().CreateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(dir, "jetstream", "$G", "streams", stream, "obs", "reader")
	if err := os.MkdirAll(filepath.Dir(left), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(left, nil, 0o600); err != nil { // a file where its folder is to be
		t.Fatal(err)
	}
	reader := jetstream.ConsumerConfig{Durable: "reader", AckPolicy: jetstream.AckExplicitPolicy}
	if _, err := c.JetStream().CreateConsumer(t.Context(), stream, reader); err == nil {
		t.Fatal("the disk is in nobody's way")
	}
	gone := time.AfterFunc(300*time.Millisecond, func() { _ = os.Remove(left) })
	defer gone.Stop()
	if err := c.CreateConsumer(t.Context(), stream, reader); err != nil {
		t.Error(err)
	}
	began := time.Now()
	reader.Durable = "no.name"
	if err := c.CreateConsumer(t.Context(), stream, reader); err == nil || time.Since(began) > time.Second {
		t.Errorf("a mistake is tried again: %v", err)
	}
}
