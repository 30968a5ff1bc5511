package backup

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/nats-io/jsm.go"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// cleanUpTimeout bounds the removal of what an interrupted restore has left.
const cleanUpTimeout = 30 * time.Second

// Load restores a backup into an empty queue that nothing works on, and brings its streams to the configuration of q. Interrupted or
// failed, it leaves the queue empty, so that it can be repeated. What one has left that died half-way is removed first; until then nothing
// starts on it (queue.ErrRestoring). The errors are ErrDamaged, ErrNotEmpty and those of the server.
func Load(ctx context.Context, q *queue.Queue, dir string, o Options) (m Manifest, err error) {
	if m, err = Check(dir); err != nil {
		return m, err
	}
	manager, err := jsm.New(q.Client().Conn(), jsm.WithTimeout(requestTimeout))
	if err != nil {
		return m, err
	}
	r := restore{q, manager, dir}
	if err := r.begin(ctx); err != nil {
		return m, err
	}
	for i, s := range m.Streams {
		tell := o.teller(Progress{Stream: s.Name, Nth: i + 1, Of: len(m.Streams)})
		tell(0, 0)
		err := unbroken(ctx, q, func(ctx context.Context) error { return r.loadStream(ctx, s, tell) })
		if err != nil {
			err = fmt.Errorf("restore %s: %w", s.Name, err)
		}
		if errors.Is(err, errUnknown) {
			return m, errors.Join(err, queue.ErrRestoring) // the stream may still come: the mark stays, and the next restore removes it
		}
		if err != nil {
			return m, errors.Join(err, r.giveUp(ctx))
		}
	}
	if err := forgetHolders(ctx, q); err != nil {
		return m, err
	}
	if err := q.EndRestore(ctx); err != nil {
		return m, err
	}
	return m, q.Provision(ctx)
}

// restore is a restore that is under way.
type restore struct {
	q       *queue.Queue
	manager *jsm.Manager
	dir     string // of the backup
}

// begin makes the queue ready for the first stream: empty, and marked.
func (r restore) begin(ctx context.Context) error {
	broken, err := r.q.Restoring(ctx)
	if err != nil {
		return err
	}
	if broken { // the mark was set on an empty queue: all that is there is of the backup
		return removeAll(r.manager)
	}
	if err := makeRoom(r.manager); err != nil {
		return err
	}
	return r.q.BeginRestore(ctx)
}

// giveUp empties the queue again. What it cannot remove stays marked.
func (r restore) giveUp(ctx context.Context) error {
	if err := removeAll(r.manager); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTimeout)
	defer cancel()
	return r.q.EndRestore(ctx)
}

// makeRoom removes the streams that `up`, ingest or worker have made, when they hold nothing.
func makeRoom(manager *jsm.Manager) error {
	var empty []*jsm.Stream
	for _, name := range queue.BackupOrder() {
		stream, err := manager.LoadStream(name)
		if jsm.IsNatsError(err, codeNoStream) {
			continue
		}
		if err == nil && name != event.StateStream {
			err = isEmpty(stream)
		}
		if err != nil {
			return fmt.Errorf("look at %s: %w", name, err)
		}
		empty = append(empty, stream)
	}
	for _, stream := range empty {
		if err := removeEmpty(stream); err != nil {
			return fmt.Errorf("make room for %s: %w", stream.Name(), err)
		}
	}
	return nil
}

func isEmpty(stream *jsm.Stream) error {
	state, err := stream.State()
	if err == nil && state.Msgs > 0 {
		err = fmt.Errorf("%w: it holds %d messages", ErrNotEmpty, state.Msgs)
	}
	return err
}

// removeEmpty deletes a stream. Those that an ingest publishes to, which may be running against all advice, take nothing any more
// before the last look: what it was told is stored must not be deleted.
func removeEmpty(stream *jsm.Stream) error {
	if stream.Name() == event.StateStream || len(stream.Subjects()) != 1 {
		return stream.Delete()
	}
	config := stream.Configuration()
	deaf := config
	deaf.Subjects = []string{event.RestoringSubject + "." + stream.Name()}
	if err := stream.UpdateConfiguration(deaf); err != nil {
		return err
	}
	if err := isEmpty(stream); err != nil {
		return errors.Join(err, stream.UpdateConfiguration(config))
	}
	return stream.Delete()
}

// codeNoStream is the server's code for a stream that is not there.
const codeNoStream = 10059

// loadStream restores one stream. It is unbounded at first: what the backup holds may be more than the file allows now, and Provision
// sets the bound.
func (r restore) loadStream(ctx context.Context, s Stream, tell func(done, total uint64)) error {
	folder := filepath.Join(r.dir, s.Name)
	meta, err := readMeta(folder)
	if err != nil {
		return err
	}
	config := meta.Config
	config.Replicas, config.MaxBytes, config.Placement = r.q.Options().Replicas, -1, nil
	var total uint64
	for _, f := range s.Files {
		total += uint64(f.Bytes)
	}
	_, state, err := r.manager.RestoreSnapshotFromDirectory(ctx, s.Name, folder, jsm.RestoreConfiguration(config), jsm.RestoreNotify(func(p jsm.RestoreProgress) {
		tell(p.BytesSent(), total)
	}))
	if err != nil {
		return err
	}
	// Of the others messages vanish by age, and schedules that are due fire at once.
	whole := state.LastSeq >= s.Last && (state.Msgs == s.Messages || s.Name != queue.BackupOrder()[0])
	if !whole {
		return fmt.Errorf("%w: %d messages came back of %d", ErrDamaged, state.Msgs, s.Messages)
	}
	return nil
}

// removeAll removes every stream of the queue that is there.
func removeAll(manager *jsm.Manager) error {
	deadline := time.Now().Add(cleanUpTimeout)
	var failed error
	for _, name := range queue.BackupOrder() {
		stream, err := manager.LoadStream(name)
		if jsm.IsNatsError(err, codeNoStream) {
			continue
		}
		if err == nil && time.Now().After(deadline) {
			err = context.DeadlineExceeded
		}
		if err == nil {
			err = stream.Delete()
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("remove %s: %w", name, err))
		}
	}
	return failed
}

// forgetHolders ends every lease that STATE shows: after a restore they are those of the time of the backup.
func forgetHolders(ctx context.Context, q *queue.Queue) error {
	entries, err := q.State().List(ctx, string(event.LeaseKeys))
	for _, e := range entries {
		err = errors.Join(err, q.State().Delete(ctx, e.Key))
	}
	return err
}
