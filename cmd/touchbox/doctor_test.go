package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/cmd/internal/doctor"
	"github.com/touchbox/touchbox/pkg/link/linktest"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// examines runs `touchbox doctor --json` and returns what it found, by check and subject.
func examines(t *testing.T, args ...string) (map[string]doctor.Result, int) {
	t.Helper()
	var out, errs waittest.Buffer
	code := run(t.Context(), append([]string{"doctor", "--json"}, args...), nil, &out, &errs)
	if strings.Contains(out.String()+errs.String(), "eyes") {
		t.Errorf("a secret is shown:\n%s%s", &out, &errs)
	}
	var all examined
	if err := json.Unmarshal([]byte(out.String()), &all); err != nil {
		t.Fatalf("exit code %d, %v in\n%s%s", code, err, &out, &errs)
	}
	found := map[string]doctor.Result{}
	findings := 0
	for _, r := range all.Checks {
		found[strings.TrimSpace(r.Check+" "+r.Subject)] = r
		if r.State == doctor.Finding {
			findings++
		}
		if r.Text == "" || (r.State == doctor.Finding) != (r.Advice != "") {
			t.Errorf("no words, or no advice: %+v", r)
		}
	}
	if findings != all.Findings || (code == 1) != (findings > 0) {
		t.Errorf("exit code %d, %d findings, said are %d", code, findings, all.Findings)
	}
	return found, code
}

// wantStates compares what was found with states, by check and subject.
func wantStates(t *testing.T, found map[string]doctor.Result, want map[string]doctor.State) {
	t.Helper()
	for check, state := range want {
		if r, ok := found[check]; !ok || r.State != state {
			t.Errorf("%s: %+v, want %s", check, r, state)
		}
	}
}

func TestDoctorOfAHealthyInstallation(t *testing.T) {
	o := newOperator(t)
	o.hook(1)
	found, _ := examines(t)
	wantStates(t, found, map[string]doctor.State{
		"version touchbox": doctor.OK, "version nats-server": doctor.OK, "mindbox clinic": doctor.OK, "links calls": doctor.OK,
		"streams events": doctor.OK, "hooks": doctor.OK, "retries": doctor.OK, "fields clinic (10001)": doctor.Skipped, "calltouch 10001": doctor.Skipped,
		"webhook": doctor.Skipped, "alerts": doctor.Skipped,
		"modes " + os.Getenv("TOUCHBOX_CONFIG"): doctor.OK, "modes " + os.Getenv("TOUCHBOX_DATA"): doctor.OK,
	})
}

