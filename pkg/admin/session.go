package admin

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Session is that a person has signed in to the console. It stands in STATE, so that it outlives the process,
// counts at every console, and can be ended.
type Session struct {
	ID     string    `json:"id"` // a short name of it, for people; it opens nothing
	Name   string    `json:"name"`
	Role   string    `json:"role"`
	Reveal bool      `json:"reveal,omitempty"`
	Listed bool      `json:"listed,omitempty"` // the person is one of the file, which says what they may; else a link has signed them in
	Began  time.Time `json:"began"`
	Seen   time.Time `json:"seen"`
}

// Bounds of a session, and of a link that begins one.
const (
	longestSession = 7 * 24 * time.Hour
	seenEvery      = time.Minute // between two notes of when a session was seen
	inviteLife     = 10 * time.Minute
)

// ErrNoSession reports a session that has ended, or a sign-in link that was used or is too old.
var ErrNoSession = errors.New("no such session")

// Invite makes a token that signs somebody in once, within ten minutes. Whoever may call it has the store anyway.
func (a Admin) Invite(ctx context.Context, s Session) (token string, err error) {
	token = rand.Text()
	_, err = a.Queue.State().PutTTL(ctx, event.InviteKeys.Of(hashOf(token)), s, inviteLife)
	return token, err
}

// Accept uses up the token of Invite. Of two at a time one alone is signed in. ErrNoSession.
func (a Admin) Accept(ctx context.Context, token string) (Session, error) {
	var s Session
	key := event.InviteKeys.Of(hashOf(token))
	revision, err := a.Queue.State().Get(ctx, key, &s)
	if err == nil {
		err = a.Queue.State().DeleteAt(ctx, key, revision)
	}
	return s, noSession(err)
}

// Open begins a session that ends when nothing is done in it for so long, and returns what the browser is to hold.
func (a Admin) Open(ctx context.Context, s Session, idle time.Duration) (token string, err error) {
	token = rand.Text() + rand.Text()
	s.ID, s.Began, s.Seen = hashOf(token)[:8], a.now().UTC(), a.now().UTC()
	_, err = a.Queue.State().PutTTL(ctx, event.SessionKeys.Of(hashOf(token)), s, idle)
	return token, err
}

// Session reads the session of what the browser holds, and lets it last on. ErrNoSession.
func (a Admin) Session(ctx context.Context, token string, idle time.Duration) (Session, error) {
	var s Session
	key := event.SessionKeys.Of(hashOf(token))
	revision, err := a.Queue.State().Get(ctx, key, &s)
	if err != nil {
		return Session{}, noSession(err)
	}
	now := a.now().UTC()
	left := s.Began.Add(longestSession).Sub(now)
	if left <= 0 || now.Sub(s.Seen) >= idle {
		return Session{}, noSession(errors.Join(queue.ErrNotFound, a.Queue.State().Expire(ctx, key)))
	}
	if now.Sub(s.Seen) < seenEvery {
		return s, nil
	}
	s.Seen = now
	_, err = a.Queue.State().UpdateTTL(ctx, key, s, revision, min(idle, left))
	if errors.Is(err, queue.ErrConflict) { // another request of it was faster, or it was ended just now: the next one sees that
		err = nil
	}
	return s, err
}

// Sessions are all that have not ended, the one that began last at the end. Session.ID names one, and opens nothing.
func (a Admin) Sessions(ctx context.Context) ([]Session, error) {
	entries, err := a.Queue.State().List(ctx, string(event.SessionKeys))
	if err != nil {
		return nil, err
	}
	list := []Session{}
	for _, e := range entries {
		var s Session
		if json.Unmarshal(e.Value, &s) == nil {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(x, y Session) int { return cmp.Or(x.Began.Compare(y.Began), cmp.Compare(x.ID, y.ID)) })
	return list, nil
}

// EndSessions ends the sessions of a person, or with an id that one of them, at every console, and returns how many it was.
func (a Admin) EndSessions(ctx context.Context, name, id string) (int, error) {
	entries, err := a.Queue.State().List(ctx, string(event.SessionKeys))
	if err != nil {
		return 0, err
	}
	entries = slices.DeleteFunc(entries, func(e queue.Entry) bool {
		var s Session
		return json.Unmarshal(e.Value, &s) != nil || s.Name != name || id != "" && s.ID != id
	})
	return a.inBulk(ctx, AuditEntry{Verb: VerbSessionEnd, On: "sessions of " + personText(name), Found: len(entries)}, func() (int, error) {
		for i, e := range entries {
			if err := a.Queue.State().Expire(ctx, e.Key); err != nil {
				return i, err
			}
		}
		return len(entries), nil
	})
}

// Close ends the session of what the browser holds.
func (a Admin) Close(ctx context.Context, token string) error {
	return a.Queue.State().Expire(ctx, event.SessionKeys.Of(hashOf(token)))
}

func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// noSession says ErrNoSession for what is not there, any more.
func noSession(err error) error {
	if errors.Is(err, queue.ErrNotFound) || errors.Is(err, queue.ErrConflict) {
		return ErrNoSession
	}
	return err
}
