package backup

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/jsm.go"
	"github.com/nats-io/jsm.go/api"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/jet"
	"github.com/touchbox/touchbox/pkg/wait"
)

// Options of a backup and of a restore.
type Options struct {
	Version  string         // of Touchbox, for the manifest
	Progress func(Progress) // told often, by one goroutine at a time; nil tells nobody
}

// Progress is how far a backup or a restore has come.
type Progress struct {
	Stream      string
	Nth, Of     int    // of the streams, from 1
	Done, Total uint64 // bytes of this stream
}

// requestTimeout bounds one request of the library to the server.
const requestTimeout = 30 * time.Second

// Save copies the queue into dir, which must not be there yet, while everything runs: only replays and `aside take` wait for the end.
// Interrupted, it leaves nothing. The errors are ErrExists, queue.ErrHeld (another backup runs),
// queue.ErrRestoring and those of the disk and the server.
func Save(ctx context.Context, q *queue.Queue, dir string, o Options) (m Manifest, err error) {
	if _, err := os.Lstat(dir); err == nil {
		return m, fmt.Errorf("%s: %w", dir, ErrExists)
	}
	if restoring, err := q.Restoring(ctx); restoring || err != nil {
		return m, cmp.Or(err, queue.ErrRestoring)
	}
	lease, err := HoldMoves(ctx, q)
	if err != nil {
		return m, err
	}
	defer lease.Release()
	partial := filepath.Clean(dir) + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return m, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(partial))
		}
	}()
	if m, err = saveAll(lease.Context(), q, partial, o); err != nil {
		return m, fmt.Errorf("backup: %w", err)
	}
	if err := os.Rename(partial, dir); err != nil {
		return m, err
	}
	return m, syncFolder(filepath.Dir(filepath.Clean(dir)))
}

func saveAll(ctx context.Context, q *queue.Queue, dir string, o Options) (Manifest, error) {
	m := Manifest{Format: format, Touchbox: o.Version, Server: q.Client().Conn().ConnectedServerVersion(), Began: time.Now().UTC()}
	manager, err := jsm.New(q.Client().Conn(), jsm.WithTimeout(requestTimeout))
	if err != nil {
		return m, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return m, err
	}
	for i, name := range queue.BackupOrder() {
		tell := o.teller(Progress{Stream: name, Nth: i + 1, Of: len(queue.BackupOrder())})
		tell(0, 0)
		var s Stream
		err := unbroken(ctx, q, func(ctx context.Context) (err error) {
			s, err = saveStream(ctx, manager, name, dir, tell)
			return err
		})
		if name == event.AuditStream && jsm.IsNatsError(err, codeNoStream) {
			continue // what runs is of a version that has none
		}
		if err != nil {
			return m, fmt.Errorf("%s: %w", name, err)
		}
		m.Streams = append(m.Streams, s)
	}
	if err := ctx.Err(); err != nil { // the lease was lost: something may have been moved back meanwhile
		return m, context.Cause(ctx)
	}
	m.Ended = time.Now().UTC()
	return m, errors.Join(m.write(dir), syncFolder(dir))
}

func saveStream(ctx context.Context, manager *jsm.Manager, name, dir string, tell func(done, total uint64)) (Stream, error) {
	stream, err := manager.LoadStream(name)
	if err != nil {
		return Stream{}, err
	}
	folder := filepath.Join(dir, name)
	_, err = stream.SnapshotToDirectory(ctx, folder, jsm.SnapshotConsumers(), jsm.SnapshotNotify(func(p jsm.SnapshotProgress) {
		tell(p.BytesReceived(), p.BytesExpected())
	}))
	if err != nil {
		return Stream{}, err
	}
	meta, err := readMeta(folder)
	if err != nil {
		return Stream{}, err
	}
	files, err := filesOf(dir, name)
	if err != nil {
		return Stream{}, err
	}
	for _, f := range files {
		if err := syncFile(filepath.Join(dir, filepath.FromSlash(f.Path))); err != nil {
			return Stream{}, err
		}
	}
	return Stream{
		Name: name, Messages: meta.State.Msgs, Bytes: meta.State.Bytes, Last: meta.State.LastSeq, Consumers: meta.State.Consumers, Files: files,
	}, syncFolder(folder)
}

// readMeta reads the configuration and the state of a stream as they were copied.
func readMeta(folder string) (api.JSApiStreamRestoreRequest, error) {
	var meta api.JSApiStreamRestoreRequest
	text, err := os.ReadFile(filepath.Join(folder, jsm.SnapshotMetaFile))
	if err == nil {
		err = json.Unmarshal(text, &meta)
	}
	return meta, err
}

// teller tells how far one stream has come. The library calls from goroutines of its own.
func (o Options) teller(p Progress) func(done, total uint64) {
	var one sync.Mutex
	return func(done, total uint64) {
		if o.Progress == nil {
			return
		}
		one.Lock()
		defer one.Unlock()
		p.Done, p.Total = done, total
		o.Progress(p)
	}
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Chmod(0o600), f.Close())
}

// syncFolder makes the names in a folder survive a power cut.
func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

const (
	leaseTTL = 30 * time.Second
	// moveGrace is how long a backup waits before its first copy: a removal that was allowed just before has ended by then.
	moveGrace = jet.RequestTimeout
)

// HoldMoves takes the lease of a backup. While it is held no event is moved back. queue.ErrHeld: another backup runs.
func HoldMoves(ctx context.Context, q *queue.Queue) (*queue.Lease, error) {
	lease, err := q.Lease(ctx, event.LeaseBackup, leaseTTL)
	if err != nil {
		return nil, err
	}
	if err := wait.Sleep(lease.Context(), moveGrace); err != nil {
		lease.Release()
		return nil, err
	}
	return lease, nil
}
