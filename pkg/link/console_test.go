package link_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/link"
)

const consoleHead = "calltouch:\n  - {site: 10001, name: clinic}\n"

// readConsole parses a file with this console section.
func readConsole(t *testing.T, section string, getenv func(string) string) (*link.File, string) {
	t.Helper()
	file, problems, err := link.Parse(filepath.Join(t.TempDir(), "touchbox.yaml"), []byte(consoleHead+section), link.Options{Getenv: getenv})
	if err != nil {
		return nil, problems.Mistakes().String()
	}
	return file, ""
}

func TestPeopleOfTheConsoleAreReadWithTheirKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oleg")
	if err := os.WriteFile(path, []byte("olegs-key\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256([]byte("annas-key"))
	file, mistakes := readConsole(t, "console:\n  session: 1h\n  people:\n"+
		"    - {name: Анна, role: act, reveal: true, key: {sha256: "+hex.EncodeToString(hash[:])+"}}\n"+
		"    - {name: oleg, role: admin, key: {file: "+path+"}}\n"+
		"    - {name: zabbix, program: true, key: {env: ZABBIX_KEY}}\n"+
		"    - {name: nobody, key: {env: NOT_SET}}\n", func(name string) string {
		return map[string]string{"ZABBIX_KEY": "zabbix-key"}[name]
	})
	if mistakes != "" {
		t.Fatal(mistakes)
	}
	if file.Console.Session != time.Hour {
		t.Errorf("session %s", file.Console.Session)
	}
	want := []struct {
		name, role, key string
		reveal, program bool
	}{{"Анна", "act", "annas-key", true, false}, {"oleg", "admin", "olegs-key", false, false}, {"zabbix", "see", "zabbix-key", false, true}, {"nobody", "see", "", false, false}}
	for i, w := range want {
		p := file.Console.People[i]
		if p.Name != w.name || p.Role != w.role || p.Reveal != w.reveal || p.Program != w.program {
			t.Errorf("person %d: %+v", i, p)
		}
		got, ok := p.Key.Hash()
		if ok != (w.key != "") || ok && got != sha256.Sum256([]byte(w.key)) {
			t.Errorf("%s: the key's hash is another one", w.name)
		}
	}
}

func TestMistakesInPeopleAreFoundAndQuoteNoKey(t *testing.T) {
	for section, want := range map[string]string{
		"people: [{name: a, key: plain-secret-text}]":                  "a person's key is",
		"people: [{name: a, key: {sha256: secret00}}]":                 "64 hexadecimal digits",
		"people: [{name: a, key: {hash: secret00}}]":                   "unknown key",
		"people: [{name: a, role: boss, key: {env: A}}]":               "boss is not possible here: see, act, admin",
		"people: [{name: a, reveal: perhaps, key: {env: A}}]":          "neither true nor false",
		"people: [{name: a, key: {env: A}}, {name: a, key: {env: B}}]": "a second time",
		"people: [{role: see, key: {env: A}}]":                         "name is missing in person",
		"session: 1m":                                                  "too short",
	} {
		file, mistakes := readConsole(t, "console:\n  "+section+"\n", nil)
		if file != nil || !strings.Contains(mistakes, want) {
			t.Errorf("%s: %q", section, mistakes)
		}
		if strings.Contains(mistakes, "secret") {
			t.Errorf("%s: quoted in %q", section, mistakes)
		}
	}
}
