package mindboxtest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
)

func start(t *testing.T, config mindboxtest.Config) (*mindboxtest.Server, string) {
	t.Helper()
	server := mindboxtest.New(config)
	listener := httptest.NewServer(server)
	t.Cleanup(listener.Close)
	return server, listener.URL
}

func client(t *testing.T, url string) *mindbox.Client {
	t.Helper()
	c, err := mindbox.New(mindbox.Config{URL: url, Secret: func() string { return "key" }, Timeout: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func operation(n int) mindbox.Operation {
	return mindbox.Operation{Endpoint: "clinic.Website", Name: "CallTouch",
		TransactionID: uuid.NewSHA1(uuid.NameSpaceURL, fmt.Append(nil, n)).String(),
		Body:          fmt.Appendf(nil, `{"customer":{"mobilePhone":"79000000000"},"customerAction":{"customFields":{"callId":"%d"}}}`, n)}
}

func get(t *testing.T, url string, into any) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", response.StatusCode, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatal(err)
	}
}

func TestExecutesOnceAndRemembers(t *testing.T) {
	server, url := start(t, mindboxtest.Config{})
	c := client(t, url)
	for _, want := range []string{"Success", "TransactionAlreadyProcessed"} {
		if answer := c.Deliver(t.Context(), operation(1)); answer.State != want {
			t.Errorf("got %+v, want %s", answer, want)
		}
	}
	c.Deliver(t.Context(), operation(2))

	var executed []mindboxtest.Execution
	get(t, url+"/executed?callId=1", &executed)
	if len(executed) != 1 || executed[0].CallID != "1" || executed[0].Attempts != 2 || executed[0].TransactionID != operation(1).TransactionID {
		t.Errorf("got %+v", executed)
	}
	get(t, url+"/executed?limit=1", &executed)
	if len(executed) != 1 || executed[0].CallID != "2" {
		t.Errorf("limit gives %+v, want the newest", executed)
	}
	get(t, url+"/executed?operation=Other", &executed)
	if len(executed) != 0 {
		t.Errorf("another operation gives %+v", executed)
	}
	want := mindboxtest.Stats{Requests: 3, Executed: 2, Repeated: 1, Statuses: map[string]int{"200": 3}, Operations: map[string]int{"CallTouch": 2}}
	if diff := cmp.Diff(want, server.Stats()); diff != "" {
		t.Error(diff)
	}
}

func TestForgetsOldBodiesButNoTransaction(t *testing.T) {
	server, url := start(t, mindboxtest.Config{Keep: 2})
	c := client(t, url)
	for n := range 7 {
		c.Deliver(t.Context(), operation(n))
	}
	if n := len(server.Executed(mindboxtest.Query{})); n > 4 {
		t.Errorf("%d executions kept", n)
	}
	if answer := c.Deliver(t.Context(), operation(0)); answer.State != mindbox.StateAlreadyProcessed {
		t.Errorf("got %+v", answer)
	}
}

func TestRefusesBadRequests(t *testing.T) {
	_, url := start(t, mindboxtest.Config{Endpoints: []string{"e"}, Operations: []string{"op"}, Secret: "right"})
	const good = "/v3/operations/async?endpointId=e&operation=op&transactionId=966e4287-4858-4504-aba9-b0398bc4e4e4"
	tests := []struct {
		name, path, authorization, body string
		want                            int
	}{
		{"right", good, `Mindbox secretKey="right"`, "{}", 200},
		{"right, other spelling", good, "SecretKey right", "{}", 200},
		{"no key", good, "", "{}", 401},
		{"another scheme", good, "Bearer right", "{}", 401},
		{"wrong key", good, "SecretKey wrong", "{}", 403},
		{"no endpoint", "/v3/operations/async?operation=op", "SecretKey right", "{}", 400},
		{"unknown endpoint", "/v3/operations/async?endpointId=x&operation=op", "SecretKey right", "{}", 400},
		{"unknown operation", "/v3/operations/async?endpointId=e&operation=x", "SecretKey right", "{}", 400},
		{"bad transaction", "/v3/operations/async?endpointId=e&operation=op&transactionId=1", "SecretKey right", "{}", 400},
		{"empty device", good + "&deviceUUID=", "SecretKey right", "{}", 400},
		{"no JSON", good, "SecretKey right", "{", 400},
		{"no object", good, "SecretKey right", "null", 400},
		{"too large", good, "SecretKey right", `"` + strings.Repeat("x", 1<<20) + `"`, 413},
		{"wrong path", "/v2/operations", "SecretKey right", "{}", 404},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			request, _ := http.NewRequest(http.MethodPost, url+tt.path, strings.NewReader(tt.body))
			request.Header.Set("Content-Type", "application/json; charset=utf-8")
			if tt.authorization != "" {
				request.Header.Set("Authorization", tt.authorization)
			}
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != tt.want {
				t.Errorf("got %d, want %d", response.StatusCode, tt.want)
			}
		})
	}
}

