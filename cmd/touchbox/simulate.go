package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/calltouch/calltouchtest"
	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
)

func (c *cli) simulateCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Run a simulated Mindbox or Calltouch to try links on",
	}
	cmd.AddCommand(c.simulateMindboxCommand(), c.simulateCalltouchCommand())
	return cmd
}

// mindboxFaults are the flags of the simulated Mindbox; they can be changed while it runs, too.
var mindboxFaults = []struct{ name, value, help string }{
	{"latency", "0s", "pause before every answer"},
	{"p500", "0", "per cent of requests answered with 500"},
	{"p429", "0", "per cent answered with 429"},
	{"retryafter", "0", "seconds of Retry-After in a 429; 0 leaves it out"},
	{"p400", "0", "per cent answered with 400"},
	{"pvalidation", "0", "per cent answered with a ValidationError in a 200"},
	{"phang", "0", "per cent that are never answered"},
	{"hang", "30s", "how long those hang"},
	{"preset", "0", "per cent of connections broken before anything is executed"},
	{"plost", "0", "per cent executed whose answer is lost"},
	{"outage", "0s", "every request fails for this long from the start"},
}

func (c *cli) simulateMindboxCommand() *cobra.Command {
	var addr, secret string
	cmd := &cobra.Command{
		Use:   "mindbox",
		Short: "A Mindbox that remembers what it executed and fails on request",
		Long: "Takes operations at /v3/operations/async as Mindbox does, executes each transactionId once, and shows what it executed:\n\n" +
			"  curl 'http://127.0.0.1:9090/executed?callId=148071'\n  curl http://127.0.0.1:9090/stats\n  curl -X POST 'http://127.0.0.1:9090/admin?p500=10'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var faults mindboxtest.Faults
			values := url.Values{}
			for _, f := range mindboxFaults {
				if value := cmd.Flag(f.name).Value.String(); cmd.Flag(f.name).Changed {
					values.Set(f.name, value)
				}
			}
			if err := faults.Set(values); err != nil {
				return app.Mistake{Err: err}
			}
			server := mindboxtest.New(mindboxtest.Config{Secret: secret, Faults: faults})
			return c.serve(cmd.Context(), addr, server, "simulated Mindbox")
		},
	}
	cmd.Flags().StringVar(&addr, "addr", "127.0.0.1:9090", "where to listen")
	cmd.Flags().StringVar(&secret, "secret", "", "the only secret that is right (default: any)")
	for _, f := range mindboxFaults {
		cmd.Flags().String(f.name, f.value, f.help)
	}
	return cmd
}

func (c *cli) simulateCalltouchCommand() *cobra.Command {
	var to, method, rateText, addr, site, token string
	var count int
	var faults calltouchtest.Faults
	cmd := &cobra.Command{
		Use:   "calltouch [--to URL]",
		Short: "A Calltouch that sends hooks of invented calls and serves both APIs",
		Long: "Sends hooks of all sorts of invented calls and form requests to the webhook's address (--to), and serves the requests and\n" +
			"journal APIs (--addr) over the same calls; POST /control changes its faults while it runs.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rate, err := parseRate(rateText)
			if err != nil {
				return app.Mistake{Err: err}
			}
			if to == "" && addr == "" {
				return app.Mistakef("give --to URL to send hooks, --addr HOST:PORT to serve the APIs, or both")
			}
			cabinet := calltouchtest.New(calltouchtest.Config{Site: site, Token: token, Seed: uint64(time.Now().UnixNano()), FirstID: time.Now().Unix(), Faults: faults})
			return c.runCalltouch(cmd.Context(), cabinet, addr, calltouchtest.Sending{URL: to, Method: method, Rate: rate, Count: count})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&to, "to", "", "the webhook's address, such as http://127.0.0.1:8080/calltouch/10001/KEY")
	flags.StringVar(&method, "method", http.MethodPost, "POST or GET")
	flags.StringVar(&rateText, "rate", "1/s", "calls and form requests a second")
	flags.IntVar(&count, "count", 0, "how many (default: until stopped)")
	flags.StringVar(&addr, "addr", "", "serve the APIs, /stats and /control here")
	flags.StringVar(&site, "site", "10001", "the cabinet's id")
	flags.StringVar(&token, "token", "", "the only API token that is right (default: any)")
	flags.Float64Var(&faults.DropHooks, "drop", 0, "share of hooks that are never sent, 0 to 1")
	flags.Float64Var(&faults.RepeatHooks, "repeat", 0, "share of hooks sent twice, 0 to 1")
	return cmd
}

func (c *cli) runCalltouch(ctx context.Context, cabinet *calltouchtest.Calltouch, addr string, s calltouchtest.Sending) error {
	served := make(chan error, 1)
	if addr != "" {
		go func() { served <- c.serve(ctx, addr, cabinet, "simulated Calltouch") }()
	}
	if s.URL != "" {
		var failed atomic.Int64
		s.Seen = func(sent calltouchtest.Sent) {
			if !sent.Dropped && sent.Status != http.StatusOK {
				failed.Add(1)
			}
		}
		cabinet.Send(ctx, s)
		if n := failed.Load(); n > 0 {
			return fmt.Errorf("%d hooks were not answered with 200", n)
		}
	}
	if addr != "" {
		return <-served
	}
	return nil
}

// serve answers on addr until ctx ends.
func (c *cli) serve(ctx context.Context, addr string, handler http.Handler, name string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	c.log.Info().Str("addr", listener.Addr().String()).Msg(name)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// parseRate reads 10/s, 30/m or a bare number a second.
func parseRate(text string) (float64, error) {
	number, unit, _ := strings.Cut(text, "/")
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("rate %q: want a number a second, such as 10/s", text)
	}
	switch unit {
	case "", "s":
		return n, nil
	case "m":
		return n / 60, nil
	}
	return 0, fmt.Errorf("rate %q: use /s or /m", text)
}
