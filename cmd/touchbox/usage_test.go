package main

import (
	"bytes"
	"strings"
	"testing"
)

// A command line that cannot be meant ends with 2: 1 is what a script takes for an answer, as that of `gaps` when something is missing.
func TestMistakesOfUsage(t *testing.T) {
	for _, line := range []string{
		"nosuch", "links --nosuch", "links nosuch", "event", "restore", "deadletters nosuch",
		"gaps", "gaps --site 10001", "backfill --from 2026-11-01", "explain 1", "send 1", "site-script",
		"alerts nosuch", "simulate nosuch",
	} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), strings.Fields(line), nil, &out, &errs); code != 2 || errs.Len() == 0 {
			t.Errorf("%s: exit code %d, want 2: %s%s", line, code, &out, &errs)
		}
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"alerts"}, nil, &out, &errs); code != 0 || !strings.Contains(out.String(), "test") {
		t.Errorf("a group alone: exit code %d: %s%s", code, &out, &errs)
	}
}
