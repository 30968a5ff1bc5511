package bridge_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// listings plays the requests API: what it lists under each day, as the API writes days.
type listings struct {
	mu    sync.Mutex
	days  map[string]string // the records, with commas; "ill" is answered 500
	asked map[string]int
}

func (l *listings) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := ""
	if strings.HasSuffix(r.URL.Path, "/requests") {
		day := r.FormValue("dateFrom")
		l.asked[day]++
		text = l.days[day]
	}
	if text == "ill" {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	_, _ = w.Write([]byte("[" + text + "]"))
}

func (l *listings) list(at time.Time, records ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.days[apiDay(at)] = strings.Join(records, ",")
}

// moscow is the zone of a cabinet that says nothing of it.
var moscow = time.FixedZone("", 3*3600)

func apiDay(at time.Time) string { return at.In(moscow).Format("01/02/2006") }

func record(id int, at time.Time, more string) string {
	return fmt.Sprintf(`{"requestId":%d,"date":%d,"siteId":10001,"client":{"phones":[{"phoneNumber":"7903%07d"}]}%s}`, id, at.UnixMilli(), id, more)
}

// polledStack is a bridge that polls those listings.
func polledStack(t *testing.T, grace string) (*stack, *listings, *mindbox) {
	t.Helper()
	api := &listings{days: map[string]string{}, asked: map[string]int{}}
	box := newMindbox(t, mindboxtest.Config{Secret: "mindbox-secret"})
	s := newStack(t)
	config := strings.Replace(lossyConfig, "{from: poll, every: 1s, sweep: 1d, grace: 2s}", "{from: poll, every: 1s, sweep: 4d, grace: "+grace+"}", 1)
	s.configure(strings.NewReplacer("CALLTOUCH", here(t, api), "MINDBOX", box.url).Replace(config))
	return s, api, box
}

// requestHook posts the hook of a form request.
func (s *stack) requestHook(id int, at time.Time) int {
	response, err := http.PostForm("http://"+s.ingest+"/calltouch/10001/secret-key-of-the-test", url.Values{
		"leadtype": {"request"}, "requestId": {fmt.Sprint(id)}, "siteId": {"10001"}, "callerphone": {fmt.Sprintf("7903%07d", id)},
		"requestDate": {at.In(moscow).Format("2006-01-02 15:04:05")},
	})
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// 200 means on disk: the hook of a request waits for its record through the death of the process,
// and is stored itself when no poll brings it. One whose record stands under another day waits for
// that.
func TestHookOfARequestIsNeverNowhere(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "polls some seconds apart")
	s, api, box := polledStack(t, "6s")
	up := s.up()
	now := time.Now()
	if code := s.requestHook(901, now); code != http.StatusOK {
		t.Fatalf("answered %d", code)
	}
	up.kill()
	s.up()
	for i, days := range []int{-1, 1, -11} {
		at := now.AddDate(0, 0, days)
		api.list(at, record(911+i, at, fmt.Sprintf(`,"comments":[{"comment":"day %d"}]`, days)))
		if code := s.requestHook(911+i, at); code != http.StatusOK {
			t.Fatalf("answered %d", code)
		}
	}
	for _, id := range []string{"901", "911", "912", "913"} {
		eventually(t, 60*time.Second, id+" is executed", func() bool { return box.times(id) > 0 })
	}
	eventually(t, 30*time.Second, "nothing waits", func() bool {
		_, text := get(s.admin("INGEST") + "/metrics")
		return strings.Contains(text, "touchbox_hooks_waiting 0")
	})
	stdout, stderr, code := run(t, s.env, "", "touchbox", "aside", "--json")
	if code != 0 || strings.TrimSpace(stdout) != "[]" {
		t.Errorf("exit code %d, set aside: %s %s", code, stdout, stderr)
	}
	for id, want := range map[int]string{901: "webhook", 911: "poll", 912: "poll", 913: "poll"} {
		stdout, stderr, code := run(t, s.env, "", "touchbox", "event", fmt.Sprintf("10001/request/%d", id), "--json")
		if code != 0 || !strings.Contains(strings.ReplaceAll(stdout, " ", ""), `"origin":"`+want+`"`) {
			t.Errorf("%d is not by %s: exit code %d, %s %s", id, want, code, stdout, stderr)
		}
	}
}

// A day that fails, a record that is no JSON, one that is larger than NATS' usual bound and one that
// is too large for us hold nothing up.
func TestIllAnswersHoldNothingUp(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "polls some seconds apart")
	s, api, box := polledStack(t, "2s")
	now := time.Now()
	day := func(n int) time.Time { return now.AddDate(0, 0, n) }
	api.list(day(-3), record(701, day(-3), ""))
	api.list(day(-2), "ill")
	api.list(day(-1),
		record(702, day(-1), ""),
		record(703, day(-1), `,"comments":[{"comment":"O\'Hara"}]`),
		record(704, day(-1), `,"mapVisits":"`+strings.Repeat("v", 1_100_000)+`"`),
		record(705, day(-1), `,"mapVisits":"`+strings.Repeat("v", 5_000_000)+`"`),
		record(706, day(-1), ""))
	s.up()
	for _, id := range []string{"701", "702", "704", "706"} {
		eventually(t, 60*time.Second, id+" is executed", func() bool { return box.times(id) > 0 })
	}
	api.list(now, record(707, now, ""))
	eventually(t, 60*time.Second, "today's is executed", func() bool { return box.times("707") > 0 })
	api.list(day(-2), record(708, day(-2), ""))
	eventually(t, 100*time.Second, "the ill day is read when it is well", func() bool { return box.times("708") > 0 })
	_, text := get(s.admin("INGEST") + "/metrics")
	for _, want := range []string{`{reason="unreadable",site="10001"} 1`, `{reason="too_large",site="10001"} 1`} {
		if !strings.Contains(text, "touchbox_aside_total"+want) {
			t.Errorf("not counted: %s", want)
		}
	}
}
