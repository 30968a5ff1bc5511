package watch

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// bell is an ALERT_URL.
type bell struct {
	t       *testing.T
	url     string
	refuses atomic.Bool
	tries   atomic.Int32
	rung    chan Notice
}

func newBell(t *testing.T) *bell {
	t.Helper()
	b := &bell{t: t, rung: make(chan Notice, 100)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.tries.Add(1)
		if b.refuses.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		var one Notice
		if err := json.NewDecoder(r.Body).Decode(&one); err != nil {
			t.Errorf("not JSON: %v", err)
		}
		b.rung <- one
	}))
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

// patientPace is that of a receiver that answers: a second try is too late for any test.
var patientPace = pace{every: 50 * time.Millisecond, first: time.Hour, most: time.Hour}

// process is one process that sends to the bell, until stop is called or the test ends.
func (b *bell) process(q *queue.Queue, file *link.File) (a *Alerts, stop func()) {
	return b.paced(q, file, patientPace)
}

func (b *bell) paced(q *queue.Queue, file *link.File, p pace) (a *Alerts, stop func()) {
	b.t.Helper()
	a = &Alerts{
		receiver: NewReceiver(b.url, "", "Touchbox/test"), queue: q, file: func() *link.File { return file }, lang: lang.English,
		log: zerolog.Nop(), pace: p, wake: make(chan struct{}, 1),
		unstored: map[string]sighting{},
	}
	ctx, cancel := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	ended.Go(func() { _ = a.Run(ctx) })
	stop = func() { cancel(); ended.Wait() }
	b.t.Cleanup(stop)
	return a, stop
}

// next is the next alert as one word or three: "disk events" has begun, "disk events over" is over.
func (b *bell) next() string {
	b.t.Helper()
	select {
	case one := <-b.rung:
		if !strings.HasPrefix(one.Text, "Touchbox: ") || !strings.HasSuffix(one.Text, ".") || strings.Contains(one.Text, "%!") {
			b.t.Errorf("no sentence: %q", one.Text)
		}
		if one.Time.IsZero() {
			b.t.Error("no time")
		}
		word := string(one.Cause) + " " + one.Subject
		if one.Over {
			word += " over"
		}
		return word
	case <-time.After(30 * time.Second):
		b.t.Fatal("no alert came")
		return ""
	}
}

// want waits for these alerts, in any order, and for a mark behind them: no other comes.
func (b *bell) want(a *Alerts, words ...string) {
	b.t.Helper()
	left := map[string]int{}
	for _, w := range words {
		left[w]++
	}
	for range words {
		got := b.next()
		if left[got]--; left[got] < 0 {
			b.t.Errorf("got %q, want %v", got, words)
		}
	}
	mark := time.Now().Format("150405.000000000")
	a.begin(b.t.Context(), CauseTest, mark, "a mark.")
	if got := b.next(); got != "test "+mark {
		b.t.Errorf("got %q, want no more than %v", got, words)
	}
}

func TestAlertIsSaidOncePerCause(t *testing.T) {
	q, b, file := queuetest.New(t), newBell(t), &link.File{}
	first, _ := b.process(q, file)
	second, _ := b.process(q, file)
	ctx := t.Context()

	first.Parked(ctx, "link/calls")
	b.want(first, "parked link/calls")
	first.Parked(ctx, "link/calls")
	second.Parked(ctx, "link/calls") // another worker, or the same one after a restart
	b.want(second)
	second.Unparked(ctx, "link/calls")
	first.Unparked(ctx, "link/calls")
	b.want(second, "parked link/calls over")
	first.Parked(ctx, "link/calls") // a new cause is said anew
	b.want(first, "parked link/calls")
}

func TestAlertOutlastsItsReceiversAbsence(t *testing.T) {
	q, b := queuetest.New(t), newBell(t)
	b.refuses.Store(true)
	impatient := pace{every: 20 * time.Millisecond, first: 20 * time.Millisecond, most: 50 * time.Millisecond}
	a, stop := b.paced(q, &link.File{}, impatient)
	a.begin(t.Context(), CauseDeadLetters, "calls", "x.")
	a.begin(t.Context(), CauseDeadLetters, "gone-again", "x.")
	for b.tries.Load() < 3 { // it is tried again, not once
		time.Sleep(5 * time.Millisecond)
	}
	stop() // a restart
	a, _ = b.paced(q, &link.File{}, impatient)
	a.end(t.Context(), CauseDeadLetters, "gone-again", "x.") // nobody heard of its begin
	b.refuses.Store(false)
	b.want(a, "dead_letters calls")
	a.end(t.Context(), CauseDeadLetters, "calls", "x.")
	b.want(a, "dead_letters calls over")
}

