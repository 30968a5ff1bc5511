package erase_test

import (
	"testing"

	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

func TestMain(m *testing.M) { queuetest.Main(m) }
