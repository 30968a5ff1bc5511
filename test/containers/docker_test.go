// Package containers_test runs the images that `make images` builds and sends calls through them.
// Where no Docker engine answers, or an image is missing, it says what was not tested and skips;
// with NEED_DOCKER=1 it fails instead.
package containers_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/moby/moby/client"
	tc "github.com/testcontainers/testcontainers-go"
	tclog "github.com/testcontainers/testcontainers-go/log"

	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// label marks this package's containers, so that sweeping removes no neighbour's.
const (
	label      = "touchbox.test"
	labelValue = "containers"
)

func TestMain(m *testing.M) {
	if flag.Parse(); testing.Short() { // nothing to sweep
		os.Exit(m.Run())
	}
	// The reaper would have to be pulled; the sweeps below do its work. Published ports answer on
	// loopback, also where the tests themselves run in a container.
	_ = os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
	_ = os.Setenv("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1")
	tclog.SetDefault(quiet{})
	sweep()
	code := m.Run()
	sweep()
	os.Exit(code)
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}

// image is the full name of one of the images.
func image(name string) string {
	tag := os.Getenv("TAG")
	if tag == "" {
		tag = "dev"
	}
	return "localhost/touchbox/" + name + ":" + tag
}

// needImages ends the test early where it cannot be run.
func needImages(t *testing.T, names ...string) {
	t.Helper()
	waittest.Slow(t, "containers")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := missing(ctx, names); err != nil {
		if os.Getenv("NEED_DOCKER") == "1" {
			t.Fatalf("NEED_DOCKER=1: %v", err)
		}
		t.Skipf("SKIPPED, NOT TESTED: %v", err)
	}
}

// missing is nil when an engine answers and has the images.
func missing(ctx context.Context, names []string) error {
	docker, err := client.New(client.FromEnv)
	if err != nil {
		return fmt.Errorf("no Docker engine: %w", err)
	}
	defer func() { _ = docker.Close() }()
	if _, err := docker.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		return fmt.Errorf("no Docker engine answers: %w", err)
	}
	for _, name := range names {
		if _, err := docker.ImageInspect(ctx, image(name)); err != nil {
			return fmt.Errorf("image %s is missing, run `make images`: %w", image(name), err)
		}
	}
	return nil
}

// sweep removes what a killed run left behind. It is silent where there is no engine.
func sweep() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	docker, err := client.New(client.FromEnv)
	if err != nil {
		return
	}
	defer func() { _ = docker.Close() }()
	if _, err := docker.Ping(ctx, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		return
	}
	ours := client.Filters{}.Add("label", label+"="+labelValue)
	if list, err := docker.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: ours}); err == nil {
		for _, c := range list.Items {
			_, _ = docker.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		}
	}
	_, _ = docker.NetworkPrune(ctx, client.NetworkPruneOptions{Filters: ours})
}

// labels are what every container and network of this package carries.
func labels() map[string]string { return map[string]string{label: labelValue} }

// start runs one image and removes it when the test ends; a failed test shows its log.
func start(t *testing.T, name string, options ...tc.ContainerCustomizer) *tc.DockerContainer {
	t.Helper()
	options = append([]tc.ContainerCustomizer{tc.WithLabels(labels())}, options...)
	c, err := tc.Run(t.Context(), image(name), options...)
	tc.CleanupContainer(t, c, tc.StopTimeout(2*time.Second))
	t.Cleanup(func() { showLog(t, name, c) })
	if err != nil {
		t.Fatalf("start %s: %v", name, err)
	}
	return c
}

// showLog prints what a container said, when the test has failed.
func showLog(t *testing.T, name string, c *tc.DockerContainer) {
	if !t.Failed() || c == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second) // the test's own has ended
	defer cancel()
	log, err := c.Logs(ctx)
	if err != nil {
		return
	}
	defer func() { _ = log.Close() }()
	text, _ := io.ReadAll(log)
	t.Logf("log of %s:\n%s", name, text)
}
