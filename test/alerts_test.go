package test_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const alertsFile = "deploy/alerts.yml"

// alertRules are the rules of deploy/alerts.yml, by name.
func alertRules(t *testing.T) map[string]string {
	t.Helper()
	rules := map[string]string{}
	for _, rule := range strings.Split(read(t, alertsFile), "- alert: ")[1:] {
		name, rest, _ := strings.Cut(rule, "\n")
		if rules[name] != "" {
			t.Errorf("%s has two alerts %s: Prometheus refuses it", alertsFile, name)
		}
		rules[name] = rest
	}
	if len(rules) < 10 {
		t.Fatalf("only %d alerts found: the search is broken", len(rules))
	}
	return rules
}

// Each rule says how bad it is and where to read what to do; both guides have that place, and the
// cases have one in which it rings.
func TestEveryAlertSaysHowBadItIsAndWhatToDo(t *testing.T) {
	cases := read(t, "test/testdata/alerts.test.yml")
	for name, rule := range alertRules(t) {
		if !strings.Contains(rule, "{severity: critical}") && !strings.Contains(rule, "{severity: warning}") {
			t.Errorf("%s has no severity", name)
		}
		if anchor := "docs/operations.md#" + strings.ToLower(name) + "\n"; !strings.Contains(rule, anchor) {
			t.Errorf("%s has no runbook_url with %s", name, strings.TrimSpace(anchor))
		}
		for _, guide := range []string{"docs/operations.md", "docs/operations.ru.md"} {
			if !strings.Contains(read(t, guide), "\n### "+name+"\n") {
				t.Errorf("%s has no section %s", guide, name)
			}
		}
		fires := `alertstate="firing",alertname="` + name + `"`
		if !strings.Contains(cases, fires) && !strings.Contains(cases, "alertname: "+name+"\n") {
			t.Errorf("no case in which %s rings", name)
		}
	}
}

// needPromtool makes a missing promtool a failure.
const needPromtool = "NEED_PROMTOOL"

func TestAlertsRingInTheirOwnCase(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv(needPromtool) == "1" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED: no promtool (Debian: the package prometheus): whether the alerts ring is not tested")
	}
	for _, args := range [][]string{
		{"check", "rules", filepath.Join(root, alertsFile)},
		{"test", "rules", filepath.Join("testdata", "alerts.test.yml")},
	} {
		if out, err := exec.CommandContext(t.Context(), tool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args[:2], " "), err, out)
		}
	}
}
