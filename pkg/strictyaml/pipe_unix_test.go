//go:build unix

package strictyaml_test

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/strictyaml"
)

// A file may be a pipe, as that of a shell's <(command) is; one into which nobody writes is waited for by nobody.
func TestReadFileOfAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	read := make(chan string, 1)
	go func() {
		data, err := strictyaml.ReadFile(path)
		if err != nil {
			t.Error(err)
		}
		read <- string(data)
	}()
	select {
	case text := <-read:
		if text != "" {
			t.Errorf("read %q", text)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it waits for somebody who writes")
	}

	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	go func() {
		_, _ = writer.WriteString("a: 1\n")
		time.Sleep(50 * time.Millisecond) // it is slow, and not at its end
		_, _ = writer.WriteString("b: 2\n")
		_ = writer.Close()
	}()
	data, err := strictyaml.ReadFile("/dev/fd/" + strconv.FormatUint(uint64(reader.Fd()), 10))
	if err != nil || string(data) != "a: 1\nb: 2\n" {
		t.Errorf("read %q, %v", data, err)
	}
}
