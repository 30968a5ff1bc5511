package calltouch_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
)

// shelf is a store that remembers, and fails or answers on request.
type shelf struct {
	mu      sync.Mutex
	events  []event.Event
	asides  []calltouch.Aside
	receipt event.Receipt
	err     error
	hold    chan struct{} // when set, Publish waits for it
}

func (m *shelf) Publish(ctx context.Context, e event.Event) (event.Receipt, error) {
	if m.hold != nil {
		<-m.hold
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := errors.Join(m.err, ctx.Err()); err != nil {
		return "", err
	}
	m.events = append(m.events, e)
	if m.receipt == "" {
		return event.ReceiptStored, nil
	}
	return m.receipt, nil
}

func (m *shelf) PutAside(_ context.Context, a calltouch.Aside) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asides = append(m.asides, a)
	return m.err
}

// bench is one handler with all that it touches.
type bench struct {
	store  *shelf
	config calltouch.HandlerConfig
	log    bytes.Buffer
	seen   []calltouch.Observation
}

const goodPath = "/calltouch/10001/secret-key"

func newBench() *bench {
	b := &bench{store: &shelf{}}
	b.config = calltouch.HandlerConfig{
		Sites: []calltouch.Site{
			{ID: site, Keys: []string{"old-key", "secret-key"}, View: view},
			{ID: "10002", View: view},
			{ID: "10003", Keys: []string{""}, View: view},
		},
		Store: b.store, Log: zerolog.New(&b.log), Penalty: time.Nanosecond,
		Now:     func() time.Time { return time.Unix(1698092984, 0) },
		Observe: func(o calltouch.Observation) { b.seen = append(b.seen, o) },
	}
	return b
}

func (b *bench) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	calltouch.NewHandler(b.config).ServeHTTP(w, r)
	return w
}

