package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// ErrStalled reports a server that stores nothing until it is started anew, whatever becomes of its disk.
var ErrStalled = errors.New("it stores nothing until it is restarted")

// A busy machine may not get round to a look at the server within its millisecond, so it is looked at
// again before that means anything.
const (
	readyWait = time.Second
	readyLook = 5
)

// Health reports nil, or what keeps the server from storing. It is ErrStalled when only Restart mends
// that: a stream met a write error, JetStream is off, or the server is down.
func (s *Server) Health() error {
	ns := s.current()
	if ns == nil || !ns.Running() {
		return fmt.Errorf("%w: %w", ErrDown, ErrStalled)
	}
	if !ns.ReadyForConnections(readyWait) {
		return errors.New("the embedded server takes no connections")
	}
	if !ns.JetStreamEnabled() {
		return fmt.Errorf("JetStream of the embedded server is off: %w", ErrStalled)
	}
	for _, e := range troubles(ns) {
		if e.Type == server.HealthzErrorStream && strings.Contains(e.Error, "write error") {
			return fmt.Errorf("the embedded server is unwell: %s: %w", e.Error, ErrStalled)
		}
	}
	return nil
}

// Oddities are what the server finds wrong with its store beside that, in its words: a folder that is no
// stream's, a stream that it could not read. A restart mends none of it.
func (s *Server) Oddities() []string {
	ns := s.current()
	if ns == nil {
		return nil
	}
	var out []string
	for _, e := range troubles(ns) {
		if !strings.Contains(e.Error, "write error") {
			out = append(out, e.Error)
		}
	}
	return out
}

// troubles are what the server says of itself, connections apart: those were looked at with patience.
func troubles(ns *server.Server) []server.HealthzError {
	for range readyLook {
		h := ns.Healthz(&server.HealthzOptions{Details: true})
		if len(h.Errors) != 1 || h.Errors[0].Type != server.HealthzErrorConn {
			return h.Errors
		}
		ns.ReadyForConnections(readyWait)
	}
	return nil
}

// reserved is what the streams of a store may hold together. The server counts that against its
// limit when it changes one of them, so the limit is no lower: else bounds could not be lowered.
func reserved(dir string) int64 {
	metas, _ := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", "*", "meta.inf"))
	var sum int64
	for _, path := range metas {
		var config struct {
			MaxBytes int64 `json:"max_bytes"`
		}
		data, err := os.ReadFile(path)
		if err == nil && json.Unmarshal(data, &config) == nil && config.MaxBytes > 0 {
			sum += config.MaxBytes
		}
	}
	return sum
}

// warnOfDisk warns when the disk is smaller than what JetStream may use: a full disk stops it.
func warnOfDisk(c Config) {
	free, err := freeDisk(c.Dir)
	if err != nil {
		return
	}
	used := size(c.Dir)
	if free+used < c.MaxStore {
		c.Log.Warn().Str("dir", c.Dir).Int64("free_bytes", free).Int64("used_bytes", used).Int64("max_bytes", c.MaxStore).
			Msg("the disk is smaller than the store may become: lower keep.disk or make room")
	}
}

// size is how many bytes the files below dir hold.
func size(dir string) int64 {
	var n int64
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}
