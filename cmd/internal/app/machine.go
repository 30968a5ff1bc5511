package app

import (
	"bufio"
	"bytes"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/rs/zerolog"
)

// limitMemory asks Go to stay below nine tenths of what this process may use: of its cgroup's
// limit, or else of the machine's memory. Then it collects garbage sooner rather than being killed
// by the system. GOMEMLIMIT comes first.
func limitMemory(log zerolog.Logger) {
	if debug.SetMemoryLimit(-1) != math.MaxInt64 {
		return
	}
	limit := memoryOf("/")
	if limit <= 0 {
		return
	}
	limit = limit / 10 * 9
	debug.SetMemoryLimit(limit)
	log.Debug().Int64("bytes", limit).Msg("memory limit")
}

// serviceGC is the GOGC of ingest and of the worker: with it the heap grows to three times what lives before garbage is collected, and not
// to twice. An event leaves garbage and nothing else; measured, a tenth of the CPU for 15 MB. limitMemory holds all the same.
const serviceGC = 200

// collectSeldom sets serviceGC, unless GOGC says otherwise.
func collectSeldom() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(serviceGC)
	}
}

// memoryOf is the memory that this process may use, in bytes, as the files below root tell; 0 when
// they do not, as where the system is no Linux.
func memoryOf(root string) int64 {
	least := meminfo(path.Join(root, "proc/meminfo"))
	groups, err := os.ReadFile(path.Join(root, "proc/self/cgroup"))
	if err != nil {
		return least
	}
	for line := range strings.Lines(string(groups)) {
		number, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, _ := strings.Cut(rest, ":")
		folder, file := "sys/fs/cgroup", "memory.max"
		switch {
		case number == "0" && controllers == "":
		case strings.Contains(","+controllers+",", ",memory,"):
			folder, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		if limit := cgroupLimit(path.Join(root, folder), group, file); limit > 0 && (least == 0 || limit < least) {
			least = limit
		}
	}
	return least
}

// cgroupLimit is the least limit of a group and of those above it; 0 when none is set. A container
// may see its own group as the root of the tree although its path says otherwise.
func cgroupLimit(tree, group, file string) int64 {
	var least int64
	for at := path.Clean("/" + group); ; at = path.Dir(at) {
		text, err := os.ReadFile(path.Join(tree, at, file))
		if limit, parseErr := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64); err == nil && parseErr == nil && limit > 0 && (least == 0 || limit < least) {
			least = limit
		}
		if at == "/" {
			return least
		}
	}
}

// meminfo is the machine's memory in bytes.
func meminfo(name string) int64 {
	f, err := os.Open(name)
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if words := strings.Fields(lines.Text()); len(words) > 1 && words[0] == "MemTotal:" {
			kilobytes, _ := strconv.ParseInt(words[1], 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}

// space is what a disk has, in bytes.
type space struct{ free, all uint64 }

// enoughFree is with how much free space a restart is worth trying on a disk of a usual size; on a
// small one a tenth of it is enough.
const enoughFree = 64 << 20

func (s space) roomy() bool { return s.free >= min(enoughFree, s.all/10) }

// DiskSpace is what this user can still write below dir, and how large its disk is, in bytes; false
// when nobody says.
func DiskSpace(dir string) (free, all uint64, known bool) {
	s, known := spaceOf(dir)
	return s.free, s.all, known
}

// FolderSize is how many bytes the files below dir hold.
func FolderSize(dir string) uint64 {
	var n uint64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				n += uint64(info.Size())
			}
		}
		return nil
	})
	return n
}
