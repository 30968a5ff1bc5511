package mindbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/touchbox/touchbox/pkg/mindbox"
)

const (
	secret      = "s3cr3t-Key/+1234567"
	device      = "6a2d9b40-1c7e-4f58-b3d1-9e0f7a5c2b84"
	transaction = "966e4287-4858-4504-aba9-b0398bc4e4e4"
)

func newClient(t *testing.T, config mindbox.Config) *mindbox.Client {
	t.Helper()
	if config.Secret == nil {
		config.Secret = func() string { return secret }
	}
	client, err := mindbox.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func operation() mindbox.Operation {
	return mindbox.Operation{Endpoint: "clinic.Website", Name: "CallTouch", DeviceUUID: device, TransactionID: transaction,
		Body: []byte(`{"customer":{"mobilePhone":"79001234567"}}`)}
}

func TestDeliverSendsWhatTheAPIAsksFor(t *testing.T) {
	var got *http.Request
	var body []byte
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		fmt.Fprint(w, `{"status":"Success"}`)
	})
	op := operation()
	op.Header = map[string]string{"X-Customer-IP": "10.0.0.1\r\nX-Evil: 1", "Accept": "text/plain", "Authorization": "none"}
	op.Query = map[string]string{"source": "a&b", "operation": "Other"}
	answer := newClient(t, mindbox.Config{URL: url + "/"}).Deliver(t.Context(), op)

	want := mindbox.Answer{Status: 200, State: "Success"}
	if diff := cmp.Diff(want, answer, cmpopts.IgnoreFields(mindbox.Answer{}, "Duration")); diff != "" {
		t.Error(diff)
	}
	if got.Method != http.MethodPost || got.URL.Path != "/v3/operations/async" {
		t.Errorf("%s %s", got.Method, got.URL.Path)
	}
	query := map[string][]string{"endpointId": {"clinic.Website"}, "operation": {"CallTouch"}, "deviceUUID": {device},
		"transactionId": {transaction}, "source": {"a&b"}}
	if diff := cmp.Diff(query, map[string][]string(got.URL.Query())); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json; charset=utf-8", "Accept": "application/json",
		"Authorization": `Mindbox secretKey="` + secret + `"`, "X-Customer-Ip": "10.0.0.1  X-Evil: 1", "X-Evil": "",
	} {
		if got.Header.Get(name) != want {
			t.Errorf("%s: %q, want %q", name, got.Header.Get(name), want)
		}
	}
	if string(body) != string(op.Body) {
		t.Errorf("body %s", body)
	}
}

func TestDeliverLeavesOut(t *testing.T) {
	var got *http.Request
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { got = r })
	op := operation()
	op.DeviceUUID = ""
	newClient(t, mindbox.Config{URL: url, Secret: func() string { return "" }}).Deliver(t.Context(), op)
	if got.URL.Query().Has("deviceUUID") || got.Header.Get("Authorization") != "" {
		t.Errorf("query %v, header %v", got.URL.Query(), got.Header)
	}
}

func TestDeliverSpellsSecretKeyAndReadsItEachTime(t *testing.T) {
	var got []string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { got = append(got, r.Header.Get("Authorization")) })
	key := "one"
	client := newClient(t, mindbox.Config{URL: url, Authorization: mindbox.AuthorizationSecretKey, Secret: func() string { return key }})
	client.Deliver(t.Context(), operation())
	key = "two"
	client.Deliver(t.Context(), operation())
	if diff := cmp.Diff([]string{"SecretKey one", "SecretKey two"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestDeliverTriesTheOtherKey(t *testing.T) {
	tests := []struct {
		name, right, other string
		want               int
		keys               []string
	}{
		{"the first is right", "new", "old", 200, []string{"new"}},
		{"the other is right", "old", "old", 200, []string{"new", "old"}},
		{"none is right", "none", "old", 403, []string{"new", "old"}},
		{"there is no other", "old", "", 403, []string{"new"}},
		{"the other is the same", "old", "new", 403, []string{"new"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var keys []string
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				key := strings.TrimPrefix(r.Header.Get("Authorization"), "SecretKey ")
				if keys = append(keys, key); key != tt.right {
					w.WriteHeader(http.StatusForbidden)
				}
			})
			client := newClient(t, mindbox.Config{URL: url, Authorization: mindbox.AuthorizationSecretKey,
				Secret: func() string { return "new" }, SecondSecret: func() string { return tt.other }})
			answer := client.Deliver(t.Context(), operation())
			if diff := cmp.Diff(tt.keys, keys); diff != "" || answer.Status != tt.want {
				t.Errorf("status %d, keys %s", answer.Status, diff)
			}
		})
	}
}

