package mindbox

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// relay stands between client and server and can swallow what comes over the connections that it
// has, as a firewall does that has forgotten them. New ones pass.
type relay struct {
	net.Listener
	made   atomic.Int64
	deaf   atomic.Int64 // connections up to this one are swallowed
	ending sync.WaitGroup
}

// newRelay leads to address; connect, where not nil, is what a proxy does first.
func newRelay(t *testing.T, address string, connect func(net.Conn) error) *relay {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{Listener: listener}
	t.Cleanup(func() { listener.Close(); r.ending.Wait() })
	r.ending.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { near.Close() })
			number := r.made.Add(1)
			r.ending.Go(func() { r.serve(near, number, address, connect) })
		}
	})
	return r
}

func (r *relay) serve(near net.Conn, number int64, address string, connect func(net.Conn) error) {
	defer near.Close()
	if connect != nil && connect(near) != nil {
		return
	}
	far, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	go r.pass(near, far, number)
	r.pass(far, near, number)
}

func (r *relay) pass(to, from net.Conn, number int64) {
	defer to.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if number > r.deaf.Load() {
			_, _ = to.Write(buffer[:n])
		}
	}
}

// forget swallows what comes over all connections made so far.
func (r *relay) forget() { r.deaf.Store(r.made.Load()) }

// acceptConnect answers a CONNECT.
func acceptConnect(near net.Conn) error {
	request, err := http.ReadRequest(bufio.NewReader(near))
	if err != nil {
		return err
	}
	_, err = io.WriteString(near, request.Proto+" 200 OK\r\n\r\n")
	return err
}

// far is a Mindbox that speaks TLS, and HTTP/2 where asked for.
func far(t *testing.T, h2 bool, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = h2
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func clientOf(t *testing.T, server *httptest.Server, address string, config Config, ping http.HTTP2Config) (*Client, *http.Transport) {
	t.Helper()
	transport := newTransport(ping)
	transport.TLSClientConfig.RootCAs = server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	transport.TLSClientConfig.ServerName = "example.com"
	config.URL, config.Transport = "https://"+address, transport
	client, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client, transport
}

var anOperation = Operation{Endpoint: "e", Name: "o", TransactionID: "t", Body: []byte("{}")}

// TestDeliverLeavesADeadConnection lets a connection die without a word. What finds that is the
// ping, and where the attempt's time is over before, the time-out.
func TestDeliverLeavesADeadConnection(t *testing.T) {
	quick := http.HTTP2Config{SendPingTimeout: 50 * time.Millisecond, PingTimeout: 100 * time.Millisecond}
	never := http.HTTP2Config{SendPingTimeout: time.Hour, PingTimeout: time.Hour}
	tests := []struct {
		name    string
		h2      bool
		proxied bool
		ping    http.HTTP2Config
		timeout time.Duration
		want    Failure // of the attempt that meets the dead connection
	}{
		{"HTTP/2, found by the ping", true, false, quick, 30 * time.Second, FailureConnection},
		{"HTTP/2, found by the ping behind a proxy", true, true, quick, 30 * time.Second, FailureConnection},
		{"HTTP/2, found by the time-out", true, false, never, time.Second, FailureTimeout},
		{"HTTP/2, found by the time-out behind a proxy", true, true, never, time.Second, FailureTimeout},
		{"HTTP/1.1, found by the time-out", false, false, never, time.Second, FailureTimeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var proto atomic.Value
			server := far(t, tt.h2, func(w http.ResponseWriter, r *http.Request) {
				proto.Store(r.Proto)
				_, _ = io.WriteString(w, `{"status":"Success"}`)
			})
			address := server.Listener.Addr().String()
			var r *relay
			if tt.proxied {
				r = newRelay(t, address, acceptConnect)
			} else {
				r = newRelay(t, address, nil)
				address = r.Addr().String()
			}
			client, transport := clientOf(t, server, address, Config{Timeout: tt.timeout}, tt.ping)
			transport.Proxy = nil
			if tt.proxied {
				transport.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: r.Addr().String()})
			}
			deliverUntilWell(t, client)
			if h2 := proto.Load() == "HTTP/2.0"; h2 != tt.h2 {
				t.Fatalf("it speaks %v", proto.Load())
			}
			r.forget()
			var failure Failure
			if e, ok := client.Deliver(t.Context(), anOperation).Err.(*TransportError); ok {
				failure = e.Failure
			}
			if failure != tt.want {
				t.Errorf("the dead connection: %q, want %q", failure, tt.want)
			}
			before := r.made.Load()
			deliverUntilWell(t, client)
			if made := r.made.Load() - before; made > 3 {
				t.Errorf("%d connections for one that works", made)
			}
		})
	}
}

// deliverUntilWell allows for a machine on which a connection takes longer than an attempt may.
func deliverUntilWell(t *testing.T, client *Client) {
	t.Helper()
	var answer Answer
	for range 20 {
		if answer = client.Deliver(t.Context(), anOperation); answer.Status == http.StatusOK {
			return
		}
	}
	t.Fatalf("no attempt went through: %+v", answer)
}

// TestDeliverKeepsAConnectionThatAnswers: one slow request must not tear down those beside it.
func TestDeliverKeepsAConnectionThatAnswers(t *testing.T) {
	began := make(chan struct{}, 1)
	server := far(t, true, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("operation") == "slow" {
			began <- struct{}{}
			<-r.Context().Done()
			return
		}
		_, _ = io.WriteString(w, `{"status":"Success"}`)
	})
	r := newRelay(t, server.Listener.Addr().String(), nil)
	client, _ := clientOf(t, server, r.Addr().String(), Config{Timeout: 2 * time.Second}, pings)
	deliverUntilWell(t, client)
	slow := anOperation
	slow.Name = "slow"
	done := make(chan Answer)
	go func() { done <- client.Deliver(t.Context(), slow) }()
	<-began
	deliverUntilWell(t, client)
	before := r.made.Load()
	if answer := <-done; !timedOut(answer.Err) {
		t.Fatalf("the slow one: %+v", answer)
	}
	deliverUntilWell(t, client)
	if made := r.made.Load() - before; made != 0 {
		t.Errorf("%d new connections beside one that answers", made)
	}
}
