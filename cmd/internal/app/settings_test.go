package app

import (
	"bytes"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
)

func TestReadSettings(t *testing.T) {
	tests := []struct {
		name string
		env  map[string]string
		want []string // in the mistake; none = it is read
	}{
		{"nothing set", nil, nil},
		{"empty counts as not set", map[string]string{"TOUCHBOX_REPLICAS": " ", "INGEST_ADDR": ""}, nil},
		{"a text for a number", map[string]string{"TOUCHBOX_REPLICAS": "s3cret"}, []string{"TOUCHBOX_REPLICAS"}},
		{"an impossible number", map[string]string{"TOUCHBOX_REPLICAS": "2"}, []string{"TOUCHBOX_REPLICAS"}},
		{"no network", map[string]string{"INGEST_ALLOW": "s3cret"}, []string{"INGEST_ALLOW", "92.118.66.0/23"}},
		{"a list of no networks, which would let everybody in", map[string]string{"INGEST_ALLOW": ",, "}, []string{"INGEST_ALLOW"}},
		{"ports that there are not", map[string]string{"INGEST_ADDR": "127.0.0.1:99999", "INGEST_ADMIN_ADDR": "://", "WORKER_ADMIN_ADDR": "127.0.0.1:"}, []string{"INGEST_ADDR", "INGEST_ADMIN_ADDR", "WORKER_ADMIN_ADDR"}},
		{"a console's port that there is not", map[string]string{"CONSOLE_ADDR": "127.0.0.1:-1"}, []string{"CONSOLE_ADDR"}},
		{"a number for a level, which would switch the log off", map[string]string{"LOG_LEVEL": "99"}, []string{"LOG_LEVEL"}},
		{"a level in capitals", map[string]string{"LOG_LEVEL": "WARN"}, nil},
		{"half of a pair, twice", map[string]string{"INGEST_TLS_CERT": "x", "NATS_KEY": "y"}, []string{"INGEST_TLS_KEY", "NATS_CERT"}},
		{"no port", map[string]string{"WORKER_ADMIN_ADDR": "localhost"}, []string{"WORKER_ADMIN_ADDR"}},
		{"a console that others reach in the clear", map[string]string{"CONSOLE_ADDR": ":8083"}, []string{"CONSOLE_ADDR", "CONSOLE_TLS_CERT", "CONSOLE_TRUSTED_PROXIES"}},
		{"a console behind nobody in particular", map[string]string{"CONSOLE_ADDR": ":8083", "CONSOLE_URL": "https://t.example.com"}, []string{"CONSOLE_TRUSTED_PROXIES"}},
		{"a console behind a proxy", map[string]string{"CONSOLE_ADDR": ":8083", "CONSOLE_URL": "https://t.example.com", "CONSOLE_TRUSTED_PROXIES": "10.0.0.0/8"}, nil},
		{"a console with TLS", map[string]string{"CONSOLE_ADDR": ":8083", "CONSOLE_TLS_CERT": "x", "CONSOLE_TLS_KEY": "y"}, nil},
		{"a console by plain HTTP", map[string]string{"CONSOLE_URL": "http://t.example.com"}, []string{"CONSOLE_URL", "https"}},
		{"no console", map[string]string{"CONSOLE_ADDR": "off"}, nil},
		{"what Windows and a paste leave around a value", map[string]string{"INGEST_ADDR": " 127.0.0.1:8080\r", "TOUCHBOX_REPLICAS": " 1", "LOG_LEVEL": "info\r\n"}, nil},
		{"unknown words", map[string]string{"LOG_LEVEL": "loud", "LOG_FORMAT": "xml"}, []string{"LOG_LEVEL", "LOG_FORMAT"}},
		{"a token file that is empty", map[string]string{"ADMIN_TOKEN_FILE": os.DevNull}, []string{"ADMIN_TOKEN_FILE", "empty"}},
		{"a token file that is not there", map[string]string{"ADMIN_TOKEN_FILE": "/nowhere/token"}, []string{"ADMIN_TOKEN_FILE"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			s, err := ReadSettings()
			if len(tt.want) == 0 {
				if err != nil || s.Replicas != 1 || s.IngestAddr != "127.0.0.1:8080" {
					t.Fatalf("got %+v, %v", s, err)
				}
				return
			}
			if ExitCode(err) != ExitMistake {
				t.Fatalf("exit code %d of %v, want %d", ExitCode(err), err, ExitMistake)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not name %s", err, want)
				}
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%v shows the value", err)
			}
		})
	}
}

