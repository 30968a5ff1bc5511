package link_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/link"
)

// A pipe or a device is no file of a secret: whoever reads it waits for whoever writes.
func TestSecretOfAPipe(t *testing.T) {
	const file = "calltouch:\n  - {site: 10001, name: clinic, key: {file: %s}}\n"
	_, problems, _ := link.Parse("touchbox.yaml", fmt.Appendf(nil, file, "/dev/zero"), link.Options{})
	if !strings.Contains(problems.String(), "the file of the secret cannot be read: /dev/zero") {
		t.Errorf("a device: %v", problems)
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	read := make(chan link.Problems, 1)
	go func() {
		_, problems, _ := link.Parse("touchbox.yaml", fmt.Appendf(nil, file, pipe), link.Options{})
		read <- problems
	}()
	select {
	case problems := <-read:
		if !strings.Contains(problems.String(), "the file of the secret cannot be read") {
			t.Errorf("%v", problems)
		}
	case <-time.After(time.Minute):
		t.Error("a pipe is waited for")
	}
}

// What has no end is too large, and found so.
func TestConfigurationWithoutAnEnd(t *testing.T) {
	_, problems, err := link.Load("/dev/zero", link.Options{})
	if err == nil || !strings.Contains(problems.String(), "larger than 1 MB") {
		t.Errorf("%v, %v", problems, err)
	}
}
