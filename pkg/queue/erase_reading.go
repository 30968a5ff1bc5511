package queue

import "context"

// reading counts how far a look is.
type reading struct {
	r                  *erasure
	f                  *finds
	done, total, found int
}

// tellEvery is after how many messages a look tells how far it is.
const tellEvery = 1000

func (p *reading) begin(ctx context.Context) error {
	for _, name := range []string{eventsStream, asideStream, deadStream, retriesStream} {
		s, err := p.r.q.stream(ctx, name)
		if err != nil {
			return err
		}
		info, err := s.Info(ctx)
		if err != nil {
			return describe("look at "+name, err)
		}
		n := info.State.Msgs
		if name == eventsStream {
			n = min(n, info.State.LastSeq+1-min(info.State.LastSeq+1, p.r.from))
		}
		p.total += int(n)
	}
	p.tell()
	return nil
}

func (p *reading) next() {
	if p.done++; p.done%tellEvery == 0 {
		p.tell()
	}
}

func (p *reading) tell() {
	p.r.tell(ErasureProgress{Step: EraseLook, Done: p.done, Total: max(p.total, p.done), Found: p.found})
}
