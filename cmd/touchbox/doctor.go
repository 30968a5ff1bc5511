package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/cmd/internal/doctor"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/show"
)

func (c *cli) doctorCommand() *cobra.Command {
	var address string
	cmd := c.withJSON(&cobra.Command{
		Use:   "doctor",
		Short: "Look at the whole installation: what is not right, and what to do about it",
		Long: "Look at the file, the modes of private files, the disk, the clocks, the hosts of Calltouch and Mindbox, the token, the key,\n" +
			"the address that Calltouch calls, the queue, its links, and what waits in it. Nothing is changed or stored: Calltouch is asked\n" +
			"once for today's requests, Mindbox once for an operation that does not exist. Run it where Touchbox runs, with its user and\n" +
			"environment. Exit code 1 with a finding, 2 with a mistake in the file.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.examine(cmd.Context(), address) },
	})
	cmd.Flags().StringVar(&address, "address", "", "the `address` that Calltouch calls, as https://HOST")
	return cmd
}

// examined is what --json prints.
type examined struct {
	Findings int             `json:"findings"`
	Checks   []doctor.Result `json:"checks"`
}

func (c *cli) examine(ctx context.Context, address string) error {
	file, problems, err := c.settings.LoadConfigLeniently(c.lang)
	if err != nil {
		return err
	}
	result := examined{Checks: []doctor.Result{}}
	d := &doctor.Doctor{
		Settings: c.settings, File: file, Problems: append(problems, file.Check(c.lang)...), Address: address,
		Lang: c.lang, Log: c.log.Level(zerolog.WarnLevel), Tell: c.tellResult,
	}
	if c.json {
		d.Lang = lang.English
		d.Tell = func(r doctor.Result) { result.Checks = append(result.Checks, r) }
	} else if app.IsTerminal(c.screen) {
		d.Slow = func(what string) { _, _ = fmt.Fprintf(c.errs, "      %s ...\n", what) }
	}
	result.Findings = d.Run(ctx)
	if c.json {
		if err := c.printJSON(result); err != nil {
			return err
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case result.Findings > 0:
		return errors.New(c.lang.Sprintf("findings: %d", result.Findings))
	}
	if !c.json {
		c.say("Nothing is wrong as far as can be seen from here.")
	}
	return nil
}

// tellResult prints one result: what to do stands below a finding.
func (c *cli) tellResult(r doctor.Result) {
	mark := map[doctor.State]string{doctor.OK: "ok", doctor.Finding: "!!", doctor.Skipped: "--"}[r.State]
	line := fmt.Sprintf("%-4s  %-12s ", mark, c.lang.Text(r.Check))
	if r.Subject != "" {
		line += r.Subject + ": "
	}
	_, _ = fmt.Fprintln(c.out, show.Printable(line+r.Text))
	if r.Advice != "" {
		_, _ = fmt.Fprintln(c.out, show.Printable("      -> "+r.Advice))
	}
}

func (c *cli) alertsCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "alerts",
		Short: "Try the address that is called when a person is needed",
	}, c.withJSON(&cobra.Command{
		Use:   "test",
		Short: "Send one test message to ALERT_URL and say what came back",
		Long: "Send one message with the cause \"test\" to ALERT_URL, as an alert would be sent, and say what came back.\n" +
			"Exit code 1 when it was not taken: no answer, a redirect, or any status but 2xx.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.testAlert(cmd.Context()) },
	}))
}

// alertTest is what --json prints.
type alertTest struct {
	Sent   bool   `json:"sent"`
	Status int    `json:"status,omitempty"` // of the answer; absent without one
	Took   int64  `json:"took_ms"`
	Error  string `json:"error,omitempty"`
}

func (c *cli) testAlert(ctx context.Context) error {
	if c.settings.AlertURL == "" {
		return app.Mistakef("%s", c.lang.Sprintf("ALERT_URL is not set: nobody is called, set it to a messenger's webhook"))
	}
	began := time.Now()
	status, err := c.settings.TestAlert(ctx, c.lang)
	took := time.Since(began).Round(time.Millisecond)
	if c.json {
		result := alertTest{Sent: err == nil, Status: status, Took: took.Milliseconds()}
		if err != nil {
			result.Error = err.Error()
		}
		if printed := json.NewEncoder(c.out).Encode(result); printed != nil {
			return printed
		}
	}
	if err != nil {
		return c.notTaken(status, err)
	}
	if !c.json {
		c.say("sent, answered %d in %s", status, took)
	}
	return nil
}

// notTaken says to a person why ALERT_URL took nothing.
func (c *cli) notTaken(status int, err error) error {
	switch {
	case status >= 300 && status < 400:
		return errors.New(c.lang.Sprintf("ALERT_URL answered %d: it has moved, and redirects are not followed; set it to where it is now", status))
	case status != 0:
		return errors.New(c.lang.Sprintf("ALERT_URL answered %d: it took nothing", status))
	default:
		return errors.New(c.lang.Sprintf("ALERT_URL: %s", err))
	}
}
