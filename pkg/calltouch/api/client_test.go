package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/api"
	"github.com/touchbox/touchbox/pkg/calltouch/calltouchtest"
)

func day(t testing.TB, s string) calltouch.Day {
	t.Helper()
	d, err := calltouch.ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// client is a client of whatever h serves, without a network.
func client(h http.Handler) *api.Client {
	return &api.Client{
		Site: "10001", Base: "http://calltouch.example", Token: token,
		HTTP: &http.Client{Transport: calltouchtest.Memory{Handler: h}}, Location: time.FixedZone("", 3*60*60),
	}
}

// answer serves one answer to every question.
func answer(status int, body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func TestQuestions(t *testing.T) {
	var asked *http.Request
	c := client(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r
		_, _ = io.WriteString(w, "[]")
	}))
	none := func(calltouch.Listed) error { return nil }
	check := func(path string, want map[string]string) {
		t.Helper()
		if asked.URL.Path != path {
			t.Errorf("path %s, want %s", asked.URL.Path, path)
		}
		for name, value := range want {
			if got := asked.URL.Query().Get(name); got != value {
				t.Errorf("%s = %q, want %q", name, got, value)
			}
		}
		for _, name := range []string{"timeFrom", "timeTo", "page", "limit"} {
			if asked.URL.Query().Has(name) {
				t.Errorf("%s is sent", name)
			}
		}
	}
	if err := c.Requests(t.Context(), day(t, "2026-11-02"), none); err != nil {
		t.Fatal(err)
	}
	check("/calls-service/RestAPI/requests", map[string]string{
		"clientApiId": "secret-token-1", "siteId": "10001", "dateFrom": "11/02/2026", "dateTo": "11/02/2026", "withAttrs": "true", "withRequestTags": "true",
	})
	for model, number := range map[string]string{"": "1", calltouch.LastNonDirect: "1", calltouch.Last: "0"} {
		c.Attribution = model
		if err := c.Calls(t.Context(), day(t, "2026-11-02"), none); err != nil {
			t.Fatal(err)
		}
		check("/calls-service/RestAPI/10001/calls-diary/calls", map[string]string{
			"clientApiId": "secret-token-1", "dateFrom": "02/11/2026", "dateTo": "02/11/2026", "withAttrs": "true", "withCallTags": "true", "attribution": number,
		})
	}
}

// got is what a record is about.
type got struct {
	ID, Site, Time, End, Raw string
}

func calls(c *api.Client, ctx context.Context) (list []got, err error) {
	err = c.Calls(ctx, calltouch.Day{}, func(r calltouch.Listed) error {
		g := got{ID: r.ID, Site: r.Site, Raw: string(r.Raw)}
		if !r.Time.IsZero() {
			g.Time, g.End = r.Time.UTC().Format(time.DateTime), r.End.UTC().Format(time.DateTime)
		}
		list = append(list, g)
		return nil
	})
	return list, err
}

func TestAnswers(t *testing.T) {
	one := `{"callId": 2500000000006214273, "siteId":10001, "timestamp":1694766170, "duration":72,"waitingConnect":5}`
	oneGot := got{"2500000000006214273", "10001", "2023-09-15 08:22:50", "2023-09-15 08:24:07", one}
	tests := []struct {
		name, body string
		want       []got
	}{
		{"none", `[]`, nil},
		{"null", `null`, nil},
		{"a bare array", "[" + one + " ,\n" + one + "]", []got{oneGot, oneGot}},
		{"a page", `{"page":1,"pageTotal":1,"recordsTotal":1,"records":[` + one + `]}`, []got{oneGot}},
		{"an empty page", `{"page":1,"records":null,"pageTotal":0}`, nil},
		{"a single record", "\n" + one + "\n", []got{oneGot}},
		{"a byte order mark", "\xef\xbb\xbf[" + one + "]", []got{oneGot}},
		{
			"texts for numbers", `[{"callId":"7","siteId":"10001","timestamp":"1694766170","duration":"72","waitingConnect":"5.0"}]`,
			[]got{{"7", "10001", "2023-09-15 08:22:50", "2023-09-15 08:24:07", `{"callId":"7","siteId":"10001","timestamp":"1694766170","duration":"72","waitingConnect":"5.0"}`}},
		},
		{
			"only the cabinet's clock, a duration below zero", `[{"callId":7,"date":"15/09/2023 11:22:50","duration":-30,"waitingConnect":null,"attrs":[]}]`,
			[]got{{"7", "", "2023-09-15 08:22:50", "2023-09-15 08:22:50", `{"callId":7,"date":"15/09/2023 11:22:50","duration":-30,"waitingConnect":null,"attrs":[]}`}},
		},
		{
			"raw control characters", "[{\"callId\":7,\"subPoolName\":\"a\x01b\n\\\"c\\\\\"}]",
			[]got{{ID: "7", Raw: `{"callId":7,"subPoolName":"a\u0001b\u000a\"c\\"}`}},
		},
		{
			"no record among records", `[7, null, {"callId":8}]`,
			[]got{{Raw: "7"}, {Raw: "null"}, {ID: "8", Raw: `{"callId":8}`}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list, err := calls(client(answer(http.StatusOK, tt.body)), t.Context())
			if diff := cmp.Diff(tt.want, list); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
		})
	}
}

