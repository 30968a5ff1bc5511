package test_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

// readers says which services of docker-compose.yml read a variable; none means that it is fixed inside
// the containers: by the image, whose ports and folders belong to it. A name ending in * stands for all
// that begin so.
var readers = map[string][]string{
	"TOUCHBOX_CONFIG": nil, "TOUCHBOX_DATA": nil, "INGEST_ADDR": nil, "INGEST_ADMIN_ADDR": nil, "WORKER_ADMIN_ADDR": nil, "CONSOLE_*": {"console"}, "CONSOLE_URL": {"worker", "console", "touchbox"},
	"NATS_*": {"ingest", "worker", "touchbox", "console"}, "TOUCHBOX_REPLICAS": {"ingest", "worker", "touchbox", "console"},
	"HTTPS_PROXY": {"ingest", "worker", "touchbox", "console"}, "NO_PROXY": {"ingest", "worker", "touchbox", "console"}, "SSL_CERT_FILE": {"ingest", "worker", "touchbox", "console"},
	"LOG_*": {"ingest", "worker", "touchbox", "console"}, "LANG": {"ingest", "worker", "touchbox", "console"}, "INGEST_*": {"ingest"}, "WORKER_*": {"worker"}, "ADMIN_*": {"ingest", "worker", "console"}, "ADMIN_HOSTS": {"ingest", "worker"},
	"ALERT_URL": {"worker", "touchbox"},
}

// secrets are those of touchbox.yaml as it ships, by the services that read them.
var secrets = map[string][]string{
	"CALLTOUCH_KEY": {"ingest", "touchbox"}, "CALLTOUCH_TOKEN": {"ingest", "touchbox"}, "MINDBOX_SECRET": {"worker", "touchbox"},
}

type service struct {
	Environment map[string]any `yaml:"environment"`
	Volumes     []string       `yaml:"volumes"`
	Ports       []string       `yaml:"ports"`
	Networks    []string       `yaml:"networks"`
	Profiles    []string       `yaml:"profiles"`
	Memory      string         `yaml:"mem_limit"`
	Processes   int            `yaml:"pids_limit"`
	Limits      map[string]any `yaml:"ulimits"`
	ReadOnly    bool           `yaml:"read_only"`
}

func compose(t *testing.T) (services map[string]service, internal bool) {
	t.Helper()
	var file struct {
		Services map[string]service `yaml:"services"`
		Networks map[string]struct {
			Internal bool `yaml:"internal"`
		} `yaml:"networks"`
	}
	if err := yaml.UnmarshalWithOptions([]byte(read(t, "docker-compose.yml")), &file, yaml.AllowDuplicateMapKey()); err != nil {
		t.Fatal(err)
	}
	return file.Services, file.Networks["queue"].Internal
}

// Every variable that a process reads arrives in its container, and no other: what .env holds is not
// dropped without a word, and no service gets the secrets of another.
func TestComposePassesEveryVariableToWhoReadsIt(t *testing.T) {
	services, _ := compose(t)
	want := map[string][]string{"ingest": nil, "worker": nil, "touchbox": nil, "console": nil}
	variables := append(find(read(t, "cmd/internal/app/settings.go"), `envconfig:"([A-Z_]+)"`), "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "LANG")
	for _, name := range variables {
		who, known := readersOf(name)
		if !known {
			t.Errorf("%s: say in this table which services read it", name)
		}
		for _, s := range who {
			want[s] = append(want[s], name)
		}
	}
	for name, who := range secrets {
		for _, s := range who {
			want[s] = append(want[s], name)
		}
	}
	for name, variables := range want {
		slices.Sort(variables)
		if diff := cmp.Diff(variables, slices.Sorted(maps.Keys(services[name].Environment))); diff != "" {
			t.Errorf("%s (-reads +gets):\n%s", name, diff)
		}
	}
}

// readersOf finds a variable's entry: its own, or else the longest with a star.
func readersOf(name string) ([]string, bool) {
	if who, ok := readers[name]; ok {
		return who, true
	}
	best := ""
	for entry := range readers {
		if prefix, star := strings.CutSuffix(entry, "*"); star && strings.HasPrefix(name, prefix) && len(entry) > len(best) {
			best = entry
		}
	}
	return readers[best], best != ""
}

// What runs in containers is bounded, and reachable from where it must be alone.
func TestComposeKeepsContainersApart(t *testing.T) {
	services, internal := compose(t)
	if !internal {
		t.Error("the network of the queue is not internal")
	}
	for name, s := range services {
		if s.Memory == "" || s.Processes == 0 || s.Limits["nofile"] == nil || !s.ReadOnly {
			t.Errorf("%s has no bounds: %+v", name, s)
		}
		for _, port := range s.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:${") {
				t.Errorf("%s publishes %s beyond this machine, or by a port that no variable can change", name, port)
			}
		}
		for _, volume := range s.Volumes {
			if strings.Contains(volume, "demo") {
				t.Errorf("%s runs by the demonstration's file, whose key is public, unless told otherwise", name)
			}
		}
		if slices.Contains(s.Profiles, "demo") && slices.Contains(s.Networks, "queue") {
			t.Errorf("%s of the demonstration reaches the queue", name)
		}
	}
	if diff := cmp.Diff([]string{"queue"}, services["nats"].Networks); diff != "" || len(services["nats"].Ports) > 0 {
		t.Errorf("nats is reachable from elsewhere: %s%v", diff, services["nats"].Ports)
	}
}

// The shipped files of NATS differ in where they listen and where they store, and in nothing that keeps
// data safe or strangers out.
func TestShippedNATSFilesAreAlike(t *testing.T) {
	plain := func(name string) string {
		var lines []string
		for line := range strings.Lines(read(t, name)) {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "listen:") || strings.HasPrefix(line, "store_dir:") {
				continue
			}
			lines = append(lines, line)
		}
		return strings.Join(lines, "\n")
	}
	if diff := cmp.Diff(plain("deploy/nats.conf"), plain("deploy/nats-compose.conf")); diff != "" {
		t.Error(diff)
	}
	for _, want := range []string{`listen: "127.0.0.1:4222"`, `http: "127.0.0.1:8222"`, "include nats-users.conf", "sync_interval: always"} {
		if !strings.Contains(read(t, "deploy/nats.conf"), want) {
			t.Errorf("deploy/nats.conf has no %s", want)
		}
	}
	for _, name := range find(read(t, "deploy/nats-users.conf"), `\$(NATS_\w+)`) {
		if !strings.Contains(read(t, "deploy/make-secrets"), name) {
			t.Errorf("deploy/make-secrets makes no %s", name)
		}
	}
}

// The console may have a certificate, so only it knows how it is to be asked for its health.
func TestComposeAsksTheConsoleItself(t *testing.T) {
	var file struct {
		Services map[string]struct {
			Health struct{ Test []string } `yaml:"healthcheck"`
		} `yaml:"services"`
	}
	if err := yaml.UnmarshalWithOptions([]byte(read(t, "docker-compose.yml")), &file, yaml.AllowDuplicateMapKey()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"CMD", "/touchbox", "console", "--healthcheck"}, file.Services["console"].Health.Test); diff != "" {
		t.Error(diff)
	}
}
