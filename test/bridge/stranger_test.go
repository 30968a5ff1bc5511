package bridge_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// TestStrangers sends what nobody should send. Each subtest ends with a bridge that still works.
func TestStrangers(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "strangers come for a while")
	box := newMindbox(t, mindboxtest.Config{})
	s := newStack(t)
	s.configure(strings.ReplaceAll(configTemplate, "http://MINDBOX", box.url))
	s.up()
	good := "http://" + s.ingest + "/calltouch/10001/secret-key-of-the-test"
	t.Run("a megabyte is too long", func(t *testing.T) { tooLong(t, good) })
	t.Run("wrong addresses are one", func(t *testing.T) { wrongAddresses(t, s.ingest) })
	t.Run("a wrong key is slowed, a right one is not", func(t *testing.T) { slowed(t, s) })
	t.Run("wrapped and encoded hooks", func(t *testing.T) { wrappedHooks(t, good, box) })
	t.Run("hostile ids", func(t *testing.T) { hostileIDs(t, s, box) })
	t.Run("slow senders are hung up on", func(t *testing.T) {
		var both sync.WaitGroup // side by side: each takes as long as its limit
		both.Go(func() {
			closed(t, s.ingest, "POST /calltouch/10001/secret-key-of-the-test HTTP/1.1\r\nHost: x\r\nX-Long: ", 10*time.Second)
		})
		both.Go(func() {
			closed(t, s.ingest, "POST /calltouch/10001/secret-key-of-the-test HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", 30*time.Second)
		})
		both.Wait()
	})
	// The connection kept from before may be closed for its idleness in this very moment.
	eventually(t, 20*time.Second, "a hook after all of it is answered", func() bool { return s.hook("990") == http.StatusOK })
	eventually(t, 20*time.Second, "its call is executed", func() bool { return box.times("990") == 1 })
}

// wrappedHooks sends a hook as relays, PBX gateways and test tools send it: each is a call that Mindbox gets.
func wrappedHooks(t *testing.T, good string, box *mindbox) {
	call := func(id string) string {
		return `{"id":` + id + `,"siteId":10001,"leadtype":"call","callphase":"calldisconnected","callerphone":"79160000001","duration":9}`
	}
	var parts bytes.Buffer
	form := multipart.NewWriter(&parts)
	for name, value := range map[string]string{"id": "971", "callphase": "calldisconnected", "callerphone": "79160000001", "duration": "9"} {
		_ = form.WriteField(name, value)
	}
	_ = form.Close()
	for id, hook := range map[string]struct{ contentType, body string }{
		"971": {form.FormDataContentType(), parts.String()},
		"972": {"application/json", "[" + call("972") + "]"},
		"973": {"application/json", `{"body":` + call("973") + `}`},
		"974": {"application/x-www-form-urlencoded; charset=windows-1251", "id=974&callphase=calldisconnected&callerphone=79160000001&duration=9&city=%CC%EE%F1%EA%E2%E0"},
		"975": {"application/x-www-form-urlencoded", "id=975&amp;callphase=calldisconnected&amp;callerphone=79160000001&amp;duration=9"},
	} {
		answer, err := http.Post(good, hook.contentType, strings.NewReader(hook.body))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK || !strings.HasPrefix(string(text), "stored") {
			t.Errorf("hook %s was answered %d %q", id, answer.StatusCode, text)
			continue
		}
		eventually(t, 20*time.Second, "the call "+id+" is executed", func() bool { return box.times(id) == 1 })
	}
}

func tooLong(t *testing.T, good string) {
	megabyte := bytes.Repeat([]byte("a=b&"), 1<<18)
	for name, body := range map[string]io.Reader{
		"with its length": bytes.NewReader(megabyte),
		"chunked":         struct{ io.Reader }{bytes.NewReader(megabyte)}, // a plain reader has no length
	} {
		if code := send(t, http.MethodPost, good, body); code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: answered %d, want 413", name, code)
		}
	}
	// Go's server refuses a header before it is read to its end, and may hang up on who goes on sending.
	if code := send(t, http.MethodGet, good+"?id=1&x="+strings.Repeat("x", 300<<10), nil); code != http.StatusRequestHeaderFieldsTooLarge && code != 0 {
		t.Errorf("in the query: answered %d, want 431", code)
	}
	if code := send(t, http.MethodGet, good+"?id=1&callphase=calldisconnected&x="+strings.Repeat("x", 50<<10), nil); code != http.StatusOK {
		t.Errorf("a long one that is taken: answered %d", code)
	}
	if code := send(t, http.MethodPut, good, nil); code != http.StatusMethodNotAllowed {
		t.Errorf("PUT answered %d, want 405", code)
	}
}

