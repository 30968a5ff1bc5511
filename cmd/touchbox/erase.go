package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/phone"
	"github.com/touchbox/touchbox/pkg/queue"
)

// eraseFlags say whom to erase.
type eraseFlags struct {
	phone, email string
	yes          bool
}

func (c *cli) eraseCommand() *cobra.Command {
	var f eraseFlags
	cmd := c.withJSON(&cobra.Command{
		Use:   "erase --phone NUMBER | --email ADDRESS",
		Short: "Remove all that is stored of a person, for good",
		Long: "Remove every event in which the number (in any spelling) or the address stands, whatever the field, with its retries, dead\n" +
			"letters and history, and what was set aside; then verify that nothing is left. With both flags one of the two is enough.\n" +
			"What is left of an event is its key, so that a repeated hook or the next sweep does not bring it back. A new call of the\n" +
			"person is taken as usual. What Mindbox has is not touched.\n\n" +
			"It reads all that is stored, and asks before it removes anything. Interrupted at any moment, the same command ends it.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withDesk(cmd, func(ctx context.Context, d *desk) error { return d.erase(ctx, f) })
		},
	})
	cmd.Flags().StringVar(&f.phone, "phone", "", "the person's `number`, in any spelling")
	cmd.Flags().StringVar(&f.email, "email", "", "the person's e-mail `address`")
	cmd.Flags().BoolVar(&f.yes, "yes", false, "do not ask")
	return cmd
}

// erasedJSON is what --json prints, also as a document of what was destroyed: it names nobody.
type erasedJSON struct {
	Time     time.Time    `json:"time"` // of the end
	Found    queue.Traces `json:"found"`
	Erased   queue.Traces `json:"erased"`
	Verified bool         `json:"verified"` // a last look has found nothing
}

func (d *desk) erase(ctx context.Context, f eraseFlags) error {
	p, err := d.person(f)
	if err != nil {
		return err
	}
	e := queue.Erasure{Match: p.in, Progress: d.eraseBar()}
	found, err := d.FindPerson(ctx, e)
	if err != nil {
		return err
	}
	if found.None() {
		return d.printErased(erasedJSON{Verified: true})
	}
	if found.Sum() > 0 {
		if err := d.confirm(d.lang.Sprintf("Erase for good? %s.", d.traces(found)), f.yes); err != nil {
			return err
		}
	}
	gone, err := d.Erase(ctx, e)
	if errors.Is(err, context.Canceled) {
		return errors.New(d.lang.Sprintf("stopped after %s; the same command ends it", d.traces(gone)))
	}
	if err != nil {
		return err
	}
	return d.printErased(erasedJSON{Found: found, Erased: gone, Verified: true})
}

// person reads the flags.
func (d *desk) person(f eraseFlags) (person, error) {
	if f.phone == "" && f.email == "" {
		return person{}, app.Mistakef("%s", d.lang.Sprintf("say whom: --phone, --email or both"))
	}
	codes := []string{}
	for _, site := range d.File.Sites {
		if site.TenDigits != "" {
			codes = append(codes, site.TenDigits)
		}
	}
	number := ""
	if f.phone != "" {
		number = phone.Normalize(f.phone, phone.Options{TenDigits: append(codes, "7")[0]})
		if number == "" {
			return person{}, app.Mistakef("%s", d.lang.Sprintf("--phone: that is no number that can be called"))
		}
	}
	name, domain, _ := strings.Cut(strings.TrimSpace(f.email), "@")
	if f.email != "" && (name == "" || !strings.Contains(domain, ".")) {
		return person{}, app.Mistakef("%s", d.lang.Sprintf("--email: that is no address"))
	}
	return newPerson(number, f.email, codes), nil
}

// traces writes the counts of all streams.
func (d *desk) traces(t queue.Traces) string {
	return d.lang.Sprintf("events: %d, set aside: %d, retries: %d, dead letters: %d, records of history: %d",
		t.Events, t.Aside, t.Retries, t.DeadLetters, t.History)
}

func (d *desk) printErased(r erasedJSON) error {
	if d.json {
		r.Time = time.Now().UTC()
		return d.showJSON(r, false)
	}
	if r.Found.None() {
		d.say("nothing of this person is stored")
		return nil
	}
	d.say("erased: %s", d.traces(r.Erased))
	d.say("verified: nothing is left. What Mindbox and Calltouch have is theirs to erase")
	return nil
}

// eraseBar draws the progress on a terminal, a bar for each step; elsewhere it stays silent.
func (d *desk) eraseBar() func(queue.ErasureProgress) {
	if !app.IsTerminal(d.errs) {
		return nil
	}
	steps := map[queue.ErasureStep]string{
		queue.EraseLook:   d.lang.Text("reading what is stored"),
		queue.EraseRemove: d.lang.Text("removing"),
		queue.EraseWait:   d.lang.Text("waiting for what was in hand"),
	}
	var bar *progressbar.ProgressBar
	var at queue.ErasureStep
	return func(p queue.ErasureProgress) {
		if bar == nil || p.Step != at {
			if bar != nil {
				_ = bar.Clear()
			}
			bar = progressbar.NewOptions(max(1, p.Total), progressbar.OptionSetWriter(d.errs), progressbar.OptionShowCount(),
				progressbar.OptionClearOnFinish(), progressbar.OptionSetElapsedTime(false))
			at = p.Step
		}
		text := steps[p.Step]
		if p.Step == queue.EraseLook && p.Found > 0 {
			text = fmt.Sprintf("%s (%d)", text, p.Found)
		}
		bar.Describe(text)
		bar.ChangeMax(max(1, p.Total))
		_ = bar.Set(min(p.Done, max(1, p.Total)))
	}
}
