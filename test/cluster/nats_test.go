package cluster_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/wait/waittest"
	"github.com/touchbox/touchbox/test/internal/ports"
)

// servers is how many NATS servers a cluster has.
const servers = 3

// node is one NATS server in a process of its own. Its routes come and go by way of a relay.
type node struct {
	name            string
	client, monitor string // addresses
	relay           *relay // before its address for routes
	conf            string
	cmd             *exec.Cmd
}

// cluster is three of them.
type cluster struct {
	t     *testing.T
	nodes []*node
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t}
	dir := t.TempDir()
	var routes []string
	for i := range servers {
		n := &node{name: fmt.Sprintf("n%d", i+1), client: ports.Free(t), monitor: ports.Free(t)}
		n.relay = newRelay(t, ports.Free(t))
		routes = append(routes, "nats-route://"+n.relay.addr())
		c.nodes = append(c.nodes, n)
	}
	for _, n := range c.nodes {
		n.conf = filepath.Join(dir, n.name+".conf")
		text := fmt.Sprintf(`server_name: %s
listen: %q
http: %q
jetstream { store_dir: %q, max_file_store: 4GB, sync_interval: always }
cluster { name: c, listen: %q, advertise: %q, no_advertise: true, routes: ["%s"] }
`, n.name, n.client, n.monitor, filepath.Join(dir, n.name), n.relay.target, n.relay.addr(), strings.Join(routes, `", "`))
		if err := os.WriteFile(n.conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c.start(n)
	}
	return c
}

func (c *cluster) url() string {
	var urls []string
	for _, n := range c.nodes {
		urls = append(urls, "nats://"+n.client)
	}
	return strings.Join(urls, ",")
}

func (c *cluster) start(n *node) {
	c.t.Helper()
	log, err := os.OpenFile(n.conf+".log", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		c.t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(binaries, "nats-server"), "-c", n.conf)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	_ = log.Close()
	n.cmd = cmd
	c.t.Cleanup(func() { // each of its processes, by its own id
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

func (n *node) signal(s syscall.Signal) { _ = n.cmd.Process.Signal(s) }

// stop ends a server and waits for its end.
func (n *node) stop(s syscall.Signal) {
	n.signal(s)
	_ = n.cmd.Wait()
}

// healthy reports whether a server says that all of its streams and consumers are up to date.
func (n *node) healthy() bool {
	code, _ := get("http://" + n.monitor + "/healthz")
	return code == http.StatusOK
}

func (c *cluster) whole() bool {
	for _, n := range c.nodes {
		if !n.healthy() {
			return false
		}
	}
	return true
}

// met reports whether the servers know of each other and of a leader.
func (c *cluster) met() bool {
	for _, n := range c.nodes {
		_, body := get("http://" + n.monitor + "/jsz")
		var j struct {
			Meta struct {
				Leader string `json:"leader"`
				Size   int    `json:"cluster_size"`
			} `json:"meta_cluster"`
		}
		if json.Unmarshal([]byte(body), &j) != nil || j.Meta.Leader == "" || j.Meta.Size != servers {
			return false
		}
	}
	return true
}

// leader is the server that leads a stream, by the word of whichever answers first.
func (c *cluster) leader(stream string) *node {
	return c.leaderBy(stream, func(*node) bool { return true })
}

// leaderBy is the same by the word of some servers.
func (c *cluster) leaderBy(stream string, asked func(*node) bool) *node {
	c.t.Helper()
	var found *node
	waittest.Eventually(c.t, "somebody leads "+stream, func() bool {
		for _, n := range c.nodes {
			if !asked(n) {
				continue
			}
			_, body := get("http://" + n.monitor + "/jsz?accounts=true&streams=true")
			var j struct {
				Accounts []struct {
					Streams []struct {
						Name    string `json:"name"`
						Cluster struct {
							Leader string `json:"leader"`
						} `json:"cluster"`
					} `json:"stream_detail"`
				} `json:"account_details"`
			}
			if json.Unmarshal([]byte(body), &j) != nil {
				continue
			}
			for _, a := range j.Accounts {
				for _, s := range a.Streams {
					if s.Name == stream {
						found = c.named(s.Cluster.Leader)
					}
				}
			}
			if found != nil {
				return true
			}
		}
		return false
	})
	return found
}

// state is what a person would look at where the cluster does not become whole.
func (c *cluster) state() string {
	var text string
	for _, n := range c.nodes {
		_, health := get("http://" + n.monitor + "/healthz")
		_, routes := get("http://" + n.monitor + "/routez")
		text += fmt.Sprintf("%s: %s, routes to %d\n", n.name, health, strings.Count(routes, `"remote_name"`))
	}
	return text
}

func (c *cluster) named(name string) *node {
	for _, n := range c.nodes {
		if n.name == name {
			return n
		}
	}
	return nil
}

// cut parts one server from the two others, or joins it again. Its clients notice nothing.
func (c *cluster) cut(n *node, off bool) {
	for _, other := range c.nodes {
		if other == n {
			n.relay.refuse(off, "")
		} else {
			other.relay.refuse(off, n.name)
		}
	}
}

func get(url string) (int, string) {
	client := http.Client{Timeout: 3 * time.Second}
	answer, err := client.Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = answer.Body.Close() }()
	var b strings.Builder
	buffer := make([]byte, 64<<10)
	for {
		n, err := answer.Body.Read(buffer)
		b.Write(buffer[:n])
		if err != nil {
			return answer.StatusCode, b.String()
		}
	}
}
