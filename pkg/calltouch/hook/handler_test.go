package hook_test

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
	"github.com/touchbox/touchbox/pkg/calltouch/hook"
	"github.com/touchbox/touchbox/pkg/calltouch/intake"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// shelf is a store that remembers, and fails or answers on request.
type shelf struct {
	mu      sync.Mutex
	events  []event.Event
	asides  []event.Aside
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

func (m *shelf) PutAside(_ context.Context, a event.Aside) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asides = append(m.asides, a)
	return m.err
}

// bench is one handler with all that it touches.
type bench struct {
	store  *shelf
	config hook.Config
	log    waittest.Buffer
	seen   []intake.Observation
}

const site = "10001"

// cabinet is a site whose webhooks have these keys.
func cabinet(id string, keys ...string) calltouch.Site {
	return calltouch.Site{
		ID: id, HookKeys: func() []string { return keys }, Location: time.FixedZone("MSK", 3*60*60),
		Attrs: []string{"mindboxDeviceUUID", "area_name"}, Device: "mindboxDeviceUUID",
	}
}

const goodPath = "/calltouch/10001/secret-key"

func newBench() *bench {
	b := &bench{store: &shelf{}}
	b.config = hook.Config{
		Sites: []calltouch.Site{
			cabinet(site, "old-key", "secret-key"),
			cabinet("10002"),
			cabinet("10003", ""),
		},
		Store: b.store, Log: zerolog.New(&b.log), Penalty: time.Nanosecond,
		Now:     func() time.Time { return time.Unix(1698092984, 0) },
		Observe: func(o intake.Observation) { b.seen = append(b.seen, o) },
	}
	return b
}

