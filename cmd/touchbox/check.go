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

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/link"
)

func (c *cli) checkCommand() *cobra.Command {
	var diff string
	var connect bool
	cmd := c.withJSON(&cobra.Command{
		Use:   "check",
		Short: "Check touchbox.yaml: every mistake with its place",
		Long: "Check the file of TOUCHBOX_CONFIG. It needs no server. Mistakes and warnings go to standard error, each as\n" +
			"touchbox.yaml:LINE:COL: text. Exit code 0 with warnings alone, 2 with a mistake, 1 when a host does not answer.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := c.check()
			if err != nil {
				return err
			}
			if diff != "" {
				if err := c.printDiff(diff, file); err != nil {
					return err
				}
			}
			if connect {
				return c.askHosts(cmd.Context(), file)
			}
			return nil
		},
	})
	cmd.Flags().StringVar(&diff, "diff", "", "say what this file would do to links that run by the file `OLD`")
	cmd.Flags().BoolVar(&connect, "connect", false, "also ask whether the hosts of Calltouch and Mindbox answer")
	return cmd
}

// check prints all problems. The error of a file with mistakes says only how many there are.
func (c *cli) check() (*link.File, error) {
	file, problems, err := c.settings.LoadConfigLeniently(c.lang)
	if file == nil && len(problems) == 0 {
		return nil, err
	}
	if file != nil {
		problems = append(problems, file.Check(c.lang)...)
	}
	if c.json {
		if problems == nil {
			problems = link.Problems{}
		}
		if err := json.NewEncoder(c.out).Encode(problems); err != nil {
			return nil, err
		}
	} else {
		for _, p := range problems {
			_, _ = fmt.Fprintln(c.errs, p)
		}
	}
	if mistakes := len(problems.Mistakes()); mistakes > 0 {
		return nil, app.Mistakef("%s", c.lang.Sprintf("mistakes: %d, warnings: %d", mistakes, len(problems.Warnings())))
	}
	if !c.json {
		c.say("%s is right: links: %d, warnings: %d", c.settings.Config, len(file.Links), len(problems.Warnings()))
	}
	return file, nil
}

func (c *cli) printDiff(old string, file *link.File) error {
	before, _, err := link.Load(old, link.Options{Getenv: os.Getenv, Language: c.lang, Lenient: true})
	if err != nil {
		return app.Mistake{Err: err}
	}
	for _, change := range link.Diff(before, file) {
		_, _ = fmt.Fprintln(c.out, change.Text(c.lang))
	}
	return nil
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
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, base+"/", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
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
