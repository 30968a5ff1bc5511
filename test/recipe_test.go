package test_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// recipeLines are the lines of the systemd recipe that set owners and modes.
var recipeLines = regexp.MustCompile(`(?m)^sudo ((?:find|touch|chmod|chgrp|install -d) [^#\n]*)`)

// Whoever gives the lines of the recipe a second time, for a file that was added, loses no secret and shows none.
func TestTheRecipeOfSystemdMayBeRepeated(t *testing.T) {
	for page, containers := range map[string]string{"docs/operations.md": "\n## Containers", "docs/operations.ru.md": "\n## Контейнеры"} {
		text, _, _ := strings.Cut(read(t, page), containers)
		var lines []string
		for _, m := range recipeLines.FindAllStringSubmatch(text, -1) {
			lines = append(lines, m[1])
		}
		if len(lines) < 7 {
			t.Fatalf("%s: only %d lines: %q", page, len(lines), lines)
		}
		dir := filepath.Join(t.TempDir(), "touchbox")
		script := strings.ReplaceAll(strings.Join(lines, "\n"), "/etc/touchbox", dir)
		script = regexp.MustCompile(`(chgrp|-g) touchbox\b`).ReplaceAllString(script, fmt.Sprintf("$1 %d", os.Getgid()))
		repeat := func() {
			t.Helper()
			if out, err := exec.Command("sh", "-ec", script).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s\n%s", page, err, out, script)
			}
		}
		if err := os.MkdirAll(filepath.Join(dir, "tests"), 0o755); err != nil {
			t.Fatal(err)
		}
		write := func(name, text string, mode os.FileMode) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
				t.Fatal(err)
			}
		}
		write("touchbox.yaml", "x", 0o600)
		repeat()
		write("environment", "MINDBOX_SECRET=kept", 0)
		write("secrets/mindbox", "kept", 0)
		write("tests/more.yaml", "x", 0o600)
		repeat()
		for name, want := range map[string]os.FileMode{"environment": 0o600, "secrets/mindbox": 0o640, "touchbox.yaml": 0o640, "tests/more.yaml": 0o640} {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %s has %v, want %v (%v)", page, name, info.Mode().Perm(), want, err)
			}
			if content, err := os.ReadFile(filepath.Join(dir, name)); err != nil || len(content) == 0 {
				t.Errorf("%s: %s is empty after a second time (%v)", page, name, err)
			}
		}
	}
}