func TestPagesAreReadToTheEnd(t *testing.T) {
	c := client(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page := r.FormValue("page")
		if page == "" {
			page = "1"
		}
		_, _ = fmt.Fprintf(w, `{"page":%s,"records":[{"callId":%s}],"pageTotal":3}`, page, page)
	}))
	list, err := calls(c, t.Context())
	if err != nil || len(list) != 3 || list[2].ID != "3" {
		t.Errorf("got %v, %v", list, err)
	}
}

// A first page may be of any length, and what it says of the others may be wrong: whatever is listed is read.
func TestPagesAreReadAsLongAsTheFirstOne(t *testing.T) {
	const all = 2500
	for _, tt := range []struct {
		name   string
		length int // of the first page
		totals string
	}{
		{"short pages", 100, `"pageTotal":25,"recordsTotal":2500`},
		{"as long as may be asked for", 1000, `"pageTotal":3,"recordsTotal":2500`},
		{"longer than may be asked for", 1500, `"pageTotal":2,"recordsTotal":2500`},
		{"how many pages is not said", 100, `"pageTotal":null,"recordsTotal":"2500"`},
		{"too few pages", 100, `"pageTotal":1,"recordsTotal":2500`},
		{"too few records", 100, `"pageTotal":25,"recordsTotal":0`},
		{"too many of both", 100, `"pageTotal":99,"recordsTotal":99999`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := client(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				page, limit := 1, tt.length
				if r.FormValue("page") != "" {
					page, _ = strconv.Atoi(r.FormValue("page"))
					limit, _ = strconv.Atoi(r.FormValue("limit"))
					limit = min(limit, 1000)
				}
				var records []string
				for id := (page-1)*limit + 1; id <= min(page*limit, all); id++ {
					records = append(records, fmt.Sprintf(`{"callId":%d}`, id))
				}
				_, _ = fmt.Fprintf(w, `{"page":%d,%s,"records":[%s]}`, page, tt.totals, strings.Join(records, ","))
			}))
			list, err := calls(c, t.Context())
			seen := map[string]bool{}
			for _, one := range list {
				seen[one.ID] = true
			}
			if err != nil || len(seen) != all {
				t.Errorf("%d of %d, %v", len(seen), all, err)
			}
		})
	}
}

func TestNoRecords(t *testing.T) {
	tests := []struct {
		name           string
		handler        http.Handler
		status         int
		limit, refused bool
		wait           time.Duration
		text           string // in the error
	}{
		{name: "401", handler: answer(401, `{"data":{"apiErrorData":{"errorMessage":"Wrong clientApiId secret-token-1"}}}`), status: 401, refused: true, text: "Wrong clientApiId ***"},
		{name: "403", handler: answer(403, `{"message":"Access denied for 79001234567"}`), status: 403, refused: true, text: "denied for ***"},
		{name: "403 of a limit", handler: answer(403, `{"message":"Превышен лимит запросов"}`), status: 403, limit: true},
		{name: "429", handler: header("Retry-After", "17", answer(429, "")), status: 429, limit: true, wait: 17 * time.Second},
		{name: "429 for a week", handler: header("Retry-After", "604800", answer(429, "")), status: 429, limit: true, wait: time.Hour},
		{name: "500", handler: answer(500, `<html>`), status: 500},
		{name: "503 with a wait", handler: header("Retry-After", "3", answer(503, ``)), status: 503, wait: 3 * time.Second},
		{name: "a redirect is not followed", handler: header("Location", "http://elsewhere.example/?clientApiId=secret-token-1", answer(302, ``)), status: 302},
		{name: "404", handler: answer(404, ``), status: 404, refused: true},
		{name: "no JSON", handler: answer(200, `<html>`), status: 200},
		{name: "nothing", handler: answer(200, ``), status: 200, text: "unexpected EOF"},
		{name: "an error with 200", handler: answer(200, `{"message":"x"}`), status: 200, text: "no records"},
		{name: "cut between records", handler: answer(200, `[{"callId":1},`), status: 200, text: "unexpected EOF"},
		{name: "cut within a record", handler: answer(200, `[{"callId":1`), status: 200, text: "unexpected EOF"},
		{name: "cut page", handler: answer(200, `{"records":[{"callId":1}]`), status: 200, text: "unexpected EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := calls(client(tt.handler), t.Context())
			var e *api.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			if e.Status != tt.status || e.Limit != tt.limit || e.Refused() != tt.refused || e.RetryAfter != tt.wait {
				t.Errorf("got %+v", e)
			}
			if !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "secret") {
				t.Errorf("error %q, want %q in it", err, tt.text)
			}
		})
	}
}

