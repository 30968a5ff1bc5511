package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue/erase"
)

// eraseFlags say whom to erase.
type eraseFlags struct {
	phone, email string
	yes          bool
	doubtful     bool // erase doubtful finds too
}

func (c *cli) eraseCommand() *cobra.Command {
	var f eraseFlags
	cmd := c.withJSON(&cobra.Command{
		Use:   "erase --phone NUMBER|- | --email ADDRESS|-",
		Short: "Remove all that is stored of a person, for good",
		Long: "Remove every event in which the number (in any spelling) or the address stands, whatever the field, with its retries, dead\n" +
			"letters and history, and what was set aside; then verify that nothing is left. With both flags one of the two is enough.\n" +
			"What is left of an event is its key, so that a repeated hook or the next sweep does not bring it back. A new call of the\n" +
			"person is taken as usual. What Mindbox has is not touched.\n\n" +
			"A dash instead of the number or address reads it from the terminal or standard input: then it is in no log of sudo. What\n" +
			"may be chance (the digits with words between them, anna+shop@...) is listed for a person, who decides; until then nothing\n" +
			"is called verified, and the exit code is 1.\n\n" +
			"It reads all that is stored, and asks before it removes anything. Interrupted at any moment, the same command ends it.",
		Args: cobra.NoArgs,
		RunE: c.onDesk(func(ctx context.Context, d *desk, _ []string) error { return d.erase(ctx, f) }),
	})
	cmd.Flags().StringVar(&f.phone, "phone", "", "the person's `number`, in any spelling; - reads it")
	cmd.Flags().StringVar(&f.email, "email", "", "the person's e-mail `address`; - reads it")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&f.doubtful, "include-doubtful", false, "erase doubtful finds too")
	return cmd
}

// erasedJSON is what --json prints, also as a document of what was destroyed: it names nobody.
type erasedJSON struct {
	Time     time.Time    `json:"time"` // of the end
	Found    erase.Traces `json:"found"`
	Erased   erase.Traces `json:"erased"`
	Doubtful []string     `json:"doubtful,omitempty"` // left: keys of events, aside/SITE/TIME of what was set aside
	Verified bool         `json:"verified"`           // a last look has found nothing, nothing doubtful either
}

func (d *desk) erase(ctx context.Context, f eraseFlags) error {
	p, err := d.readPerson(f)
	if err != nil {
		return err
	}
	s := &search{person: p, takesDoubtful: f.doubtful, left: map[string]bool{}}
	e := erase.Whom{Match: s.match, Progress: d.eraseBar()}
	found, err := d.admin.FindPerson(ctx, e)
	if err != nil {
		return err
	}
	if len(s.left) > 0 && d.wantsDoubtful(s, f) {
		s.takesDoubtful, s.left = true, map[string]bool{}
		if found, err = d.admin.FindPerson(ctx, e); err != nil {
			return err
		}
	}
	if found.None() {
		return d.printErased(erasedJSON{Doubtful: s.leftKeys()})
	}
	if found.Sum() > 0 {
		if err := d.confirm(d.lang.Sprintf("Erase for good? %s.", d.traces(found)), f.yes); err != nil {
			return err
		}
	}
	gone, err := d.admin.Erase(ctx, e)
	if errors.Is(err, context.Canceled) {
		return errors.New(d.lang.Sprintf("stopped after %s; the same command ends it", d.traces(gone)))
	}
	if err != nil {
		return err
	}
	return d.printErased(erasedJSON{Found: found, Erased: gone, Doubtful: s.leftKeys()})
}

// search looks for a person in all that is stored, and remembers what is doubtful.
type search struct {
	person        admin.Person
	takesDoubtful bool // what is doubtful is erased too
	mu            sync.Mutex
	left          map[string]bool // what is doubtful and is not erased
}

func (s *search) match(e event.Event) bool {
	trace := s.person.In(e)
	if trace == admin.Doubtful && !s.takesDoubtful {
		place := e.Key.String()
		if e.Key.ID == "" {
			place = "aside/" + e.Key.Site + "/" + e.Received.UTC().Format(time.RFC3339)
		}
		s.mu.Lock()
		s.left[place] = true
		s.mu.Unlock()
	}
	return trace == admin.Certain || trace == admin.Doubtful && s.takesDoubtful
}

