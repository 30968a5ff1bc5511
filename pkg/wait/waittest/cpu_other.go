//go:build !unix

package waittest

import (
	"testing"
	"time"
)

// CPUTime is not known here.
func CPUTime(*testing.B) time.Duration { return 0 }
