package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/show"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

var update = flag.Bool("update", false, "write testdata/golden anew")

// looking are command lines that change nothing, over what busy has stored.
var looking = []string{
	"events", "events --limit 2", "events --link calls --outcome dead", "events --kind request", "events --reveal",
	"deadletters", "deadletters --limit 1", "deadletters --event 2 --event 1", "deadletters --kind request", "deadletters --reveal",
	"deadletters count", "deadletters count --reason none", "deadletters count --reason timeout", "deadletters show 1", "deadletters show 2 --reveal", "deadletters show 4",
	"retries", "retries --limit 1", "retries --event 3", "retries --kind request", "retries --reveal",
	"aside", "aside --limit 1", "aside --reason none", "aside --reason ping", "aside show 1", "aside show 2 --reveal", "aside show 99",
	"links", "links --fast", "fields", "fields --reveal", "check",
	"event 1", "event 1 --reveal", "event 3", "event 4", "event 5", "event 7", "event 99", "event --phone 79161234567",
	"replay --dry-run", "replay --dry-run --event 1 --reveal", "replay --dry-run --outcome delivered", "replay --dry-run --kind request",
	"explain --link calls 1", "erase --phone 79990000000 --yes",
}

// changing are command lines that change something, in this order.
var changing = []string{
	"links stop calls", "links start calls", "links reset calls",
	"retries --now --event 3", "retries --cancel --event 7", "retries --cancel --event 7 --yes", "retries --restore",
	"deadletters drop --event 2", "deadletters drop --event 2 --why mistake", "deadletters drop --event 2 --why mistake --yes",
	"aside take", "aside take --reason other_site", "aside take 1 --kind call.ended",
	"replay --event 1", "replay --event 1", "replay --event 2", "replay --event 7 --rate 10/s", "replay", "event 1", "event 7",
	"erase --phone 79161234567", "erase --phone 79161234567 --yes", "events", "links",
}

// busy is a Touchbox whose calls have ended in every way, one after the other, so that lists are in
// one order.
func busy(t *testing.T) *operator {
	o := newOperator(t)
	for i, one := range []queue.Decision{
		{Outcome: event.Dead, Reason: "protocol_error", Status: 400, Answer: "no such operation \x1b[2J<b> marker@example.ru", Attempts: 1},
		{Outcome: event.Dead, Reason: "validation", Answer: strings.Repeat("long & ", 20), Attempts: 2, Pin: &event.Pin{Endpoint: "clinic.Website", Operation: "CallTouch"}},
		{Outcome: event.Waiting, Until: time.Now().Add(time.Hour), Reason: "server_error", Status: 500, Answer: "sorry 79161234567", Attempts: 3},
		{Outcome: event.Filtered},
		{Outcome: event.Delivered, Status: 200, Attempts: 1},
		{Outcome: event.Undeliverable, Reason: "missing"},
		{Outcome: event.Waiting, Until: time.Now().Add(time.Hour), Reason: "timeout", Attempts: 1},
	} {
		stop := o.work(one)
		id := i + 1
		o.comes(id, strange[i%len(strange)])
		o.until(fmt.Sprintf("call %d is handled", id), func() bool {
			records, err := o.queue.History(t.Context(), event.Key{Site: "10001", Kind: event.CallEnded, ID: fmt.Sprint(id)})
			return err == nil && len(records) > 0
		})
		stop()
	}
	o.setAside("10001", "no_id", "callerphone=79161234567&duration=9")
	o.setAside("10002", string(calltouch.AsideOtherSite), "id=70&siteId=10001&callerphone=79161234567&duration=9")
	return o
}

// comes stores a call from a page that a stranger named.
func (o *operator) comes(id int, page string) {
	o.t.Helper()
	form := url.Values{"id": {fmt.Sprint(id)}, "callphase": {"calldisconnected"}, "callerphone": {"79161234567"}, "duration": {"30"}, "url": {page}}
	e := queuetest.Call(id)
	e.Body = []byte(form.Encode())
	queuetest.Publish(o.t, o.queue, e)
}

func (o *operator) setAside(site, reason, body string) {
	o.t.Helper()
	err := o.queue.PutAside(o.t.Context(), queue.Aside{
		Site: site, Reason: reason, Origin: event.Webhook, ContentType: "application/x-www-form-urlencoded", Body: []byte(body), Received: time.Now(),
	})
	if err != nil {
		o.t.Fatal(err)
	}
}