// wrongAddresses: nothing tells an unknown site from a wrong key.
func wrongAddresses(t *testing.T, ingest string) {
	paths := []string{"10001/wrong", "10002/secret-key-of-the-test", "10001/", "10001", "10001/secret-key-of-the-test/more", "10001/secret-key-of-the-tes", "10001%2Fsecret-key-of-the-test%00"}
	answers := make(chan string, len(paths))
	for _, path := range paths {
		go func() {
			code, body := get("http://" + ingest + "/calltouch/" + path)
			answers <- fmt.Sprintf("%d %q", code, body)
		}()
	}
	for range paths {
		if answer := <-answers; answer != `404 "not found\n"` {
			t.Errorf("a wrong address was answered %s", answer)
		}
	}
}

// TestWrongSettings: what is wrong in Calltouch or in the file is taken where it can be, and else
// told of, in the log once and by `links`.
func TestWrongSettings(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "strangers come for a while")
	box := newMindbox(t, mindboxtest.Config{})
	s := newStack(t)
	s.configure(strings.ReplaceAll(configTemplate, "http://MINDBOX", box.url))
	up := s.up()
	call := func(path, id, more string) int {
		return send(t, http.MethodPost, "http://"+s.ingest+path, strings.NewReader("callphase=calldisconnected&callerphone=79161230001&id="+id+more))
	}
	for i, path := range []string{"//calltouch/10001/secret-key-of-the-test", "/calltouch//10001/secret-key-of-the-test", "/calltouch/10001//secret-key-of-the-test//"} {
		id := fmt.Sprint(920 + i)
		if code := call(path, id, ""); code != http.StatusOK {
			t.Errorf("%s: answered %d", path, code)
		}
		eventually(t, 20*time.Second, "its call is executed", func() bool { return box.times(id) == 1 })
	}
	for range 3 {
		call("/calltouch/10001/another-key", "930", "")
	}
	call("/calltouch/10002/secret-key-of-the-test", "931", "")
	if code := call("/calltouch/10001/secret-key-of-the-test", "932", "&timestamp=1698092972&calltime=2023-10-24+03:29:32"); code != http.StatusOK {
		t.Errorf("a hook with another zone: answered %d", code)
	}
	conn, err := net.Dial("tcp", s.ingest)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(conn, "GET /calltouch/10001/secret-key-of-the-test?id=1&fio=Anna Ivanova HTTP/1.1\r\nHost: x\r\n\r\n")
	_, _ = io.Copy(io.Discard, conn)
	_ = conn.Close()
	if got := metric(s.admin("INGEST"), `touchbox_refused_total{reason="malformed"}`); got != 1 {
		t.Errorf("a blank in a GET is counted %v times", got)
	}
	for _, want := range []string{"wrong key for this site", "not in touchbox.yaml", "UTC+7"} {
		eventually(t, 10*time.Second, "the log says: "+want, func() bool { return strings.Count(up.out.String(), want) == 1 })
	}
	var said string
	eventually(t, 20*time.Second, "links says it too", func() bool {
		said, _, _ = run(t, s.env, "", "touchbox", "links", "--fast")
		return strings.Contains(said, "site 10001: hooks come with a wrong key") && strings.Contains(said, "site 10002: ") && strings.Contains(said, "UTC+7")
	})
	if strings.Contains(up.out.String()+said, "another-key") {
		t.Error("a wrong key is shown")
	}
}

// slowed sends hooks beside wrong keys that are held back: some hook must be answered before them.
func slowed(t *testing.T, s *stack) {
	for range 5 { // a busy disk may hold a hook up, too
		const guesses = 8 // five times as many are still answered, not hung up on
		answered := make(chan time.Duration, guesses)
		began := time.Now()
		for i := range guesses {
			go func() {
				get(fmt.Sprintf("http://%s/calltouch/10001/guess%d", s.ingest, i))
				answered <- time.Since(began)
			}()
		}
		time.Sleep(50 * time.Millisecond) // the guesses go first
		if code := s.hook("900"); code != http.StatusOK {
			t.Errorf("a right key beside wrong ones answered %d", code)
		}
		early := len(answered) == 0
		for range guesses {
			if took := <-answered; took < 900*time.Millisecond {
				t.Fatalf("a wrong key was answered after %s", took)
			}
		}
		if early {
			return
		}
	}
	t.Error("hooks with the right key were answered no sooner than wrong keys")
}

