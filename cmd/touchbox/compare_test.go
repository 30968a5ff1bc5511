package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/touchbox/touchbox/pkg/admin"
)

func TestCompareCommand(t *testing.T) {
	o := taking(t)
	old := o.file.Link("calls").Version
	path := o.changed("duration > 5", "duration > 40")
	if err := os.Rename(path, os.Getenv("TOUCHBOX_CONFIG")); err != nil {
		t.Fatal(err)
	}
	out, _ := o.runs(0, "compare", "--link", "calls", "--with", old[:8], "--list")
	for _, want := range []string{"both send: 0; only calls: 0; only " + old[:8] + ": 3", "filtered → delivered  3  duration > 40", "10001/call-ended/2"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	if o.mindbox.Stats().Requests != 0 {
		t.Error("something was sent")
	}
	for _, args := range []string{"", "--link calls", "--link calls --with x --ids y", "--link nope --with calls", "--link calls --with nope", "--link calls --with calls --sample 0",
		"--link calls --ids nowhere.csv", "--link calls --with calls --since never"} {
		o.runs(2, append([]string{"compare"}, strings.Fields(args)...)...)
	}
}

func TestCompareWithAListOfIDs(t *testing.T) {
	o := taking(t)
	write := func(text string) string {
		path := filepath.Join(t.TempDir(), "ids.csv")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	wide := "\xff\xfe"
	for _, unit := range utf16.Encode([]rune("callId\n1\n2\n99\n")) {
		wide += string([]byte{byte(unit), byte(unit >> 8)})
	}
	for name, args := range map[string][]string{
		"one a line":            {write("1\n2\n99\n\n")},
		"with a head":           {write("\ufeffid\r\n1\r\n2\r\n99\r\n")},
		"a CSV":                 {write("Дата;ID звонка;Телефон\n01.11;1;79160000001\n02.11; 2 ;79160000002\n03.11;99;79160000003\n")},
		"a column by its name":  {write("when,number\n01.11,1\n02.11,2\n03.11,\"99\"\n"), "--column", "Number"},
		"a column by its place": {write("01.11\t1\n02.11\t2\n03.11\t99\n"), "--column", "2"},
		"UTF-16":                {write(wide)},
	} {
		var got idComparisonJSON
		o.reads(&got, append([]string{"compare", "--link", "calls", "--since", "1h", "--list", "--ids"}, args...)...)
		if got.Given != 3 || got.Both != 2 || len(got.OnlyHere) != 1 || len(got.OnlyThere) != 1 || got.OnlyThere[0].Outcome != admin.KnownNever || len(got.Cases) != 2 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if _, errs := o.runs(2, "compare", "--link", "calls", "--ids", write("a;79160000001\n1;2\n")); !strings.Contains(errs, "--column") || strings.Contains(errs, "79160000001") {
		t.Errorf("which column: %s", errs)
	}
	o.runs(2, "compare", "--link", "calls", "--ids", write(""))
	phones := write("79160000001\n")
	out, _ := o.runs(0, "--lang", "ru", "compare", "--link", "calls", "--ids", phones, "--list")
	if !strings.Contains(out, "не приходило") || strings.Contains(out, "79160000001") {
		t.Errorf("a list of phones:\n%s", out)
	}
}
