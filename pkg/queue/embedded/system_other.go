//go:build !unix

package embedded

import (
	"errors"
	"os"
)

// lockFile refuses: without a lock two processes would damage one store.
func lockFile(string) (*os.File, error) {
	return nil, errors.New("the embedded server needs a unix system: run nats-server by itself")
}

func freeDisk(string) (int64, error) { return 0, errors.ErrUnsupported }

func private(create func() error) error { return create() }