func header(name, value string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set(name, value)
		h.ServeHTTP(w, r)
	})
}

func TestTokenIsInNoError(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	for _, base := range []string{gone.URL, "http://[bad", "http://no host/", "nowhere", "http://calltouch.invalid"} {
		c := &api.Client{Site: "10001", Base: base, Token: token}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, err := calls(c, ctx)
		cancel()
		if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "clientApiId") {
			t.Errorf("%s: %v", base, err)
		}
	}
}

func TestNoTokenAsksNothing(t *testing.T) {
	c := client(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("asked") }))
	c.Token = func() string { return " \n" }
	var e *api.Error
	if _, err := calls(c, t.Context()); !errors.As(err, &e) || !e.Refused() {
		t.Errorf("got %v", err)
	}
}

func TestSilenceIsGivenUp(t *testing.T) {
	for name, begin := range map[string]string{"before the answer": "", "within it": `[{"callId":1},`} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := client(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if begin != "" {
						_, _ = io.WriteString(w, begin)
					}
					<-r.Context().Done()
				}))
				start := time.Now()
				_, err := calls(c, t.Context())
				if err == nil || !strings.Contains(err.Error(), "no byte") || time.Since(start) != time.Minute {
					t.Errorf("%v after %s", err, time.Since(start))
				}
			})
		})
	}
}

func TestSlowStoringIsNoSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(answer(http.StatusOK, `[{"callId":1},{"callId":2}]`))
		n := 0
		err := c.Calls(t.Context(), calltouch.Day{}, func(calltouch.Listed) error {
			n++
			time.Sleep(time.Hour)
			return nil
		})
		if err != nil || n != 2 {
			t.Errorf("%d records, %v", n, err)
		}
	})
}

func TestOwnErrorComesBack(t *testing.T) {
	mine := errors.New("mine")
	err := client(answer(200, `[{"callId":1}]`)).Calls(t.Context(), calltouch.Day{}, func(calltouch.Listed) error { return mine })
	if err != mine {
		t.Errorf("got %v", err)
	}
}

// TestLongDayInBoundedMemory reads a day of 200,000 records, some 20 MB.
func TestLongDayInBoundedMemory(t *testing.T) {
	record := []byte(`{"callId":150001,"callphase":"calldisconnected","timestamp":1694766170,"utmTerm":"<не указано>"}`)
	const n = 200_000
	c := client(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		out := bufio.NewWriterSize(w, 64<<10)
		for i := range n {
			_ = out.WriteByte("[,"[min(i, 1)])
			_, _ = out.Write(record)
		}
		_ = out.WriteByte(']')
		_ = out.Flush()
	}))
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	read, most := 0, uint64(0)
	err := c.Calls(t.Context(), calltouch.Day{}, func(r calltouch.Listed) error {
		if read++; read%20_000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&during)
			most = max(most, during.HeapAlloc)
		}
		return nil
	})
	if err != nil || read != n {
		t.Fatalf("%d records, %v", read, err)
	}
	if limit := before.HeapAlloc + 4<<20; most > limit {
		t.Errorf("%d MB in use while reading, %d before", most>>20, before.HeapAlloc>>20)
	}
}

func TestDays(t *testing.T) {
	berlin := location(t, "Europe/Berlin")
	// 2026-10-25 has 25 hours there: 23:30 of it is a day, not 24 hours, before 23:30 of the 26th.
	late := time.Date(2026, 10, 25, 23, 30, 0, 0, berlin)
	if d := calltouch.DayOf(late, berlin); d.String() != "2026-10-25" || d.Next().String() != "2026-10-26" {
		t.Errorf("got %s, next %s", d, d.Next())
	}
	var days []string
	for d := range calltouch.Days(day(t, "2026-02-27"), day(t, "2026-03-01")) {
		days = append(days, d.String())
	}
	if diff := cmp.Diff([]string{"2026-02-27", "2026-02-28", "2026-03-01"}, days); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", "2026-02-29", "01.10.2026", "2026-1-1"} {
		if _, err := calltouch.ParseDay(bad); err == nil {
			t.Errorf("%q is taken for a day", bad)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`[{"callId":1,"timestamp":"x"},{"requestId":[]}]`, `{"records":[{}],"pageTotal":"2"}`, `{"callId":1}`, "[{\"a\":\"\x01\\\x02\"}]", `[1,null,"x`, "[0] 0]", "\xef\xbb\xbfnull",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c := client(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.FormValue("page") == "" { // one page: what is asked for next is not of the fuzzer's making
				_, _ = w.Write(body)
			}
		}))
		_ = c.Calls(t.Context(), calltouch.Day{}, func(r calltouch.Listed) error {
			// What cannot be read is set aside: as it came, or not at all.
			if !json.Valid(r.Raw) && (len(r.Raw) == 0 || !bytes.Contains(body, r.Raw)) {
				t.Errorf("neither JSON nor as it came: %q", r.Raw)
			}
			return nil
		})
	})
}
