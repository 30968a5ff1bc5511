package app

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
)

// A part that does not end is left behind when its time is over, counted from the signal; one that ends
// has its own say.
func TestStopClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, signal := context.WithCancel(t.Context())
		clock := newStopClock(ctx)
		time.AfterFunc(time.Hour, signal)
		began, hang := time.Now(), make(chan struct{})
		err := clock.within(partsWithin, "a part", func() error { <-hang; return nil })
		if took := time.Since(began) - time.Hour; err == nil || took != partsWithin {
			t.Errorf("ended %s after the signal: %v", took, err)
		}
		err = clock.within(processWithin, "the rest", func() error { <-hang; return nil })
		if took := time.Since(began) - time.Hour; err == nil || took != processWithin || took >= 25*time.Second {
			t.Errorf("all ended %s after the signal: %v", took, err)
		}
		close(hang)
		mistake := errors.New("mistake")
		if err := clock.within(partsWithin, "a part", func() error { return mistake }); !errors.Is(err, mistake) && err == nil {
			t.Errorf("got %v", err)
		}
	})
}

// hostile signs: escape, C1, delete, direction, nothing to see, and a line of its own.
const hostile = "\x1b[2J\u009b31m\x7f\u202e\u200b\u2028\nowned"

func TestLogDrivesNoTerminal(t *testing.T) {
	for _, format := range []string{"json", "console"} {
		t.Run(format, func(t *testing.T) {
			t.Setenv("NO_COLOR", "1") // colours are the log's own
			var out bytes.Buffer
			log := Settings{LogLevel: "debug", LogFormat: format}.NewLog(&out)
			log.Info().Str("field", "Анна "+hostile).Err(errors.New(hostile)).Msg("Звонок " + hostile)
			text := out.String()
			if strings.Count(text, "\n") != 1 || !strings.Contains(text, "Анна") || !strings.Contains(text, "Звонок") || !strings.Contains(text, `\u202e`) {
				t.Errorf("got %q", text)
			}
			for _, r := range strings.TrimSuffix(text, "\n") {
				if !unicode.IsPrint(r) {
					t.Errorf("%U is in the log", r)
				}
			}
		})
	}
}
