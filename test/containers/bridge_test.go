package containers_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	tc "github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/network"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// The test runs the shipped demonstration file, so its key and its names hold here too.
const (
	hookPath = "/calltouch/10001/demo-key-of-no-secret"
	device   = "6f3c1b52-7a0f-4a39-9f2c-3a1f0e5d8c11"
)

// patience bounds every wait: the restart of NATS with its reconnects takes some seconds.
const patience = time.Minute

// A call goes through the real images, and neither a repeat of its hook nor a NATS that is killed
// and comes back makes it two, or none.
func TestCallSurvivesRestartOfNATS(t *testing.T) {
	needImages(t, "nats", "ingest", "worker", "touchbox")
	b := startBridge(t)

	if status, _ := b.hook(t, "148071"); status != http.StatusOK {
		t.Fatalf("hook answered %d, want 200", status)
	}
	b.awaitExecuted(t, "148071")
	if first := b.executed(t, "148071")[0]; first.Operation != "CallTouch" || first.DeviceUUID != device {
		t.Errorf("operation %s for device %q, want CallTouch for %s", first.Operation, first.DeviceUUID, device)
	}

	immediately := time.Duration(0) // SIGKILL
	if err := b.nats.Stop(t.Context(), &immediately); err != nil {
		t.Fatal(err)
	}
	status, retryAfter := b.hook(t, "148072")
	if status != http.StatusServiceUnavailable || retryAfter == "" {
		t.Fatalf("hook without a queue answered %d, Retry-After %q; want 503 with one", status, retryAfter)
	}
	if err := b.nats.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	waittest.Within(t, patience, "a hook is taken again", func() bool { s, _ := b.hook(t, "148072"); return s == http.StatusOK })
	b.awaitExecuted(t, "148072")

	if status, _ := b.hook(t, "148071"); status != http.StatusOK {
		t.Fatalf("repeated hook answered %d, want 200", status)
	}
	// What comes after the repeat in the log is executed, so the repeat would have been.
	if status, _ := b.hook(t, "148073"); status != http.StatusOK {
		t.Fatalf("hook answered %d, want 200", status)
	}
	b.awaitExecuted(t, "148073")
	for _, id := range []string{"148071", "148072", "148073"} {
		if n := len(b.executed(t, id)); n != 1 {
			t.Errorf("call %s was executed %d times, want once", id, n)
		}
	}
}

// bridge is the four containers on a network of their own.
type bridge struct {
	nats            *tc.DockerContainer
	ingest, mindbox string // base URLs
}

func startBridge(t *testing.T) bridge {
	t.Helper()
	net, err := network.New(t.Context(), network.WithLabels(labels()))
	tc.CleanupNetwork(t, net)
	if err != nil {
		t.Fatal(err)
	}
	config, err := filepath.Abs("../../deploy/demo")
	if err != nil {
		t.Fatal(err)
	}
	alias := func(name string) tc.CustomizeRequestOption { return network.WithNetwork([]string{name}, net) }
	conf := hardened(config + ":/etc/touchbox:ro")

	nats := start(t, "nats", alias("nats"), hardened(), withVolume("/data"), passwords(), tc.WithWaitStrategy(wait.ForHealthCheck().WithStartupTimeout(patience)))
	mindbox := start(t, "touchbox", alias("mindbox"), hardened(), healthy("9090/tcp", "/stats"),
		tc.WithCmd("simulate", "mindbox", "--addr", ":9090"))
	// Before ingest: it may not create the streams, and waits for them.
	start(t, "worker", alias("worker"), conf, user("worker"), healthy("8082/tcp", "/readyz"))
	ingest := start(t, "ingest", alias("ingest"), conf, user("ingest"), healthy("8081/tcp", "/readyz"), tc.WithExposedPorts("8080/tcp"))
	return bridge{nats: nats, ingest: base(t, ingest, "8080/tcp"), mindbox: base(t, mindbox, "9090/tcp")}
}

// passwords are those of the users of NATS, as `make secrets` would write them into .env.
func passwords() tc.CustomizeRequestOption {
	env := map[string]string{}
	for _, role := range []string{"ingest", "worker", "operator", "console"} {
		env["NATS_"+strings.ToUpper(role)+"_PASSWORD"] = "p-of-" + role
	}
	return tc.WithEnv(env)
}

// user comes to NATS as one of them.
func user(role string) tc.CustomizeRequestOption {
	return tc.WithEnv(map[string]string{"NATS_URL": "nats://nats:4222", "NATS_USER": role, "NATS_PASSWORD": "p-of-" + role})
}

// hardened runs a container as docker-compose.yml does.
func hardened(binds ...string) tc.CustomizeRequestOption {
	return tc.WithHostConfigModifier(func(h *container.HostConfig) {
		h.Binds = binds
		h.ReadonlyRootfs = true
		h.CapDrop = []string{"ALL"}
		h.SecurityOpt = []string{"no-new-privileges:true"}
	})
}

// withVolume mounts a fresh volume, which goes with the container.
func withVolume(target string) tc.CustomizeRequestOption {
	return func(r *tc.GenericContainerRequest) error {
		modify := r.HostConfigModifier
		r.HostConfigModifier = func(h *container.HostConfig) {
			modify(h)
			h.Mounts = append(h.Mounts, mount.Mount{Type: mount.TypeVolume, Target: target})
		}
		return nil
	}
}

// healthy publishes port and waits until path answers 200 there.
func healthy(port, path string) tc.CustomizeRequestOption {
	return func(r *tc.GenericContainerRequest) error {
		r.ExposedPorts = append(r.ExposedPorts, port)
		r.WaitingFor = wait.ForHTTP(path).WithPort(port).WithPollInterval(50 * time.Millisecond).WithStartupTimeout(patience)
		return nil
	}
}

func base(t *testing.T, c *tc.DockerContainer, port string) string {
	t.Helper()
	endpoint, err := c.PortEndpoint(t.Context(), port, "http")
	if err != nil {
		t.Fatal(err)
	}
	return endpoint
}

// hook posts an ended call, as Calltouch would, and returns the status and Retry-After.
func (b bridge) hook(t *testing.T, id string) (int, string) {
	t.Helper()
	now := fmt.Sprint(time.Now().Unix())
	call := url.Values{
		"leadtype": {"call"}, "callphase": {"calldisconnected"}, "id": {id}, "siteId": {"10001"},
		"callerphone": {"79000000001"}, "phonenumber": {"78120000002"}, "timestamp": {now},
		"duration": {"12"}, "waiting_time": {"1"}, "status": {"successful"}, "pool": {"dynamic"},
		"attrs": {`{"mindboxDeviceUUID":"` + device + `"}`},
	}
	answer, err := http.PostForm(b.ingest+hookPath, call)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode, answer.Header.Get("Retry-After")
}

// operation is what the simulated Mindbox tells of one that it executed.
type operation struct {
	Operation  string `json:"operation"`
	DeviceUUID string `json:"deviceUUID"`
}

// executed lists what was executed for a call.
func (b bridge) executed(t *testing.T, id string) []operation {
	t.Helper()
	var operations []operation
	getJSON(t, b.mindbox+"/executed?callId="+id, &operations)
	return operations
}

func (b bridge) awaitExecuted(t *testing.T, id string) {
	t.Helper()
	waittest.Within(t, patience, "call "+id+" is executed", func() bool { return len(b.executed(t, id)) > 0 })
}

func getJSON(t *testing.T, url string, into any) {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
		t.Fatalf("%s answered %s: %v", url, answer.Status, err)
	}
}
