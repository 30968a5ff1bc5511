package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/web"
)

func (c *cli) checkCommand() *cobra.Command {
	var diff string
	var connect bool
	cmd := c.withJSON(&cobra.Command{
		Use:   "check",
		Short: "Check touchbox.yaml: every mistake with its place",
		Long: "Check the file of TOUCHBOX_CONFIG. It needs no server. Mistakes and warnings go to standard error, each as\n" +
			"touchbox.yaml:LINE:COL: text. Exit code 0 with warnings alone, 2 with a mistake, 1 when a host does not answer.",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 1 && diff != runningLinks:
				return app.Mistakef("%s", c.lang.Sprintf("check takes no argument but the file after --diff; the file to check is TOUCHBOX_CONFIG"))
			case len(args) == 1:
				diff = args[0]
			}
			file, problems, err := c.check()
			if file == nil {
				return errors.Join(err, c.printChecked(checked{Problems: problems}))
			}
			result := checked{Problems: problems}
			if diff != "" {
				if result.Changes, err = c.changes(cmd.Context(), diff, file); err != nil {
					return err
				}
				c.printChanges(result.Changes)
			}
			if err := c.printChecked(result); err != nil {
				return err
			}
			if connect {
				return c.askHosts(cmd.Context(), file)
			}
			return nil
		},
	})
	cmd.Flags().StringVar(&diff, "diff", "", "say what this file would do to the links of the running Touchbox, or, with --diff `OLD`, to links that run by that file")
	cmd.Flags().Lookup("diff").NoOptDefVal = runningLinks
	cmd.Flags().BoolVar(&connect, "connect", false, "also ask whether the hosts of Calltouch and Mindbox answer")
	return cmd
}

// checked is what --json prints.
type checked struct {
	Problems link.Problems `json:"problems"`
	Changes  []link.Change `json:"changes,omitempty"`
}

func (c *cli) printChecked(r checked) error {
	if !c.json {
		return nil
	}
	if r.Problems == nil {
		r.Problems = link.Problems{}
	}
	return json.NewEncoder(c.out).Encode(r)
}

// check prints all problems. There is no file when it has mistakes; the error then says only how
// many there are.
func (c *cli) check() (*link.File, link.Problems, error) {
	file, problems, err := c.settings.LoadConfigLeniently(c.lang)
	if file == nil && len(problems) == 0 {
		return nil, nil, err
	}
	if file != nil {
		problems = append(problems, file.Check(c.lang)...)
	}
	if !c.json {
		for _, p := range problems {
			_, _ = fmt.Fprintln(c.errs, p)
		}
	}
	if mistakes := len(problems.Mistakes()); mistakes > 0 {
		return nil, problems, app.Mistakef("%s", c.lang.Sprintf("mistakes: %d, warnings: %d", mistakes, len(problems.Warnings())))
	}
	if !c.json {
		c.say("%s is right: links: %d, warnings: %d", c.settings.Config, len(file.Links), len(problems.Warnings()))
	}
	return file, problems, nil
}

// runningLinks is the value of --diff without a file.
const runningLinks = "running"

func (c *cli) printChanges(changes []link.Change) {
	if c.json {
		return
	}
	for _, change := range changes {
		_, _ = fmt.Fprintln(c.out, change.Text(c.lang))
	}
	if len(changes) == 0 {
		c.say("Nothing changes for the links.")
	}
}

func (c *cli) changes(ctx context.Context, old string, file *link.File) ([]link.Change, error) {
	if old == runningLinks {
		q, err := c.settings.OpenForCommand(ctx, file, c.log.Level(zerolog.WarnLevel))
		if err != nil {
			return nil, err
		}
		defer q.Close()
		return admin.Admin{Queue: q, File: file}.Changes(ctx)
	}
	before, _, err := link.Load(old, link.Options{Getenv: os.Getenv, Language: c.lang, Lenient: true})
	if err != nil {
		return nil, app.Mistake{Err: err}
	}
	return link.Diff(before, file), nil
}

// askHosts opens a connection to each host that the file names, and for HTTPS a TLS one. It sends
// no event and no secret.
func (c *cli) askHosts(ctx context.Context, file *link.File) error {
	hosts := map[string]bool{}
	for _, d := range file.Destinations {
		hosts[d.URL] = true
	}
	for _, s := range file.Sites {
		if s.Token.Set() {
			hosts[s.API] = true
		}
	}
	var failed error
	for host := range hosts {
		if err := askHost(ctx, host); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", host, err))
			continue
		}
		c.say("%s answers", host)
	}
	return failed
}

// askHost accepts any HTTP answer: the base address of an API says 404 as a rule.
func askHost(ctx context.Context, base string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, base+"/", nil)
	if err != nil {
		return err
	}
	answer, err := web.Client(10 * time.Second).Do(request)
	if err != nil {
		if inner, ok := errors.AsType[*url.Error](err); ok {
			err = inner.Err
		}
		if dns, ok := errors.AsType[*net.DNSError](err); ok {
			return fmt.Errorf("no such host: %s", dns.Name)
		}
		return err
	}
	return answer.Body.Close()
}