func post(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, goodPath, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

const endedCall = "id=148071&callphase=calldisconnected&callerphone=79161234567&timestamp=1698092972"

func TestHandlerStoresTheRawBytes(t *testing.T) {
	started := `{"id": "148071", "callphase":"callconnected" }`
	key := func(k event.Kind) event.Key { return event.Key{Site: site, Kind: k, ID: "148071"} }
	tests := []struct {
		name    string
		request func() *http.Request
		want    event.Event
	}{
		{"form", func() *http.Request { return post(endedCall) },
			event.Event{Key: key(event.CallEnded), ContentType: "application/x-www-form-urlencoded", Body: []byte(endedCall)}},
		{"GET", func() *http.Request { return httptest.NewRequest(http.MethodGet, goodPath+"?"+endedCall, nil) },
			event.Event{Key: key(event.CallEnded), ContentType: "application/x-www-form-urlencoded", Body: []byte(endedCall)}},
		{"JSON under the name of a form", func() *http.Request { return post(started) },
			event.Event{Key: key(event.CallStarted), ContentType: "application/x-www-form-urlencoded", Body: []byte(started)}},
		{"no content type, parameters in both", func() *http.Request {
			return httptest.NewRequest(http.MethodPost, goodPath+"/?id=1&callphase=callconnected", strings.NewReader("id=148071"))
		}, event.Event{Key: key(event.CallStarted), Query: "id=1&callphase=callconnected", Body: []byte("id=148071")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench()
			w := b.do(tt.request())
			if w.Code != http.StatusOK || w.Body.String() != "stored\n" || len(b.store.events) != 1 {
				t.Fatalf("answer %d %q, %d stored", w.Code, w.Body, len(b.store.events))
			}
			got := b.store.events[0]
			tt.want.Origin, tt.want.Received = event.Webhook, time.Unix(1698092984, 0).UTC()
			got.Time, got.Fingerprint = time.Time{}, event.Fingerprint{}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			want := []calltouch.Observation{{Site: site, Kind: tt.want.Key.Kind, Receipt: event.ReceiptStored, Status: 200}}
			if diff := cmp.Diff(want, b.seen); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestHandlerRevealsNothing(t *testing.T) {
	paths := []string{
		"/calltouch/10001/wrong", "/calltouch/10001/", "/calltouch/10001", "/calltouch/99999/secret-key", "/calltouch/10002/",
		"/calltouch/10003/", "/calltouch/", "/", "/calltouch/10001/secret-key/more", "/calltouch/10001/secret-key%00",
	}
	var first *httptest.ResponseRecorder
	for _, path := range paths {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodHead} {
			b := newBench()
			w := b.do(httptest.NewRequest(method, path, strings.NewReader(endedCall)))
			if first == nil {
				first = w
			}
			if w.Code != http.StatusNotFound || w.Body.String() != first.Body.String() || !cmp.Equal(w.Header(), first.Header()) {
				t.Errorf("%s %s: %d %q %v", method, path, w.Code, w.Body, w.Header())
			}
			if len(b.store.events)+len(b.store.asides) > 0 {
				t.Errorf("%s %s: stored", method, path)
			}
		}
	}
}

func TestHandlerTakesEachOfSeveralKeys(t *testing.T) {
	for _, key := range []string{"old-key", "secret-key"} {
		b := newBench()
		if w := b.do(httptest.NewRequest(http.MethodPost, "/calltouch/10001/"+key, strings.NewReader(endedCall))); w.Code != http.StatusOK {
			t.Errorf("%s: %d", key, w.Code)
		}
	}
}

func TestHandlerAnswers(t *testing.T) {
	long := strings.Repeat("x", calltouch.MaxBody)
	refused := errors.New("no quorum")
	tests := []struct {
		name    string
		request *http.Request
		receipt event.Receipt
		err     error
		status  int
		seen    calltouch.Observation
	}{
		{"repeated", post(endedCall), event.ReceiptRepeated, nil, 200, calltouch.Observation{Kind: event.CallEnded, Receipt: event.ReceiptRepeated}},
		{"erased", post(endedCall), event.ReceiptErased, nil, 200, calltouch.Observation{Kind: event.CallEnded, Receipt: event.ReceiptErased}},
		{"collision", post(endedCall), event.ReceiptCollision, nil, 200, calltouch.Observation{Kind: event.CallEnded, Aside: calltouch.AsideCollision}},
		{"no phase", post("id=1&duration=3"), "", nil, 200, calltouch.Observation{Kind: event.CallEnded, Receipt: event.ReceiptStored, UnknownPhase: true}},
		{"ping", post("callerphone={callerphone}"), "", nil, 200, calltouch.Observation{Aside: calltouch.AsidePing}},
		{"plain GET", httptest.NewRequest(http.MethodGet, goodPath, nil), "", nil, 200, calltouch.Observation{Aside: calltouch.AsideEmpty}},
		{"broken JSON", post("{"), "", nil, 200, calltouch.Observation{Aside: calltouch.AsideUnreadable}},
		{"longest body", post(endedCall + "&x=" + long[len(endedCall)+3:]), "", nil, 200, calltouch.Observation{Kind: event.CallEnded, Receipt: event.ReceiptStored}},
		{"too long", post(endedCall + "&x=" + long), "", nil, 413, calltouch.Observation{}},
		{"too long a query of a POST", httptest.NewRequest(http.MethodPost, goodPath+"?x="+long[:40_000], strings.NewReader(endedCall)), "", nil, 413, calltouch.Observation{}},
		{"too long a query", httptest.NewRequest(http.MethodGet, goodPath+"?x="+long, nil), "", nil, 413, calltouch.Observation{}},
		{"store refuses", post(endedCall), "", refused, 503, calltouch.Observation{Kind: event.CallEnded}},
		{"store refuses what is set aside", post("city=x"), "", refused, 503, calltouch.Observation{}},
		{"body is cut", httptest.NewRequest(http.MethodPost, goodPath, io.MultiReader(strings.NewReader("id="), cut{})), "", nil, 503, calltouch.Observation{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench()
			b.store.receipt, b.store.err = tt.receipt, tt.err
			w := b.do(tt.request)
			if w.Code != tt.status {
				t.Fatalf("answer %d %q, want %d", w.Code, w.Body, tt.status)
			}
			if got := w.Header().Get("Retry-After"); (got != "") != (tt.status == 503) {
				t.Errorf("Retry-After %q", got)
			}
			tt.seen.Site, tt.seen.Status = site, tt.status
			if diff := cmp.Diff([]calltouch.Observation{tt.seen}, b.seen); diff != "" {
				t.Error(diff)
			}
			if tt.seen.Aside != "" && (len(b.store.asides) != 1 || b.store.asides[0].Reason != tt.seen.Aside || b.store.asides[0].Site != site) {
				t.Errorf("set aside %+v", b.store.asides)
			}
		})
	}
}

type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestHandlerMethods(t *testing.T) {
	b := newBench()
	for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodPatch, "HOOK"} {
		if w := b.do(httptest.NewRequest(method, goodPath, nil)); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" {
			t.Errorf("%s: %d", method, w.Code)
		}
	}
	if w := b.do(httptest.NewRequest(http.MethodHead, goodPath, nil)); w.Code != http.StatusOK || len(b.store.asides) != 0 {
		t.Errorf("HEAD: %d, %d set aside", w.Code, len(b.store.asides))
	}
}

func TestHandlerRequestHookMayOnlyWake(t *testing.T) {
	for _, store := range []bool{false, true} {
		b := newBench()
		var woken event.Key
		b.config.OnRequest = func(_ context.Context, e event.Event) bool { woken = e.Key; return store }
		if w := b.do(post("requestId=6")); w.Code != http.StatusOK || woken.ID != "6" {
			t.Errorf("answer %d, woken by %v", w.Code, woken)
		}
		if got := len(b.store.events) == 1; got != store || b.seen[0].Woke == store {
			t.Errorf("stored %v, want %v; observed %+v", got, store, b.seen)
		}
		b.do(post(endedCall))
		if woken.ID != "6" {
			t.Error("a call woke the poller")
		}
	}
}

func TestHandlerAnswersAfterTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.store.hold = make(chan struct{})
		done := make(chan int)
		go func() { done <- b.do(post(endedCall)).Code }()
		synctest.Wait()
		select {
		case code := <-done:
			t.Fatalf("answered %d before the store had it", code)
		default:
		}
		close(b.store.hold)
		if code := <-done; code != http.StatusOK {
			t.Errorf("answer %d", code)
		}
	})
}

