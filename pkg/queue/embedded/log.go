package embedded

import (
	"fmt"
	"strings"

	"github.com/rs/zerolog"
)

// logger passes on what the server warns of. Its notices are about itself and fill a screen.
type logger struct {
	log   zerolog.Logger
	fatal chan string
}

// Noticef is passed on at the level debug.
func (l *logger) Noticef(format string, v ...any) { l.say(l.log.Debug(), format, v) }

// Warnf is passed on.
func (l *logger) Warnf(format string, v ...any) {
	l.say(l.log.Warn(), format, v)
}

// Errorf is passed on.
func (l *logger) Errorf(format string, v ...any) { l.say(l.log.Error(), format, v) }

// Fatalf ends the start instead of the process.
func (l *logger) Fatalf(format string, v ...any) {
	select {
	case l.fatal <- fmt.Sprintf(format, v...):
	default:
	}
}

// Debugf is never called: debugging is off.
func (l *logger) Debugf(string, ...any) {}

// Tracef is never called: tracing is off.
func (l *logger) Tracef(string, ...any) {}

func (l *logger) say(e *zerolog.Event, format string, v []any) {
	e.Str("from", "nats-server").Msg(strings.TrimSpace(fmt.Sprintf(format, v...)))
}