// leftKeys name what was left, in order.
func (s *search) leftKeys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.left))
}

// wantsDoubtful lists what is doubtful and asks whether to erase it too, where somebody can be asked.
func (d *desk) wantsDoubtful(s *search, f eraseFlags) bool {
	if f.yes || !d.canAsk() {
		return false
	}
	d.listDoubtful(s.leftKeys())
	return d.ask(d.lang.Text("Erase what is doubtful too?")) == nil
}

// listDoubtful names what a person has to look at.
func (d *desk) listDoubtful(finds []string) {
	_, _ = fmt.Fprintln(d.errs, d.lang.Sprintf("doubtful, because it may be chance: %d; look with `touchbox event KEY --reveal` or `touchbox aside show --reveal`:", len(finds)))
	const most = 100
	for _, one := range finds[:min(len(finds), most)] {
		_, _ = fmt.Fprintln(d.errs, "  "+one)
	}
}

// readPerson reads the flags.
func (d *desk) readPerson(f eraseFlags) (admin.Person, error) {
	if f.phone == "" && f.email == "" {
		return admin.Person{}, app.Mistakef("%s", d.lang.Sprintf("say whom: --phone, --email or both"))
	}
	number := ""
	if f.phone != "" {
		var err error
		if number, err = d.readPhone(f.phone); err != nil {
			return admin.Person{}, err
		}
	}
	email := d.flagOrLine(f.email, d.lang.Text("E-mail address:"))
	name, domain, _ := strings.Cut(strings.TrimSpace(email), "@")
	if f.email != "" && (name == "" || !strings.Contains(domain, ".")) {
		return admin.Person{}, app.Mistakef("%s", d.lang.Sprintf("--email: that is no address"))
	}
	return admin.NewPerson(number, email, d.admin.Codes()), nil
}

// readPhone reads the number of --phone.
func (d *desk) readPhone(text string) (string, error) {
	number := d.admin.Number(d.flagOrLine(text, d.lang.Text("Phone number:")))
	if number == "" {
		return "", app.Mistakef("%s", d.lang.Sprintf("--phone: that is no number that can be called"))
	}
	return number, nil
}

// traces writes the counts of all streams.
func (d *desk) traces(t erase.Traces) string {
	return d.lang.Sprintf("events: %d, set aside: %d, retries: %d, dead letters: %d, records of history: %d",
		t.Events, t.Aside, t.Retries, t.DeadLetters, t.History)
}

func (d *desk) printErased(r erasedJSON) error {
	r.Verified = len(r.Doubtful) == 0
	if d.json {
		r.Time = time.Now().UTC()
		if err := d.printJSON(r); err != nil {
			return err
		}
		return d.undecided(r)
	}
	if r.Found.None() {
		if r.Verified {
			d.say("nothing of this person is stored")
		}
		return d.undecided(r)
	}
	d.say("erased: %s", d.traces(r.Erased))
	if r.Verified {
		d.say("verified: nothing is left. What Mindbox and Calltouch have is theirs to erase")
	}
	return d.undecided(r)
}

// undecided is the error that something doubtful was left.
func (d *desk) undecided(r erasedJSON) error {
	if r.Verified {
		return nil
	}
	d.listDoubtful(r.Doubtful)
	return errors.New(d.lang.Sprintf("not verified: what is doubtful was left; the same command with --include-doubtful erases it too"))
}

// eraseBar draws the progress on a terminal, a bar for each step; elsewhere it stays silent.
func (d *desk) eraseBar() func(erase.Progress) {
	bar := d.newProgress(countsItems)
	if bar == nil {
		return nil
	}
	steps := map[erase.Step]string{
		erase.Look:   d.lang.Text("reading what is stored"),
		erase.Remove: d.lang.Text("removing"),
		erase.Wait:   d.lang.Text("waiting for what was in hand"),
	}
	return func(p erase.Progress) {
		text := steps[p.Step]
		if p.Step == erase.Look && p.Found > 0 {
			text = fmt.Sprintf("%s (%d)", text, p.Found)
		}
		bar.show(p.Step, text, p.Done, p.Total)
	}
}