func TestHandlerStoresWhenCalltouchHangsUp(t *testing.T) {
	b := newBench()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if w := b.do(post(endedCall).WithContext(ctx)); w.Code != http.StatusOK || len(b.store.events) != 1 {
		t.Errorf("answer %d, %d stored", w.Code, len(b.store.events))
	}
}

// Only wrong addresses wait, at most 64 at a time, and a right one never waits behind them.
func TestHandlerSlowsOnlyTheWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.config.Penalty, b.config.Observe = 0, nil
		h := calltouch.NewHandler(b.config)
		took := func(path string) time.Duration {
			start := time.Now()
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, path, strings.NewReader(endedCall)))
			return time.Since(start)
		}
		var guesses sync.WaitGroup
		slow := make(chan time.Duration, 64)
		for range 64 {
			guesses.Go(func() { slow <- took("/calltouch/10001/guess") })
		}
		synctest.Wait()
		if d := took(goodPath); d != 0 {
			t.Errorf("the right key waited %v", d)
		}
		if d := took("/calltouch/10001/guess"); d != 0 {
			t.Errorf("one guess too many was kept for %v", d)
		}
		guesses.Wait()
		for range 64 {
			if d := <-slow; d != time.Second {
				t.Errorf("a guess was answered after %v", d)
			}
		}
	})
}

