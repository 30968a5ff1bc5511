package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/console"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// visitor is a person at the console over the operator's queue.
type visitor struct {
	*operator
	address string
	client  *http.Client
}

func (o *operator) visitor() *visitor {
	o.t.Helper()
	handler := console.New(console.Options{
		Admin: func() admin.Admin { return app.NewAdmin(o.queue, o.file) }, Token: "the-token", Addr: "127.0.0.1:8083",
		Zone: func() *time.Location { return zoneOf(o.file) },
	})
	server := httptest.NewServer(handler)
	o.t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		o.t.Fatal(err)
	}
	v := &visitor{o, server.URL, &http.Client{Jar: jar}}
	answer, err := v.client.PostForm(server.URL+"/sign-in", url.Values{"key": {"the-token"}})
	if err != nil || answer.StatusCode != http.StatusOK {
		o.t.Fatalf("sign in: %v", err)
	}
	_ = answer.Body.Close()
	return v
}

func (v *visitor) opens(path string) string {
	v.t.Helper()
	answer, err := v.client.Get(v.address + path)
	if err != nil {
		v.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		v.t.Fatalf("%s: %d, %v", path, answer.StatusCode, err)
	}
	return string(body)
}

var (
	shownCommand = regexp.MustCompile(`<pre tabindex="0"><code>touchbox ([^<]*)</code></pre>`)
	tableLink    = regexp.MustCompile(`<a href="([^"]*format=csv[^"]*)" download>`)
	inQuotes     = regexp.MustCompile(`'[^']*'|\S+`)
)

// words takes a command apart as a shell does, as far as the pages quote.
func words(command string) (args []string) {
	for _, word := range inQuotes.FindAllString(command, -1) {
		args = append(args, strings.Trim(word, "'"))
	}
	return args
}

// TestEachListOfTheConsoleIsTheOneOfItsCommand runs the command that a page shows, and takes the table that it offers:
// both have the rows of the page.
func TestEachListOfTheConsoleIsTheOneOfItsCommand(t *testing.T) {
	o := newOperator(t)
	o.die(1, 2)
	o.hook(3)
	stop := o.work(queue.Decision{Outcome: event.Dead, Reason: "validation_error", Status: 400, Answer: "Неизвестное значение «x»", Attempts: 1})
	o.until("the third is dead", func() bool { return o.dead() == 3 })
	stop()
	o.hook(4)
	stop = o.work(queue.Decision{Outcome: event.Waiting, Reason: "server_error", Status: 503, Attempts: 1, Until: time.Now().Add(time.Hour)})
	o.until("the fourth waits", func() bool { return len(o.listed("retries")) == 1 })
	stop()
	o.hook(5)
	for _, reason := range []calltouch.Reason{"no_id", "ping"} {
		if err := o.queue.PutAside(t.Context(), queue.Aside{Site: "10001", Reason: string(reason), Origin: event.Webhook, Received: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
	cause := admin.CauseOf(queue.DeadLetter{Link: "calls", Trail: event.Trail{Reason: "validation_error", Status: 400, Answer: "Неизвестное значение «x»"}})
	v := o.visitor()
	for path, rows := range map[string]int{
		"/events": 5, "/events?outcome=dead": 3, "/events?outcome=dead&link=calls&since=3d": 3, "/events?site=10001&kind=call.ended": 5, "/events?kind=request": 0, "/events?until=3d": 0,
		"/deadletters": 3, "/deadletters?reason=protocol_error&status=400": 2, "/deadletters?link=calls&since=1h": 3, "/deadletters?cause=" + cause: 1,
		"/retries": 1, "/retries?link=calls&reason=server_error": 1, "/retries?reason=timeout": 0, "/aside": 2, "/aside?reason=ping&site=10001": 1,
	} {
		t.Run(path, func(t *testing.T) {
			page := v.opens(path)
			command, link := shownCommand.FindStringSubmatch(page), tableLink.FindStringSubmatch(page)
			if command == nil || link == nil {
				t.Fatal("the page shows no command, or no table")
			}
			onPage := rowsOfPage(page)
			if len(onPage) != rows {
				t.Errorf("the page has %d rows, want %d: %q", len(onPage), rows, onPage)
			}
			if got := o.listed(words(html.UnescapeString(command[1]))...); !slices.Equal(got, onPage) {
				t.Errorf("touchbox %s lists %q, the page %q", command[1], got, onPage)
			}
			if got := rowsOfTable(t, v.opens(html.UnescapeString(link[1]))); !slices.Equal(got, onPage) {
				t.Errorf("the table %s has %q, the page %q", link[1], got, onPage)
			}
		})
	}
}

// TestCausesSumUpToTheirCommand: the page tells answers apart, which `deadletters count` does not.
func TestCausesSumUpToTheirCommand(t *testing.T) {
	o := newOperator(t)
	o.die(1, 2, 3)
	v := o.visitor()
	page := v.opens("/causes?link=calls")
	var counts []admin.DeadCount
	o.reads(&counts, words(html.UnescapeString(shownCommand.FindStringSubmatch(page)[1]))...)
	table, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(v.opens(html.UnescapeString(tableLink.FindStringSubmatch(page)[1])), "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := slices.Index(table[0], "How many")
	if len(counts) != 1 || counts[0].Count != 3 || len(table) != 2 || column < 0 || table[1][column] != "3" {
		t.Errorf("%+v and %q", counts, table)
	}
}

// pageRow is what stands first in a row: of what was set aside its number, else the key.
var pageRow = regexp.MustCompile(`<th scope="row"><a href="/events/([^"]*)">|<tr><th scope="row">(\d+)<`)

func rowsOfPage(page string) (rows []string) {
	for _, found := range pageRow.FindAllStringSubmatch(page, -1) {
		rows = append(rows, found[1]+found[2])
	}
	slices.Sort(rows)
	return rows
}

// listed are the same of a command.
func (o *operator) listed(args ...string) (rows []string) {
	o.t.Helper()
	var list []struct {
		Key    string
		Number json.Number
	}
	o.reads(&list, args...)
	for _, one := range list {
		rows = append(rows, one.Key+one.Number.String())
	}
	slices.Sort(rows)
	return rows
}

// rowsOfTable are the same of a table.
func rowsOfTable(t *testing.T, text string) (rows []string) {
	t.Helper()
	table, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff"))).ReadAll()
	if err != nil || len(table) == 0 {
		t.Fatalf("%v in %q", err, text)
	}
	column := max(slices.Index(table[0], "Event"), slices.Index(table[0], "Number"))
	if column < 0 {
		t.Fatal(fmt.Sprint(table[0]))
	}
	for _, row := range table[1:] {
		rows = append(rows, row[column])
	}
	slices.Sort(rows)
	return rows
}
