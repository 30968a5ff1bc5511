package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/pipeline"
)

func (c *cli) sendCommand() *cobra.Command {
	var id string
	var yes bool
	cmd := c.withReveal(&cobra.Command{
		Use:   "send --link ID FILE|-|EVENT",
		Short: "Send one real request to the real Mindbox, after showing it and asking",
		Long: "Render an event over a link, show the request, ask, send it once with a transactionId of its own, and say what the answer\n" +
			"means. The event is a hook in a file, or a stored one by its key or id. A file needs no running Touchbox. Exit code 1 when\n" +
			"Mindbox did not accept it.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withSample(cmd.Context(), id, args[0], func(ctx context.Context, file *link.File, l *link.Link, e event.Event) error {
				return c.send(ctx, file, l, e, yes)
			})
		},
	})
	cmd.Flags().StringVar(&id, "link", "", "`id` of the link (required)")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	_ = cmd.MarkFlagRequired("link")
	return cmd
}

func (c *cli) send(ctx context.Context, file *link.File, l *link.Link, e event.Event, yes bool) error {
	site := file.Site(e.Key.Site)
	if site == nil {
		return app.Mistakef("%s", c.lang.Sprintf("site %s is not in %s", e.Key.Site, c.settings.Config))
	}
	if l.To.Secret.Set() && l.To.Secret.Value() == "" {
		return app.Mistakef("%s", c.lang.Sprintf("the secret of %s is empty here: set its environment variable or file", l.To.Name))
	}
	fields, err := calltouch.Parse(e, site.View())
	if err != nil {
		return fmt.Errorf("the body cannot be read: %w", err)
	}
	rendered, err := l.Render(fields)
	if err != nil {
		return err
	}
	if !c.json {
		if err := c.preview(l, fields); err != nil {
			return err
		}
	}
	if err := c.confirm(c.lang.Sprintf("Send this to %s?", l.To.URL), yes); err != nil {
		return err
	}
	client, err := pipeline.Client(l.To, "Touchbox/"+app.Version)
	if err != nil {
		return err
	}
	op := mindbox.Operation{
		Endpoint: l.To.Endpoint, Name: l.Operation, DeviceUUID: rendered.DeviceUUID, TransactionID: uuid.NewString(),
		Body: rendered.Body, Header: rendered.Header, Query: rendered.Query,
	}
	return c.printAnswer(op.TransactionID, client.Deliver(ctx, op))
}

// preview shows the request, and warns when a worker would not send it.
func (c *cli) preview(l *link.Link, fields calltouch.Fields) error {
	explanation := l.Explain(fields, c.reveal)
	if err := explanation.Print(c.out, c.lang); err != nil {
		return err
	}
	if explanation.Outcome != event.Delivered {
		c.say("A worker would not send it; this test does.")
	}
	return nil
}

// answerJSON is Mindbox's answer with what it means.
type answerJSON struct {
	TransactionID string  `json:"transaction_id"`
	Status        int     `json:"status,omitempty"`
	State         string  `json:"state,omitempty"` // the status in the body
	Message       string  `json:"message,omitempty"`
	Error         string  `json:"error,omitempty"` // why no answer came
	ErrorID       string  `json:"error_id,omitempty"`
	DurationMS    float64 `json:"duration_ms"`
	Accepted      bool    `json:"accepted"`
	Reason        string  `json:"reason"`
	Meaning       string  `json:"meaning"`
}

func (c *cli) printAnswer(transaction string, answer mindbox.Answer) error {
	verdict := mindbox.Judge(answer)
	view := answerJSON{
		TransactionID: transaction, Status: answer.Status, State: answer.State, Message: answer.Message, ErrorID: answer.ErrorID,
		DurationMS: float64(answer.Duration.Microseconds()) / 1000, Accepted: verdict.Action == mindbox.Success, Reason: string(verdict.Reason),
	}
	if answer.Err != nil {
		view.Error = answer.Err.Error()
	}
	if c.json {
		view.Meaning = meaning(verdict)
		if err := c.showJSON(view, false); err != nil {
			return err
		}
	} else {
		c.say("Answer after %s: %s", answer.Duration.Round(time.Millisecond).String(), answerLine(view))
		c.say("transactionId %s", transaction)
		_, _ = fmt.Fprintln(c.out, c.lang.Text(meaning(verdict)))
	}
	if !view.Accepted {
		return errors.New(c.lang.Text("Mindbox did not accept it"))
	}
	return nil
}

// answerLine is the answer itself, in Mindbox's words.
func answerLine(a answerJSON) string {
	if a.Error != "" {
		return admin.Printable(a.Error)
	}
	line := fmt.Sprint(a.Status)
	for _, word := range []string{a.State, a.Message, a.ErrorID} {
		if word != "" {
			line += " " + admin.Printable(word)
		}
	}
	return line
}
