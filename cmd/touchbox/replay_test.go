package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
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
		var rows []rowJSON
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
	var rows []retryJSON
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

// jsonText is JSON that is stored as it is.
type jsonText []byte

func (j jsonText) MarshalJSON() ([]byte, error) { return j, nil }

func TestDifference(t *testing.T) {
	got := difference([]string{"a", "b", "c"}, []string{"a", "x", "c", "d"})
	if diff := cmp.Diff([]string{" a", "-b", "+x", " c", "+d"}, got); diff != "" {
		t.Error(diff)
	}
}
