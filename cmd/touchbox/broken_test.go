package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/link"
)

// runsBy writes the versions of a file's links to STATE, as a worker that starts with it does.
func (o *operator) runsBy(text string) {
	o.t.Helper()
	file, problems, err := link.Parse("touchbox.yaml", []byte(text), link.Options{Lenient: true})
	if err != nil {
		o.t.Fatal(problems, err)
	}
	for _, l := range file.Links {
		if _, err := o.queue.State().Put(o.t.Context(), "version."+l.Version, json.RawMessage(l.Document())); err != nil {
			o.t.Fatal(err)
		}
	}
}

// While the file has mistakes the bridge goes on by the one before, and so do the commands.
func TestCommandsGoByWhatRunsWhileTheFileIsBroken(t *testing.T) {
	o := newOperator(t)
	config := os.Getenv("TOUCHBOX_CONFIG")
	good, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	older := strings.ReplaceAll(string(good), "operation: CallTouch", "operation: Older")
	o.runsBy(older)
	o.runsBy(string(good))
	o.die(1, 2)
	broken := strings.Replace(string(good), "event: call.ended", "event: call.endet", 1)
	for name, text := range map[string]string{"mistakes": strings.Replace(broken, "duration > 5", "durations > 5", 1), "no YAML": "calltouch: [", "no file": ""} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if text == "" {
				_ = os.Remove(config)
			}
			commands := []string{
				"links", "links --json", "event 1", "events", "events --link calls", "deadletters", "deadletters show 1", "deadletters count", "retries", "aside", "fields",
				"replay --dry-run", "erase --phone 79990000000", "events --phone 79160000001", "links stop calls", "links start calls", "aside take --reason no_id",
			}
			if !testing.Short() { // it waits some seconds before its first copy
				commands = append(commands, "backup "+filepath.Join(t.TempDir(), "copy"))
			}
			for _, command := range commands {
				out, errs := o.runs(0, strings.Fields(command)...)
				if !strings.Contains(errs, "the links that run") || out == "" {
					t.Errorf("touchbox %s: %s%s", command, out, errs)
				}
			}
			if out, _ := o.runs(0, "replay", "--dry-run"); !strings.Contains(out, "operation=CallTouch") {
				t.Errorf("not by the newest version: %s", out)
			}
			for _, command := range []string{"gaps --site 10001 --from 2026-11-01", "backfill --site 10001 --from 2026-11-01", "links reset calls --yes", "links remove calls --yes", "explain --link calls 1", "check"} {
				if _, errs := o.runs(2, strings.Fields(command)...); !strings.Contains(errs, "touchbox.yaml") {
					t.Errorf("touchbox %s: %s", command, errs)
				}
			}
		})
	}
	if err := os.WriteFile(config, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs := o.runs(0, "links"); !strings.Contains(errs, "mistakes: 1 ") {
		t.Errorf("one mistake: %s", errs)
	}
	o.runs(0, "replay", "--event", "1")
	o.runs(0, "deadletters", "drop", "--event", "2", "--why", "a test", "--yes")
	if n := o.dead(); n != 0 {
		t.Errorf("%d dead letters left", n)
	}
}

// Where nothing has run, the file's own mistakes are all that can be said.
func TestBrokenFileWhereNothingRuns(t *testing.T) {
	o := newOperator(t)
	if err := os.WriteFile(os.Getenv("TOUCHBOX_CONFIG"), []byte("calltouch: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs := o.runs(2, "links"); !strings.Contains(errs, "touchbox.yaml:1") {
		t.Errorf("it says %s", errs)
	}
}
