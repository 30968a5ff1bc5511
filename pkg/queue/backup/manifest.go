// Package backup copies the queue into a folder while everything runs, and from there into an empty queue: the same one, or one of
// another kind, so that a store moves from `touchbox up` to a NATS server of one's own and back.
//
// A folder holds manifest.json and, for each stream, a folder with the server's own snapshot: its messages, its consumers and how far
// they have come. What moves on during a backup is in it at least once; what had been done twice by a restore Mindbox knows by its
// transactionId.
package backup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/nats-io/jsm.go"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Errors that commands tell apart.
var (
	// ErrDamaged reports a folder that is no whole backup.
	ErrDamaged = errors.New("the backup is damaged")
	// ErrNotEmpty reports a queue into which nothing may be restored.
	ErrNotEmpty = errors.New("the queue is not empty")
	// ErrExists reports a folder that is there already.
	ErrExists = errors.New("the folder is there already")
)

const (
	format       = 1
	manifestName = "manifest.json"
)

// Manifest says what a backup holds. It is written last: a folder without one is none.
type Manifest struct {
	Format   int       `json:"format"`
	Touchbox string    `json:"touchbox"` // version that made it
	Server   string    `json:"server"`   // version of the NATS server
	Began    time.Time `json:"began"`
	Ended    time.Time `json:"ended"`
	Streams  []Stream  `json:"streams"` // in the order in which they were copied
}

// Stream is the copy of one stream.
type Stream struct {
	Name      string `json:"name"`
	Messages  uint64 `json:"messages"`
	Bytes     uint64 `json:"bytes"`
	Last      uint64 `json:"last_sequence"`
	Consumers int    `json:"consumers"`
	Files     []File `json:"files"`
}

// File is one file of a copy, below the folder of the backup.
type File struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Messages is the sum over all streams.
func (m Manifest) Messages() uint64 {
	var sum uint64
	for _, s := range m.Streams {
		sum += s.Messages
	}
	return sum
}

// order is that in which the streams were copied: without AUDIT by a version that had none.
func (m Manifest) order() []string {
	hasAudit := slices.ContainsFunc(m.Streams, func(s Stream) bool { return s.Name == event.AuditStream })
	return slices.DeleteFunc(queue.BackupOrder(), func(name string) bool { return name == event.AuditStream && !hasAudit })
}

// Check reads the manifest of a backup and compares every file with it. The error is ErrDamaged.
func Check(dir string) (Manifest, error) {
	var m Manifest
	text, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, os.ErrNotExist) {
		return m, fmt.Errorf("%w: %s has no %s", ErrDamaged, dir, manifestName)
	}
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("%w: its %s cannot be read", ErrDamaged, manifestName)
	}
	order := m.order()
	if m.Format != format || len(m.Streams) != len(order) {
		return m, fmt.Errorf("%w: its format is %d with %d streams, this version reads format %d", ErrDamaged, m.Format, len(m.Streams), format)
	}
	for i, s := range m.Streams {
		if s.Name != order[i] {
			return m, fmt.Errorf("%w: its streams are not those of Touchbox", ErrDamaged)
		}
		for _, want := range s.Files {
			have, err := fileOf(dir, filepath.Base(want.Path), s.Name)
			if err != nil || have != want {
				return m, fmt.Errorf("%w: %s is missing or not as it was written", ErrDamaged, want.Path)
			}
		}
	}
	return m, nil
}

// filesOf describes the files of a stream's copy.
func filesOf(dir, stream string) ([]File, error) {
	data, err := jsm.SnapshotDataPath(filepath.Join(dir, stream))
	if err != nil {
		return nil, err
	}
	var files []File
	for _, name := range []string{jsm.SnapshotMetaFile, filepath.Base(data)} {
		f, err := fileOf(dir, name, stream)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

func fileOf(dir, name, stream string) (File, error) {
	path := filepath.Join(stream, name)
	f, err := os.Open(filepath.Join(dir, path))
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	if err != nil {
		return File{}, err
	}
	return File{Path: filepath.ToSlash(path), Bytes: n, SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
}

// write stores the manifest on disk for good.
func (m Manifest) write(dir string) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, manifestName), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	return errors.Join(err, f.Sync(), f.Close())
}
