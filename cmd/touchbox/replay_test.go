package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

func TestReplayCommand(t *testing.T) {
	o := newOperator(t)
	if out, _ := o.runs(0, "replay", "--link", "calls"); !strings.Contains(out, "nothing to replay") {
		t.Errorf("with nothing to do: %s", out)
	}
	o.die(1, 2, 3)
	var result struct{ Selected, Replayed int }
	o.reads(&result, "replay", "--link", "calls", "--event", "2")
	if result.Selected != 1 || result.Replayed != 1 {
		t.Errorf("one event: %+v", result)
	}
	o.reads(&result, "replay", "--reason", "protocol_error", "--status", "400", "--since", "1h")
	if result.Selected != 2 || result.Replayed != 2 {
		t.Errorf("the rest: %+v", result)
	}
	o.work(queue.Decision{Outcome: event.Delivered})
	o.until("all are delivered", func() bool {
		var rows []admin.RowView
		o.reads(&rows, "events", "--outcome", "delivered")
		return len(rows) == 3
	})
}

func TestReplayAsksAboveAHundred(t *testing.T) {
	o := newOperator(t)
	o.die(through(101)...)
	if _, errs := o.runs(2, "replay", "--link", "calls"); !strings.Contains(errs, "--yes") {
		t.Errorf("without a terminal: %s", errs)
	}
	if o.dead() != 101 {
		t.Error("it replayed all the same")
	}
	var result struct{ Replayed int }
	o.reads(&result, "replay", "--link", "calls", "--yes")
	if result.Replayed != 101 {
		t.Errorf("with --yes: %+v", result)
	}
}

func TestReplayOverAStoppedLinkFails(t *testing.T) {
	o := newOperator(t)
	o.die(1)
	o.runs(0, "links", "stop", "calls")
	if _, errs := o.runs(1, "replay"); !strings.Contains(errs, "calls: stopped") {
		t.Errorf("it says %s", errs)
	}
	o.runs(0, "links", "start", "calls")
	o.runs(0, "replay")
	if o.dead() != 0 {
		t.Error("the dead letter is still there")
	}
}

func TestReplayMistakes(t *testing.T) {
	o := newOperator(t)
	o.die(1)
	tests := []struct {
		name string
		args string
		code int
		says string
	}{
		{"unknown link", "--link nope", 2, "nope"},
		{"unknown site", "--site nope", 2, "nope"},
		{"unknown kind", "--kind deal", 2, "--kind"},
		{"unknown outcome", "--outcome gone", 2, "can be replayed"},
		{"waiting", "--outcome waiting", 2, "can be replayed"},
		{"delivered without a revision", "--outcome delivered", 2, "revision"},
		{"a time that is none", "--since yesterday", 2, "--since"},
		{"as without link", "--as calls", 2, "--link"},
		{"as an unknown link", "--link calls --as nope", 2, "nope"},
		{"a rate that is none", "--rate fast", 2, ""},
		{"an unknown event", "--event 77", 1, "no such event"},
		{"an argument", "calls", 2, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o.t = t
			if _, errs := o.runs(tt.code, append([]string{"replay"}, strings.Fields(tt.args)...)...); !strings.Contains(errs, tt.says) {
				t.Errorf("it says %q, want %q in it", errs, tt.says)
			}
		})
	}
	o.t = t
	if o.dead() != 1 {
		t.Error("a mistake has replayed something")
	}
}