func TestDoctorSeesWhatStandsStill(t *testing.T) {
	o := newOperator(t)
	o.die(1)
	if _, err := o.queue.PutPark(t.Context(), queue.Park{Scope: "endpoint/clinic", Since: time.Now(), Reason: "unauthorized", Status: 401}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.queue.State().Put(t.Context(), "alert.parked.00", map[string]any{
		"cause": "parked", "subject": "endpoint/clinic", "stage": "begun", "since": time.Now(), "text": "x.", "tries": 5,
	}); err != nil {
		t.Fatal(err)
	}
	for site, ago := range map[string]time.Duration{"10001": time.Minute, "10009": 30 * time.Hour} {
		if _, err := o.queue.State().Put(t.Context(), "calltouch.trouble.wrong_key."+site, map[string]any{
			"site": site, "reason": "wrong_key", "count": 7, "last": time.Now().Add(-ago),
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(os.Getenv("TOUCHBOX_CONFIG"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ALERT_URL", "https://alerts.invalid/not-for-anybodys-eyes")
	found, code := examines(t)
	wantStates(t, found, map[string]doctor.State{
		"hooks 10001": doctor.Finding, "links calls": doctor.Finding, "alerts paused: waiting for Mindbox endpoint/clinic": doctor.Finding, "modes " + os.Getenv("TOUCHBOX_CONFIG"): doctor.Finding,
	})
	if _, old := found["hooks 10009"]; code != 1 || old {
		t.Errorf("exit code %d, told of what was mended: %v", code, old)
	}
	var out, errs waittest.Buffer
	if code := run(t.Context(), []string{"doctor", "--lang", "ru"}, nil, &out, &errs); code != 1 || !strings.Contains(out.String(), "на паузе") && !strings.Contains(out.String(), "попыток: 5") {
		t.Errorf("exit code %d, in Russian:\n%s%s", code, &out, &errs)
	}
}

// surroundings are what an installation without a running queue has around it.
func surroundings(t *testing.T, calltouch, mindbox, hooks http.HandlerFunc) {
	t.Helper()
	serve := func(h http.HandlerFunc) string {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return server.URL
	}
	dir := t.TempDir()
	config := linktest.File{
		Site: "key: the-keys-own-eyes-alone\ntoken: the-tokens-own-eyes\napi: " + serve(calltouch), URL: serve(mindbox), To: "secret: the-secrets-own-eyes",
	}.Write(t, dir)
	for name, value := range map[string]string{
		"TOUCHBOX_DATA": filepath.Join(dir, "data"), "TOUCHBOX_CONFIG": config, "NATS_URL": "", "LANG": "C", "LC_ALL": "C",
		"INGEST_ADDR": strings.TrimPrefix(serve(hooks), "http://"),
	} {
		t.Setenv(name, value)
	}
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestDoctorTriesKeysAndAddresses(t *testing.T) {
	hooks := func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodHead || r.URL.Path != "/calltouch/10001/the-keys-own-eyes-alone" {
			w.WriteHeader(http.StatusNotFound)
		}
	}
	tests := []struct {
		name                      string
		calltouch, mindbox, hooks http.HandlerFunc
		want                      [3]doctor.State
	}{
		{"all is well", answer(200, "[]"), answer(400, `{"status":"ProtocolError","errorMessage":"operation not found"}`), hooks,
			[3]doctor.State{doctor.OK, doctor.OK, doctor.OK}},
		{"nobody takes the keys", answer(401, `{"message":"no"}`), answer(403, `{"status":"ProtocolError"}`), answer(404, ""),
			[3]doctor.State{doctor.Finding, doctor.Finding, doctor.Finding}},
		{"all are away", answer(502, ""), answer(503, ""), answer(502, ""), [3]doctor.State{doctor.Finding, doctor.Finding, doctor.Finding}},
		{"a guard stands in front", answer(200, "<html>"), answer(200, "<html>"), http.RedirectHandler("/elsewhere", http.StatusFound).ServeHTTP,
			[3]doctor.State{doctor.Finding, doctor.Finding, doctor.Finding}},
		{"404 of Mindbox says nothing", answer(200, "[]"), answer(404, ""), hooks, [3]doctor.State{doctor.OK, doctor.Skipped, doctor.OK}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			surroundings(t, tt.calltouch, tt.mindbox, tt.hooks)
			found, _ := examines(t)
			wantStates(t, found, map[string]doctor.State{
				"calltouch 10001": tt.want[0], "mindbox clinic": tt.want[1],
				"webhook http://" + os.Getenv("INGEST_ADDR") + "/calltouch/10001/...": tt.want[2],
				"queue": doctor.Finding,
			})
		})
	}
}

// The key must not go to an address of which nobody knows that it is right.
func TestDoctorKeepsTheKeyFromWrongAddresses(t *testing.T) {
	asked := 0
	count := func(http.ResponseWriter, *http.Request) { asked++ }
	surroundings(t, answer(200, "[]"), answer(400, `{"status":"ProtocolError"}`), answer(200, ""))
	untrusted := httptest.NewTLSServer(http.HandlerFunc(count))
	defer untrusted.Close()
	found, _ := examines(t, "--address", untrusted.URL+"/calltouch/10001/the-keys-own-eyes-alone")
	host := strings.TrimPrefix(untrusted.URL, "https://")
	wantStates(t, found, map[string]doctor.State{"tls " + host: doctor.Finding, "dns 127.0.0.1": doctor.Finding})
	if asked != 0 {
		t.Error("it was asked, though its certificate is not trusted")
	}
	for _, bad := range []string{"touchbox.example.com", "ftp://x", "https://", "::"} {
		found, _ := examines(t, "--address", bad)
		wantStates(t, found, map[string]doctor.State{"webhook": doctor.Finding})
	}
}

func TestDoctorOfABrokenFile(t *testing.T) {
	surroundings(t, answer(200, ""), answer(200, ""), answer(200, ""))
	if err := os.WriteFile(os.Getenv("TOUCHBOX_CONFIG"), []byte("links: [x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs waittest.Buffer
	if code := run(t.Context(), []string{"doctor"}, nil, &out, &errs); code != 2 {
		t.Errorf("exit code %d: %s%s", code, &out, &errs)
	}
}
