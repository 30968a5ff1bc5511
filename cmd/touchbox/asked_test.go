package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// A script whose variable is empty asks for nothing, not for everything.
func TestAnEmptyFlagSelectsNothing(t *testing.T) {
	o := newOperator(t)
	o.die(1, 2, 3)
	for _, flag := range []string{"event", "link", "site", "kind", "reason", "cause", "since", "until"} {
		for _, value := range []string{"", " "} {
			_, errs := o.runs(2, "deadletters", "drop", "--yes", "--why", "test calls", "--"+flag, value)
			if !strings.Contains(errs, "--"+flag+" is empty") {
				t.Errorf("--%s %q: %s", flag, value, errs)
			}
		}
	}
	for _, args := range []string{"deadletters drop --yes --why x --status 0", "deadletters --status 99999", "replay --status -1", "deadletters drop --yes --why x --event=1,"} {
		o.runs(2, strings.Fields(args)...)
	}
	if o.dead() != 3 {
		t.Errorf("%d are left", o.dead())
	}
	o.runs(0, "deadletters", "drop", "--yes", "--why", "test calls", "--status", "400")
}

func TestAMissingFlagIsNamedAsItIsTyped(t *testing.T) {
	o := newOperator(t)
	for args, want := range map[string]string{"gaps": "missing: --from, --site\n", "gaps --from 2026-11-01": "missing: --site\n", "compare --with x": "missing: --link\n", "site-script": "missing: --site\n"} {
		if _, errs := o.runs(2, strings.Fields(args)...); !strings.HasPrefix(errs, want) {
			t.Errorf("%s: %s", args, errs)
		}
	}
}

func TestASpanWithItsEndsExchangedIsRefused(t *testing.T) {
	o := newOperator(t)
	for _, args := range []string{"events", "deadletters", "retries", "aside", "audit", "replay --dry-run", "try", "compare --link calls --with calls", "aside take"} {
		_, errs := o.runs(2, append(strings.Fields(args), "--since", "1d", "--until", "2d")...)
		if !strings.Contains(errs, "there is nothing between them") {
			t.Errorf("%s: %s", args, errs)
		}
	}
	o.hook(1)
	o.runs(0, "events", "--limit", "9223372036854775807")
	o.runs(2, "aside", "--limit", "-1")
	o.runs(2, "fields", "--days", "-1")
	o.runs(2, "fields", "--days", "9223372036854775807")
}

var errDiskFull = errors.New("no space left on device")

// full is where nothing can be written.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errDiskFull }

func TestWhatIsNotTakenIsNoSuccess(t *testing.T) {
	o := newOperator(t)
	o.die(1)
	for _, args := range []string{"check", "links", "event 1", "deadletters show 1", "aside", "audit", "jobs", "console key", "test record 1 --to -", "--help", "--version"} {
		var errs waittest.Buffer
		if code := run(t.Context(), strings.Fields(args), strings.NewReader(""), full{}, &errs); code != 1 || !strings.Contains(errs.String(), errDiskFull.Error()) {
			t.Errorf("%s: exit code %d, %s", args, code, &errs)
		}
	}
}

func TestTheLineOfAKeyIsYAML(t *testing.T) {
	o := newOperator(t)
	if out, _ := o.runs(0, "console", "key", "--name", `Иванова, "Анна": {x}`); !strings.Contains(out, `{name: "Иванова, \"Анна\": {x}", role: see,`) {
		t.Error(out)
	}
	if out, _ := o.runs(0, "console", "key", "--name", "Анна Иванова"); !strings.Contains(out, "{name: Анна Иванова, role: see,") {
		t.Error(out)
	}
}

// Bulk work that was broken off has not been done: what follows it in a script must not run.
func TestWhatIsBrokenOffIsNoSuccess(t *testing.T) {
	o := newOperator(t)
	o.die(1)
	for _, args := range []string{"deadletters drop --yes --why x", "retries --now", "events", "fields", "links"} {
		ctx, stop := context.WithCancel(t.Context())
		stop()
		var out, errs waittest.Buffer
		if code := run(ctx, strings.Fields(args), strings.NewReader(""), &out, &errs); code != 1 {
			t.Errorf("%s: exit code %d, %s%s", args, code, &out, &errs)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var out, errs waittest.Buffer
	done := make(chan int)
	go func() { done <- run(ctx, []string{"events", "--follow"}, strings.NewReader(""), &out, &errs) }()
	id := 1
	queuetest.Eventually(t, "it lists", func() bool { // what comes once it listens
		id++
		o.hook(id)
		return strings.Contains(out.String(), "call-ended")
	})
	stop()
	if code := <-done; code != 0 {
		t.Errorf("--follow ends with %d: %s", code, &errs)
	}
}
