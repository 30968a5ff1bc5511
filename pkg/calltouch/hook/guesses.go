package hook

import (
	"context"
	"maps"
	"net/netip"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"
)

// Guesses is the rate limiter of the answers to wrong addresses, and tells how many there are. One
// outlives the handlers of several versions of the file. A right key is always compared and always
// taken: with keys of 16 characters a guesser gains nothing by that, and behind a proxy that nobody
// named he shares his address with Calltouch.
type Guesses struct {
	log zerolog.Logger

	slowed chan struct{}

	mu       sync.Mutex
	allowed  map[netip.Prefix]*rate.Limiter // of answers, by network
	since    map[netip.Prefix]struct{}      // the networks of this minute
	count    int                            // the wrong ones of this minute
	counting bool
}

const (
	// maxSlowed bounds the answers held back at a time, and with them what guessing can cost us.
	maxSlowed = 64
	// guessBurst and guessRate bound the answers to one network, a /24 or a /64: more than a
	// Calltouch with a wrong key in its settings asks for, and too few to keep others from theirs.
	guessBurst = 60
	guessRate  = 1 // a second
	// maxNetworks bounds the networks that are remembered.
	maxNetworks = 4096
	// guessesEvery is how often the log tells of them.
	guessesEvery = time.Minute
)

// NewGuesses makes one; log gets its lines.
func NewGuesses(log zerolog.Logger) *Guesses {
	return &Guesses{
		log: log, slowed: make(chan struct{}, maxSlowed),
		allowed: map[netip.Prefix]*rate.Limiter{}, since: map[netip.Prefix]struct{}{},
	}
}

// hold holds the answer to a wrong address back. False means that it is not worth an answer: too
// many are held back already, or this network has had its share.
func (g *Guesses) hold(ctx context.Context, from netip.Addr, penalty time.Duration) bool {
	if !g.note(networkOf(from, 24)) {
		return false
	}
	select {
	case g.slowed <- struct{}{}:
		defer func() { <-g.slowed }()
	default:
		return false
	}
	select {
	case <-time.After(penalty):
	case <-ctx.Done():
	}
	return true
}

// note counts a wrong address and reports whether its network may have an answer.
func (g *Guesses) note(network netip.Prefix) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.count++; len(g.since) < maxNetworks {
		g.since[network] = struct{}{}
	}
	if !g.counting {
		g.counting = true
		time.AfterFunc(guessesEvery, g.tell)
	}
	l := g.allowed[network]
	if l == nil {
		if len(g.allowed) >= maxNetworks {
			g.makeRoom()
		}
		l = rate.NewLimiter(guessRate, guessBurst)
		g.allowed[network] = l
	}
	return l.Allow()
}

// makeRoom forgets the networks that have been quiet for as long as it takes to forgive them, and
// all of them when none has.
func (g *Guesses) makeRoom() {
	maps.DeleteFunc(g.allowed, func(_ netip.Prefix, l *rate.Limiter) bool { return l.Tokens() >= guessBurst })
	if len(g.allowed) >= maxNetworks {
		clear(g.allowed)
	}
}

// tell says what came in the last minute. Addresses are personal data and stay out of the log.
func (g *Guesses) tell() {
	g.mu.Lock()
	count, networks := g.count, len(g.since)
	g.count, g.counting = 0, false
	clear(g.since)
	g.mu.Unlock()
	g.log.Warn().Int("requests", count).Int("networks", networks).Msgf("%d wrong keys from %d networks in the last minute", count, networks)
}
