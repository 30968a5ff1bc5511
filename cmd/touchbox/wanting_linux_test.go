package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/touchbox/touchbox/pkg/link/linktest"
)

// An empty variable and a file without a right to it are told as that, and not as a key that the file of settings lacks.
func TestWhatIsWantingOfASecretIsNamed(t *testing.T) {
	o := newOperator(t)
	t.Setenv("CLINIC_TOKEN", "")
	t.Setenv("LANG", "ru_RU.UTF-8")
	t.Setenv("LC_ALL", "")
	for _, tt := range []struct{ name, source, want string }{
		{"variable", "{env: CLINIC_TOKEN}", "переменная CLINIC_TOKEN здесь не задана"},
		{"file", "{file: secrets/token}", "secrets/token не читается"},
		{"both", "[{env: CLINIC_TOKEN}, {file: empty}]", "переменная CLINIC_TOKEN здесь не задана, файл "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "empty"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			file := operatorFile("https://api.mindbox.ru")
			file.Site = "token: " + tt.source
			t.Setenv("TOUCHBOX_CONFIG", file.Write(t, dir))
			_, errs := o.runs(2, "gaps", "--site", linktest.Site, "--from", "2026-11-01")
			if !strings.Contains(errs, tt.want) || strings.Contains(errs, "`token`") {
				t.Errorf("got %q, want %q in it", errs, tt.want)
			}
		})
	}
}

// Where another user's Touchbox runs, a command says that it has no right to the socket, and whose it is: not that nothing runs.
func TestNoPermissionIsToldAsThat(t *testing.T) {
	o := newOperator(t)
	t.Setenv("LANG", "ru_RU.UTF-8")
	t.Setenv("LC_ALL", "")
	data := os.Getenv("TOUCHBOX_DATA")
	config := filepath.Join(t.TempDir(), "touchbox.yaml")
	t.Setenv("TOUCHBOX_CONFIG", config)
	if err := os.WriteFile(config, []byte(linktest.File{}.Text()), 0o644); err != nil {
		t.Fatal(err)
	}
	for dir := filepath.Dir(config); dir != filepath.Dir(os.TempDir()) && dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	asStranger(t, data)
	for _, command := range []string{"links", "backup"} {
		args := map[string][]string{"links": {"links"}, "backup": {"backup", filepath.Join(data, "copy")}}[command]
		if _, errs := o.runs(1, args...); !strings.Contains(errs, "nats.sock: у этого пользователя нет прав") || !strings.Contains(errs, "touchboxctl") {
			t.Errorf("touchbox %s: %q", command, errs)
		}
	}
}

// asStranger takes from this test the right to a folder. Root, whom no mode stops, gives up his rights to files for the thread
// that the test runs on, which ends with it.
func asStranger(t *testing.T, dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		if err := os.Chmod(dir, 0); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
		return
	}
	runtime.LockOSThread() // for good
	const nobody = 65534
	for _, set := range []func(int) error{syscall.Setfsgid, syscall.Setfsuid} {
		if err := set(nobody); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = syscall.Setfsuid(0) })
}