// What commands print is read by scripts and stands in people's notes: it does not change by chance.
func TestOutputIsAsItWas(t *testing.T) {
	o := busy(t)
	for _, language := range []string{"en", "ru"} {
		var text strings.Builder
		for _, line := range looking {
			o.transcribe(&text, line, "--lang", language)
			if language == "en" && !strings.Contains(line, " show ") && !strings.HasPrefix(line, "fields") { // JSON as they are, or long
				o.transcribe(&text, line, "--json")
			}
		}
		golden(t, "looking."+language+".txt", text.String())
	}
	if _, err := o.queue.PutPark(t.Context(), queue.Park{Scope: "endpoint/clinic", Reason: "credentials_refused", Status: 403, Text: "wrong", Next: time.Now()}); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	o.transcribe(&text, "links")
	o.transcribe(&text, "links", "--json")
	if err := o.queue.Unpark(t.Context(), "endpoint/clinic"); err != nil {
		t.Fatal(err)
	}
	for _, line := range changing {
		o.transcribe(&text, line)
	}
	golden(t, "changing.txt", text.String())
}

func TestJSONOfChangesIsAsItWas(t *testing.T) {
	o := busy(t)
	var text strings.Builder
	for _, line := range changing {
		o.transcribe(&text, line, "--json")
	}
	golden(t, "changing.json.txt", text.String())
}

func TestFollowIsAsItWas(t *testing.T) {
	o := newOperator(t)
	var text strings.Builder
	for i, more := range [][]string{{}, {"--json"}, {"--lang", "ru"}} {
		id := fmt.Sprint(i + 1)
		ctx, cancel := context.WithCancel(t.Context())
		var out, errs waittest.Buffer
		done := make(chan int)
		go func() {
			done <- run(ctx, append([]string{"events", "--follow", "--reveal"}, more...), strings.NewReader(""), &out, &errs)
		}()
		time.Sleep(500 * time.Millisecond) // it reads what comes from now on
		o.comes(i+1, strange[0])
		o.until("it comes", func() bool { return strings.Contains(out.String(), id) })
		stop := o.work(queue.Decision{Outcome: event.Filtered})
		o.until("it is filtered", func() bool { return strings.Contains(out.String(), "filtered") })
		stop()
		cancel()
		fmt.Fprintf(&text, "exit %d\n%s%s", <-done, out.String(), errs.String())
	}
	golden(t, "follow.txt", plain(text.String()))
}

// Flags and their help are what people and scripts learn.
func TestUsageIsAsItWas(t *testing.T) {
	var text strings.Builder
	var walk func(path []string, cmd *cobra.Command)
	walk = func(path []string, cmd *cobra.Command) {
		var out bytes.Buffer
		code := run(t.Context(), append(path, "--help"), strings.NewReader(""), &out, &out)
		fmt.Fprintf(&text, "$ touchbox %s --help\n%sexit %d\n\n", strings.Join(path, " "), &out, code)
		for _, sub := range cmd.Commands() {
			walk(append(path[:len(path):len(path)], sub.Name()), sub)
		}
	}
	c := &cli{in: strings.NewReader(""), out: show.Writer(&bytes.Buffer{}), errs: show.Writer(&bytes.Buffer{}), screen: &bytes.Buffer{}}
	walk(nil, c.root())
	golden(t, "usage.txt", text.String())
}

// transcribe runs a command and writes what it printed.
func (o *operator) transcribe(text *strings.Builder, line string, more ...string) {
	o.t.Helper()
	var out, errs waittest.Buffer
	args := append(strings.Fields(line), more...)
	code := run(o.t.Context(), args, strings.NewReader(""), &out, &errs)
	fmt.Fprintf(text, "$ touchbox %s\n%s", strings.Join(args, " "), plain(out.String()))
	if errs.String() != "" {
		fmt.Fprintf(text, "--- standard error\n%s", plain(errs.String()))
	}
	fmt.Fprintf(text, "exit %d\n\n", code)
}

// changes are what is never the same twice: times, ages, ports, folders, and the versions that rest
// on them.
var changes = []struct {
	from *regexp.Regexp
	to   string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`), "TIME"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`), "YYYY-MM-DD hh:mm:ss"},
	{regexp.MustCompile(`\d\d\.\d\d \d\d:\d\d:\d\d`), "DD.MM hh:mm:ss"},
	{regexp.MustCompile(`\b((\d+m)?\d+s|(\d+ мин )?\d+ с) +`), "AGE "},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:PORT"},
	{regexp.MustCompile(`/\S*/tb\d+`), "DIR"},
	{regexp.MustCompile(`\b[0-9a-f]{12,64}\b`), "HASH"},
}

func plain(text string) string {
	for _, c := range changes {
		text = c.from.ReplaceAllString(text, c.to)
	}
	return text
}

// golden compares a text with a file of testdata/golden.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	is, was := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	command := ""
	for i := range max(len(is), len(was)) {
		if i < len(was) && strings.HasPrefix(was[i], "$ ") {
			command = was[i]
		}
		if i >= len(is) || i >= len(was) || is[i] != was[i] {
			t.Fatalf("%s:%d (%s): it says\n%s\nand said\n%s", file, i+1, command, at(is, i), at(was, i))
		}
	}
}

func at(lines []string, i int) string {
	if i >= len(lines) {
		return "nothing"
	}
	return lines[i]
}
