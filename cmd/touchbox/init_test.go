package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/touchbox/touchbox/pkg/link"
)

// command runs a command with the configuration at path and returns what it says.
func command(t *testing.T, path string, args ...string) (out, errs string, code int) {
	t.Helper()
	t.Setenv("TOUCHBOX_CONFIG", path)
	var o, e bytes.Buffer
	code = run(t.Context(), append([]string{"--lang", "en"}, args...), strings.NewReader(""), &o, &e)
	return o.String(), e.String(), code
}

// A file for several sites is right as it is written, and who said what stands in it is not asked for it again.
func TestInitForSeveralSites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "touchbox.yaml")
	for _, wrong := range []string{"", "x", "1=", "1=a b", "1,1", "1=a,2=a", "=a"} {
		if _, errs, code := command(t, path, "init", "--site", wrong); code != 2 || !strings.Contains(errs, "--site") {
			t.Errorf("%q: exit code %d, %s", wrong, code, errs)
		}
	}
	out, errs, code := command(t, path, "init", "--site", "10001=clinic,10002", "--endpoint", "clinic.Website")
	if code != 0 || strings.Contains(out+errs, "endpoint") || strings.Contains(out+errs, "site's id") || !strings.Contains(out+errs, "touchbox check") {
		t.Errorf("exit code %d, %s%s", code, out, errs)
	}
	t.Setenv("MINDBOX_SECRET", "hunter2")
	for _, language := range []string{"en", "ru"} {
		if _, errs, code := command(t, path, "init", "--force", "--site", "10001=clinic,10002", "--lang", language); code != 0 {
			t.Fatal(errs)
		}
		if out, errs, code := command(t, path, "check"); code != 0 || !strings.Contains(out+errs, "links: 3, warnings: 0") {
			t.Errorf("%s: exit code %d, %s%s", language, code, out, errs)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, problems, err := link.Parse(path, text, link.Options{Lenient: true})
		if err != nil || len(file.Sites) != 2 || len(file.Links[2].Sites) != 2 || file.Sites[0].Keys()[0] == file.Sites[1].Keys()[0] {
			t.Errorf("%s: %v %v", language, problems, err)
		}
		commented := regexp.MustCompile(`(?m)^( *)# (- duration|when:|customer\.email)`).ReplaceAll(text, []byte("$1$2")) // as a person uses them
		if _, problems, err := link.Parse(path, commented, link.Options{Lenient: true}); err != nil {
			t.Errorf("%s, with what stands in comments: %v", language, problems)
		}
	}
	if out, errs, _ := command(t, path, "init", "--force"); !strings.Contains(out+errs, "site's id") || !strings.Contains(out+errs, "endpoint") {
		t.Errorf("said nothing: %s%s", out, errs)
	}
}

// Whoever has no links yet is led to the command that drafts them, and what init writes calls a webhook by its name.
func TestInitSaysWhatComesNext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "touchbox.yaml")
	for _, tt := range []struct {
		args []string
		next string
	}{
		{[]string{"--site", "10001", "--no-links"}, "touchbox link new"},
		{[]string{"--site", "10001", "--no-links", "--endpoint", "clinic.Website"}, "touchbox link new"},
		{[]string{"--site", "10001"}, "touchbox check"},
	} {
		out, errs, code := command(t, path, append([]string{"init", "--force", "--lang", "ru"}, tt.args...)...)
		if code != 0 || !strings.Contains(out+errs, tt.next) {
			t.Errorf("%q: exit code %d, %s%s, want %s", tt.args, code, out, errs, tt.next)
		}
		if text, _ := os.ReadFile(path); regexp.MustCompile(`(?i)[^б]хук`).Match(text) {
			t.Errorf("a webhook by another name in\n%s", text)
		}
	}
}

// A key that is written over an open file is not open.
func TestInitForceClosesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "touchbox.yaml")
	if err := os.WriteFile(path, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := command(t, path, "init"); code != 2 || !strings.Contains(errs, "--force") {
		t.Errorf("without --force: %d, %s", code, errs)
	}
	if _, errs, code := command(t, path, "init", "--force"); code != 0 {
		t.Fatalf("with --force: %d, %s", code, errs)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v, want 0600", info.Mode(), err)
	}
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".touchbox*"))
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestCheckWarnsOfAnOpenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "touchbox.yaml")
	if _, errs, code := command(t, path, "init"); code != 0 {
		t.Fatal(errs)
	}
	for mode, want := range map[os.FileMode]string{0o600: "", 0o640: "", 0o644: "others on this machine can read", 0o646: "others on this machine can change"} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, errs, code := command(t, path, "check")
		if code != 0 || strings.Contains(errs, "others on this machine") != (want != "") || !strings.Contains(errs, want) {
			t.Errorf("mode %o: exit code %d, %q, want %q", mode, code, errs, want)
		}
	}
}

// `up` keeps the key off anything but a terminal; `address` prints it.
func TestAddressPrintsTheKeyAndUpDoesNot(t *testing.T) {
	const key = "hunter2hunter2hunter2"
	path := filepath.Join(t.TempDir(), "touchbox.yaml")
	text := "calltouch:\n  - {site: 10001, name: clinic, key: {env: THE_KEY}}\n  - {site: 10002, name: polled}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := command(t, path, "address"); code != 2 || !strings.Contains(errs, "THE_KEY") {
		t.Errorf("without the key: exit code %d, %q", code, errs)
	}
	t.Setenv("THE_KEY", key)
	out, errs, code := command(t, path, "address")
	if code != 0 || !strings.Contains(out, "https://YOUR-HOST/calltouch/10001/"+key) || strings.Contains(out, "10002") {
		t.Errorf("exit code %d, %s%s", code, out, errs)
	}
	if out, _, _ := command(t, path, "address", "--json"); !strings.Contains(out, `"address": "https://YOUR-HOST/calltouch/10001/`+key+`"`) || !strings.Contains(out, `"fields"`) {
		t.Errorf("--json: %s", out)
	}
	var banner bytes.Buffer
	c := &cli{out: &banner, errs: &banner}
	c.settings.Config = path
	file, _, err := c.settings.LoadConfigLeniently("en")
	if err != nil {
		t.Fatal(err)
	}
	c.tellWhatToEnter(file, func(string) bool { return false })
	if strings.Contains(banner.String(), key) || !strings.Contains(banner.String(), "touchbox address") {
		t.Errorf("the banner: %s", banner.String())
	}
}
