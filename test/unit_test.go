package test_test

import (
	"os/exec"
	"regexp"
	"strconv"
	"testing"
)

// exposed is the most that the shipped unit may come to in systemd's own reckoning: 10 is unguarded.
const exposed = 2.0

// The unit leaves what it runs little to reach, as systemd reckons it.
func TestUnitLeavesLittleToReach(t *testing.T) {
	out, err := exec.Command("systemd-analyze", "security", "--no-pager", "--offline=true", root+"/deploy/touchbox.service").CombinedOutput()
	m := regexp.MustCompile(`exposure level for touchbox.service: ([0-9.]+)`).FindSubmatch(out)
	if m == nil {
		t.Skipf("SKIPPED, NOT TESTED: no systemd-analyze that reckons a unit by its file: %v %.200s", err, out)
	}
	level, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil || level >= exposed {
		t.Errorf("exposure %s, want below %.1f:\n%s", m[1], exposed, out)
	}
	t.Logf("exposure level %s", m[1])
}
