package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link/linktest"
	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
)

func TestSendSendsOneRealRequest(t *testing.T) {
	o := newOperator(t)
	sample := filepath.Join(t.TempDir(), "hook.form")
	if err := os.WriteFile(sample, []byte("id=5&callerphone=79160000005&duration=2&callphase=calldisconnected"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs := o.runs(2, "send", "--link", "calls", sample); !strings.Contains(errs, "--yes") {
		t.Errorf("without a terminal: %s", errs)
	}
	out, _ := o.runs(0, "send", "--link", "calls", sample, "--yes")
	for _, want := range []string{"operation=CallTouch", "A worker would not send it", "200 Success", "Accepted"} { // it is too short for `when`
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
	var first, second answerJSON
	o.hook(6)
	o.reads(&first, "send", "--link", "calls", "6", "--yes")
	o.reads(&second, "send", "--link", "calls", "10001/call-ended/6", "--yes")
	if !first.Accepted || first.TransactionID == second.TransactionID {
		t.Errorf("the same event twice: %+v, %+v", first, second)
	}
	o.runs(2, "send", "--link", "nope", sample)
	o.runs(2, "send", "--link", "calls", filepath.Join(t.TempDir(), "missing"))
	o.mindbox.SetFaults(mindboxtest.Faults{P400: 100})
	if out, _ := o.runs(1, "send", "--link", "calls", sample, "--yes"); !strings.Contains(out, "Mindbox refuses the request") {
		t.Errorf("refused:\n%s", out)
	}
}

// Without --link every link of the site speaks, and those send over which a worker would.
func TestExplainAndSendWithoutALinkTakeAllOfTheSite(t *testing.T) {
	o := newOperator(t)
	file := operatorFile("http://127.0.0.1:1")
	file.Links = append(file.Links, linktest.Link{ID: "long", More: "when: duration > 60"}, linktest.Link{ID: "forms", Event: "request"})
	t.Setenv("TOUCHBOX_CONFIG", file.Write(t, t.TempDir()))
	sample := filepath.Join(t.TempDir(), "hook.form")
	if err := os.WriteFile(sample, []byte("id=5&callerphone=79160000005&duration=20&callphase=calldisconnected"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := o.runs(0, "explain", sample, "--json")
	var outcomes []string
	for line := range strings.Lines(out) {
		var one struct {
			Link    string `json:"link"`
			Outcome string `json:"outcome"`
		}
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatal(err)
		}
		outcomes = append(outcomes, one.Link+" "+one.Outcome)
	}
	if want := []string{"calls delivered", "long filtered", "forms untaken"}; !slices.Equal(outcomes, want) {
		t.Errorf("got %q, want %q", outcomes, want)
	}
	if out, _ = o.runs(0, "explain", sample, "--site", "clinic"); strings.Count(out, ", version ") != 3 {
		t.Errorf("explained:\n%s", out)
	}
	if strings.Count(out, "The request:") != 2 {
		t.Errorf("the request of a link that does not take it is shown, or none:\n%s", out)
	}
	if out, _ = o.runs(1, "send", sample, "--yes"); strings.Count(out, "transactionId ") != 1 { // nobody listens at port 1
		t.Errorf("sent:\n%s", out)
	}
	two := filepath.Join(t.TempDir(), "touchbox.yaml")
	if err := os.WriteFile(two, []byte(strings.Replace(file.Text(), "mindbox:\n", "  - site: 10002\n    name: other\nmindbox:\n", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TOUCHBOX_CONFIG", two)
	if _, errs := o.runs(2, "explain", sample); !strings.Contains(errs, "siteId") {
		t.Errorf("two sites, and none named: %s", errs)
	}
	named := filepath.Join(t.TempDir(), "named.form")
	if err := os.WriteFile(named, []byte("id=5&callerphone=79160000005&duration=20&callphase=calldisconnected&siteId=10001"), 0o600); err != nil {
		t.Fatal(err)
	}
	o.runs(0, "explain", named)
	o.runs(2, "explain", sample, "--site", "nope")
	o.runs(2, "explain", t.TempDir())
	o.runs(2, "explain", filepath.Join(t.TempDir(), "missing"))
}

func TestEveryAnswerHasAMeaningInBothLanguages(t *testing.T) {
	for _, reason := range append(mindbox.Reasons, "unheard of") {
		text := meaning(mindbox.Verdict{Reason: reason})
		if text == "" {
			t.Errorf("%s means nothing", reason)
		}
		if _, ok := lang.Twin(text); !ok {
			t.Errorf("no Russian for %q", text)
		}
	}
}
