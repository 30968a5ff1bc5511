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
	"github.com/touchbox/touchbox/pkg/show"
)

func (c *cli) sendCommand() *cobra.Command {
	var of sampleFlags
	var yes bool
	cmd := c.withReveal(&cobra.Command{
		Use:   "send [--link ID] FILE|-|EVENT",
		Short: "Send one real request to the real Mindbox, after showing it and asking",
		Long: "Render an event over a link, show the request, ask, send it once with a transactionId of its own, and say what the answer\n" +
			"means. The event is a hook in a file, or a stored one by its key or id. Without --link every link of the event's site whose\n" +
			"conditions hold sends. A file needs no running Touchbox. Exit code 1 when Mindbox did not accept it.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withSample(cmd.Context(), of, args[0], func(ctx context.Context, s sample) error { return c.sendOver(ctx, s, yes) })
		},
	})
	of.add(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

// sendOver sends a sample over its links: the one that was named, or each that a worker would send it over.
func (c *cli) sendOver(ctx context.Context, s sample, yes bool) error {
	links := s.links
	if !s.named {
		links = nil
		for _, l := range s.links {
			if l.Explain(s.fields, false).Outcome == event.Delivered {
				links = append(links, l)
			}
		}
	}
	if len(links) == 0 {
		return errors.New(c.lang.Text("no link would send it: `touchbox explain` says why, and --link sends it all the same"))
	}
	var failed error
	for _, l := range links {
		failed = errors.Join(failed, c.send(ctx, l, s, yes))
	}
	return failed
}

// send sends a sample over one link.
func (c *cli) send(ctx context.Context, l *link.Link, s sample, yes bool) error {
	if missing := l.MissingSecrets(c.lang); missing != "" {
		return app.Mistakef("%s", c.lang.Sprintf("%s has no secret here: %s", l.To.Name, missing))
	}
	rendered, err := l.Render(s.fields)
	if err != nil {
		return err
	}
	if !c.json {
		if err := c.preview(l, s.fields); err != nil {
			return err
		}
		if s.event.Sequence > 0 {
			c.say("It goes with a transactionId of its own: Mindbox executes it once more if the link has delivered it already. `touchbox replay` keeps the id.")
		}
	}
	if err := c.confirm(c.lang.Sprintf("Send this to %s?", l.To.URL), yes); err != nil {
		return err
	}
	client, err := pipeline.Client(l.To, "Touchbox/"+app.Version)
	if err == nil && s.event.Sequence > 0 { // it is a stored one: there is a Touchbox with an audit
		err = c.audit(ctx, admin.AuditEntry{Verb: admin.VerbSend, On: s.event.Key.String() + ", " + admin.LinkText(l.ID), Version: l.Version})
	}
	if err != nil {
		return err
	}
	op := mindbox.Operation{
		Endpoint: l.To.Endpoint, Name: l.Operation, DeviceUUID: rendered.DeviceUUID, TransactionID: uuid.NewString(),
		Body: rendered.Body, Header: rendered.Header, Query: rendered.Query, Concealed: rendered.Concealed,
	}
	return c.printAnswer(op.TransactionID, client.Deliver(ctx, op))
}

// preview shows the request, and warns when a worker would not send it.
func (c *cli) preview(l *link.Link, fields calltouch.Fields) error {
	explanation := l.Explain(fields, c.reveal)
	if err := explanation.PrintWhole(c.out, c.lang); err != nil {
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
		if err := c.printJSON(view); err != nil {
			return err
		}
	} else {
		c.say("Answer after %s: %s", answer.Duration.Round(time.Millisecond), answerLine(view))
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
		return show.Printable(a.Error)
	}
	line := fmt.Sprint(a.Status)
	for _, word := range []string{a.State, a.Message, a.ErrorID} {
		if word != "" {
			line += " " + show.Printable(word)
		}
	}
	return line
}

// meaning says in words what follows from an answer: what is right, or what to look at.
func meaning(v mindbox.Verdict) string {
	if text, ok := meanings()[v.Reason]; ok {
		return text
	}
	return "Mindbox did not answer as it should. A worker would try again later."
}

func meanings() map[mindbox.Reason]string {
	return map[mindbox.Reason]string{
		mindbox.ReasonAccepted:                     "Accepted: Mindbox has queued the operation and executes it within seconds. Look at the customer there.",
		mindbox.ReasonAlreadyProcessed:             "Mindbox knows this transactionId already and has not executed it again.",
		mindbox.ReasonValidation:                   "Mindbox refuses the data. Its message says which field: change the link's body.",
		mindbox.ReasonProtocol:                     "Mindbox refuses the request: the operation's name, the endpoint, or a field that the operation does not know or lacks. Its message says which.",
		mindbox.ReasonUnclear:                      "A success without a word from Mindbox: is this address really Mindbox's, and is nothing in front of it? A worker would try again later; many such answers in a row park the endpoint.",
		mindbox.ReasonUnknownState:                 "Mindbox answers with a status that nobody knows. A worker would give the event up.",
		mindbox.ReasonRedirect:                     "A redirect: `url` is not Mindbox's address, or a network wants a login first. It is not followed, so the secret goes nowhere else. A worker would try again later.",
		mindbox.ReasonForeign:                      "Something in front of Mindbox refuses: a proxy, a firewall, a guard against bots. Check `url` and this machine's way out. A worker would try again later; many such answers in a row park the endpoint.",
		mindbox.ReasonCredentials:                  "Mindbox got no secret: set `secret`, and `authorization` if the project wants the other form. A worker would park the endpoint.",
		mindbox.ReasonForbidden:                    "Mindbox refuses the secret: check it and the endpoint it belongs to. A worker would park the endpoint.",
		mindbox.ReasonNotFound:                     "Not found: check `url`. A worker would park the link.",
		mindbox.ReasonRequestTimeout:               "Mindbox gave up waiting for the request. A worker would try again.",
		mindbox.ReasonConflict:                     "Mindbox reports a conflict. A worker would give the event up.",
		mindbox.ReasonClientError:                  "Mindbox refuses the request for good. A worker would give the event up.",
		mindbox.ReasonTooMany:                      "Too many requests: Mindbox asks to come slower. A worker would slow down and try again.",
		mindbox.ReasonServerError:                  "Mindbox has a trouble of its own. A worker would try again.",
		mindbox.Reason(mindbox.FailureTimeout):     "No answer in time. Mindbox may have executed it all the same; a worker would try again with the same transactionId.",
		mindbox.Reason(mindbox.FailureName):        "The host's name does not resolve: check `url` and this machine's DNS.",
		mindbox.Reason(mindbox.FailureConnect):     "Nobody answers at this address: check `url`, the firewall, HTTPS_PROXY.",
		mindbox.Reason(mindbox.FailureTLS):         "The certificate is not trusted: a proxy in between? SSL_CERT_FILE names other authorities.",
		mindbox.Reason(mindbox.FailureConnection):  "The connection broke. A worker would try again with the same transactionId.",
		mindbox.Reason(mindbox.FailureInterrupted): "Interrupted: nobody knows whether Mindbox has executed it.",
	}
}