// TestDeliverKeepsTheOtherKeyFromStrangers: a page that refuses is no word about the key.
func TestDeliverKeepsTheOtherKeyFromStrangers(t *testing.T) {
	var keys atomic.Int32
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		keys.Add(1)
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, "<html>Access denied</html>")
	})
	answer := newClient(t, mindbox.Config{URL: url, SecondSecret: func() string { return "other" }}).Deliver(t.Context(), operation())
	if keys.Load() != 1 || mindbox.Judge(answer).Reason != mindbox.ReasonForeign {
		t.Errorf("%d requests, %+v", keys.Load(), answer)
	}
}

func TestDeliverReadsAnswers(t *testing.T) {
	tests := []struct {
		name, body string
		status     int
		want       mindbox.Answer
	}{
		{"success among unknown fields", `{"customer":{"a":[1]},"status":"Success"}`, 200, mindbox.Answer{State: "Success"}},
		{"byte order mark and a tail", "\ufeff{\"status\":\"Success\"} ok", 200, mindbox.Answer{State: "Success"}},
		{"validation messages", `{"status":"ValidationError","validationMessages":[{"message":"\"ivan@mail.ru\" не является адресом.","location":"/customer/email"},{"message":"Заполните контакт."}]}`, 200,
			mindbox.Answer{State: "ValidationError", Message: `/customer/email: "***@***" не является адресом.; Заполните контакт.`}},
		{"protocol error, code as text", `{"status":"ProtocolError","errorMessage":"номер 79001234567","errorId":"` + transaction + `","httpStatusCode":"400"}`, 400,
			mindbox.Answer{State: "ProtocolError", Message: "номер *********67", ErrorID: transaction}},
		{"code as a number, no errorId", `{"status":"ProtocolError","errorMessage":"x","httpStatusCode":400}`, 400, mindbox.Answer{State: "ProtocolError", Message: "x"}},
		{"empty", "", 200, mindbox.Answer{Foreign: true}},
		{"a page", "<html>\n<b>502</b></html>", 502, mindbox.Answer{Foreign: true, Message: "<html> <b>502</b></html>"}},
		{"no object", `["Success"]`, 200, mindbox.Answer{Foreign: true, Message: `["Success"]`}},
		{"status is no text", `{"status":200}`, 200, mindbox.Answer{Foreign: true, Message: `{"status":200}`}},
		{"another server's JSON", `{"status":"error","message":"log in"}`, 403, mindbox.Answer{Foreign: true, State: "error", Message: `{"status":"error","message":"log in"}`}},
		{"an error without a status", `{"errorMessage":"no"}`, 400, mindbox.Answer{Message: "no"}},
		{"a status that nobody knows, with an error", `{"status":"Surprise","errorMessage":"no"}`, 200, mindbox.Answer{State: "Surprise", Message: "no"}},
		{"cut off", `{"status":"Success`, 200, mindbox.Answer{Foreign: true, Message: `{"status":"Success`}},
		{"cut off behind the status", `{"status":"Success","a":`, 200, mindbox.Answer{Foreign: true, Message: `{"status":"Success","a":`}},
		{"longer than is read", `{"status":"Success","a":"` + strings.Repeat("x", 300<<10) + `"}`, 200, mindbox.Answer{State: "Success"}},
		{"it quotes the secret", `{"status":"ProtocolError","errorMessage":"key ` + secret + ` is wrong"}`, 403, mindbox.Answer{State: "ProtocolError", Message: "key *** is wrong"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.body)
			})
			tt.want.Status = tt.status
			answer := newClient(t, mindbox.Config{URL: url}).Deliver(t.Context(), operation())
			if diff := cmp.Diff(tt.want, answer, cmpopts.IgnoreFields(mindbox.Answer{}, "Duration")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDeliverObeysRetryAfter(t *testing.T) {
	now := time.Now().UTC()
	tests := []struct {
		name, value, date string
		want              time.Duration
	}{
		{"seconds", "120", "", 2 * time.Minute},
		{"a fraction is rounded up", "0.5", "", time.Second},
		{"negative", "-5", "", 0},
		{"endless", "99999999999999999999", "", 24 * time.Hour},
		{"not a number", "NaN", "", 0},
		{"a date, by the answer's own clock", "Sun, 01 Nov 2026 10:00:30 GMT", "Sun, 01 Nov 2026 10:00:00 GMT", 30 * time.Second},
		{"a past date", now.Add(-time.Hour).Format(http.TimeFormat), "", 0},
		{"nonsense", "soon", "", 0},
		{"none", "", "", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if tt.value != "" {
					w.Header().Set("Retry-After", tt.value)
				}
				if tt.date != "" {
					w.Header().Set("Date", tt.date)
				}
				w.WriteHeader(http.StatusTooManyRequests)
			})
			answer := newClient(t, mindbox.Config{URL: url}).Deliver(t.Context(), operation())
			if answer.RetryAfter != tt.want {
				t.Errorf("got %v, want %v", answer.RetryAfter, tt.want)
			}
		})
	}
}