func TestHandlerNetworks(t *testing.T) {
	calltouchNet := netip.MustParsePrefix("92.118.66.0/23")
	proxyNet := netip.MustParsePrefix("10.0.0.0/8")
	tests := []struct {
		name, remote string
		forwarded    []string
		proxies      []netip.Prefix
		want         int
	}{
		{"from the network", "92.118.67.9:1234", nil, nil, 200},
		{"from elsewhere", "203.0.113.1:1234", nil, nil, 404},
		{"mapped to IPv6", "[::ffff:92.118.66.1]:1234", nil, nil, 200},
		{"the header of a stranger does not count", "203.0.113.1:1234", []string{"92.118.66.1"}, nil, 404},
		{"behind a proxy", "10.0.0.1:1234", []string{"92.118.66.1"}, []netip.Prefix{proxyNet}, 200},
		{"behind two proxies", "10.0.0.1:1234", []string{"92.118.66.1", "10.0.0.2:80"}, []netip.Prefix{proxyNet}, 200},
		{"an invented address on the left", "10.0.0.1:1234", []string{"92.118.66.1, 203.0.113.1"}, []netip.Prefix{proxyNet}, 404},
		{"nonsense from the proxy", "10.0.0.1:1234", []string{"92.118.66.1, unknown"}, []netip.Prefix{proxyNet}, 404},
		{"no header from the proxy", "10.0.0.1:1234", nil, []netip.Prefix{proxyNet}, 404},
		{"no address", "@", nil, nil, 404},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench()
			b.config.Allow, b.config.Proxies = []netip.Prefix{calltouchNet}, tt.proxies
			r := post(endedCall)
			r.RemoteAddr = tt.remote
			r.Header["X-Forwarded-For"] = tt.forwarded
			if w := b.do(r); w.Code != tt.want {
				t.Errorf("answer %d, want %d", w.Code, tt.want)
			}
		})
	}
}

func TestHandlerSurvivesAPanic(t *testing.T) {
	b := newBench()
	b.config.OnRequest = func(context.Context, event.Event) bool { panic("79161234567") }
	if w := b.do(post("requestId=6")); w.Code != http.StatusServiceUnavailable {
		t.Errorf("answer %d", w.Code)
	}
	if strings.Contains(b.log.String(), "79161234567") {
		t.Error("the log quotes the panic")
	}
}

// What comes in hooks stays out of the log and the answers.
func TestHandlerLogsNothingPersonal(t *testing.T) {
	b := newBench()
	bodies := []string{
		endedCall, "id=1&duration=5&callerphone=79161234567&fio=Marked", "callerphone=79161234567&fio=Marked",
		"id=1&duration=1&siteId=5&callerphone=79161234567", `{"callerphone":"79161234567`, "leadtype=deal&id=1&fio=Marked",
	}
	for _, err := range []error{nil, errors.New("store is gone")} {
		b.store.err = err
		for _, body := range bodies {
			if w := b.do(post(body)); strings.Contains(w.Body.String(), "7916") || strings.Contains(w.Body.String(), "Marked") {
				t.Errorf("answer %q", w.Body)
			}
		}
	}
	for _, marked := range []string{"7916", "Marked", "secret-key"} {
		if strings.Contains(b.log.String(), marked) {
			t.Errorf("the log has %q: %s", marked, b.log.String())
		}
	}
	for _, hint := range []string{"tick id", "tick callphase", "another site", "come again"} {
		if !strings.Contains(b.log.String(), hint) {
			t.Errorf("the log does not say %q: %s", hint, b.log.String())
		}
	}
}

// Over a real connection: a chunked body has the same limit, a compressed one is set aside.
func TestServer(t *testing.T) {
	b := newBench()
	b.config.Observe = nil
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := calltouch.NewServer(listener.Addr().String(), calltouch.NewHandler(b.config))
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	url := "http://" + listener.Addr().String() + goodPath

	send := func(body io.Reader) int {
		t.Helper()
		answer, err := http.Post(url, "", body)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		return answer.StatusCode
	}
	chunked := func(s string) io.Reader { return io.MultiReader(strings.NewReader(s)) }
	if got := send(chunked(endedCall)); got != http.StatusOK {
		t.Errorf("chunked: %d", got)
	}
	if got := send(chunked(endedCall + "&x=" + strings.Repeat("x", calltouch.MaxBody))); got != http.StatusRequestEntityTooLarge {
		t.Errorf("chunked and too long: %d", got)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	io.WriteString(z, endedCall)
	z.Close()
	if got := send(&zipped); got != http.StatusOK || b.store.asides[0].Reason != calltouch.AsideUnreadable {
		t.Errorf("compressed: %d, %v", got, b.store.asides)
	}
	answer, err := http.Get(url + "?" + endedCall + "&url=" + strings.Repeat("y", 200<<10))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK || len(b.store.events) != 2 {
		t.Errorf("a long GET: %d, %d stored", answer.StatusCode, len(b.store.events))
	}
}
