package queue

import "context"

// slots bound how many messages of a source are asked for or in hand.
type slots struct{ c chan struct{} }

func newSlots(n int) *slots {
	s := &slots{c: make(chan struct{}, n)}
	s.free(n)
	return s
}

// take waits for one free slot and takes up to n that are free.
func (s *slots) take(ctx context.Context, n int) (int, error) {
	select {
	case <-s.c:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	taken := 1
	for taken < n {
		select {
		case <-s.c:
			taken++
		default:
			return taken, nil
		}
	}
	return taken, nil
}

func (s *slots) free(n int) {
	for range n {
		s.c <- struct{}{}
	}
}
