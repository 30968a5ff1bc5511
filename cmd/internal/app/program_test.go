package app

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/touchbox/touchbox/pkg/lang"
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
		if err := newStopClock(t.Context()).within(partsWithin, "a part", func() error { return mistake }); !errors.Is(err, mistake) {
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
			log := Settings{LogLevel: "debug", LogFormat: format}.NewLog(&out, lang.English)
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

// Who sits at a terminal reads Russian; what a machine reads stays as it is.
func TestLogIsInThePersonsLanguage(t *testing.T) {
	t.Setenv("NO_COLOR", "1")
	for format, want := range map[string][]string{
		"console": {"консоль открыта", "не прошло условия связки", "link=calls", "не открыть /x: нет такого файла или папки"},
		"json":    {`"message":"console open"`, `"message":"filtered: the link's conditions do not hold"`, `"link":"calls"`, `"error":"open /x: no such file or directory"`},
	} {
		var out bytes.Buffer
		log := Settings{LogLevel: "debug", LogFormat: format}.NewLog(&out, lang.Russian)
		log.Info().Msg("console open")
		log.Info().Str("link", "calls").Err(&os.PathError{Op: "open", Path: "/x", Err: syscall.ENOENT}).Msg("filtered: the link's conditions do not hold")
		for _, text := range want {
			if !strings.Contains(out.String(), text) {
				t.Errorf("%s: no %s in %s", format, text, out.String())
			}
		}
	}
}
