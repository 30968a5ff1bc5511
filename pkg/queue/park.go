package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

const parkKeys = "park."

// Park says why nothing is sent over a link or to an endpoint, for every worker to obey.
type Park struct {
	Scope  string        `json:"scope"` // link/<id> or endpoint/<name>
	Since  time.Time     `json:"since"`
	Reason string        `json:"reason"`
	Status int           `json:"status,omitempty"` // of the answer that parked it
	Text   string        `json:"text,omitempty"`   // of that answer, masked, digits taken out
	Next   time.Time     `json:"next"`             // when the next probe is due
	Step   time.Duration `json:"step_ns"`          // from that probe to the one after it

	Revision uint64 `json:"-"` // 0: not stored yet
}

// Parks lists what is parked.
func (q *Queue) Parks(ctx context.Context) ([]Park, error) {
	entries, err := q.State().List(ctx, parkKeys)
	if err != nil {
		return nil, err
	}
	var out []Park
	for _, e := range entries {
		p, err := readPark(e)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// PutPark writes a park over its Revision, where that is 0 where there is none, and returns it
// with the new one. ErrConflict: another worker was faster. So it is also how one of several
// workers gets the next probe: by moving Next.
func (q *Queue) PutPark(ctx context.Context, p Park) (Park, error) {
	var err error
	if p.Revision == 0 {
		p.Revision, err = q.State().Create(ctx, parkKey(p.Scope), p)
	} else {
		p.Revision, err = q.State().Update(ctx, parkKey(p.Scope), p, p.Revision)
	}
	return p, err
}

// Unpark removes a park; a missing one is no error.
func (q *Queue) Unpark(ctx context.Context, scope string) error {
	return q.State().Delete(ctx, parkKey(scope))
}

// ParkChange is a park that was set or moved or, with Gone, removed; then only its Scope is known.
type ParkChange struct {
	Park
	Gone bool
}

// WatchParks brings every park, then each change, until ctx ends and the channel closes.
func (q *Queue) WatchParks(ctx context.Context) <-chan ParkChange {
	out := make(chan ParkChange)
	go func() {
		defer close(out)
		for e := range q.State().Watch(ctx, parkKeys) {
			change := ParkChange{Gone: e.Deleted}
			p, err := readPark(e)
			if err != nil && !e.Deleted {
				q.log.Error().Str("key", e.Key).Err(err).Msg("a park in STATE cannot be read")
				continue
			}
			change.Park = p
			select {
			case out <- change:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

func readPark(e Entry) (Park, error) {
	p := Park{Scope: scopeOf(e.Key), Revision: e.Revision}
	if e.Deleted {
		return p, nil
	}
	if err := json.Unmarshal(e.Value, &p); err != nil {
		return p, fmt.Errorf("state %s: %w", e.Key, err)
	}
	return p, nil
}

// parkKey writes a scope as one word of a key: what a key cannot hold becomes "=" and two digits.
func parkKey(scope string) string {
	var b strings.Builder
	b.WriteString(parkKeys)
	for i := range len(scope) {
		if c := scope[i]; c == '/' || c != '=' && validKey(string(rune(c))) && c < 0x80 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "=%02x", c)
		}
	}
	return b.String()
}

// scopeOf is the inverse of parkKey.
func scopeOf(key string) string {
	rest := strings.TrimPrefix(key, parkKeys)
	var b strings.Builder
	for i := 0; i < len(rest); i++ {
		var c byte
		if rest[i] == '=' && i+2 < len(rest) {
			if _, err := fmt.Sscanf(rest[i+1:i+3], "%02x", &c); err == nil {
				b.WriteByte(c)
				i += 2
				continue
			}
		}
		b.WriteByte(rest[i])
	}
	return b.String()
}
