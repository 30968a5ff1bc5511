package app

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/queue/embedded"
)

// sick is an embedded server as a healer sees it.
type sick struct {
	began    time.Time
	health   func(at time.Duration) error
	restarts []time.Duration
}

func (s *sick) Health() error      { return s.health(time.Since(s.began)) }
func (s *sick) Oddities() []string { return []string{"a folder that is no stream's"} }
func (s *sick) Restart() error     { s.restarts = append(s.restarts, time.Since(s.began)); return nil }

func TestHealerRestartsOnlyWhatARestartMends(t *testing.T) {
	t.Parallel()
	wedged := fmt.Errorf("write error: %w", embedded.ErrStalled)
	for _, tt := range []struct {
		name   string
		full   bool
		health func(at time.Duration) error
		least  int
		most   int
	}{
		{"well", false, func(time.Duration) error { return nil }, 0, 0},
		{"one bad look", false, func(at time.Duration) error {
			if at == 10*time.Second {
				return wedged
			}
			return nil
		}, 0, 0},
		{"a busy machine", false, func(at time.Duration) error {
			if int(at.Seconds())%10 < 4 { // two looks of five
				return wedged
			}
			return nil
		}, 0, 0},
		{"what a restart does not mend", false, func(time.Duration) error { return errors.New("takes no connections") }, 0, 0},
		{"wedged until it is restarted", false, nil, 1, 1},
		{"wedged for ever", false, func(time.Duration) error { return wedged }, 10, 20},
		{"a full disk", true, func(time.Duration) error { return wedged }, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &sick{began: time.Now(), health: tt.health}
				if s.health == nil {
					s.health = func(time.Duration) error {
						if len(s.restarts) == 0 {
							return wedged
						}
						return nil
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				_ = (&healer{server: s, room: func() bool { return !tt.full }, log: zerolog.Nop()}).run(ctx)
				if n := len(s.restarts); n < tt.least || n > tt.most {
					t.Errorf("restarted %d times within an hour: %v", n, s.restarts)
				}
			})
		})
	}
}