func (b *bench) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	hook.NewHandler(b.config).ServeHTTP(w, r)
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
			want := []intake.Observation{{Site: site, Kind: tt.want.Key.Kind, Receipt: event.ReceiptStored, Status: 200}}
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
	long := strings.Repeat("x", hook.MaxBody)
	refused := errors.New("no quorum")
	tests := []struct {
		name    string
		request *http.Request
		receipt event.Receipt
		err     error
		status  int
		seen    intake.Observation
	}{
		{"repeated", post(endedCall), event.ReceiptRepeated, nil, 200, intake.Observation{Kind: event.CallEnded, Receipt: event.ReceiptRepeated}},
		{"erased", post(endedCall), event.ReceiptErased, nil, 200, intake.Observation{Kind: event.CallEnded, Receipt: event.ReceiptErased}},
		{"collision", post(endedCall), event.ReceiptCollision, nil, 200, intake.Observation{Kind: event.CallEnded, Aside: calltouch.AsideCollision}},
		{"no phase", post("id=1&duration=3"), "", nil, 200, intake.Observation{Kind: event.CallEnded, Receipt: event.ReceiptStored, UnknownPhase: true}},
		{"ping", post("callerphone={callerphone}"), "", nil, 200, intake.Observation{Aside: calltouch.AsidePing}},
		{"plain GET", httptest.NewRequest(http.MethodGet, goodPath, nil), "", nil, 200, intake.Observation{Aside: calltouch.AsideEmpty}},
		{"broken JSON", post("{"), "", nil, 200, intake.Observation{Aside: calltouch.AsideUnreadable}},
		{"longest body", post(endedCall + "&x=" + long[len(endedCall)+3:]), "", nil, 200, intake.Observation{Kind: event.CallEnded, Receipt: event.ReceiptStored}},
		{"too long", post(endedCall + "&x=" + long), "", nil, 413, intake.Observation{}},
		{"too long a query of a POST", httptest.NewRequest(http.MethodPost, goodPath+"?x="+long[:40_000], strings.NewReader(endedCall)), "", nil, 413, intake.Observation{}},
		{"too long a query", httptest.NewRequest(http.MethodGet, goodPath+"?x="+long, nil), "", nil, 413, intake.Observation{}},
		{"store refuses", post(endedCall), "", refused, 503, intake.Observation{Kind: event.CallEnded}},
		{"store refuses what is set aside", post("city=x"), "", refused, 503, intake.Observation{}},
		{"body is cut", httptest.NewRequest(http.MethodPost, goodPath, io.MultiReader(strings.NewReader("id="), cut{})), "", nil, 503, intake.Observation{}},
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
			if diff := cmp.Diff([]intake.Observation{tt.seen}, b.seen); diff != "" {
				t.Error(diff)
			}
			if tt.seen.Aside != "" && (len(b.store.asides) != 1 || b.store.asides[0].Reason != string(tt.seen.Aside) || b.store.asides[0].Site != site) {
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

// polls is a hook.RequestPoll.
type polls struct {
	waits bool
	woken []event.Event
	store *shelf // what it held when the poller was woken
	held  int
}

func (p *polls) Waits(string) bool { return p.waits }

func (p *polls) Wake(e event.Event) { p.woken, p.held = append(p.woken, e), len(p.store.asides) }

func TestHandlerKeepsARequestHookForItsRecord(t *testing.T) {
	for _, waits := range []bool{true, false} {
		b := newBench()
		p := &polls{waits: waits, store: b.store}
		b.config.Poll = p
		w := b.do(post("requestId=6&requestDate=2026-11-27+22:07:24"))
		if w.Code != http.StatusOK || b.seen[0].Waits != waits || len(b.store.events) == 1 == waits {
			t.Errorf("answer %d, observed %+v, %d stored", w.Code, b.seen, len(b.store.events))
		}
		if !waits {
			continue
		}
		if len(p.woken) != 1 || p.woken[0].Time.IsZero() || p.held != 1 {
			t.Errorf("woken %v with %d on disk", p.woken, p.held)
		}
		a := b.store.asides[0]
		if a.Reason != string(calltouch.AsideUnpolled) || a.Key != "10001/request/6" || string(a.Body) != "requestId=6&requestDate=2026-11-27+22:07:24" {
			t.Errorf("kept %+v", a)
		}
		b.do(post(endedCall))
		if len(p.woken) != 1 {
			t.Error("a call woke the poller")
		}
	}
}

func TestHandlerPromisesNothingOfAHookThatCannotBeKept(t *testing.T) {
	b := newBench()
	p := &polls{waits: true, store: b.store}
	b.config.Poll, b.store.err = p, errors.New("no queue")
	if w := b.do(post("requestId=6")); w.Code != http.StatusServiceUnavailable || len(p.woken) != 0 {
		t.Errorf("answer %d, woken by %v", w.Code, p.woken)
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

// Only wrong addresses wait, at most 64 at a time and 60 from one network; beyond that the
// connection is closed. A right one never waits behind them.
func TestHandlerSlowsOnlyTheWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.config.Penalty, b.config.Observe = 0, nil
		h := hook.NewHandler(b.config)
		const closed = time.Duration(-1)
		took := func(path, from string) (d time.Duration) {
			defer func() {
				if reason := recover(); reason == http.ErrAbortHandler {
					d = closed
				}
			}()
			start := time.Now()
			r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(endedCall))
			r.RemoteAddr = from
			h.ServeHTTP(httptest.NewRecorder(), r)
			return time.Since(start)
		}
		const guess, one, another = "/calltouch/10001/guess", "192.0.2.1:5", "198.51.100.1:5"
		var guesses sync.WaitGroup
		slow := make(chan time.Duration, 64)
		for i := range 64 {
			guesses.Go(func() { slow <- took(guess, []string{one, another}[i%2]) })
		}
		synctest.Wait()
		if d := took(goodPath, one); d != 0 {
			t.Errorf("the right key waited %v", d)
		}
		if d := took(guess, "203.0.113.1:5"); d != closed {
			t.Errorf("one guess too many was kept for %v", d)
		}
		guesses.Wait()
		for range 64 {
			if d := <-slow; d != time.Second {
				t.Errorf("a guess was answered after %v", d)
			}
		}
		network := func(from string) (answered int) {
			var all sync.WaitGroup
			var mu sync.Mutex
			for range 60 {
				all.Go(func() {
					if took(guess, from) != closed {
						mu.Lock()
						defer mu.Unlock()
						answered++
					}
				})
			}
			all.Wait()
			return answered
		}
		if n := network("192.0.2.200:5"); n > 60-32+1 {
			t.Errorf("a neighbour in the same /24 got %d answers more", n)
		}
		if n := network("[2001:db8::1]:5"); n != 60 {
			t.Errorf("another network got %d answers", n)
		}
		if n := network("[2001:db8::ffff:1]:5"); n > 1 {
			t.Errorf("a neighbour in the same /64 got %d answers more", n)
		}
		if d := took(goodPath, "192.0.2.200:5"); d != 0 {
			t.Errorf("the right key from the network of a guesser waited %v", d)
		}
	})
}

// The log tells how many guess, once a minute, and nothing of who.
func TestHandlerTellsOfGuesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.config.Guesses = hook.NewGuesses(zerolog.New(&b.log))
		for _, from := range []string{"192.0.2.1:5", "192.0.2.77:5", "[2001:db8::1]:5"} {
			r := post(endedCall)
			r.URL.Path, r.RemoteAddr = "/calltouch/10001/guess", from
			b.do(r)
		}
		time.Sleep(2 * time.Minute)
		if got := b.log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "3 wrong keys from 2 networks") || strings.Contains(got, "192.0.2") {
			t.Errorf("the log says %s", got)
		}
	})
}

