package hook_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/calltouch/hook"
	"github.com/touchbox/touchbox/pkg/event"
)

// hall is a server with bounds of its own.
type hall struct {
	t         *testing.T
	address   string
	malformed atomic.Int64
}

func newHall(t *testing.T, bounds hook.Bounds, secure *tls.Config) *hall {
	t.Helper()
	return newHallOf(t, newBench(), bounds, secure)
}

// newHallOf is one for the hooks of a bench.
func newHallOf(t *testing.T, b *bench, bounds hook.Bounds, secure *tls.Config) *hall {
	t.Helper()
	b.config.Observe = nil
	h := &hall{t: t}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.address = listener.Addr().String()
	bounds.Malformed = func() { h.malformed.Add(1) }
	server := hook.NewServer(h.address, hook.NewHandler(b.config))
	server.TLSConfig = secure
	if listener = hook.Bounded(listener, bounds); secure != nil {
		go server.ServeTLS(listener, "", "")
	} else {
		go server.Serve(listener)
	}
	t.Cleanup(func() { server.Close() })
	return h
}

// open opens a connection and sends a text.
func (h *hall) open(text string) net.Conn {
	h.t.Helper()
	c, err := net.Dial("tcp", h.address)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		h.t.Logf("write: %v", err)
	}
	return c
}

// statusOf reads one answer and returns its status, 0 when the connection was closed.
func statusOf(c net.Conn) int {
	c.SetReadDeadline(time.Now().Add(30 * time.Second))
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0
	}
	io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

// closed waits until the other end has closed.
func closed(c net.Conn) bool {
	c.SetReadDeadline(time.Now().Add(30 * time.Second))
	_, err := c.Read(make([]byte, 1))
	timeout, ok := err.(net.Error)
	return err != nil && !(ok && timeout.Timeout())
}

const (
	unfinished = "POST /calltouch/10001/guess HTTP/1.1\r\nHost: x\r\nX-Long: "
	whole      = "GET /calltouch/10001/secret-key?" + endedCall + " HTTP/1.1\r\nHost: x\r\n\r\n"
)

// A connection too many takes the place of the oldest that has shown nothing.
func TestBoundedConnections(t *testing.T) {
	for name, bounds := range map[string]hook.Bounds{
		"in all":      {Connections: 4},
		"per address": {PerAddress: 4},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHall(t, bounds, nil)
			known := h.open(whole)
			if code := statusOf(known); code != http.StatusOK {
				t.Fatalf("a hook: %d", code)
			}
			var guests []net.Conn
			for range 8 {
				guests = append(guests, h.open(unfinished))
			}
			for i, g := range guests[:5] {
				if !closed(g) {
					t.Errorf("connection %d is still open", i)
				}
			}
			io.WriteString(known, whole)
			if code := statusOf(known); code != http.StatusOK {
				t.Errorf("a hook on a connection that had brought one: %d", code)
			}
			if code := statusOf(h.open(whole)); code != http.StatusOK {
				t.Errorf("a hook on a new connection: %d", code)
			}
			if io.WriteString(guests[7], "x\r\nConnection: close\r\n\r\n"); statusOf(guests[7]) != http.StatusNotFound {
				t.Error("the newest of them was closed too")
			}
		})
	}
}

// slowShelf is a store that says when it is asked, and answers when it may.
type slowShelf struct {
	*shelf
	asked chan struct{}
	may   chan struct{}
}

func (s slowShelf) Publish(ctx context.Context, e event.Event) (event.Receipt, error) {
	s.asked <- struct{}{}
	<-s.may
	return s.shelf.Publish(ctx, e)
}

// A connection with a hook in hand makes room for nobody.
func TestBoundedLeavesAHookInHand(t *testing.T) {
	b := newBench()
	store := slowShelf{b.store, make(chan struct{}), make(chan struct{})}
	b.config.Store = store
	h := newHallOf(t, b, hook.Bounds{Connections: 2}, nil)
	var busy []net.Conn
	for range 2 {
		busy = append(busy, h.open(whole))
		<-store.asked
	}
	if c := h.open(whole); !closed(c) {
		t.Error("one too many was let in")
	}
	close(store.may)
	for i, c := range busy {
		if code := statusOf(c); code != http.StatusOK {
			t.Errorf("the hook in hand on connection %d: %d", i, code)
		}
	}
}

