package doctor

import (
	"crypto/x509"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/link"
)

// seen are the states of the results, by subject.
func seen(look func(*Doctor)) map[string]State {
	states := map[string]State{}
	look(&Doctor{Tell: func(r Result) { states[r.Subject] = r.State }})
	return states
}

func TestClocksThatGoApart(t *testing.T) {
	asked := time.Now().Add(-time.Millisecond)
	at := func(ahead time.Duration) string { return asked.Add(-ahead).UTC().Format(http.TimeFormat) }
	got := seen(func(d *Doctor) {
		d.noteDate("well", at(0), asked)
		d.noteDate("second", at(2*time.Second), asked)
		d.noteDate("behind", at(-time.Minute), asked)
		d.noteDate("ahead", at(time.Hour), asked)
		d.noteDate("silent", "", asked)
		d.noteDate("slow", at(20*time.Second), asked.Add(-time.Minute)) // an answer that took a minute says little
		d.clock()
	})
	want := map[string]State{"well": OK, "second": OK, "behind": Finding, "ahead": Finding, "slow": OK}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestModesOfPrivateFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no modes")
	}
	dir := t.TempDir()
	file := func(name string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key, token, creds := file("tls.key", 0o600), file("token", 0o640), file("nats.creds", 0o604)
	missing := filepath.Join(dir, "missing")
	got := seen(func(d *Doctor) {
		d.File = &link.File{}
		d.Settings = app.Settings{TLSKey: key, AdminTokenFile: token, NATSCreds: creds, NATSKey: missing, Data: filepath.Join(dir, "none")}
		d.modes()
	})
	want := map[string]State{key: OK, token: Finding, creds: Finding, missing: Finding}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A file of root's that the service reads by its group, as the manual makes touchbox.yaml, is right for
// root too: with mode 0600 the service could not start.
func TestModesOfWhatAServiceReads(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root gives a file to another group")
	}
	const group = 1 // no group of root's
	for mode, want := range map[os.FileMode]State{0o640: OK, 0o660: Finding, 0o644: Finding} {
		path := filepath.Join(t.TempDir(), "token")
		if err := errors.Join(os.WriteFile(path, []byte("x"), 0o600), os.Chown(path, 0, group), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		got := seen(func(d *Doctor) {
			d.File = &link.File{}
			d.Settings = app.Settings{AdminTokenFile: path, Data: filepath.Join(t.TempDir(), "none")}
			d.modes()
		})
		if got[path] != want {
			t.Errorf("%04o: %v, want %v", mode, got[path], want)
		}
	}
}

func TestCertificatesThatEndSoon(t *testing.T) {
	got := seen(func(d *Doctor) {
		d.expiry("tls", "fresh", &x509.Certificate{NotAfter: time.Now().Add(60 * 24 * time.Hour)})
		d.expiry("tls", "late", &x509.Certificate{NotAfter: time.Now().Add(3 * 24 * time.Hour)})
	})
	if diff := cmp.Diff(map[string]State{"fresh": OK, "late": Finding}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