// TestFaults turns each fault on for every request and looks at what the client makes of it.
func TestFaults(t *testing.T) {
	tests := []struct {
		admin    string
		want     mindbox.Reason
		executed int
	}{
		{"p500=100", mindbox.ReasonServerError, 0},
		{"p429=100&retryafter=7", mindbox.ReasonTooMany, 0},
		{"p400=100", mindbox.ReasonProtocol, 0},
		{"pvalidation=100", mindbox.ReasonValidation, 0},
		{"pempty=100", mindbox.ReasonUnclear, 0},
		{"phtml=100", mindbox.ReasonServerError, 0},
		{"phang=100&hang=10s", "timeout", 0},
		{"phang=100&hang=10ms", "connection", 0},
		{"preset=100", "connection", 0},
		{"plost=100", "connection", 1},
		{"outage=1h", mindbox.ReasonServerError, 0},
		{"outage=1h&outagemode=reset", "connection", 0},
		{"outage=1h&outagemode=401", mindbox.ReasonCredentials, 0},
		{"outage=1h&outagemode=html", mindbox.ReasonServerError, 0},
		{"latency=10ms", mindbox.ReasonAccepted, 1},
		{"outage=0s", mindbox.ReasonAccepted, 1},
	}
	for _, tt := range tests {
		t.Run(tt.admin, func(t *testing.T) {
			server, url := start(t, mindboxtest.Config{})
			get(t, url+"/admin?"+tt.admin, new(map[string]any))
			answer := client(t, url).Deliver(t.Context(), operation(1))
			if got := mindbox.Judge(answer); got.Reason != tt.want {
				t.Errorf("got %+v of %+v, want %s", got, answer, tt.want)
			}
			if strings.Contains(tt.admin, "retryafter") && answer.RetryAfter != 7*time.Second {
				t.Errorf("Retry-After %v", answer.RetryAfter)
			}
			if n := server.Stats().Executed; n != tt.executed {
				t.Errorf("executed %d, want %d", n, tt.executed)
			}
		})
	}
}

func TestAdminRefusesWhatItDoesNotKnow(t *testing.T) {
	_, url := start(t, mindboxtest.Config{})
	for _, bad := range []string{"p501=1", "p500=101", "p500=x", "latency=5", "outagemode=broken", "outagemode=200"} {
		response, err := http.PostForm(url+"/admin?"+bad, nil)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, response.StatusCode)
		}
	}
}

// TestFaultsFollowTheSeed sends the same operations in two orders.
func TestFaultsFollowTheSeed(t *testing.T) {
	run := func(seed uint64, numbers []int) map[int]string {
		_, url := start(t, mindboxtest.Config{Seed: seed, Faults: mindboxtest.Faults{P500: 30, P400: 30}})
		c := client(t, url)
		states := map[int]string{}
		for _, n := range numbers {
			states[n] = c.Deliver(t.Context(), operation(n)).State
		}
		return states
	}
	up, down := []int{}, []int{}
	for n := range 40 {
		up, down = append(up, n), append(down, 39-n)
	}
	one := run(1, up)
	if diff := cmp.Diff(one, run(1, down)); diff != "" {
		t.Error(diff)
	}
	if cmp.Equal(one, run(2, up)) {
		t.Error("another seed gives the same faults")
	}
}

func TestScriptGivesAnyAnswer(t *testing.T) {
	server, url := start(t, mindboxtest.Config{Script: func(r mindboxtest.Request) *mindboxtest.Reply {
		if r.Attempt > 1 {
			return nil
		}
		return &mindboxtest.Reply{Status: 418, Body: `{"status":"Surprise","errorMessage":"none of yours"}`, Header: map[string]string{"Retry-After": "3"}, Execute: true}
	}})
	c := client(t, url)
	first, second := c.Deliver(t.Context(), operation(1)), c.Deliver(t.Context(), operation(1))
	if first.Status != 418 || first.State != "Surprise" || first.RetryAfter != 3*time.Second || second.State != mindbox.StateAlreadyProcessed {
		t.Errorf("got %+v, then %+v", first, second)
	}
	if n := server.Stats().Executed; n != 1 {
		t.Errorf("executed %d", n)
	}
}

func TestFindsCallID(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"where the article puts it", `{"callId":"no","customerAction":{"customFields":{"callId":"1"}}}`, "1"},
		{"a number", `{"customerAction":{"customFields":{"callId":148071}}}`, "148071"},
		{"anywhere", `{"a":{"b":{"callId":"2"}}}`, "2"},
		{"nowhere", `{"a":1}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server, url := start(t, mindboxtest.Config{})
			op := operation(1)
			op.Body = []byte(tt.body)
			client(t, url).Deliver(t.Context(), op)
			executed := server.Executed(mindboxtest.Query{})
			if len(executed) != 1 || executed[0].CallID != tt.want {
				t.Errorf("got %+v, want %q", executed, tt.want)
			}
		})
	}
}