// The process dies between STATE and the first try, or while nobody runs who would send.
func TestAlertOfAProcessThatDied(t *testing.T) {
	q, b := queuetest.New(t), newBell(t)
	died, stop := b.process(q, &link.File{})
	stop()
	died.Parked(t.Context(), "link/calls")
	a, _ := b.process(q, &link.File{})
	b.want(a, "parked link/calls")
}

// What a version before this one left says only since when; it was written before anything was sent.
func TestAlertStoredByAnOlderVersion(t *testing.T) {
	q, b := queuetest.New(t), newBell(t)
	for _, id := range []string{"lasts", "ended"} {
		if _, err := q.State().Put(t.Context(), alertKey(CauseDeadLetters, id), time.Now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	a, _ := b.process(q, &link.File{})
	a.end(t.Context(), CauseDeadLetters, "ended", "x.")
	a.begin(t.Context(), CauseDeadLetters, "lasts", "x.")
	b.want(a, "dead_letters lasts")
	if all, err := a.all(t.Context()); err != nil || len(raised(all, CauseDeadLetters)) != 1 {
		t.Errorf("raised: %v, %v", all, err)
	}
}

// A cause that comes and goes calls a person once, and says that it is over once it stays away.
func TestAlertDoesNotFlap(t *testing.T) {
	q, b := queuetest.New(t), newBell(t)
	calm := patientPace
	calm.calm = 30 * time.Minute
	a, stop := b.paced(q, &link.File{}, calm)
	a.Parked(t.Context(), "link/calls")
	b.want(a, "parked link/calls")
	for range 3 {
		a.Unparked(t.Context(), "link/calls")
		b.want(a)
		a.Parked(t.Context(), "link/calls")
		b.want(a)
	}
	stop()
	a, _ = b.process(q, &link.File{})
	a.Unparked(t.Context(), "link/calls")
	b.want(a, "parked link/calls over")
}

// While STATE is away nothing is said, least of all that what never began is over; what was seen
// meanwhile is said afterwards.
func TestAlertsWhileTheQueueIsAway(t *testing.T) {
	server := queuetest.Start(t)
	q := queuetest.Open(t, server, queue.Options{})
	b := newBell(t)
	file := &link.File{Sites: []*link.Site{{Site: calltouch.Site{ID: "10001"}, Name: "clinic"}}, Links: []*link.Link{{ID: "calls"}}}
	a, _ := b.process(q, file)
	quiet := NewSilence(q, a.file, func(string, time.Time) {})
	server.Stop()
	away, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	a.begin(away, CauseAbandoned, "calls", "x.") // an event, not a state: no later look sees it
	quiet.catchUp(away)
	a.check(away, quiet)
	if n := b.tries.Load(); n != 0 {
		t.Errorf("%d alerts, and nobody knows anything", n)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	if got := b.next(); got != "abandoned calls" {
		t.Errorf("got %q", got)
	}
}

func TestAlertsOfWhatLeftTheFileEnd(t *testing.T) {
	q, b := queuetest.New(t), newBell(t)
	a, _ := b.process(q, &link.File{Sites: []*link.Site{{Site: calltouch.Site{ID: "10001"}}}, Links: []*link.Link{{ID: "calls"}}})
	for _, id := range []string{"calls", "old"} {
		a.begin(t.Context(), CauseDeadLetters, id, "x.")
		a.begin(t.Context(), CauseAbandoned, id, "x.")
	}
	a.begin(t.Context(), CauseSilence, "10002", "x.")
	a.begin(t.Context(), CauseParked, "endpoint/old", "x.")
	b.want(a, "dead_letters calls", "dead_letters old", "abandoned calls", "abandoned old", "silence 10002", "parked endpoint/old")
	all, err := a.all(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a.endOfRemoved(t.Context(), a.file(), all)
	b.want(a, "dead_letters old over", "silence 10002 over", "parked endpoint/old over")
}

// What is parked stands in STATE, and alerts follow it though the worker that parked it died.
func TestParkAlertsFollowState(t *testing.T) {
	q, b := queuetest.New(t), newBell(t)
	a, _ := b.process(q, &link.File{Links: []*link.Link{{ID: "calls"}, {ID: "other"}}})
	a.begin(t.Context(), CauseParked, "link/other", "x.")
	if _, err := q.PutPark(t.Context(), queue.Park{Scope: "link/calls"}); err != nil {
		t.Fatal(err)
	}
	b.want(a, "parked link/other")
	a.check(t.Context(), nil)
	b.want(a, "parked link/calls", "parked link/other over")
}

func TestAlertsNameTheirSubjectInTheLocalesLanguage(t *testing.T) {
	file := &link.File{
		Sites: []*link.Site{{Site: calltouch.Site{ID: "10001"}, Name: "clinic"}},
		Links: []*link.Link{{ID: "calls", Title: "Звонки"}, {ID: "bare"}},
	}
	a := &Alerts{lang: lang.Russian, file: func() *link.File { return file }}
	for text, want := range map[string]string{
		a.deadLettersText("calls", 3, nil):            "Звонки (calls)",
		a.parkedText("link/bare"):                     "bare",
		a.parkedText("endpoint/clinic"):               "Mindbox clinic",
		a.silenceText("10001", 73*time.Hour):          "clinic (10001)",
		a.abandonedText("calls", 3):                   "Звонки (calls)",
		a.asideText(file.Sites[0], 3, 20):             "clinic (10001)",
		a.fullText(queue.StreamSize{Stream: "aside"}): "aside",
	} {
		if !strings.Contains(text, want) || !strings.ContainsAny(text, "абвгдежзийклмнопрстуфхцчшщыэюя") || strings.Contains(text, "%!") {
			t.Errorf("%q does not name %s in Russian", text, want)
		}
	}
}

// STATE is away with the queue: the alert of the queue must not need it.
func TestAlertOfAQueueThatIsAway(t *testing.T) {
	b := newBell(t)
	a := &Alerts{
		receiver: NewReceiver(b.url, "", "Touchbox/test"), lang: lang.English, log: zerolog.Nop(),
		pace: pace{every: 5 * time.Millisecond, first: 5 * time.Millisecond, most: 5 * time.Millisecond, away: 20 * time.Millisecond},
	}
	var away atomic.Bool
	ctx, cancel := context.WithCancel(t.Context())
	var ended sync.WaitGroup
	ended.Go(func() {
		_ = a.WatchQueue(ctx, func(context.Context) error {
			if away.Load() {
				return queue.ErrConflict
			}
			return nil
		})
	})
	defer func() { cancel(); ended.Wait() }()
	b.refuses.Store(true)
	away.Store(true)
	for b.tries.Load() < 3 {
		time.Sleep(5 * time.Millisecond)
	}
	b.refuses.Store(false)
	if got := b.next(); !strings.HasPrefix(got, "queue ") || strings.HasSuffix(got, " over") {
		t.Errorf("got %q", got)
	}
	away.Store(false)
	if got := b.next(); !strings.HasSuffix(got, " over") {
		t.Errorf("got %q, want its end", got)
	}
}

// Without a receiver nobody is called, and what needs a person stands in STATE all the same, where the console reads it: until it is over.
func TestWhatNeedsAPersonIsKnownWithoutAReceiver(t *testing.T) {
	q, file := queuetest.New(t), &link.File{Sites: []*link.Site{{Site: calltouch.Site{ID: "10001"}}}}
	a := NewAlerts(Config{Queue: q, File: func() *link.File { return file }, Log: zerolog.Nop()})
	for range 30 {
		if err := q.PutAside(t.Context(), queue.Aside{Site: "10001", Reason: "no_id", Origin: "webhook", Received: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	a.LostRetries(t.Context(), "calls", 3)
	a.UnreadDays(t.Context(), "10001", 2)
	a.checkAside(t.Context(), file.Sites[0])
	raised := func() (words []string) {
		all, err := a.all(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range all {
			if one.raised() {
				words = append(words, string(one.Cause)+" "+one.Subject)
			}
		}
		slices.Sort(words)
		return words
	}
	if got := raised(); !slices.Equal(got, []string{"aside 10001", "lost_retries calls", "unread 10001"}) {
		t.Errorf("%q", got)
	}
	a.LostRetries(t.Context(), "calls", 0)
	a.UnreadDays(t.Context(), "10001", 0)
	if got := raised(); !slices.Equal(got, []string{"aside 10001"}) {
		t.Errorf("when it is over: %q", got)
	}
	if err := a.Run(t.Context()); err != nil {
		t.Error(err)
	}
}
