//go:build !unix

package waittest

import (
	"testing"
	"time"
)

// CPUTime is not known here.
func CPUTime(*testing.B) time.Duration { return 0 }

// PeakMB is not known here.
func PeakMB() float64 { return 0 }
