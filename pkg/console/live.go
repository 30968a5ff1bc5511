package console

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
)

// liveView is the page of the live tail: the newest events, before the stream goes on with them.
type liveView struct{ Rows []eventRow }

// newestLive is how many rows the page of the live tail begins with.
const newestLive = 50

func (v *visit) live() error {
	rows, _, err := v.admin.Events(v.ctx(), admin.EventQuery{Limit: newestLive})
	if err != nil {
		return err
	}
	view := liveView{}
	if view.Rows, err = v.eventRows(rows); err != nil {
		return err
	}
	v.show(page{Name: "live", Title: v.lang.Text("Live"), Group: "/live", View: view})
	return nil
}

// Bounds of streams: browsers open few connections to one host, so a stream ends by itself and is asked for anew; a
// comment keeps proxies from ending it before.
const (
	streamFor     = time.Minute
	streamBeats   = 15 * time.Second
	mostStreams   = 32
	mostOfOne     = 4
	streamAgainMS = 1000
	streamFullMS  = 5000 // where there is no place
)

// streams counts those that are open.
type streams struct {
	mu   sync.Mutex
	open map[string]int // by session
	all  int
}

// enter takes a place for a stream; false where there is none.
func (s *streams) enter(session string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= mostStreams || s.open[session] >= mostOfOne {
		return false
	}
	if s.open == nil {
		s.open = map[string]int{}
	}
	s.open[session]++
	s.all++
	return true
}

func (s *streams) leave(session string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.open[session]--; s.open[session] == 0 {
		delete(s.open, session)
	}
}

// liveStream sends each new event as a row of the table, and again when its outcome changes.
func (v *visit) liveStream() error {
	return v.stream(func(ctx context.Context, out *stream) error {
		return v.admin.Follow(ctx, admin.EventQuery{}, func(row admin.Row) error { return v.sendRow(out, row) })
	})
}

// stream answers with what send sends, for a while.
func (v *visit) stream(send func(context.Context, *stream) error) error {
	h := v.w.Header()
	v.streams = true
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	out := &stream{w: v.w, flush: http.NewResponseController(v.w)}
	if !v.c.streams.enter(v.who.ID) {
		// No status says that to a page: the script is told of an answer alone, and asks again for what ends.
		_ = out.write(fmt.Sprintf("retry: %d\n\n", streamFullMS))
		_ = out.send("full", v.lang.Sprintf("Nothing new comes to this page: you have %d open already that follow what comes. Close one of them, and it goes on here by itself.", mostOfOne))
		return nil
	}
	defer v.c.streams.leave(v.who.ID)
	ctx, cancel := context.WithTimeout(v.r.Context(), streamFor)
	defer cancel()
	if out.write(fmt.Sprintf("retry: %d\n\n", streamAgainMS)) != nil || out.send("on", "1") != nil {
		return nil // the browser went away
	}
	var beats sync.WaitGroup
	beats.Go(func() { out.beat(ctx, cancel) })
	defer func() { // whatever is written after the end goes into the answer of somebody else
		cancel()
		beats.Wait()
	}()
	if err := send(ctx, out); err != nil && ctx.Err() == nil && !out.broken {
		v.c.Log.Warn().Err(err).Str("path", v.r.Pattern).Msg("console: a stream ended")
	}
	return nil
}

// sendRow sends an event as the row of the table that it is.
func (v *visit) sendRow(out *stream, row admin.Row) error {
	text, err := v.eventRowText(v.eventRow(row))
	if err != nil {
		return err
	}
	return out.send("row", text)
}

// answerWriteFor is how long a part of an answer may take to be taken: who asks and does not read holds a place, and what the queue reads for it.
const answerWriteFor = 10 * time.Second

// takenWithin bounds how long what is written from now on may take to be taken; 0: as long as it takes.
func takenWithin(w *http.ResponseController, within time.Duration) {
	end := time.Time{}
	if within > 0 {
		end = time.Now().Add(within)
	}
	_ = w.SetWriteDeadline(end) // of a recorder in a test: none
}

// stream writes to one browser.
type stream struct {
	mu     sync.Mutex
	w      http.ResponseWriter
	flush  *http.ResponseController
	broken bool
}

func (s *stream) write(text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	takenWithin(s.flush, answerWriteFor)
	defer takenWithin(s.flush, 0) // HTTP/2 ends a stream whose time is over, whether something is being written or not
	_, err := s.w.Write([]byte(text))
	if err == nil {
		err = s.flush.Flush()
	}
	s.broken = s.broken || err != nil
	return err
}

// send sends an event of the stream.
func (s *stream) send(name, data string) error {
	return s.write("event: " + name + "\ndata: " + strings.ReplaceAll(strings.TrimSpace(data), "\n", "\ndata: ") + "\n\n")
}

// beat sends a comment now and then, and ends the stream where nobody takes it.
func (s *stream) beat(ctx context.Context, end context.CancelFunc) {
	ticker := time.NewTicker(streamBeats)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if s.write(": on\n\n") != nil {
				end()
				return
			}
		}
	}
}
