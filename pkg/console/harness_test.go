package console_test

import (
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/console"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/link/linktest"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/embedded"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// secrets are those of config, and the console's token: none may come out, whoever asks.
var secrets = struct{ hook, token, mindbox, console string }{"QWERTYUIOPASDFGHJKLZ2345", "calltouch-token-of-the-test", "mindbox-secret-of-the-test", "admin-token-of-the-test"}

// config has two links over the calls of one site.
var config = linktest.File{
	Site: "timezone: Europe/Moscow\nkey: " + secrets.hook + "\ntoken: " + secrets.token,
	To:   "secret: " + secrets.mindbox,
	Links: []linktest.Link{
		{ID: "dynamic", More: "title: Звонки, динамика\nwhen: duration > 5", Body: "customer.area: ${city}"},
		{ID: "other", Event: "[call.ended, request]", Operation: "CallTouchStatic", More: "when: duration > 1000"},
	},
}

// house is a console over a queue of its own, served by HTTP.
type house struct {
	t       testing.TB
	admin   admin.Admin
	people  []console.Person
	console *console.Console
	server  *httptest.Server
	queue   *embedded.Server
	stop    func() // of the queue
	rest    func() // of the board

	away, back func()              // the queue can be reached no longer, and again
	hold       func() (let func()) // the queue answers nobody until let

	log *waittest.Buffer
}

// keys of the people of every house.
const seeKey, actKey, adminKey, programKey = "key-of-see", "key-of-act", "key-of-admin", "key-of-program"

func newHouse(t testing.TB, change func(*console.Options)) *house {
	t.Helper()
	server := queuetest.Start(t)
	q, cable := queuetest.OpenOver(t, server, queue.Options{})
	h := newHouseOn(t, q, change)
	h.queue, h.stop, h.away, h.back, h.hold = server, server.Stop, cable.Cut, cable.Mend, cable.Hold
	return h
}

// newHouseOn is a console over a queue.
func newHouseOn(t testing.TB, q *queue.Queue, change func(*console.Options)) *house {
	t.Helper()
	h := newHouseOf(t, q, config.Parse(t))
	h.look()
	h.serve(change)
	return h
}

// newHouseOf is what a console over a queue stands on, by a file.
func newHouseOf(t testing.TB, q *queue.Queue, file *link.File) *house {
	t.Helper()
	h := &house{t: t, log: &waittest.Buffer{}}
	h.admin = admin.Admin{Queue: q, File: file, Fields: fieldsOf(file)}
	for _, l := range file.Links {
		since := l.Since
		if since.IsZero() {
			since = time.Now().Add(-time.Hour)
		}
		if _, err := h.admin.Queue.Register(t.Context(), queue.LinkSpec{ID: l.ID, Subjects: l.Subjects(), Since: since}); err != nil {
			t.Fatal(err)
		}
	}
	person := func(name string, role console.Role, key string) console.Person {
		return console.Person{Name: name, Role: role, Hash: sha256.Sum256([]byte(key))}
	}
	h.people = []console.Person{person("sara", console.See, seeKey), person("anna", console.Act, actKey), person("oleg", console.Admin, adminKey), person("zabbix", console.See, programKey)}
	h.people[2].Reveal, h.people[3].Program = true, true
	return h
}

// serve starts a console over the house's queue.
func (h *house) serve(change func(*console.Options)) {
	h.t.Helper()
	zone := h.admin.File.Sites[0].Location
	o := console.Options{
		Admin:  func() admin.Admin { return h.admin },
		People: func() []console.Person { return h.people },
		Zone:   func() *time.Location { return zone },
		Token:  secrets.console,
		Addr:   "127.0.0.1:8083", File: "touchbox.yaml", Version: "test", Log: zerolog.New(h.log),
	}
	if change != nil {
		change(&o)
	}
	h.console = console.New(o)
	h.server = httptest.NewServer(h.console)
	h.t.Cleanup(h.server.Close)
}

// look gives the house's admin a Board, which is kept until the test ends.
func (h *house) look() {
	h.t.Helper()
	desk := h.admin
	board := admin.NewBoard(func() admin.Admin { return desk }, zerolog.Nop())
	ctx, stop := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { _ = board.Run(ctx) })
	h.rest = func() { stop(); done.Wait() }
	h.t.Cleanup(h.rest)
	h.admin.Board = board
	queuetest.Eventually(h.t, "the board has read all", func() bool {
		s, err := board.Standing(h.t.Context())
		return err == nil && s.Read == 1
	})
}

func fieldsOf(file *link.File) func(event.Event) (map[string]any, error) {
	return func(e event.Event) (map[string]any, error) { return calltouch.Parse(e, file.View(e.Key.Site)) }
}

// worker works off jobs until the returned function is called, as a process beside the console does.
func (h *house) worker() (stop func()) {
	h.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(h.t.Context()))
	done := make(chan struct{})
	kinds := append(append([]admin.JobKind{}, admin.WorkerJobs...), admin.IngestJobs...)
	go func() {
		defer close(done)
		_ = admin.RunJobs(ctx, func() admin.Admin { return h.admin }, kinds, zerolog.Nop()) // it returns no error
	}()
	stop = func() {
		cancel()
		<-done
	}
	h.t.Cleanup(stop)
	return stop
}

// jobAt is the job of a page's address.
func (h *house) jobAt(location string) admin.Job {
	h.t.Helper()
	id, ok := strings.CutPrefix(location, "/jobs/")
	if !ok {
		h.t.Fatalf("%q leads to no job", location)
	}
	j, err := h.admin.JobOf(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return j
}

// ended is the job of a page's address, at its end.
func (h *house) ended(location string) (j admin.Job) {
	h.t.Helper()
	queuetest.Eventually(h.t, "the job ends", func() bool {
		j = h.jobAt(location)
		return j.Ends()
	})
	return j
}

// browser keeps cookies, follows nothing, and says where it comes from, as browsers do.
type browser struct {
	*house
	client *http.Client
}

func (h *house) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return &browser{h, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// signedIn is a browser whose person has signed in with a key.
func (h *house) signedIn(key string) *browser {
	h.t.Helper()
	b := h.browser()
	if answer := b.post("/sign-in", url.Values{"key": {key}}); answer.status != http.StatusSeeOther {
		h.t.Fatalf("sign in: %d %s", answer.status, answer.body)
	}
	return b
}

// answer is what came back.
type answer struct {
	status   int
	header   http.Header
	location string
	body     string
}

func (b *browser) do(r *http.Request) answer {
	b.t.Helper()
	response, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, response.Header.Get("Location"), string(body)}
}

func (b *browser) request(method, path string, form url.Values) *http.Request {
	b.t.Helper()
	r, err := http.NewRequest(method, b.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

func (b *browser) get(path string) answer { return b.do(b.request(http.MethodGet, path, nil)) }

func (b *browser) post(path string, form url.Values) answer {
	return b.do(b.request(http.MethodPost, path, form))
}
