package app

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
)

func TestGOGCComesFirst(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	for _, tt := range []struct {
		env  string
		want int
	}{{"50", 100}, {"", serviceGC}} { // the runtime itself has read the variable at the start
		t.Setenv("GOGC", tt.env)
		collectSeldom()
		if got := debug.SetGCPercent(100); got != tt.want {
			t.Errorf("GOGC=%s: %d, want %d", tt.env, got, tt.want)
		}
	}
}

func TestMemoryOf(t *testing.T) {
	const physical = "MemFree: 1 kB\nMemTotal:        4096 kB\n"
	tests := []struct {
		name  string
		files map[string]string
		want  int64
	}{
		{"nothing is told", nil, 0},
		{"the machine's", map[string]string{"proc/meminfo": physical}, 4 << 20},
		{"version 2", map[string]string{"proc/meminfo": physical, "proc/self/cgroup": "0::/system.slice/touchbox.service\n",
			"sys/fs/cgroup/system.slice/touchbox.service/memory.max": "1048576\n"}, 1 << 20},
		{"a group above is narrower", map[string]string{"proc/meminfo": physical, "proc/self/cgroup": "0::/a/b\n",
			"sys/fs/cgroup/a/memory.max": "524288\n", "sys/fs/cgroup/a/b/memory.max": "1048576\n"}, 512 << 10},
		{"no limit", map[string]string{"proc/meminfo": physical, "proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "max\n"}, 4 << 20},
		{"a container that sees itself as the root", map[string]string{"proc/meminfo": physical, "proc/self/cgroup": "0::/\n",
			"sys/fs/cgroup/memory.max": "1048576\n"}, 1 << 20},
		{"version 1", map[string]string{"proc/meminfo": physical, "proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/docker/abc\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "1048576\n"}, 1 << 20},
		{"version 1 without a limit", map[string]string{"proc/meminfo": physical, "proc/self/cgroup": "4:memory:/\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 4 << 20},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			for name, text := range tt.files {
				name = filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := memoryOf(root); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}
