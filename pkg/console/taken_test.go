package console_test

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// A stream over HTTP/2, as browsers have it with TLS, goes on while nothing comes: a comment keeps it, and nothing ends it before.
func TestAStreamOverHTTP2OutlivesASilence(t *testing.T) {
	waittest.Slow(t, "a comment comes every 15 seconds")
	h := newHouse(t, nil)
	server := httptest.NewUnstartedServer(h.console)
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/sign-in?key="+seeKey, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	signed, err := client.Do(r)
	if err != nil || len(signed.Cookies()) != 1 {
		t.Fatalf("%v, %v", signed, err)
	}
	_ = signed.Body.Close()
	if r, err = http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/live/stream", nil); err != nil {
		t.Fatal(err)
	}
	r.AddCookie(signed.Cookies()[0])
	answer, err := client.Do(r)
	if err != nil || answer.ProtoMajor != 2 {
		t.Fatalf("%v, %v", answer, err)
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if lines.Text() == ": on" {
			return
		}
	}
	t.Errorf("it ended before its first comment: %v", lines.Err())
}

// Who asks for streams and reads nothing of them keeps the places for some seconds, not for ever.
func TestWhoReadsNothingOfAStreamLosesItsPlace(t *testing.T) {
	waittest.Slow(t, "what is written may take ten seconds to be taken")
	h := newHouse(t, nil)
	b := h.signedIn(seeKey)
	r := b.request(http.MethodGet, "/live/stream", nil)
	for _, c := range b.client.Jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	deaf := make(wires)
	server := &http.Server{Handler: h.console}
	go func() { _ = server.Serve(deaf) }() // it ends with the test
	defer server.Close()
	for range 4 {
		far, here := net.Pipe()
		defer here.Close()
		deaf <- far
		if err := r.Write(here); err != nil {
			t.Fatal(err)
		}
	}
	queuetest.Eventually(t, "all places are taken", func() bool { return h.console.Streams() == 4 })
	waittest.Within(t, 30*time.Second, "there is a place again", func() bool { return h.console.Streams() == 0 })
}

// wires are connections that hold nothing of what is written until it is read.
type wires chan net.Conn

func (w wires) Accept() (net.Conn, error) {
	c, open := <-w
	if !open {
		return nil, net.ErrClosed
	}
	return nearby{c}, nil
}
func (w wires) Close() error   { close(w); return nil }
func (w wires) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// nearby is a connection from this machine.
type nearby struct{ net.Conn }

func (nearby) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
