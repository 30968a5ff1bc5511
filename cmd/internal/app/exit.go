package app

import (
	"context"
	"errors"
	"fmt"
)

// Exit codes of every command.
const (
	ExitOK      = 0
	ExitFailed  = 1 // it failed, or found something missing
	ExitMistake = 2 // a mistake in the configuration or in the usage
)

// Mistake is an error that the person who configured or called Touchbox can mend.
type Mistake struct{ Err error }

func (m Mistake) Error() string { return m.Err.Error() }

// Unwrap gives the cause.
func (m Mistake) Unwrap() error { return m.Err }

// Mistakef formats a Mistake as fmt.Errorf does.
func Mistakef(format string, args ...any) error { return Mistake{fmt.Errorf(format, args...)} }

// ExitCode turns the error of a command into its exit code. A command that was asked to stop
// has not failed.
func ExitCode(err error) int {
	if err == nil || errors.Is(err, context.Canceled) {
		return ExitOK
	}
	if _, ok := errors.AsType[Mistake](err); ok {
		return ExitMistake
	}
	return ExitFailed
}
