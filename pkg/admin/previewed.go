package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
)

// Previewed is a replay of which somebody was told what it would do, before it is asked for.
type Previewed struct {
	Work  Work      `json:"work"`
	Found int       `json:"found"` // so many items it was said to have
	Until time.Time `json:"until"` // it can be asked for before this
}

// previewLife is how long a preview counts: what it told of changes.
const previewLife = 10 * time.Minute

// Errors of a replay that was previewed.
var (
	// ErrNoPreview reports a hash of no preview: there was none, it is too old, or its replay was asked for already.
	ErrNoPreview = errors.New("no such preview: it is older than ten minutes, or its replay was asked for already; ask for a new one")
	// ErrGrown reports that there are by more than a tenth more than the preview told of.
	ErrGrown = errors.New("there are by more than a tenth more than the preview told of: ask for a new one")
)

// KeepPreview remembers, for ten minutes and for every console, what a preview told of, and returns the hash by which its
// replay is asked for.
func (a Admin) KeepPreview(ctx context.Context, w Work, found int) (hash string, p Previewed, err error) {
	p = Previewed{Work: w, Found: found, Until: a.now().UTC().Add(previewLife)}
	text, err := json.Marshal(p)
	if err != nil {
		return "", p, err
	}
	sum := sha256.Sum256(text)
	hash = hex.EncodeToString(sum[:16])
	_, err = a.Queue.State().PutTTL(ctx, event.PreviewKeys.Of(hash), p, previewLife)
	return hash, p, err
}

// PreviewOf is what a preview told of. ErrNoPreview.
func (a Admin) PreviewOf(ctx context.Context, hash string) (Previewed, error) {
	p, _, err := a.preview(ctx, hash)
	return p, err
}

func (a Admin) preview(ctx context.Context, hash string) (p Previewed, revision uint64, err error) {
	if raw, err := hex.DecodeString(hash); err != nil || len(raw) == 0 {
		return p, 0, ErrNoPreview
	}
	revision, err = a.Queue.State().Get(ctx, event.PreviewKeys.Of(hash), &p)
	if err != nil || !a.now().Before(p.Until) {
		return p, 0, noPreview(err)
	}
	return p, revision, nil
}

// AskPreviewed asks for the replay of which a preview told, once. ErrNoPreview, ErrGrown.
func (a Admin) AskPreviewed(ctx context.Context, hash string, rate float64, why string) (Job, error) {
	p, revision, err := a.preview(ctx, hash)
	if err != nil {
		return Job{}, err
	}
	if err := a.notGrown(ctx, p); err != nil {
		return Job{}, err
	}
	if err := a.Queue.State().DeleteAt(ctx, event.PreviewKeys.Of(hash), revision); err != nil {
		return Job{}, noPreview(err)
	}
	p.Work.Rate = rate
	return a.AskJob(ctx, JobReplay, p.Work, why)
}

// notGrown counts again what a preview told of.
func (a Admin) notGrown(ctx context.Context, p Previewed) error {
	n, err := a.CountWork(ctx, JobReplay, p.Work)
	if err == nil && Grown(n, p.Found) {
		err = ErrGrown
	}
	return err
}

// Grown reports whether there are by more than a tenth more than somebody was told.
func Grown(now, told int) bool { return now > told+told/10 }

// noPreview says ErrNoPreview for what is not there, any more.
func noPreview(err error) error {
	if err == nil || errors.Is(err, queue.ErrNotFound) || errors.Is(err, queue.ErrConflict) {
		return ErrNoPreview
	}
	return err
}
