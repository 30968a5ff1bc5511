package test_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What the unit says of the environment, touchboxctl says too.
func TestTouchboxctlRunsAsTheUnit(t *testing.T) {
	want := find(read(t, "deploy/touchbox.service"), `(?m)^Environment=(.+)$`)
	if got := find(read(t, "deploy/touchboxctl"), `(?m)^export ([A-Z_]+=\S+)$`); !slices.Equal(want, got) {
		t.Errorf("the unit says %q, touchboxctl %q", want, got)
	}
	for _, one := range []string{find(read(t, "deploy/touchbox.service"), `(?m)^User=(.+)$`)[0], find(read(t, "deploy/touchbox.service"), `(?m)^EnvironmentFile=-(.+)$`)[0]} {
		if !strings.Contains(read(t, "deploy/touchboxctl"), one) {
			t.Errorf("touchboxctl does not know %s", one)
		}
	}
}

// touchboxctl reads the file of the environment as systemd does: nothing in it is expanded or run.
func TestTouchboxctlReadsTheEnvironmentAsSystemdDoes(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	environment := write("environment", "# a comment\n; another\n\nPLAIN=a$HOME`id` b\n  BLANKS=x  \nDOUBLE=\"q $ q\"\nSINGLE='s'\nno name\n9=x\nTOUCHBOX_DATA=/elsewhere\nLAST=without an end", 0o600)
	script := write("touchboxctl", strings.ReplaceAll(read(t, "deploy/touchboxctl"), "/etc/touchbox/environment", environment), 0o700)
	write("id", "#!/bin/sh\necho 0\n", 0o700)
	write("runuser", "#!/bin/sh\necho \"$@\"\nenv\n", 0o700)
	run := func() (string, string) {
		t.Helper()
		var out, errs strings.Builder
		cmd := exec.Command(script, "check", "--diff", "a b")
		cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "LANG=ru_RU.UTF-8"}
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Run(); err != nil && errs.Len() == 0 {
			t.Fatal(err)
		}
		return out.String(), errs.String()
	}
	out, errs := run()
	lines := strings.Split(out, "\n")
	if want := "-u touchbox -- /usr/local/bin/touchbox check --diff a b"; lines[0] != want {
		t.Errorf("runs %q, want %q", lines[0], want)
	}
	for _, want := range []string{
		"PLAIN=a$HOME`id` b", "BLANKS=x", "DOUBLE=q $ q", "SINGLE=s", "LAST=without an end",
		"TOUCHBOX_DATA=/elsewhere", "TOUCHBOX_CONFIG=/etc/touchbox/touchbox.yaml", "INGEST_ADDR=127.0.0.1:8080",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
	if diff := cmp.Diff([]string{"8", "9"}, find(errs, `строка (\d+): `)); diff != "" {
		t.Errorf("lines that are no NAME=value: %s in\n%s", diff, errs)
	}
	write("id", "#!/bin/sh\necho 1000\n", 0o700)
	if out, errs := run(); out != "" || !strings.Contains(errs, "sudo touchboxctl") {
		t.Errorf("without root: %q, %q", out, errs)
	}
}
