package queuetest

import (
	"encoding/json"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/embedded"
)

// Cable is the way to an embedded server, which can be cut and mended: the server goes on, and nobody reaches it. What comes from the
// server can be held up too.
type Cable struct {
	server *embedded.Server

	mu    sync.Mutex
	cut   bool
	conns []net.Conn
	held  chan struct{} // nil: nothing is held up
}

// wire is one connection over a cable.
type wire struct {
	net.Conn
	cable *Cable
}

// Read gives what the server has sent, once that is not held up.
func (w wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.cable.mu.Lock()
	held := w.cable.held
	w.cable.mu.Unlock()
	if held != nil {
		<-held
		w.cable.mu.Lock()
		defer w.cable.mu.Unlock()
		if !slices.Contains(w.cable.conns, w.Conn) { // cut meanwhile: what was on its way is lost
			return 0, net.ErrClosed
		}
	}
	return n, err
}

// Hold holds up all that comes from the server until let is called, as a disk does that answers nobody for a while.
func (c *Cable) Hold() (let func()) {
	held := make(chan struct{})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = held
	return sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.held = nil
		close(held)
	})
}

// NewCable is a cable to an embedded server.
func NewCable(s *embedded.Server) *Cable { return &Cable{server: s} }

// OpenOver opens and provisions a queue over a cable; it is closed with the test.
func OpenOver(t testing.TB, s *embedded.Server, o queue.Options) (*queue.Queue, *Cable) {
	t.Helper()
	c := NewCable(s)
	o.InProcess, o.SyncKnown = c.Conn, true
	return open(t, o), c
}

// Conn is a new connection over the cable.
func (c *Cable) Conn() (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		return nil, errors.New("the cable is cut")
	}
	conn, err := c.server.Conn()
	if err == nil {
		c.conns = append(c.conns, conn)
		conn = wire{conn, c}
	}
	return conn, err
}

// Cut cuts it.
func (c *Cable) Cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = true
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}

// Mend mends it.
func (c *Cable) Mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = false
}

// Reads are the readings that anybody asks a server for, as far as they begin at the beginning of a stream.
type Reads struct {
	mu   sync.Mutex
	seen []string
}

// CountReads counts from now on the readings of these streams that begin at their beginning: consumers that deliver all,
// and pages of all subjects. What a link consumes, and what is read of one event, is none.
func CountReads(t testing.TB, s *embedded.Server, streams ...string) *Reads {
	t.Helper()
	nc, err := nats.Connect("", nats.InProcessServer(inside(s.Conn)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	r := &Reads{}
	for _, stream := range streams {
		for subject, begins := range map[string]func([]byte) bool{
			"$JS.API.CONSUMER.CREATE." + stream + ".>": consumesAll,
			"$JS.API.DIRECT.GET." + stream:             readsAll,
		} {
			_, err := nc.Subscribe(subject, func(m *nats.Msg) {
				if begins(m.Data) {
					r.mu.Lock()
					defer r.mu.Unlock()
					r.seen = append(r.seen, stream+": "+string(m.Data))
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return r
}

// FromBeginning lists them.
func (r *Reads) FromBeginning() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.seen...)
}

func consumesAll(request []byte) bool {
	var x struct {
		Config struct {
			Durable string `json:"durable_name"`
			Policy  string `json:"deliver_policy"`
			Start   uint64 `json:"opt_start_seq"`
		} `json:"config"`
	}
	_ = json.Unmarshal(request, &x)
	return x.Config.Durable == "" && (x.Config.Policy == "all" || x.Config.Policy == "by_start_sequence" && x.Config.Start <= 1)
}

// mostLooked is how many messages are asked for at once where no more are read: of what waits for a link, to find the oldest.
const mostLooked = 100

func readsAll(request []byte) bool {
	var x struct {
		Sequence uint64 `json:"seq"`
		Filter   string `json:"next_by_subj"`
		Batch    int    `json:"batch"`
	}
	_ = json.Unmarshal(request, &x)
	return x.Sequence <= 1 && x.Batch > mostLooked && (strings.HasSuffix(x.Filter, ">") || strings.HasSuffix(x.Filter, ".*"))
}