func TestReplayOfALinkThatIsGone(t *testing.T) {
	o := newOperator(t)
	o.die(1)
	config := os.Getenv("TOUCHBOX_CONFIG")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, []byte(strings.Replace(string(text), "id: calls", "id: talks", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs := o.runs(1, "replay", "--link", "calls"); !strings.Contains(errs, "--as") {
		t.Errorf("it says %s", errs)
	}
	o.runs(0, "replay", "--link", "calls", "--as", "talks")
	var rows []admin.RetryView
	o.reads(&rows, "retries", "--link", "talks")
	if len(rows) != 1 || rows[0].As != "calls" || !rows[0].Replayed {
		t.Errorf("waits: %+v", rows)
	}
}

func TestReplayDryRunShowsTheDifference(t *testing.T) {
	o := newOperator(t)
	old := o.file.Link("calls")
	if _, err := o.queue.State().Put(t.Context(), "version."+old.Version, jsonText(old.Document())); err != nil {
		t.Fatal(err)
	}
	o.hook(1)
	x := died
	x.Version = old.Version
	stop := o.work(x)
	o.until("it is dead", func() bool { return o.dead() == 1 })
	stop()
	config := os.Getenv("TOUCHBOX_CONFIG")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, []byte(strings.Replace(string(text), "operation: CallTouch", "operation: Mended", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := o.runs(0, "replay", "--dry-run")
	if !strings.Contains(out, "operation=CallTouch\n") || !strings.Contains(out, "operation=Mended\n") || strings.Contains(out, "0000001") {
		t.Errorf("it says\n%s", out)
	}
	if out, _ := o.runs(0, "replay", "--dry-run", "--reveal"); !strings.Contains(out, `"mobilePhone": "79160000001"`) {
		t.Errorf("revealed it says\n%s", out)
	}
	if o.dead() != 1 {
		t.Error("a dry run has replayed")
	}
}

func TestReplayDryRunForecastsTheWholeSelection(t *testing.T) {
	o := newOperator(t)
	old := o.file.Link("calls")
	o.keep(old)
	o.hook(through(30)...)
	stop := o.workBy(func(d *queue.Delivery) queue.Decision {
		x := died
		x.Version = old.Version
		if d.Event.Key.ID == "1" {
			x.Pin = &event.Pin{Endpoint: "clinic.Website", Operation: "CallTouch"}
		}
		return x
	})
	o.until("all are dead", func() bool { return o.dead() == 30 })
	stop()
	if out, _ := o.runs(0, "replay", "--dry-run"); !strings.Contains(out, "it would send: 30") || !strings.Contains(out, "the requests are what they were: 30") {
		t.Errorf("with the same file:\n%s", out)
	}
	path := o.changed("operation: CallTouch", "operation: Mended")
	if err := os.Rename(path, os.Getenv("TOUCHBOX_CONFIG")); err != nil {
		t.Fatal(err)
	}
	var dry dryJSON
	o.reads(&dry, "replay", "--dry-run")
	f := dry.Forecast
	if f == nil || f.Selected != 30 || f.Pinned != 1 || len(f.Links) != 1 || f.WouldSend() != 30 {
		t.Fatalf("%+v", f)
	}
	if one := f.Links[0]; one.Differs != 29 || one.Same != 1 || len(one.Differences) != 1 || one.Differences[0].Part != admin.PartOperation ||
		one.Differences[0].Count != 29 || one.Differences[0].To != "Mended" || one.Moves[0].Count != 30 || one.Moves[0].From != event.Dead {
		t.Errorf("%+v", one)
	}
	if out, _ := o.runs(0, "replay", "--dry-run"); !strings.Contains(out, "CallTouch → Mended  29") {
		t.Errorf("it says\n%s", out)
	}
	if o.dead() != 30 {
		t.Error("a dry run has replayed")
	}
}

// jsonText is JSON that is stored as it is.
type jsonText []byte

func (j jsonText) MarshalJSON() ([]byte, error) { return j, nil }

// TestDifferenceOfLongListsIsBounded: a list of tags as long as a hook may bring it.
func TestDifferenceOfLongListsIsBounded(t *testing.T) {
	const n = 60_000
	then, now := []string{"first"}, []string{"first"}
	for i := range n {
		then, now = append(then, fmt.Sprint("a", i)), append(now, fmt.Sprint("b", i))
	}
	got := difference(append(then, "last"), append(now, "last"))
	if len(got) != 2*n+2 || got[0] != " first" || got[1] != "-a0" || got[n+1] != "+b0" || got[2*n+1] != " last" {
		t.Errorf("%d lines: %q ...", len(got), got[:3])
	}
}

func TestDifference(t *testing.T) {
	got := difference([]string{"a", "b", "c"}, []string{"a", "x", "c", "d"})
	if diff := cmp.Diff([]string{" a", "-b", "+x", " c", "+d"}, got); diff != "" {
		t.Error(diff)
	}
}

// A call with tens of thousands of tags is compared in bounded memory.
func TestDifferenceIsBounded(t *testing.T) {
	then, now := make([]string, 60_000), make([]string, 60_000)
	for i := range then {
		then[i], now[i] = fmt.Sprint("then ", i), fmt.Sprint("now ", i)
	}
	var out waittest.Buffer
	d := &desk{cli: &cli{out: &out}}
	before := allocated()
	d.printLines(then, now)
	if used := allocated() - before; used > 100<<20 {
		t.Errorf("%d MB were allocated", used>>20)
	}
	text := out.String()
	if n := strings.Count(text, "\n"); n != 4001 || !strings.Contains(text, "the first 2000 of 60000 lines") || !strings.Contains(text, "- then 1999\n") || !strings.Contains(text, "+ now 0\n") {
		t.Errorf("%d lines: %.300s", n, text)
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func TestDifferenceLeadsFromThenToNow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "", "-d", "+e", "@@ f"}), 1, 30)
		then, now := lines.Draw(t, "then"), lines.Draw(t, "now")
		if slices.Equal(then, now) {
			return
		}
		var from, to []string
		for _, line := range difference(then, now) {
			if line[0] != '+' {
				from = append(from, line[1:])
			}
			if line[0] != '-' {
				to = append(to, line[1:])
			}
		}
		if !slices.Equal(from, then) || !slices.Equal(to, now) {
			t.Fatalf("%q to %q by %q", then, now, difference(then, now))
		}
	})
}
