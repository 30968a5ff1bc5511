package site_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/touchbox/touchbox/pkg/site"
	"github.com/touchbox/touchbox/pkg/site/browsertest"
)

// maxSize is what a site's page has to load at most, in bytes before gzip.
const maxSize = 2 << 10

func TestSize(t *testing.T) {
	script := site.Script(site.Config{Site: "10001", Counter: "abcd1234", Device: "mindboxDeviceUUID", Consent: "clinicConsentGiven"})
	if len(script) >= maxSize {
		t.Errorf("%d bytes, want less than %d", len(script), maxSize)
	}
}

// TestMinifiedIsCurrent compares checksums: the minifier itself is not in this module.
func TestMinifiedIsCurrent(t *testing.T) {
	sums, err := os.ReadFile("script.sha256")
	if err != nil {
		t.Fatal(err)
	}
	var want string
	for _, name := range []string{"script.js", "script.min.js"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want += fmt.Sprintf("%x  %s\n", sha256.Sum256(data), name)
	}
	if diff := cmp.Diff(want, string(sums)); diff != "" {
		t.Errorf("script.js or script.min.js was changed alone: cd tools/minify && go run . ../../pkg/site\n%s", diff)
	}
}

// TestOldSyntax looks for what a browser of ES5 does not read.
func TestOldSyntax(t *testing.T) {
	newer := regexp.MustCompile("=>|`|\\?\\.|\\?\\?|\\.\\.\\.|\\b(let|const|class|async|await|yield|of|import|eval|Function)\\b")
	script := string(site.Script(clinic))
	if found := newer.FindString(script); found != "" {
		t.Errorf("the script holds %q", found)
	}
	if strings.Contains(script, "catch{") {
		t.Error("the script has a catch without a binding")
	}
}

func TestTag(t *testing.T) {
	for _, test := range []struct{ address, site, want string }{
		{"https://touchbox.example", "10001", `<script async src="https://touchbox.example/site/10001.js"></script>`},
		{"https://touchbox.example/", "10001", `<script async src="https://touchbox.example/site/10001.js"></script>`},
		{"https://clinic.example/touchbox", "10001", `<script async src="https://clinic.example/touchbox/site/10001.js"></script>`},
		{`https://a.example"><b>`, "1/0 1", `<script async src="https://a.example&#34;&gt;&lt;b&gt;/site/1%2F0%201.js"></script>`},
	} {
		if got := site.Tag(test.address, test.site); got != test.want {
			t.Errorf("Tag(%q, %q) = %s, want %s", test.address, test.site, got, test.want)
		}
	}
}

func TestInline(t *testing.T) {
	want := "<script>" + strings.TrimSpace(string(site.Script(clinic))) + "</script>"
	if got := site.Inline(clinic); got != want || strings.Contains(got, "\n") {
		t.Errorf("Inline = %s", got)
	}
}

// configOf reads the configuration out of a script, which is the same before and after it for all.
func configOf(t interface{ Fatalf(string, ...any) }, script []byte) map[string]string {
	const mark = `{"attr":"MARK"}`
	before, after, ok := strings.Cut(string(site.Script(site.Config{Device: "MARK"})), mark)
	if !ok {
		t.Fatalf("no configuration in the script")
	}
	rest, ok := bytes.CutPrefix(script, []byte(before))
	if !ok {
		t.Fatalf("the script begins otherwise")
	}
	literal, ok := bytes.CutSuffix(rest, []byte(after))
	if !ok {
		t.Fatalf("the script ends otherwise")
	}
	var config map[string]string
	if err := json.Unmarshal(literal, &config); err != nil {
		t.Fatalf("the configuration is no JSON: %v", err)
	}
	for _, b := range literal {
		if b < ' ' || b >= 0x7f || strings.ContainsRune("<>&", rune(b)) {
			t.Fatalf("the configuration holds the byte %q", b)
		}
	}
	return config
}

// checkConfig holds the rule that whatever a configuration holds stays data: the literal is one
// JSON value with the same strings, of characters that mean nothing to HTML.
func checkConfig(t interface{ Fatalf(string, ...any) }, c site.Config) {
	want := map[string]string{"attr": c.Device}
	if c.Device == "" {
		want["attr"] = site.DefaultDevice
	}
	for name, value := range map[string]string{"site": c.Site, "counter": c.Counter, "consent": c.Consent} {
		if value != "" {
			want[name] = value
		}
	}
	for name, value := range want {
		want[name] = strings.ToValidUTF8(value, "\ufffd")
		if !utf8.ValidString(value) {
			return // each bad byte becomes U+FFFD; that the literal is sound was checked
		}
	}
	if diff := cmp.Diff(want, configOf(t, site.Script(c))); diff != "" {
		t.Fatalf("configuration (-want +got):\n%s", diff)
	}
}

// hostile is what could break out of a string, a script element or a line.
var hostile = []string{
	`"`, `\`, `\"`, `'`, "`", "</script>", "<!--", "<script>", "]]>", "\n", "\r", "\u2028", "\u2029", "\u0000", "\u007f", "\ufeff",
	"&quot;", "*/", "//", "${x}", "TOUCHBOX_CONFIG", "__proto__", "я", "😀", "\xff", `";alert(1);"`, "});alert(1);({",
}

func TestConfigStaysData(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom(hostile),
		rapid.Map(rapid.SliceOf(rapid.SampledFrom(hostile)), func(s []string) string { return strings.Join(s, "") }))
	rapid.Check(t, func(t *rapid.T) {
		checkConfig(t, site.Config{
			Site: text.Draw(t, "site"), Counter: text.Draw(t, "counter"), Device: text.Draw(t, "device"), Consent: text.Draw(t, "consent"),
		})
	})
}

func FuzzConfigStaysData(f *testing.F) {
	for i, text := range hostile {
		f.Add(text, hostile[(i+1)%len(hostile)], "", text+text)
	}
	f.Fuzz(func(t *testing.T, id, counter, device, consent string) {
		checkConfig(t, site.Config{Site: id, Counter: counter, Device: device, Consent: consent})
	})
}

// TestHostileConfig lets a real browser read a hostile configuration, inline in a page of another
// character set and by its address.
func TestHostileConfig(t *testing.T) {
	all := strings.ReplaceAll(strings.Join(hostile, ""), "\xff", "") + `<img src=x onerror="hacked=1">`
	config := site.Config{Site: all, Counter: all, Device: all, Consent: all}
	for name, script := range map[string]string{"inline": site.Inline(config), "by its address": ours} {
		t.Run(name, func(t *testing.T) {
			v := open(t, page{config: config, head: []string{script}, header: map[string]string{"Content-Type": "text/html; charset=windows-1251"}})
			v.pass(10 * time.Second)
			got := browsertest.Eval[map[string]string](v.Tab, "touchboxState")
			want := map[string]string{"site": all, "counter": all, "attr": all, "consent": all, "waits": "consent"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("configuration in the page (-want +got):\n%s", diff)
			}
			if images := browsertest.Eval[int](v.Tab, "document.images.length"); images > 0 {
				t.Error("the configuration became HTML")
			}
		})
	}
}

func gunzip(t *testing.T, data []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var plain bytes.Buffer
	if _, err := plain.ReadFrom(z); err != nil {
		t.Fatal(err)
	}
	return plain.Bytes()
}
