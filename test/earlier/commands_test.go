package earlier_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/queue/embedded"
)

// all selects events of whatever age.
var all = []string{"--since", "2020-01-01", "--limit", "1000"}

// commands are those that read, on all that is stored; the store itself says which events there are.
func (w *writer) commands() [][]string {
	i := newInstallation(w.t, w.binary)
	defer i.serve()()
	with := func(args []string, more ...string) []string { return append(slices.Clone(args), more...) }
	events := append([]string{"events"}, all...)
	list := [][]string{events, with(events, "--json"), with(events, "--lang", "ru", "--outcome", "dead"), with(events, "--phone", "79001234567")}
	for _, args := range [][]string{
		{"deadletters", "--limit", "1000"}, {"deadletters", "count"}, {"retries"}, {"aside"}, {"links"}, {"links", "--fast"},
		{"replay", "--dry-run"}, {"replay", "--dry-run", "--outcome", "undeliverable"}, {"replay", "--dry-run", "--outcome", "filtered", "--link", "ended"},
		{"replay", "--dry-run", "--outcome", "untaken"}, {"replay", "--dry-run", "--outcome", "abandoned", "--link", "removed", "--as", "ended"},
		{"replay", "--dry-run", "--outcome", "delivered", "--revision", "r2"}, {"replay", "--dry-run", "--link", "removed", "--as", "ended"},
		{"check"}, {"check", "--diff"}, {"fields", "--days", "36500"}, {"fields", "--days", "36500", "--site", "pharmacy"},
		{"event", "--phone", w.call(1001, "", "", "").Caller}, {"explain", "--link", "ended", key(1004)}, {"explain", "--link", "numbers", key(1012)},
		{"explain", "--link", "requests", "10002/request/2103"}, {"explain", "--link", "shadow", "10002/call-ended/3003"},
		{"gaps", "--site", "pharmacy", "--from", cabinetDay(w.past()), "--to", cabinetDay(w.past())},
		{"gaps", "--site", "pharmacy", "--from", cabinetDay(w.now), "--to", cabinetDay(w.now)},
	} {
		list = append(list, args, with(args, "--json"))
	}
	list = append(list, []string{"retries", "--json", "--reveal"}, []string{"deadletters", "--json", "--reveal", "--limit", "1000"}, []string{"links", "--lang", "ru"})
	var rows, letters []struct{ Key string }
	for what, args := range map[any][]string{&rows: with(events, "--json"), &letters: {"deadletters", "--json", "--limit", "1000"}} {
		if err := json.Unmarshal([]byte(i.must(args...).out), what); err != nil {
			w.t.Fatal(err)
		}
	}
	for n, r := range rows { // not each as a person reads it: that is the time of a process each
		if list = append(list, []string{"event", r.Key, "--json", "--reveal"}); n%3 == 0 {
			list = append(list, []string{"event", r.Key})
		}
	}
	for n, l := range slices.Compact(letters) {
		if list = append(list, []string{"deadletters", "show", l.Key, "--json", "--reveal"}); n%3 == 0 {
			list = append(list, []string{"deadletters", "show", l.Key})
		}
	}
	var asides []struct{ Number uint64 }
	if err := json.Unmarshal([]byte(i.must("aside", "--json").out), &asides); err != nil {
		w.t.Fatal(err)
	}
	for _, a := range asides {
		list = append(list, []string{"aside", "show", fmt.Sprint(a.Number), "--json", "--reveal"})
	}
	return list
}

// atOnce is how many commands run at a time: each waits more than it works.
const atOnce = 8

// readAll runs commands that read on the store, with nothing else running, and returns what each said, as it stands in commands.txt.
func readAll(t *testing.T, binary string, commands [][]string) []string {
	t.Helper()
	i := newInstallation(t, binary, "http://"+calltouchAddress, serve(t, listed(t)))
	defer i.serve()()
	said := make([]string, len(commands))
	var working sync.WaitGroup
	var api sync.Mutex // only one may ask Calltouch at a time, and says so
	for n := range atOnce {
		working.Go(func() {
			for at := n; at < len(commands); at += atOnce {
				if commands[at][0] == "gaps" {
					api.Lock()
				}
				said[at] = written(commands[at], i.run(commands[at]...))
				if commands[at][0] == "gaps" {
					api.Unlock()
				}
			}
		})
	}
	working.Wait()
	return said
}

// serve runs the server on the store, without a bridge, until the returned function is called.
func (i *installation) serve() (stop func()) {
	i.t.Helper()
	s, err := embedded.Start(embedded.Config{Dir: filepath.Join(i.dir, "data"), Socket: true, Log: zerolog.Nop()})
	if err != nil {
		i.t.Fatal(err)
	}
	return s.Stop
}

// listed is Calltouch as it was when the store was made.
func listed(t *testing.T) http.Handler {
	t.Helper()
	data, err := os.ReadFile("testdata/calltouch.json")
	c := calltouch{}
	if err == nil {
		err = json.Unmarshal(data, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// began begins a command in commands.txt.
const began = "$ touchbox "

func written(args []string, s said) string {
	out, errs := s.out, s.errs
	if args[0] == "links" {
		out = steady(out)
	}
	out = year.ReplaceAllString(out, "$1")
	text := began + strings.Join(args, " ") + "\n" + out
	if errs != "" {
		text += "--- standard error\n" + errs
	}
	return text + fmt.Sprintf("--- exit code %d\n", s.code)
}

var (
	age    = regexp.MustCompile(`\b(\d+h)?(\d+m)?\d+s\b|(\d+ (д|ч|мин|с) )*\d+ (д|ч|мин|с)`)
	year   = regexp.MustCompile(`\b(\d\d\.\d\d)\.20\d\d\b`) // Russian dates of this year go without it
	blanks = regexp.MustCompile(` {2,}`)
)

// steady takes out of the table of the links what is another text each time: how old the oldest event is by now that waits, and the width
// of its column. All other times are those at which the store was written.
func steady(text string) string {
	return blanks.ReplaceAllString(age.ReplaceAllString(text, "AGE"), "  ")
}

// golden is a file of testdata.
func golden(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