// Addresses are put together by hand: what names the site and its key is taken.
func TestHandlerTakesUncleanAddresses(t *testing.T) {
	for _, address := range []string{
		"//calltouch/10001/secret-key", "/calltouch//10001/secret-key", "/calltouch/10001//secret-key", "/calltouch/10001/secret-key//",
		"/calltouch/10001/secret-key/", "///calltouch///10001///secret-key///", "/./calltouch/10001/./secret-key", "/x/../calltouch/10001/secret-key",
		"/Calltouch/10001/secret-key", "/calltouch/10001/secret-key%20", "/calltouch/%2010001/secret-key%0A", "/calltouch/10001/secret-key/%C2%A0",
		"/calltouch%2F10001/secret-key",
	} {
		b := newBench()
		r := httptest.NewRequest(http.MethodPost, "http://bridge.example"+address, strings.NewReader(endedCall))
		if w := b.do(r); w.Code != http.StatusOK || len(b.store.events) != 1 {
			t.Errorf("%s: %d %q", address, w.Code, w.Body)
		}
	}
}

// A wrong setting in Calltouch or in the file is told of, and nothing that a stranger chose with it.
func TestHandlerTellsOfTrouble(t *testing.T) {
	at := func(address, body string) *http.Request {
		return httptest.NewRequest(http.MethodPost, address, strings.NewReader(body))
	}
	const call = "id=1&callphase=calldisconnected&timestamp=1698092972&calltime=" // 23:29:32 in Moscow
	tests := []struct {
		name    string
		request *http.Request
		want    []calltouch.Trouble
	}{
		{"a wrong key", at("/calltouch/10001/wrong", endedCall), []calltouch.Trouble{{Site: site, Reason: calltouch.TroubleKey}}},
		{"no key in the address", at("/calltouch/10001", endedCall), []calltouch.Trouble{{Site: site, Reason: calltouch.TroubleKey}}},
		{"a site without a key", at("/calltouch/10002/key", endedCall), []calltouch.Trouble{{Site: "10002", Reason: calltouch.TroubleNoKey}}},
		{"an unknown site", at("/calltouch/10009/secret-key", endedCall), []calltouch.Trouble{{Site: "10009", Reason: calltouch.TroubleSite}}},
		{"a phone for a site", at("/calltouch/79161234567/secret-key", endedCall), []calltouch.Trouble{{Reason: calltouch.TroubleSite}}},
		{"words for a site", at("/calltouch/anna/secret-key", endedCall), []calltouch.Trouble{{Reason: calltouch.TroubleSite}}},
		{"somewhere else", at("/wp-login.php", ""), nil},
		{"right", at(goodPath, call+"2023-10-23+23:29:32"), nil},
		{"a time of its own", at(goodPath, call+"2023-10-23+23:41:00"), nil},
		{"no calltime", at(goodPath, endedCall), nil},
		{"a cabinet four hours ahead", at(goodPath, call+"2023-10-24+03:29:32"), []calltouch.Trouble{{Site: site, Reason: calltouch.TroubleTimezone, Detail: "UTC+7"}}},
		{"a cabinet behind", at(goodPath, call+"2023-10-23+20:29:33"), []calltouch.Trouble{{Site: site, Reason: calltouch.TroubleTimezone, Detail: "UTC+0"}}},
		{"a cabinet half an hour off", at(goodPath, call+"2023-10-24+01:59:32"), []calltouch.Trouble{{Site: site, Reason: calltouch.TroubleTimezone, Detail: "UTC+5:30"}}},
		{"years apart", at(goodPath, call+"2021-10-23+20:29:32"), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench()
			var got []calltouch.Trouble
			b.config.Trouble = func(one calltouch.Trouble) { got = append(got, one) }
			b.do(tt.request)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("a network that is not allowed", func(t *testing.T) {
		b := newBench()
		var got []calltouch.Trouble
		b.config.Allow = []netip.Prefix{netip.MustParsePrefix("92.118.66.0/23")}
		b.config.Trouble = func(one calltouch.Trouble) { got = append(got, one) }
		b.do(post(endedCall))
		if diff := cmp.Diff([]calltouch.Trouble{{Site: site, Reason: calltouch.TroubleNetwork}}, got); diff != "" {
			t.Error(diff)
		}
	})
}

// A store that has hung once and is slow from then on, slower than a trial is to wait, is found to
// store all the same.
func TestHandlerFindsThatASlowStoreStores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.config.Observe = nil
		takes := time.Hour
		b.config.Store = storeFunc(func(ctx context.Context) error {
			select {
			case <-ctx.Done():
			case <-time.After(takes):
			}
			return ctx.Err()
		})
		h := hook.NewHandler(b.config)
		do := func() int {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, post(endedCall))
			return w.Code
		}
		if code := do(); code != 503 {
			t.Fatalf("a store that hangs: %d", code)
		}
		takes = 3 * time.Second
		for begin := time.Now(); do() != 200; time.Sleep(time.Second) {
			if time.Since(begin) > time.Minute {
				t.Fatal("every hook is refused, though the store takes what it is given")
			}
		}
		if code := do(); code != 200 {
			t.Errorf("the next one: %d", code)
		}
	})
}

