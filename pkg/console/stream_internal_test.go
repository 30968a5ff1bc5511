package console

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// slowReader is an answer of somebody who takes a comment for twenty seconds.
type slowReader struct {
	http.ResponseWriter
	writing bool
}

func (s *slowReader) Write(p []byte) (int, error) {
	s.writing = true
	if p[0] == ':' {
		time.Sleep(20 * time.Second)
	}
	s.writing = false
	return len(p), nil
}

func (s *slowReader) FlushError() error { return nil }

// A stream whose minute is over ends only when nothing is written to it any more: net/http gives what is behind an answer to the next.
func TestAStreamEndsWithItsLastWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &slowReader{ResponseWriter: httptest.NewRecorder()}
		v := &visit{c: &Console{}, w: w, r: httptest.NewRequest("GET", "/live/stream", nil)}
		err := v.stream(func(ctx context.Context, _ *stream) error {
			<-ctx.Done()
			return nil
		})
		if err != nil || w.writing {
			t.Errorf("%v, still writing: %v", err, w.writing)
		}
	})
}
