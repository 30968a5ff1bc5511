package api_test

import (
	"testing"
	"time"
	_ "time/tzdata" // zones with summer time, wherever the tests run
)

func token() string { return "secret-token-1" }

func location(t *testing.T, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
