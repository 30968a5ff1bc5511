package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/calltouch/calltouchtest"
	"github.com/touchbox/touchbox/pkg/link/keys"
	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
)

func (c *cli) simulateCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "simulate",
		Short: "Run a simulated Mindbox or Calltouch to try links on",
	}, c.simulateMindboxCommand(), c.simulateCalltouchCommand())
}

// mindboxFaults are the flags of the simulated Mindbox; they can be changed while it runs, too.
var mindboxFaults = []struct{ name, value, help string }{
	{"latency", "0s", "`pause` before every answer"},
	{"p500", "0", "`percent` of requests answered with 500"},
	{"p429", "0", "`percent` answered with 429"},
	{"retryafter", "0", "`seconds` of Retry-After in a 429; 0 leaves it out"},
	{"p400", "0", "`percent` answered with 400"},
	{"pvalidation", "0", "`percent` answered with a ValidationError in a 200"},
	{"phang", "0", "`percent` that are never answered"},
	{"hang", "30s", "`time` that the requests of --phang wait"},
	{"preset", "0", "`percent` of connections broken before anything is executed"},
	{"plost", "0", "`percent` executed whose answer is lost"},
	{"outage", "0s", "every request fails for this `time` from the start"},
}

func (c *cli) simulateMindboxCommand() *cobra.Command {
	var addr, secret string
	var operations, endpoints []string
	cmd := &cobra.Command{
		Use:   "mindbox",
		Short: "A Mindbox that remembers what it executed and fails on request",
		Long: "Takes operations at /v3/operations/async as Mindbox does, executes each transactionId once, and shows what it executed:\n\n" +
			"  curl 'http://127.0.0.1:9090/executed?callId=148071'\n  curl http://127.0.0.1:9090/stats\n  curl -X POST 'http://127.0.0.1:9090/admin?p500=10'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.serves = true
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
			server := mindboxtest.New(mindboxtest.Config{Secret: secret, Operations: operations, Endpoints: endpoints, Faults: faults})
			return c.serve(cmd.Context(), addr, server, "simulated Mindbox")
		},
	}
	cmd.Flags().StringVar(&addr, "addr", "127.0.0.1:9090", "where to listen")
	cmd.Flags().StringVar(&secret, "secret", "", "the only secret that is right (default: any)")
	cmd.Flags().StringSliceVar(&operations, "operations", nil, "the only operations that there are, `A,B`: others are refused as Mindbox does (default: any)")
	cmd.Flags().StringSliceVar(&endpoints, "endpoints", nil, "the only endpointIds that there are, `A,B` (default: any)")
	for _, f := range mindboxFaults {
		cmd.Flags().String(f.name, f.value, f.help)
	}
	return cmd
}

func (c *cli) simulateCalltouchCommand() *cobra.Command {
	var method, rateText, addr, token string
	var to, sites []string
	var count int
	var faults calltouchtest.Faults
	cmd := &cobra.Command{
		Use:   "calltouch [--to URL]",
		Short: "A Calltouch that sends hooks of invented calls and serves both APIs",
		Long: "Sends hooks of all sorts of invented calls and form requests to the webhook's address (--to), and serves the requests and\n" +
			"journal APIs (--addr) over the same calls; POST /control changes its faults while it runs. Several sites at once:\n" +
			"--site 10001,10002 --to URL1,URL2.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.serves = true
			rate, err := parseRate(rateText)
			if err != nil {
				return app.Mistake{Err: err}
			}
			switch {
			case len(to) == 0 && addr == "":
				return app.Mistakef("%s", c.lang.Sprintf("give --to URL to send hooks, --addr HOST:PORT to serve the APIs, or both"))
			case len(to) != 0 && len(to) != len(sites):
				return app.Mistakef("%s", c.lang.Sprintf("--to: want an address for each site of --site, in their order"))
			}
			var account calltouchtest.Account
			for i, site := range sites {
				account = append(account, calltouchtest.New(calltouchtest.Config{
					Site: site, Token: token, Seed: uint64(time.Now().UnixNano()), FirstID: time.Now().Unix() + int64(i)*siteIDs, Faults: faults,
				}))
			}
			return c.runCalltouch(cmd.Context(), account, addr, to, calltouchtest.Sending{Method: method, Rate: rate, Count: count})
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&to, "to", nil, "the webhook's `address`, such as http://127.0.0.1:8080/calltouch/10001/KEY; one for each site")
	flags.StringVar(&method, "method", http.MethodPost, "POST or GET")
	flags.StringVar(&rateText, "rate", "1/s", "calls and form requests a second, of each site")
	flags.IntVar(&count, "count", 0, "how many of each site (default: until stopped)")
	flags.StringVar(&addr, "addr", "", "serve the APIs, /stats and /control here")
	flags.StringSliceVar(&sites, "site", []string{"10001"}, "the cabinet's `id`, or several")
	flags.StringVar(&token, "token", "", "the only API token that is right (default: any)")
	flags.Float64Var(&faults.DropHooks, "drop", 0, "share of hooks that are never sent, 0 to 1")
	flags.Float64Var(&faults.RepeatHooks, "repeat", 0, "share of hooks sent twice, 0 to 1")
	return cmd
}

// siteIDs keeps the ids of one site's calls apart from the next one's, as Calltouch does.
const siteIDs = 10_000_000

// runCalltouch serves the APIs of an account where addr is given, and sends the hooks of each of its sites to the address of
// the same place.
func (c *cli) runCalltouch(ctx context.Context, account calltouchtest.Account, addr string, to []string, s calltouchtest.Sending) error {
	served := make(chan error, 1)
	if addr != "" {
		go func() { served <- c.serve(ctx, addr, account, "simulated Calltouch") }()
	}
	var failed atomic.Int64
	s.Seen = func(sent calltouchtest.Sent) {
		if !sent.Dropped && sent.Status != http.StatusOK {
			failed.Add(1)
		}
	}
	var sending sync.WaitGroup
	for i, address := range to {
		one := s
		one.URL = address
		sending.Go(func() { account[i].Send(ctx, one) })
	}
	sending.Wait()
	if n := failed.Load(); n > 0 {
		return fmt.Errorf("%d hooks were not answered with 200", n)
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

// parseRate reads 10/s, 30/m, 600/h or a bare number a second.
func parseRate(text string) (float64, error) {
	spelt := text
	if !strings.Contains(text, "/") {
		spelt += "/s"
	}
	rate, ok := keys.ParseRate(spelt)
	if !ok {
		return 0, fmt.Errorf("rate %q: want a number a second, such as 10/s, or with /m or /h", text)
	}
	return rate, nil
}