// While the queue is known to be unwell hooks are refused at once, but for one trial now and then;
// a hook that the trial shows to be stored ends it.
func TestHandlerRefusesAtOnceWhileUnwell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		var known error
		b.config.Unwell, b.config.Observe = func() error { return known }, nil
		stuck := true
		b.config.Store = storeFunc(func(ctx context.Context) error {
			if stuck {
				<-ctx.Done()
			}
			return ctx.Err()
		})
		h := hook.NewHandler(b.config)
		do := func() (int, time.Duration) {
			w, start := httptest.NewRecorder(), time.Now()
			h.ServeHTTP(w, post(endedCall))
			if (w.Header().Get("Retry-After") != "") != (w.Code == http.StatusServiceUnavailable) {
				t.Errorf("%d with Retry-After %q", w.Code, w.Header().Get("Retry-After"))
			}
			return w.Code, time.Since(start)
		}
		expect := func(what string, code int, most time.Duration) {
			t.Helper()
			if got, took := do(); got != code || took > most {
				t.Errorf("%s: %d after %v, want %d within %v", what, got, took, code, most)
			}
		}
		known = errors.New("the disk is full")
		expect("the first one is the trial", 503, time.Second)
		for range 10 {
			expect("the others are refused at once", 503, 0)
		}
		time.Sleep(time.Minute)
		stuck = false
		expect("a trial is stored although it is said to be unwell", 200, 0)
		expect("so it is not", 200, 0)

		stuck, known = true, nil
		for range 3 {
			if code, took := do(); code != 503 || took != 10*time.Second {
				t.Errorf("nothing is known yet: %d after %v", code, took)
			}
		}
		expect("the next one is a trial", 503, time.Second)
		expect("others are refused at once", 503, 0)
		stuck = false
		time.Sleep(10 * time.Second)
		expect("the next trial", 200, 0)
		expect("and all", 200, 0)

		// Away for a moment: every hook is waited for, and none refused.
		stuck = true
		var all sync.WaitGroup
		b.config.Store = storeFunc(func(ctx context.Context) error { time.Sleep(2 * time.Second); return ctx.Err() })
		h = hook.NewHandler(b.config)
		for range 50 {
			all.Go(func() {
				if code, _ := do(); code != 200 {
					t.Errorf("a hook during a blip got %d", code)
				}
			})
		}
		all.Wait()
	})
}

// storeFunc stores when it returns no error.
type storeFunc func(context.Context) error

func (f storeFunc) Publish(ctx context.Context, _ event.Event) (event.Receipt, error) {
	return event.ReceiptStored, f(ctx)
}

func (f storeFunc) PutAside(ctx context.Context, _ event.Aside) error { return f(ctx) }

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

type panics struct{}

func (panics) Waits(string) bool { panic("79161234567") }
func (panics) Wake(event.Event)  {}

func TestHandlerSurvivesAPanic(t *testing.T) {
	b := newBench()
	b.config.Poll = panics{}
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
	server := hook.NewServer(listener.Addr().String(), hook.NewHandler(b.config))
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
	if got := send(chunked(endedCall + "&x=" + strings.Repeat("x", hook.MaxBody))); got != http.StatusRequestEntityTooLarge {
		t.Errorf("chunked and too long: %d", got)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	io.WriteString(z, endedCall)
	z.Close()
	if got := send(&zipped); got != http.StatusOK || len(b.store.asides) != 0 || len(b.store.events) != 2 {
		t.Errorf("compressed: %d, %v, %d stored", got, b.store.asides, len(b.store.events))
	}
	answer, err := http.Get(url + "?" + endedCall + "&url=" + strings.Repeat("y", 50<<10))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK || len(b.store.events) != 3 {
		t.Errorf("a long GET: %d, %d stored", answer.StatusCode, len(b.store.events))
	}
}