// Trusted proxies hold connections for others: only the bound of all of them holds.
func TestBoundedTrustsProxies(t *testing.T) {
	h := newHall(t, hook.Bounds{PerAddress: 2, Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, nil)
	var guests []net.Conn
	for range 6 {
		guests = append(guests, h.open(unfinished))
	}
	for i, g := range guests {
		if io.WriteString(g, "x\r\nConnection: close\r\n\r\n"); statusOf(g) != http.StatusNotFound {
			t.Errorf("connection %d was closed", i)
		}
	}
}

// Where headers take too much in all, whoever sends most of it goes.
func TestBoundedHeaders(t *testing.T) {
	h := newHall(t, hook.Bounds{Unread: 64 << 10}, nil)
	small := h.open(unfinished)
	var large []net.Conn
	for range 3 {
		large = append(large, h.open(unfinished+strings.Repeat("x", 30<<10)))
	}
	gone := 0
	for _, g := range large {
		if io.WriteString(g, "x\r\nConnection: close\r\n\r\n"); statusOf(g) == 0 {
			gone++
		}
	}
	if gone == 0 {
		t.Error("all large headers were read")
	}
	if io.WriteString(small, "x\r\nConnection: close\r\n\r\n"); statusOf(small) != http.StatusNotFound {
		t.Error("a small one was closed")
	}
	for range 3 { // more than the bound, and net/http takes half a second to close each
		if code := statusOf(h.open("GET /calltouch/10001/secret-key?" + endedCall + "&x=" + strings.Repeat("x", 50<<10) + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")); code != http.StatusOK {
			t.Fatalf("a long hook: %d: what was read is still counted", code)
		}
	}
}

// What net/http refuses by itself is counted.
func TestMalformedIsCounted(t *testing.T) {
	for name, request := range map[string]string{
		"a blank in a GET": "GET /calltouch/10001/secret-key?id=1&fio=Anna Ivanova HTTP/1.1\r\nHost: x\r\n\r\n",
		"a long header":    "GET /calltouch/10001/secret-key?id=1&x=" + strings.Repeat("x", 80<<10) + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"no host":          "GET /calltouch/10001/secret-key?id=1 HTTP/1.1\r\n\r\n",
		"another version":  "GET / HTTP/3.0\r\nHost: x\r\n\r\n",
	} {
		for _, secure := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				var config *tls.Config
				if secure {
					config = &tls.Config{Certificates: []tls.Certificate{certificate(t)}}
				}
				h := newHall(t, hook.Bounds{}, config)
				dial := func() net.Conn {
					c := h.open("")
					if secure {
						c = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
					}
					return c
				}
				good := dial()
				io.WriteString(good, whole)
				if code := statusOf(good); code != http.StatusOK || h.malformed.Load() != 0 {
					t.Fatalf("a hook: %d, %d counted", code, h.malformed.Load())
				}
				good.Close()
				c := dial()
				go io.WriteString(c, request) // it may be hung up on in the middle
				if code := statusOf(c); code != 0 && code < 400 {
					t.Errorf("answered %d", code)
				}
				if got := h.malformed.Load(); got != 1 {
					t.Errorf("counted %d times", got)
				}
			})
		}
	}
}

// The public address speaks HTTP/1.1 alone, and takes no trailers.
func TestServerSpeaksOnlyHTTP1(t *testing.T) {
	h := newHall(t, hook.Bounds{}, &tls.Config{Certificates: []tls.Certificate{certificate(t)}})
	c, err := tls.Dial("tcp", h.address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := c.ConnectionState().NegotiatedProtocol; got != "http/1.1" {
		t.Errorf("speaks %q", got)
	}
	io.WriteString(c, "POST /calltouch/10001/secret-key HTTP/1.1\r\nHost: x\r\nTrailer: X-A, X-B\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-A: b\r\n\r\n")
	if code := statusOf(c); code != http.StatusBadRequest {
		t.Errorf("a request with trailers: %d", code)
	}
	if !closed(c) {
		t.Error("it was not closed after that")
	}
}

// Requests that come by another listener are served all the same.
func TestServerWithoutBounds(t *testing.T) {
	b := newBench()
	server := hook.NewServer("", hook.NewHandler(b.config))
	w := httptest.NewRecorder()
	server.Handler.ServeHTTP(w, post(endedCall).WithContext(server.ConnContext(context.Background(), nil)))
	if w.Code != http.StatusOK {
		t.Errorf("answered %d", w.Code)
	}
}

// certificate is one for nobody.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
