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

// ErrAstray reports a server whose store no longer lies where it was opened. It goes on with the files that it has open,
// which nobody finds again once it ends, so neither it nor a restart may be trusted with anything new: what was stored
// before is still read and delivered from there.
var ErrAstray = errors.New("what it stores now is lost when it ends")

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
	if err := s.astray(ns); err != nil {
		return err
	}
	for _, e := range troubles(ns) {
		if e.Type == server.HealthzErrorStream && strings.Contains(e.Error, "write error") {
			return fmt.Errorf("the embedded server is unwell: %s: %w", e.Error, ErrStalled)
		}
	}
	return nil
}

// home is where a stream's folder lay when it was seen first.
type home struct {
	folder  fs.FileInfo
	created time.Time // of the stream: one of the same name that was made anew has a folder of its own
}

// astray reports a stream whose folder was deleted, moved or replaced behind the server's back, as by `rm -rf`, by a volume
// that was unmounted, or by something that tidies /tmp. The server itself notices nothing: its files are open.
func (s *Server) astray(ns *server.Server) error {
	s.looks.Lock()
	defer s.looks.Unlock()
	if s.settled() {
		return nil // the server is asked only when something has changed
	}
	account, err := ns.JszAccount(&server.JSzOptions{Account: server.DEFAULT_GLOBAL_ACCOUNT, Streams: true})
	if err != nil {
		return nil // JetStream is being set up
	}
	homes := map[string]home{}
	for _, stream := range account.Streams {
		path := filepath.Join(s.streams(), stream.Name)
		folder, err := os.Stat(path)
		known, seen := s.homes[path]
		seen = seen && known.created.Equal(stream.Created)
		switch {
		case seen && (errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(known.folder, folder) && isOther(path, stream.Created)):
			return fmt.Errorf("the store's folder %s was deleted, moved or replaced: %w", path, ErrAstray)
		case err == nil:
			homes[path] = home{folder, stream.Created}
		case seen:
			homes[path] = known // that it cannot be looked at says nothing of where it is
		}
	}
	s.homes = homes
	return nil
}

// isOther reports whether a folder is not that of the stream that was made at a time. That it has another number than before does
// not tell: some file systems, as an overlay of two disks or one over a network, give a folder a new one now and then.
func isOther(folder string, created time.Time) bool {
	data, err := os.ReadFile(filepath.Join(folder, server.JetStreamMetaFile))
	if err != nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	var stream struct{ Created time.Time }
	return json.Unmarshal(data, &stream) == nil && !stream.Created.Equal(created)
}

// settled reports whether each stream's folder is where it was, and no other one beside them.
func (s *Server) settled() bool {
	entries, err := os.ReadDir(s.streams())
	if err != nil || len(entries) != len(s.homes) {
		return false
	}
	for path, home := range s.homes {
		if folder, err := os.Stat(path); err != nil || !os.SameFile(home.folder, folder) {
			return false
		}
	}
	return true
}

// streams is the folder that holds a folder for each stream.
func (s *Server) streams() string {
	return filepath.Join(s.c.Dir, server.JetStreamStoreDir, server.DEFAULT_GLOBAL_ACCOUNT, "streams")
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