// TestDeliverDoesNotWaitForStrangers: only who refuses for the rate, or is not working, says when to
// come again.
func TestDeliverDoesNotWaitForStrangers(t *testing.T) {
	for status, waits := range map[int]bool{200: false, 302: false, 403: false, 429: true, 503: true} {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "86400")
			w.WriteHeader(status)
			fmt.Fprint(w, "<html>Checking your browser</html>")
		})
		answer := newClient(t, mindbox.Config{URL: url}).Deliver(t.Context(), operation())
		if (answer.RetryAfter > 0) != waits || answer.RetryAfter > time.Hour {
			t.Errorf("%d: %v", status, answer.RetryAfter)
		}
	}
}

func TestDeliverFollowsNoRedirect(t *testing.T) {
	var elsewhere atomic.Bool
	other := serve(t, func(w http.ResponseWriter, r *http.Request) { elsewhere.Store(true) })
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other, http.StatusTemporaryRedirect) })
	answer := newClient(t, mindbox.Config{URL: url}).Deliver(t.Context(), operation())
	if answer.Status != http.StatusTemporaryRedirect || elsewhere.Load() {
		t.Errorf("status %d, followed %v", answer.Status, elsewhere.Load())
	}
}

func TestDeliverReusesConnections(t *testing.T) {
	var connections atomic.Int32
	page := strings.Repeat("x", 300<<10) // longer than is read as an answer
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, page) }))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client := newClient(t, mindbox.Config{URL: server.URL})
	for range 5 {
		if answer := client.Deliver(t.Context(), operation()); answer.Err != nil {
			t.Fatal(answer.Err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections for 5 attempts", n)
	}
}

func TestDeliverFails(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	silent := serve(t, hang)
	broken := serve(t, func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	half := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, `{"status":"Success"}`)
	})
	garbage := garbageServer(t)
	untrusted := httptest.NewTLSServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = nil
	t.Cleanup(untrusted.Close)
	tests := []struct {
		name, url string
		want      mindbox.Failure
		unsent    bool
	}{
		{"nobody listens", "http://" + closed.Addr().String(), mindbox.FailureConnect, true},
		{"no answer", silent, mindbox.FailureTimeout, false},
		{"a broken connection", broken, mindbox.FailureConnection, false},
		{"half an answer", half, mindbox.FailureConnection, false},
		{"no HTTP", garbage, mindbox.FailureConnection, false},
		{"an untrusted certificate", untrusted.URL, mindbox.FailureTLS, true},
		{"no TLS", strings.Replace(silent, "http:", "https:", 1), mindbox.FailureTLS, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			timeout := 20 * time.Second
			if tt.want == mindbox.FailureTimeout {
				timeout = 200 * time.Millisecond
			}
			client := newClient(t, mindbox.Config{URL: tt.url, Timeout: timeout})
			answer := client.Deliver(t.Context(), operation())
			var got mindbox.Failure
			if e, ok := answer.Err.(*mindbox.TransportError); ok {
				got = e.Failure
			}
			if got != tt.want || answer.Unsent != tt.unsent {
				t.Errorf("got %v (%v), unsent %v; want %v, %v", got, answer.Err, answer.Unsent, tt.want, tt.unsent)
			}
			assertClean(t, answer)
		})
	}
}

