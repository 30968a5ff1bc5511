package api_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/api"
	"github.com/touchbox/touchbox/pkg/web"
)

// relay passes connections on, until they are to be dead: then it swallows what comes over those
// that are open, without a word, as a firewall does that has forgotten them.
type relay struct {
	net.Listener
	to   string
	made atomic.Int32

	mu   sync.Mutex
	dead []*atomic.Bool
}

func newRelay(t *testing.T, to string) *relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{Listener: listener, to: to}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			r.made.Add(1)
			go r.pass(from)
		}
	}()
	return r
}

func (r *relay) pass(from net.Conn) {
	to, err := net.Dial("tcp", r.to)
	if err != nil {
		return
	}
	dead := &atomic.Bool{}
	r.mu.Lock()
	r.dead = append(r.dead, dead)
	r.mu.Unlock()
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		go func() {
			defer way[1].Close()
			buffer := make([]byte, 32<<10)
			for {
				n, err := way[0].Read(buffer)
				if err != nil {
					return
				}
				if dead.Load() {
					continue
				}
				if _, err := way[1].Write(buffer[:n]); err != nil {
					return
				}
			}
		}()
	}
}

func (r *relay) kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.dead {
		one.Store(true)
	}
}

// A connection that is dead without a word is left: by the ping of HTTP/2, or by the time-out of
// the first request that falls silent on it.
func TestDeadConnectionIsLeft(t *testing.T) {
	for name, ping := range map[string]time.Duration{"ping": 100 * time.Millisecond, "time-out": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.ProtoMajor != 2 {
					t.Errorf("not HTTP/2: %s", r.Proto)
				}
				_, _ = io.WriteString(w, "[]")
			}))
			server.EnableHTTP2 = true
			server.StartTLS()
			defer server.Close()
			between := newRelay(t, server.Listener.Addr().String())
			transport := web.Transport(http.HTTP2Config{SendPingTimeout: ping, PingTimeout: ping})
			transport.TLSClientConfig = &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, ServerName: "example.com"}
			defer transport.CloseIdleConnections()
			c := &api.Client{
				Site: "10001", Token: token, Base: "https://" + between.Addr().String(), HTTP: &http.Client{Transport: transport}, Silence: time.Minute,
			}
			if name == "time-out" {
				c.Silence = time.Second
			}
			ask := func() error {
				return c.Requests(t.Context(), calltouch.Day{}, func(calltouch.Listed) error { return nil })
			}
			if err := ask(); err != nil {
				t.Fatal(err)
			}
			between.kill()
			began, failures := time.Now(), 0
			for ask() != nil {
				if failures++; failures > 3 || time.Since(began) > 50*time.Second {
					t.Fatalf("%d questions over a dead connection", failures)
				}
			}
			if n := between.made.Load(); n < 2 {
				t.Errorf("%d connections", n)
			}
		})
	}
}
