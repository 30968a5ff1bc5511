package app

import (
	"context"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

const (
	// untickedFirst is when the hooks are first looked at, untickedEvery how often after that.
	untickedFirst = 5 * time.Minute
	untickedEvery = 24 * time.Hour
	// enoughHooks is from how many hooks on a field that never came is called unticked.
	enoughHooks = 20
)

// warnUnticked says, once a day, which fields that links read never come in a site's hooks: such a
// field is not empty but not ticked in Calltouch, and a condition on it never holds.
func warnUnticked(ctx context.Context, q *queue.Queue, file func() *link.File, log zerolog.Logger) error {
	wait := untickedFirst
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = untickedEvery
		for _, site := range file().Sites {
			names, err := unticked(ctx, q, file(), site)
			if err == nil && len(names) > 0 {
				log.Warn().Str("site", site.ID).Strs("fields", names).
					Msg("fields that links read never came in any hook of the last days: tick them in the webhook's settings in Calltouch")
			}
		}
	}
}

// unticked lists the fields to tick that never came, though hooks that can have them did.
func unticked(ctx context.Context, q *queue.Queue, file *link.File, site *link.Site) ([]string, error) {
	uses, err := CountFields(ctx, q, site, time.Now().AddDate(0, 0, -3), func(e event.Event) bool { return e.Origin == event.Webhook })
	if err != nil {
		return nil, err
	}
	read := file.Ticks(site)
	var names []string
	for _, u := range uses {
		if u.Of >= enoughHooks && u.Came == 0 && !u.Field.Derived && slices.Contains(read, u.Field.Name) {
			names = append(names, u.Field.Name)
		}
	}
	return names, nil
}
