package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/lang"
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
