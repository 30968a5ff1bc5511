package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/streams"
	"github.com/touchbox/touchbox/pkg/wait"
)

// A backup copies the streams one after the other, in the order in which an event goes through them, so that what moves on meanwhile
// is in one copy at least. What moves an event back, from DEADLETTERS to RETRIES or from ASIDE to EVENTS, takes it out of where it
// was only when no backup runs: replays, `aside take`, and the hook of a form request that waited for its record.

// holdLook is the time between two looks whether a backup still runs.
const holdLook = 500 * time.Millisecond

// BackupOrder lists the streams in the order in which they are copied.
func BackupOrder() []string {
	return []string{event.EventsStream, event.RetriesStream, event.DeadLettersStream, event.HistoryStream, event.AsideStream, event.AuditStream, event.StateStream}
}

// ErrRestoring is that of a queue that holds only a part of a backup.
var ErrRestoring = streams.ErrRestoring

// MovesHeld reports whether a backup runs, so that nothing may be moved back.
func (q *Queue) MovesHeld(ctx context.Context) (bool, error) { return q.Leased(ctx, event.LeaseBackup) }

// AwaitBackup returns when no backup runs: at once as a rule. The error is that of ctx, or of STATE.
func (q *Queue) AwaitBackup(ctx context.Context) error {
	for {
		h, err := holderOf(ctx, q, event.LeaseBackup)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if q.alarms.due("backup") {
			q.log.Warn().Str("by", h.Name).Time("since", h.Since).Msg("a backup runs: what would move events back waits for its end")
		}
		if err := wait.Sleep(ctx, holdLook); err != nil {
			return fmt.Errorf("waiting for the end of a backup: %w", err)
		}
	}
}