// hostileIDs: whatever an id holds, it names one event, and reaches Mindbox as it came.
func hostileIDs(t *testing.T, s *stack, box *mindbox) {
	ids := []string{"*", ">", "1.2.3", "a b", "..", "../../x", "ид", "$JS.API", "=HYPERLINK(1)", `"`, "'; --", strings.Repeat("z", 64), "0", "-1", "00901", "901"}
	for _, id := range ids {
		if code := s.hook(id); code != http.StatusOK {
			t.Errorf("id %q: answered %d", id, code)
		}
	}
	for _, id := range ids {
		eventually(t, 20*time.Second, "the call of the id "+id+" is executed", func() bool { return box.times(id) == 1 })
	}
	for name, body := range map[string]url.Values{
		"header in the id":       {"id": {"902\r\nTouchbox-Format: 9"}, "callerphone": {"79161230902"}},
		"no UTF-8":               {"id": {"903\xff\xfe"}, "callerphone": {"79161230903"}},
		"the id many times over": {"id": append([]string{"904"}, make([]string, 2000)...), "callerphone": {"79161230904"}},
		"deep JSON in attrs":     {"id": {"905"}, "callerphone": {"79161230905"}, "attrs": {strings.Repeat("[", 50_000)}},
	} {
		if code := s.post("", "", body.Encode()); code != http.StatusOK {
			t.Errorf("%s: answered %d", name, code)
		}
	}
	if code := s.post("", jsonBody, strings.Repeat(`{"id":`, 30_000)); code != http.StatusOK {
		t.Errorf("deep JSON: answered %d", code)
	}
}

// closed begins a request, goes on byte by byte, and waits until the other end hangs up.
func closed(t *testing.T, address, begin string, within time.Duration) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte(begin)); err != nil {
		t.Error(err)
		return
	}
	over := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, conn) // an answer may come before the end
		close(over)
	}()
	began := time.Now()
	for {
		select {
		case <-over:
			return
		case <-time.After(200 * time.Millisecond):
			_, _ = conn.Write([]byte("a"))
		}
		if time.Since(began) > within {
			t.Errorf("not closed within %s: %.60q", within, begin)
			return
		}
	}
}

// TestAllowedNetworks: who may send hooks is told by the connection, and by X-Forwarded-For only
// where a trusted proxy wrote it.
func TestAllowedNetworks(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "strangers come for a while")
	for _, c := range []struct {
		name, proxies string
		forwarded     map[string]int // X-Forwarded-For and the status
	}{
		{"behind a proxy", "127.0.0.1/32,10.0.0.0/8", map[string]int{
			"92.118.66.5":             200,
			"92.118.67.255, 10.1.1.1": 200, // two proxies
			"8.8.8.8, 92.118.66.5":    200,
			"92.118.66.5, 8.8.8.8":    404, // the left one is invented
			"8.8.8.8":                 404,
			"":                        404,
			"nonsense":                404,
		}},
		{"without a proxy", "", map[string]int{"92.118.66.5": 404, "": 404}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStack(t)
			s.env = append(s.env, "INGEST_ALLOW=92.118.66.0/23", "INGEST_TRUSTED_PROXIES="+c.proxies)
			s.up()
			for forwarded, want := range c.forwarded {
				request, err := http.NewRequest(http.MethodPost, "http://"+s.ingest+"/calltouch/10001/secret-key-of-the-test", strings.NewReader("callphase=calldisconnected&id=1&callerphone=79161230001"))
				if err != nil {
					t.Fatal(err)
				}
				request.Header.Set("Content-Type", form)
				if forwarded != "" {
					request.Header.Set("X-Forwarded-For", forwarded)
				}
				answer, err := http.DefaultClient.Do(request)
				if err != nil {
					t.Fatal(err)
				}
				_ = answer.Body.Close()
				if answer.StatusCode != want {
					t.Errorf("X-Forwarded-For %q: answered %d, want %d", forwarded, answer.StatusCode, want)
				}
			}
		})
	}
}

// send sends a request and returns the answer's status, 0 when none came.
func send(t *testing.T, method, address string, body io.Reader) int {
	t.Helper()
	request, err := http.NewRequest(method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Timeout: 15 * time.Second}
	answer, err := client.Do(request)
	if err != nil {
		t.Log(err)
		return 0
	}
	defer func() { _ = answer.Body.Close() }()
	return answer.StatusCode
}