// A value is taken without its ends, but a password may have blanks there.
func TestEndsOfAValue(t *testing.T) {
	t.Setenv("NATS_USER", " ingest\r")
	t.Setenv("NATS_PASSWORD", " pass word \r")
	t.Setenv("ADMIN_TOKEN", "token\r")
	t.Setenv("TOUCHBOX_DATA", "/var/lib/touchbox\r")
	s, err := ReadSettings()
	if err != nil || s.NATSUser != "ingest" || s.NATSPassword != " pass word " || s.AdminToken != "token" || s.Data != "/var/lib/touchbox" {
		t.Errorf("got %q, %v", []string{s.NATSUser, s.NATSPassword, s.AdminToken, s.Data}, err)
	}
}

// A variable with a misspelt name would be without effect and without a word: an allow-list that lets everybody in.
func TestMisspeltVariablesAreSaid(t *testing.T) {
	t.Setenv("INGEST_TRUSTED_PROXY", "10.0.0.1")
	t.Setenv("INGEST_ALOW", "92.118.66.0/23")
	t.Setenv("Touchbox_Data", "/var/lib/touchbox")
	t.Setenv("LOG_LEVEL", "info")
	t.Setenv("LOG_LEVELS", "that one is set, so this is another program's")
	t.Setenv("NATS_PORT", "tcp://10.0.0.1:4222")      // Kubernetes, for a service that is called nats
	t.Setenv("NATS_PORT_4222_TCP_PORT", "4222")       // the same
	t.Setenv("CALLTOUCH_KEY", "a secret of the file") // {env: CALLTOUCH_KEY}
	t.Setenv("ADMIN_TOKN", "")
	want := map[string]string{"INGEST_TRUSTED_PROXY": "INGEST_TRUSTED_PROXIES", "INGEST_ALOW": "INGEST_ALLOW", "Touchbox_Data": "TOUCHBOX_DATA"}
	if got := misspelt(); !maps.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	var log bytes.Buffer
	beginService(zerolog.New(&log))
	if !strings.Contains(log.String(), `"variable":"INGEST_ALOW","read_is":"INGEST_ALLOW"`) || strings.Contains(log.String(), "92.118") {
		t.Errorf("the log says %s", log.String())
	}
}

func TestNetworks(t *testing.T) {
	var n Networks
	if err := n.Decode("92.118.66.0/23, 10.0.0.7,, ::1,::ffff:92.118.66.0/119,::ffff:10.0.0.8,fe80::1%eth0,::/0"); err != nil {
		t.Fatal(err)
	}
	want := []string{"92.118.66.0/23", "10.0.0.7/32", "::1/128", "92.118.66.0/23", "10.0.0.8/32", "fe80::1/128", "::/0"}
	if len(n) != len(want) {
		t.Fatalf("got %v", n)
	}
	for i, text := range want {
		if n[i] != netip.MustParsePrefix(text) {
			t.Errorf("got %v, want %s", n[i], text)
		}
	}
}

func TestAlertURLIsCheckedAtTheStart(t *testing.T) {
	for url, right := range map[string]bool{
		"https://hooks.example.com/bot123:SECRET": true, "http://127.0.0.1:9000/": true,
		"hooks.example.com/SECRET": false, "ftp://hooks.example.com/SECRET": false, "https:///SECRET": false, "https://:443/SECRET": false,
		"SECRET": false, "https://hooks.example.com:port/SECRET": false, "mailto:SECRET@example.com": false, "https://exa mple.com/SECRET": false,
	} {
		t.Setenv("ALERT_URL", url)
		_, err := ReadSettings()
		if right && err != nil || !right && ExitCode(err) != ExitMistake {
			t.Errorf("%s: %v", url, err)
		}
		if err != nil && (strings.Contains(err.Error(), "SECRET") || !strings.Contains(err.Error(), "ALERT_URL")) {
			t.Errorf("%s: the error is %v", url, err)
		}
	}
}

