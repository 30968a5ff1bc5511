package calltouchtest

import (
	"io"
	"net/http"
	"sync"
)

// Memory is an http.RoundTripper that hands requests to a handler without a network. The answer
// is streamed as over a connection; a handler that aborts (http.ErrAbortHandler) cuts it. Nothing
// of it touches a socket, so it runs under testing/synctest.
type Memory struct {
	Handler http.Handler
}

// RoundTrip implements http.RoundTripper.
func (m Memory) RoundTrip(r *http.Request) (*http.Response, error) {
	read, write := io.Pipe()
	a := &answer{header: http.Header{}, begun: make(chan struct{}), body: write}
	go func() {
		defer func() {
			end := io.EOF
			if recover() != nil {
				end = io.ErrUnexpectedEOF
			}
			a.WriteHeader(http.StatusOK)
			write.CloseWithError(end)
		}()
		m.Handler.ServeHTTP(a, r)
	}()
	select {
	case <-a.begun:
	case <-r.Context().Done():
		read.CloseWithError(r.Context().Err())
		return nil, r.Context().Err()
	}
	return &http.Response{
		Status: http.StatusText(a.status), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.sent, Body: read, ContentLength: -1, Request: r,
	}, nil
}

// answer is the http.ResponseWriter of a Memory.
type answer struct {
	header, sent http.Header
	status       int
	once         sync.Once
	begun        chan struct{}
	body         *io.PipeWriter
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	a.once.Do(func() {
		a.status, a.sent = status, a.header.Clone()
		close(a.begun)
	})
}

func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(b)
}
