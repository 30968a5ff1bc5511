package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// keep keeps a link's version in STATE, as a worker does that takes it up.
func (o *operator) keep(l *link.Link) {
	o.t.Helper()
	if _, err := o.queue.State().Put(o.t.Context(), event.VersionKeys.Of(l.Version), json.RawMessage(l.Document())); err != nil {
		o.t.Fatal(err)
	}
}

// changed writes the operator's file with something replaced beside it and returns its path.
func (o *operator) changed(old, new string) string {
	o.t.Helper()
	config := os.Getenv("TOUCHBOX_CONFIG")
	text, err := os.ReadFile(config)
	if err != nil {
		o.t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		o.t.Fatalf("the file has no %q", old)
	}
	path := filepath.Join(filepath.Dir(config), "changed.yaml")
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), old, new, 1)), 0o600); err != nil {
		o.t.Fatal(err)
	}
	return path
}

// taking is an operator whose link is running and has delivered three calls of 30 seconds.
func taking(t *testing.T) *operator {
	o := newOperator(t)
	l := o.file.Link("calls")
	o.keep(l)
	o.hook(1, 2, 3)
	delivered := queue.Decision{Outcome: event.Delivered, Attempts: 1, Version: l.Version}
	stop := o.work(delivered)
	o.until("all are delivered", func() bool {
		var rows []admin.RowView
		o.reads(&rows, "events", "--outcome", "delivered")
		return len(rows) == 3
	})
	stop()
	return o
}

func TestTryCommand(t *testing.T) {
	o := taking(t)
	if out, _ := o.runs(0, "try", "--fail-on", "any"); !strings.Contains(out, "no link makes anything else of an event") {
		t.Errorf("the file that runs: %s", out)
	}
	stricter := o.changed("duration > 5", "duration > 40")
	out, errs := o.runs(1, "try", stricter, "--fail-on", "lost")
	for _, want := range []string{"delivered → filtered  3  duration > 40  10001/call-ended/1", "sent before, and by no link now: 3", "before: delivered 3"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	if !strings.Contains(errs, "--fail-on lost") {
		t.Errorf("it says %s", errs)
	}
	o.runs(0, "try", stricter, "--fail-on", "double")
	var trial tryJSON
	o.reads(&trial, "try", stricter, "--list")
	if len(trial.Cases) != 3 || trial.Cases[0].To != event.Filtered || trial.Links[0].State != admin.TrialChanged {
		t.Errorf("%+v", trial)
	}
	if out, _ := o.runs(0, "--lang", "ru", "try", stricter, "--list"); !strings.Contains(out, "доставлено (delivered) → не прошло условия (filtered)") || strings.Contains(out, "before") {
		t.Errorf("in Russian:\n%s", out)
	}
}

func TestTryShowsTheRequestsMasked(t *testing.T) {
	o := taking(t)
	other := o.changed("customerAction.customFields.note: ${comment}", `customerAction.customFields.note: "x ${callerphone}"`)
	out, _ := o.runs(0, "try", other, "--diff")
	if !strings.Contains(out, "10001/call-ended/1: the requests differ in what is masked") || !strings.Contains(out, "customerAction.customFields.note") || strings.Contains(out, "0000001\"") {
		t.Errorf("masked:\n%s", out)
	}
	if out, _ := o.runs(0, "try", other, "--diff", "--reveal"); !strings.Contains(out, "+++ 10001/call-ended/1") || !strings.Contains(out, `+      "note": "x +7 916 0000001"`) {
		t.Errorf("revealed:\n%s", out)
	}
	if o.mindbox.Stats().Requests != 0 {
		t.Error("something was sent")
	}
}

func TestTryMistakes(t *testing.T) {
	o := taking(t)
	broken := o.changed("operation: CallTouch", "operatoin: CallTouch")
	for args, says := range map[string]string{
		broken:             "operatoin",
		"nowhere.yaml":     "nowhere.yaml",
		"--link nope":      "nope",
		"--fail-on never":  "--fail-on",
		"--since never":    "--since",
		"--sample 0":       "--sample",
		"--against ffffff": "ffffff",
	} {
		if _, errs := o.runs(2, append([]string{"try"}, strings.Fields(args)...)...); !strings.Contains(errs, says) {
			t.Errorf("try %s says %s", args, errs)
		}
	}
}

func TestLinksHistory(t *testing.T) {
	o := taking(t)
	old := o.file.Link("calls").Version
	path := o.changed("duration > 5", "duration > 40")
	if err := os.Rename(path, os.Getenv("TOUCHBOX_CONFIG")); err != nil {
		t.Fatal(err)
	}
	var versions []admin.LinkVersion
	o.reads(&versions, "links", "history", "calls")
	if len(versions) != 2 || versions[0].Version != old || versions[0].Records != 3 || !versions[0].Runs || versions[0].InFile || versions[0].First == nil ||
		!versions[1].InFile || versions[1].Runs || versions[1].Records != 0 {
		t.Errorf("%+v", versions)
	}
	if out, _ := o.runs(0, "links", "history", "calls", old[:6]); !strings.Contains(out, "duration > 5") || !strings.Contains(out, "duration > 40") || !strings.HasPrefix(out, "--- "+old) {
		t.Errorf("%s", out)
	}
	if out, _ := o.runs(0, "links", "history", "calls"); !strings.Contains(out, "runs") || !strings.Contains(out, "in the file") {
		t.Errorf("%s", out)
	}
	o.runs(2, "links", "history", "calls", "none")
	o.runs(2, "links", "history", "nope")
	if out, _ := o.runs(0, "explain", "--link", "calls", "1"); !strings.Contains(out, "Filtered") {
		t.Errorf("by today's file: %s", out)
	}
	if out, _ := o.runs(0, "explain", "--link", "calls", "--version", old[:8], "1"); !strings.Contains(out, "It would be sent") || !strings.Contains(out, old) {
		t.Errorf("by the version: %s", out)
	}
	var trial tryJSON
	o.reads(&trial, "try", "--against", old)
	if trial.Lost.Count != 3 || len(trial.Links) != 1 || trial.Links[0].From != old {
		t.Errorf("against the version: %+v", trial)
	}
}