// A malformed address is a mistake that quotes nothing of it, and an open server off this machine one
// that says what to set.
func TestNATSURL(t *testing.T) {
	const password = "hunter2pw"
	tests := []struct {
		name, url string
		env       map[string]string
		want      string // in the mistake; none: it is taken
	}{
		{"none", "", nil, ""},
		{"this machine", "nats://127.0.0.1:4222", nil, ""},
		{"this machine by name, without a scheme", "localhost:4222", nil, ""},
		{"this machine, IPv6", "nats://[::1]:4222", nil, ""},
		{"a port that is none", "nats://bob:" + password + "@127.0.0.1:42x", nil, "number 1 of the list"},
		{"a port that is too large", "nats://bob:" + password + "@127.0.0.1:70000", nil, "number 1 of the list"},
		{"a slash in the password", "nats://bob:" + password + "/x@127.0.0.1:4222", nil, "number 1 of the list"},
		{"a slash at its beginning", "nats://bob:/" + password + "@127.0.0.1:4222", nil, "number 1 of the list"},
		{"a number sign in the password", "nats://bob:" + password + "#x@127.0.0.1:4222", nil, "NATS_PASSWORD"},
		{"a question mark in the password", "nats://bob:1?" + password + "@127.0.0.1:4222", nil, "number 1 of the list"},
		{"a percent sign in the password", "nats://bob:" + password + "%zz@127.0.0.1:4222", nil, "number 1 of the list"},
		{"a blank in the password", "nats://bob:" + password + " x@127.0.0.1:4222", nil, "number 1 of the list"},
		{"another scheme", "http://" + password + "@127.0.0.1", nil, "number 1 of the list"},
		{"the second of two", "nats://127.0.0.1:4222, nats://bob:" + password + "@:4222", nil, "number 2 of the list"},
		{"another machine, open", "nats://n1.example:4222", nil, "n1.example:4222 is another machine"},
		{"another machine among near ones", "nats://127.0.0.1:4222,nats://10.0.0.7:4222", nil, "10.0.0.7:4222 is another machine"},
		{"another machine, accepted", "nats://n1.example:4222", map[string]string{"NATS_INSECURE": "true"}, ""},
		{"another machine by TLS", "tls://n1.example:4222", nil, ""},
		{"another machine with a user", "nats://bob:" + password + "@n1.example:4222", nil, ""},
		{"another machine with NATS_USER", "nats://n1.example:4222", map[string]string{"NATS_USER": "a", "NATS_PASSWORD": "b"}, ""},
		{"another machine with credentials", "n1.example", map[string]string{"NATS_CREDS": "/nowhere"}, ""},
		{"half of a user", "nats://n1.example:4222", map[string]string{"NATS_USER": "a"}, "NATS_USER and NATS_PASSWORD go together"},
		{"a switch that is none", "", map[string]string{"NATS_INSECURE": password}, "NATS_INSECURE"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("NATS_URL", tt.url)
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			_, err := ReadSettings()
			if tt.want == "" {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			if ExitCode(err) != ExitMistake || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want a mistake with %q", err, tt.want)
			}
			if strings.Contains(err.Error(), password) || strings.Contains(err.Error(), "bob") {
				t.Errorf("%v quotes the address", err)
			}
		})
	}
}

// Whatever an environment variable holds, the mistake about it does not quote it.
func TestMistakesOfTheEnvironmentQuoteNothing(t *testing.T) {
	for _, name := range variableNames(&Settings{}) {
		t.Run(name, func(t *testing.T) {
			for _, value := range []string{"hunter2 x", "//hunter2%zz", "nats://hunter2:hunter2@x:y", "http://hunter2@[::1"} {
				t.Setenv(name, value)
				_, err := ReadSettings()
				if err == nil || name == "ADMIN_TOKEN_FILE" {
					continue // the path of a file is no secret
				}
				if strings.Contains(err.Error(), "hunter2") {
					t.Errorf("%v quotes the value", err)
				}
			}
		})
	}
}

// What is said of one address is not believed of another.
func TestSyncedIsSaidOfAnAddress(t *testing.T) {
	s := Settings{NATSSynced: DefaultNATS}
	for servers, want := range map[string]bool{DefaultNATS: true, "nats://other:4222": false, "": false} {
		if s.synced(servers) != want {
			t.Errorf("%q: want %t", servers, want)
		}
	}
	if (Settings{}).synced(DefaultNATS) || (Settings{}).synced("") {
		t.Error("nobody has said it")
	}
}

// A file that is not to be read is for a person to mend, like one with mistakes: the exit code is 2, and no service begins again and again.
func TestAFileThatCannotBeReadIsAMistake(t *testing.T) {
	folder := t.TempDir()
	loop := filepath.Join(folder, "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{folder, filepath.Join(folder, "none.yaml"), loop, os.DevNull + "/touchbox.yaml", filepath.Join(folder, strings.Repeat("x", 300))} {
		_, _, err := Settings{Config: path}.LoadConfig(lang.English, link.Neither)
		if ExitCode(err) != ExitMistake {
			t.Errorf("%s: %d, %v", path, ExitCode(err), err)
		}
	}
	if os.Geteuid() == 0 {
		t.Skip("root reads what nobody may")
	}
	path := filepath.Join(folder, "closed.yaml")
	if err := os.WriteFile(path, nil, 0); err != nil {
		t.Fatal(err)
	}
	if _, _, err := (Settings{Config: path}).LoadConfig(lang.English, link.Neither); ExitCode(err) != ExitMistake {
		t.Errorf("%d, %v", ExitCode(err), err)
	}
}