func TestDeliverNamesWhatDoesNotResolve(t *testing.T) {
	lookup := &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "mindbox.invalid", IsNotFound: true}}
	client := newClient(t, mindbox.Config{URL: "https://mindbox.invalid", Transport: failure{lookup}})
	answer := client.Deliver(t.Context(), operation())
	if got := mindbox.Judge(answer).Reason; got != mindbox.Reason(mindbox.FailureName) {
		t.Errorf("got %s", got)
	}
	assertClean(t, answer)
}

// failure is a transport that does not work.
type failure struct{ err error }

func (f failure) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

func TestDeliverInterrupted(t *testing.T) {
	url := serve(t, hang)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	answer := newClient(t, mindbox.Config{URL: url}).Deliver(ctx, operation())
	if got := mindbox.Judge(answer); got.Reason != "interrupted" || got.Failure {
		t.Errorf("got %+v", got)
	}
}

// hang answers never. The body is read first: only then does the server notice that the client
// has gone.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// assertClean fails when an answer shows what it must not hold.
func assertClean(t *testing.T, answer mindbox.Answer) {
	t.Helper()
	raw, _ := json.Marshal(answer)
	text := fmt.Sprintf("%s %+v %v", raw, answer, answer.Err)
	for _, bad := range []string{secret, "79001234567", transaction, device, "://", "/v3/"} {
		if strings.Contains(text, bad) {
			t.Errorf("the answer holds %q: %s", bad, text)
		}
	}
}

// garbageServer answers with the first bytes of the request, which hold the URL.
func garbageServer(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			buffer := make([]byte, 200)
			n, _ := conn.Read(buffer)
			_, _ = conn.Write(append(buffer[:n], "\r\n\r\n"...))
			conn.Close()
		}
	}()
	return "http://" + listener.Addr().String()
}

func TestNewRefuses(t *testing.T) {
	for _, config := range []mindbox.Config{{URL: "api.mindbox.ru"}, {URL: "ftp://x"}, {URL: "http://x:y:z"}, {URL: "https://x", Authorization: "basic"}} {
		if _, err := mindbox.New(config); err == nil {
			t.Errorf("%+v was taken", config)
		}
	}
}

var longDigits = regexp.MustCompile(`\p{Nd}{7}`)

func assertPresentable(t *testing.T, s string, limit int) {
	t.Helper()
	if len(s) > limit || !utf8.ValidString(s) || longDigits.MatchString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		t.Errorf("not fit to be kept: %q", s)
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"status":"Success"}`))
	f.Add([]byte(`{"status":"ValidationError","validationMessages":[{"message":"79001234567 \u001b[0m"}]}`))
	f.Add([]byte("\xff\xfe{"))
	f.Fuzz(func(t *testing.T, body []byte) {
		client, err := mindbox.New(mindbox.Config{URL: "http://x", Transport: reply(body)})
		if err != nil {
			t.Fatal(err)
		}
		answer := client.Deliver(t.Context(), operation())
		assertPresentable(t, answer.Message, 1000)
		assertPresentable(t, answer.State, 64)
		mindbox.Judge(answer)
	})
}

// reply is a transport that answers 200 with these bytes.
type reply []byte

func (r reply) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(r)))}, nil
}
