package queue_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Answers to a publish as a server gives them.
const (
	answerStored = `{"stream":"TOUCHBOX_EVENTS","seq":7}`
	answerThere  = `{"error":{"code":400,"err_code":10071,"description":"wrong last sequence: 1"}}`
	answerFlying = `{"error":{"code":400,"err_code":10164,"description":"wrong last sequence"}}`
	answerFull   = `{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"}}`
)

// scripted is a server that answers each request with the next line of a script, and the last one
// for ever.
func scripted(t *testing.T, script ...string) (q *queue.Queue, asked *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	asked = &atomic.Int64{}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go play(c, script, asked)
		}
	}()
	q, err = queue.Open(t.Context(), queue.Options{Servers: "nats://" + l.Addr().String(), SyncKnown: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	return q, asked
}

func play(c net.Conn, script []string, asked *atomic.Int64) {
	defer func() { _ = c.Close() }()
	fmt.Fprint(c, `INFO {"server_id":"x","version":"2.15.2","headers":true,"max_payload":1048576,"proto":1}`+"\r\n")
	in, sid := bufio.NewReader(c), ""
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		word := strings.Fields(line)
		switch {
		case len(word) == 0:
		case word[0] == "PING":
			fmt.Fprint(c, "PONG\r\n")
		case word[0] == "SUB":
			sid = word[len(word)-1]
		case word[0] == "HPUB" || word[0] == "PUB":
			var size int
			fmt.Sscan(word[len(word)-1], &size)
			_, _ = io.CopyN(io.Discard, in, int64(size)+2)
			n := int(asked.Add(1)) - 1
			answer := script[min(n, len(script)-1)]
			fmt.Fprintf(c, "MSG %s %s %d\r\n%s\r\n", word[2], sid, len(answer), answer)
		}
	}
}

// Rule 1: only 10071 means "stored already". Another proposal in flight is undecided: tried again,
// then an error, which the source answers with 503.
func TestUndecidedIsNoRepeat(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		script []string
		want   event.Receipt // "" means an error
		asked  int64
	}{
		{"in flight, then stored", []string{answerFlying, answerFlying, answerStored}, event.ReceiptStored, 3},
		{"in flight for ever", []string{answerFlying}, "", 8},
		{"full", []string{answerFull}, "", 1},
		{"there, but not to be read", []string{answerThere}, "", 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q, asked := scripted(t, tt.script...)
			got, err := q.Publish(t.Context(), call(1))
			if got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
			if asked.Load() != tt.asked {
				t.Errorf("asked %d times, want %d", asked.Load(), tt.asked)
			}
		})
	}
}
