package admin

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/show"
)

// Actor is who asks and acts. Its zero value is nobody in particular, which the audit says as "unknown".
type Actor struct {
	Name    string // of the person: of the console's people, or of the operating system's users
	Role    string // see, act or admin; "" where people have none
	By      string // ByCLI, ByConsole or ByAPI
	Address string // from where: this machine's name, or the address of a browser
	Request string // of a form that may come twice: its id; "" otherwise
}

// unknownActor is who nobody in particular is.
const unknownActor = "unknown"

// By what people act.
const (
	ByCLI     = "cli"
	ByConsole = "console"
	ByAPI     = "api"
)

// AuditEntry is one line of the audit.
type AuditEntry = queue.AuditEntry

// Verbs of the audit: what a person does.
const (
	VerbLinkStop      = "link_stop"
	VerbLinkStart     = "link_start"
	VerbLinkReset     = "link_reset"
	VerbLinkRemove    = "link_remove"
	VerbRetriesNow    = "retries_now"
	VerbRetriesCancel = "retries_cancel"
	VerbRetriesBack   = "retries_restore"
	VerbReplay        = "replay"
	VerbDrop          = "deadletters_drop"
	VerbAsideTake     = "aside_take"
	VerbBackfill      = "backfill"
	VerbErase         = "erase"
	VerbReveal        = "reveal"     // On says which event, or which list
	VerbFindPhone     = "find_phone" // On is the masked number
	VerbSend          = "send"       // one real request to Mindbox
	VerbExport        = "export"
	VerbBackup        = "backup"
	VerbRestore       = "restore"
	VerbJobStop       = "job_stop"
	VerbJobContinue   = "job_continue"
	VerbSignIn        = "sign_in"
	VerbSignOut       = "sign_out"
	VerbSessionEnd    = "session_end" // of somebody else
	VerbSignInRefused = "sign_in_refused"
	VerbRevealRefused = "reveal_refused" // of who may not see personal data
)

// ErrAuditFull reports that nothing can be done because it could not be written down.
var ErrAuditFull = errors.New("the audit is full, and what is not written down is not done: lower keep.audit or raise keep.disk, and start Touchbox again")

// Audit writes down what the Actor is about to do, or has done, and returns when it is stored. Whoever shows
// something unmasked calls it before, and shows nothing where it fails. Why is masked here; On names a link, an
// event or a selection, and no value of an event.
func (a Admin) Audit(ctx context.Context, e AuditEntry) error {
	e.Time = a.now().UTC()
	e.Who, e.Role, e.By, e.Address = a.Actor.Name, a.Actor.Role, a.Actor.By, a.Actor.Address
	if e.Who == "" {
		e.Who = unknownActor
	}
	if e.Request == "" {
		e.Request = a.Actor.Request
	}
	e.On, e.Why = show.Clip(e.On, mostAuditText), personText(e.Why)
	err := a.Queue.WriteAudit(ctx, e)
	if errors.Is(err, queue.ErrFull) {
		return fmt.Errorf("%w (%w)", ErrAuditFull, err)
	}
	return err
}

// mostAuditText is how long a text of an entry may be, in characters.
const mostAuditText = 500

// personText is what a person wrote, as it is kept: reasons may quote a phone.
func personText(s string) string { return show.Clip(show.Mask(s), mostAuditText) }

// AuditQuery selects entries of the audit. Zero fields select everything.
type AuditQuery struct {
	Since time.Time // written not before
	Until time.Time // and before
	Who   string
	Verb  string
	Limit int // at most so many, the newest; 0 means DefaultLimit

	Before uint64 // and those only that stand before this place; 0: all
}

// looks says what an entry is to the query.
func (q AuditQuery) looks(e AuditEntry) looked {
	return looked{
		place: e.Sequence, over: e.Time.Before(q.Since.Add(-clockMargin)),
		selected: !e.Time.Before(q.Since) && (q.Until.IsZero() || e.Time.Before(q.Until)) && (q.Who == "" || e.Who == q.Who),
	}
}

// AuditEntries returns the newest entries that the query selects, oldest first, and how many it selects altogether; Uncounted where
// that takes to read all.
func (a Admin) AuditEntries(ctx context.Context, q AuditQuery) (list []AuditEntry, total int, err error) {
	p, err := a.AuditPart(ctx, q)
	slices.Reverse(p.Rows)
	return p.Rows, p.Total, err
}

// AuditPart is the newest part of the entries that the query selects.
func (a Admin) AuditPart(ctx context.Context, q AuditQuery) (Part[AuditEntry], error) {
	p, err := partOf(a.Queue.AuditBack(ctx, q.Verb, q.Before), cmp.Or(q.Limit, DefaultLimit), a.mostLookedAt(), q.looks)
	if err != nil || q.Before == 0 && p.Older == 0 {
		return p, err
	}
	p.Total = Uncounted
	if q.Who == "" && q.Until.IsZero() {
		p.Total, err = a.Queue.CountAudit(ctx, q.Verb, q.Since)
	}
	return p, err
}

// inBulk writes down what is done to many things at once: before it begins, with how many it is to be, and at
// its end, with how many it was. Both have the same Request. Nothing to do is not written down.
func (a Admin) inBulk(ctx context.Context, e AuditEntry, do func() (int, error)) (int, error) {
	if e.Found == 0 {
		return do()
	}
	return a.Recorded(ctx, e, do)
}

// Recorded writes down what begins, does it, and writes down how many it was.
func (a Admin) Recorded(ctx context.Context, e AuditEntry, do func() (int, error)) (int, error) {
	if e.Request == "" && a.Actor.Request == "" {
		e.Request = strings.ToLower(rand.Text()[:8])
	}
	if err := a.Audit(ctx, e); err != nil {
		return 0, err
	}
	done, err := do()
	e.Done = done
	return done, errors.Join(err, a.Audit(context.WithoutCancel(ctx), e))
}

// begin waits for the end of a backup and writes down what begins.
func (a Admin) begin(ctx context.Context, e AuditEntry) error {
	if err := a.Queue.AwaitBackup(ctx); err != nil {
		return err
	}
	return a.Audit(ctx, e)
}

// note writes into an event's history what the Actor does to it.
func (a Admin) note(ctx context.Context, key event.Key, r queue.Record) error {
	r.By = a.Actor.Name
	return a.Queue.Note(ctx, key, r)
}

// LinkText is how the audit names a link.
func LinkText(id string) string { return "link " + id }

// FilterText says in words what a filter selects, as the audit does.
func FilterText(f Filter) string {
	var words []string
	add := func(name, value string) {
		if value != "" {
			words = append(words, name+" "+value)
		}
	}
	if f.Key != (event.Key{}) {
		add("event", f.Key.String())
	}
	add("link", f.Link)
	add("site", f.Site)
	if f.Kind != "" {
		add("kind", f.Kind.Dotted())
	}
	add("reason", f.Reason)
	if f.Status != 0 {
		add("status", fmt.Sprint(f.Status))
	}
	add("since", momentText(f.Since))
	add("until", momentText(f.Until))
	if len(words) == 0 {
		return "all"
	}
	return strings.Join(words, ", ")
}

func momentText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
