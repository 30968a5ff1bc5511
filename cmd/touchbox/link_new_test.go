package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/link/linktest"
)

// fileAndSpec is a file of init's without links, and a specification beside it.
func fileAndSpec(t *testing.T, specification string) (config, given string) {
	t.Helper()
	dir := t.TempDir()
	config, given = filepath.Join(dir, "touchbox.yaml"), filepath.Join(dir, "spec.txt")
	if err := os.WriteFile(given, []byte(specification), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TOUCHBOX_DATA", dir)
	t.Setenv("NATS_URL", "")
	if _, errs, code := command(t, config, "init", "--no-links"); code != 0 {
		t.Fatal(errs)
	}
	return config, given
}

const asked = "Operations CallTouch and CallTouchStatic\n\ncustomer.mobilePhone — mobile phone\ncustomer.ids.crm — id in our CRM\nexecutionDateTimeUtc\n"

func TestLinkNewPrintsADraftAndChangesNothing(t *testing.T) {
	config, given := fileAndSpec(t, asked)
	before, _ := os.ReadFile(config)
	out, errs, code := command(t, config, "link", "new", given)
	if code != 0 || !strings.Contains(out, "customer.ids.crm: TODO  # id in our CRM") || !strings.Contains(errs, "still to be decided: customer.ids.crm") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
	if _, errs, code = command(t, config, "link", "new", given, "--write"); code != 1 || !strings.Contains(errs, "--set") {
		t.Errorf("--write with TODO: exit code %d, %s", code, errs)
	}
	after, _ := os.ReadFile(config)
	if string(after) != string(before) {
		t.Errorf("the file changed:\n%s", after)
	}
	for _, args := range [][]string{{"--event", "calls"}, {"--numbers", "some"}, {"--set", "customer.none=1"}, {given, "b"}} {
		if _, errs, code := command(t, config, append([]string{"link", "new", given}, args...)...); code != 2 || errs == "" {
			t.Errorf("%v: exit code %d, %s", args, code, errs)
		}
	}
	if err := os.WriteFile(given, []byte("Добрый день!"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := command(t, config, "link", "new", given); code != 2 || !strings.Contains(errs, "no field was found") {
		t.Errorf("nothing in it: exit code %d, %s", code, errs)
	}
}

func TestLinkNewWritesWhatIsDecided(t *testing.T) {
	config, given := fileAndSpec(t, asked)
	before, _ := os.ReadFile(config)
	out, errs, code := command(t, config, "link", "new", given, "--write", "--set", "customer.ids.crm=ctClientId", "--event", "call.ended,request")
	if code != 0 || out == "" {
		t.Fatalf("exit code %d\n%s%s", code, out, errs)
	}
	after, _ := os.ReadFile(config)
	if !strings.HasPrefix(string(after), strings.TrimSuffix(string(before), " []\n")) || !strings.Contains(string(after), "customer.ids.crm: ${ctClientId}") {
		t.Errorf("%s", after)
	}
	kept, _ := filepath.Glob(config + ".*")
	if len(kept) != 1 {
		t.Fatalf("kept: %v", kept)
	}
	if old, _ := os.ReadFile(kept[0]); string(old) != string(before) {
		t.Errorf("the old file: %s", old)
	}
	if _, errs, code := command(t, config, "check"); code != 0 {
		t.Errorf("check: %d, %s", code, errs)
	}
	if _, errs, code := command(t, config, "link", "new", given, "--write", "--set", "customer.ids.crm="); code != 1 || !strings.Contains(errs, "twice") {
		t.Errorf("the same operations again: exit code %d, %s", code, errs)
	}
	if _, errs, code := command(t, config, "link", "new", given, "--write", "--set", "customer.ids.crm=${nosuch}", "--shadow"); code != 2 || !strings.Contains(errs, "nosuch") {
		t.Errorf("a wrong expression: exit code %d, %s", code, errs)
	}
}

// A link may read several sites; another one with the same operation for other sites sends nothing twice.
func TestLinkNewForSeveralSites(t *testing.T) {
	dir := t.TempDir()
	config, given := filepath.Join(dir, "touchbox.yaml"), filepath.Join(dir, "spec.txt")
	t.Setenv("TOUCHBOX_DATA", dir)
	t.Setenv("NATS_URL", "")
	if err := os.WriteFile(given, []byte("Operation Call\n\ncustomer.mobilePhone — mobile phone\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"init", "--no-links", "--site", "10001=clinic,10002=pharmacy,10003=shop"},
		{"link", "new", given, "--operation", "Call", "--write", "--id", "two", "--site", "clinic,pharmacy"},
		{"link", "new", given, "--operation", "Call", "--write", "--id", "third", "--site", "shop"},
		{"check"},
	} {
		if _, errs, code := command(t, config, args...); code != 0 {
			t.Fatalf("%v: exit code %d, %s", args, code, errs)
		}
	}
	if text, _ := os.ReadFile(config); !strings.Contains(string(text), "from: [clinic, pharmacy]") || !strings.Contains(string(text), "from: shop") {
		t.Errorf("%s", text)
	}
	if kept, _ := filepath.Glob(config + ".*"); len(kept) != 2 {
		t.Errorf("kept: %v", kept)
	}
	if _, errs, code := command(t, config, "link", "new", given, "--operation", "Call", "--write", "--id", "again", "--site", "shop,clinic"); code != 1 || !strings.Contains(errs, "twice, by two, third too") {
		t.Errorf("sites that others read: exit code %d, %s", code, errs)
	}
}

// What is still to be decided is said with the flag that decides it, in both ways to come to it.
func TestLinkNewSaysWhatDecides(t *testing.T) {
	dir := t.TempDir()
	config, given := filepath.Join(dir, "touchbox.yaml"), filepath.Join(dir, "spec.txt")
	t.Setenv("TOUCHBOX_DATA", dir)
	t.Setenv("NATS_URL", "")
	if err := os.WriteFile(given, []byte("customer.mobilePhone — mobile phone\ncustomer.ids.crm — id in our CRM\ncustomer.ids.erp — id in our ERP\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := command(t, config, "init", "--no-links", "--site", "1=a,2=b"); code != 0 {
		t.Fatal(errs)
	}
	for _, args := range [][]string{{"link", "new", given}, {"link", "new", given, "--write"}} {
		_, errs, _ := command(t, config, args...)
		for _, want := range []string{"from (--site NAME", "operation (--operation NAME", "customer.ids.crm, customer.ids.erp (--set FIELD=VALUE"} {
			if !strings.Contains(errs, want) {
				t.Errorf("%v: no %q in %s", args, want, errs)
			}
		}
	}
	if _, errs, _ := command(t, config, "link", "new", given, "--numbers", "both", "--operation", "Call"); !strings.Contains(errs, "operation (--static-operation NAME") {
		t.Errorf("%s", errs)
	}
}

func TestLinkNewAsJSON(t *testing.T) {
	config, given := fileAndSpec(t, asked+"secret key: hT5qWq0ZkPmLr81x\n")
	out, errs, code := command(t, config, "link", "new", given, "--json")
	var got drafted
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 || errs != "" {
		t.Fatalf("exit code %d, %v\n%s%s", code, err, out, errs)
	}
	if len(got.Fields) != 3 || got.Fields[0].Value != "${phone(callerphone)}" || got.Fields[0].Certainty != "sure" ||
		got.Fields[1].Certainty != "unsure" || len(got.Fields[1].Candidates) == 0 || !got.Secret || len(got.Operations) != 2 || !strings.Contains(got.Draft, "operation: CallTouch") {
		t.Errorf("%s", out)
	}
	if strings.Contains(out, "hT5qWq0") {
		t.Error("the secret is shown")
	}
}

// The candidates are shown with the last values that came, masked.
func TestLinkNewShowsLastValuesMasked(t *testing.T) {
	o := newOperator(t)
	o.hook(1)
	given := filepath.Join(t.TempDir(), "spec.txt")
	if err := os.WriteFile(given, []byte("customer.customFields.phoneNumber\ncustomer.customFields.callid2;id\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := o.runs(0, "link", "new", given, "--operation", "Other", "--event", "call.ended")
	if !strings.Contains(out, "${phone(callerphone)} (") || strings.Contains(out, "9160000001") || strings.Contains(out, "916 0000001") {
		t.Errorf("%s", out)
	}
}

func TestLinkNewNeedsNoFile(t *testing.T) {
	_, given := fileAndSpec(t, asked)
	out, errs, code := command(t, filepath.Join(t.TempDir(), "none.yaml"), "link", "new", given)
	if code != 0 || !strings.Contains(out, "from: TODO") || !strings.Contains(errs, "touchbox init") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
	config := linktest.File{Links: []linktest.Link{{Operation: "TODO"}}}.Write(t, t.TempDir())
	if _, errs, code := command(t, config, "check"); code != 2 || !strings.Contains(errs, "TODO is a placeholder") {
		t.Errorf("TODO: exit code %d, %s", code, errs)
	}
	out, errs, code = command(t, config, "link", "new", given)
	if code != 0 || out == "" || !strings.Contains(errs, "has mistakes (1)") {
		t.Errorf("a file with mistakes: exit code %d\n%s%s", code, out, errs)
	}
}

func TestLinkNewNamesDocumentsThatAreNoText(t *testing.T) {
	config := linktest.File{}.Write(t, t.TempDir())
	for begins, want := range map[string]string{"PK\x03\x04\x14\x00\x06\x00": "Word, Excel", "%PDF-1.7\n": "PDF", "{\\rtf1\\ansi": "RTF"} {
		path := filepath.Join(t.TempDir(), "spec")
		if err := os.WriteFile(path, []byte(begins+"customer.mobilePhone"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, errs, code := command(t, config, "link", "new", path); code != 2 || !strings.Contains(errs, "this is a file of "+want) && !strings.Contains(errs, want) {
			t.Errorf("%q: exit code %d, %s", begins, code, errs)
		}
	}
}
