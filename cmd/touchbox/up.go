package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/site"
)

func (c *cli) upCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "up",
		Short: "Run the whole bridge in this process: ingest, worker and the queue",
		Long: "Run ingest, worker, the web console and an embedded NATS server with its store in TOUCHBOX_DATA (./data). Everything survives restarts.\n" +
			"Other commands of this machine reach it through TOUCHBOX_DATA/nats.sock. Ctrl-C or SIGTERM stops it, after what is in hand.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.serves = true
			if os.Getenv("NATS_URL") != "" {
				return app.Mistakef("%s", c.lang.Sprintf("NATS_URL is set, but `touchbox up` always runs its own server: unset it, or run ingest and worker"))
			}
			file, problems, err := c.settings.LoadConfig(c.lang, link.Neither)
			if err != nil {
				return err
			}
			for _, p := range problems.Warnings() {
				c.log.Warn().Str("problem", p.String()).Msg("configuration")
			}
			node := &app.Node{
				Settings: c.settings, File: file, Log: c.log,
				Console: func(s app.ConsoleSource) http.Handler { return c.console(c.settings, s) },
			}
			node.Started = func(q *queue.Queue) {
				c.tellWhatToEnter(file, func(site string) bool { return heard(cmd.Context(), q, site) })
				if node.ConsoleOpen {
					c.tellConsole(cmd.Context(), q, c.settings)
				}
			}
			if err := app.RunBridge(cmd.Context(), node); err != nil {
				return err
			}
			c.log.Info().Msg("the process has stopped")
			return nil
		},
	}
}

func (c *cli) addressCommand() *cobra.Command {
	return c.withJSON(&cobra.Command{
		Use:   "address",
		Short: "Print the webhook addresses to enter in Calltouch, with their keys",
		Long: "Print for each site the address to enter in Calltouch, in full, and the fields to tick there. The address holds the site's\n" +
			"key: who knows it can send calls in your name. `touchbox up` prints it on a terminal alone, so that no log keeps it.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			file, _, err := c.settings.LoadConfigLeniently(c.lang)
			if err != nil {
				return err
			}
			addresses, err := c.addresses(file)
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(addresses)
			}
			for _, a := range addresses {
				c.sayAddress(a)
			}
			return nil
		},
	})
}

// hookAddress is what a person enters in Calltouch for one site.
type hookAddress struct {
	Site    string   `json:"site"`
	Name    string   `json:"name"`
	Address string   `json:"address"` // the host is the person's own
	Local   string   `json:"local"`   // as this machine reaches it
	Fields  []string `json:"fields"`  // to tick, all together

	Calls    *hookFields `json:"calls,omitempty"`    // the webhook of calls; nil where no link takes any
	Requests *hookFields `json:"requests,omitempty"` // the webhook of form requests
}

// hookFields is what to choose in Calltouch for the webhook of calls, or of form requests.
type hookFields struct {
	Moments []string `json:"moments"` // in Calltouch's own words
	Fields  []string `json:"fields"`  // to tick
}

// moments are Calltouch's words, which its cabinet shows in Russian alone, for when a hook is sent.
var moments = map[event.Kind]string{
	event.CallStarted: "Начало звонка", event.CallEnded: "Завершение звонка", event.Request: "Заявка",
}

// addresses lists the addresses of the sites that take webhooks. A key without a value here is a
// Mistake that names its variable or file.
func (c *cli) addresses(file *link.File) ([]hookAddress, error) {
	list := []hookAddress{}
	for _, site := range file.Sites {
		if missing := site.Key.Missing(c.lang); missing != "" {
			return nil, app.Mistakef("%s", c.lang.Sprintf("site %s has no key here: %s", site.Name, missing))
		}
		if keys := site.Keys(); len(keys) > 0 {
			list = append(list, c.addressOf(file, site, keys[0]))
		}
	}
	return list, nil
}

func (c *cli) addressOf(file *link.File, site *link.Site, key string) hookAddress {
	path := "/calltouch/" + site.ID + "/" + key
	a := hookAddress{
		Site: site.ID, Name: site.Name, Address: "https://" + c.lang.Text("YOUR-HOST") + path,
		Local: "http://" + localAddress(c.settings.IngestAddr) + path, Fields: file.Ticks(site),
	}
	a.Calls = hookFieldsOf(file, site, event.CallStarted, event.CallEnded)
	a.Requests = hookFieldsOf(file, site, event.Request)
	return a
}

// hookFieldsOf is what to choose for the webhook of the kinds that some link of the site takes.
func hookFieldsOf(file *link.File, site *link.Site, kinds ...event.Kind) *hookFields {
	var h hookFields
	for _, k := range kinds {
		if file.Takes(site, k) {
			h.Moments = append(h.Moments, moments[k])
			h.Fields = append(h.Fields, file.TicksOf(site, k)...)
		}
	}
	if len(h.Moments) == 0 {
		return nil
	}
	slices.Sort(h.Fields)
	h.Fields = slices.Compact(h.Fields)
	return &h
}

func (c *cli) sayAddress(a hookAddress) {
	c.say("\nSite %s (%s). Enter in Calltouch, method POST:", a.Site, a.Name)
	_, _ = fmt.Fprintln(c.out, "  "+a.Address)
	c.say("  this machine: %s", a.Local)
	for _, h := range []*hookFields{a.Calls, a.Requests} {
		if h != nil {
			c.say("  moment «%s», fields to tick: %s", strings.Join(h.Moments, "», «"), strings.Join(h.Fields, ", "))
		}
	}
}

// heardAmong is among how many of the newest events of all sites a hook is looked for, heardWithin how long.
const (
	heardAmong  = 10_000
	heardWithin = 5 * time.Second
)

// heard reports whether a hook of the site stands in the log.
func heard(ctx context.Context, q *queue.Queue, site string) bool {
	ctx, cancel := context.WithTimeout(ctx, heardWithin)
	defer cancel()
	for e, err := range q.Events(ctx, queue.ScanOptions{Subjects: event.SubjectsOf(site, event.Kinds...), Last: heardAmong, HeadersOnly: true}) {
		if err == nil && e.Origin == event.Webhook {
			return true
		}
	}
	return false
}

// tellWhatToEnter says what a person has to set in Calltouch, until a hook of the site was heard. The key is for a person at a
// terminal: elsewhere standard output goes into a log, which many can read.
func (c *cli) tellWhatToEnter(file *link.File, heard func(site string) bool) {
	seen := app.IsTerminal(c.out)
	hidden, waiting := false, false
	for _, site := range file.Sites {
		keys := site.Keys()
		if len(keys) == 0 {
			continue
		}
		if heard(site.ID) {
			c.say("Site %s (%s): hooks come; `touchbox address` prints the address and the fields to tick.", site.ID, site.Name)
			continue
		}
		waiting = true
		if !seen {
			keys, hidden = []string{"..."}, true
		}
		c.sayAddress(c.addressOf(file, site, keys[0]))
	}
	if hidden {
		c.say("\nThe key is left out here: `touchbox address` prints the addresses in full.")
	}
	if waiting {
		c.tellWhoReaches()
		c.say("\nWaiting for the first hook.")
	}
}

// localAddress is an address as this machine can call it.
func localAddress(addr string) string {
	return strings.TrimSuffix(strings.TrimPrefix(app.HealthURL(addr), "http://"), "/healthz")
}

// tellWhoReaches says whether Calltouch can reach this process as it stands.
func (c *cli) tellWhoReaches() {
	switch addr := c.settings.IngestAddr; {
	case app.Loopback(addr):
		c.say("\nOnly this machine reaches %s: put nginx or Caddy with a certificate in front of it, or set INGEST_ADDR and INGEST_TLS_CERT.", addr)
	case c.settings.TLSCert == "":
		c.say("\n%s is plain HTTP: let nobody but your proxy reach it, or set INGEST_TLS_CERT and INGEST_TLS_KEY.", addr)
	}
}

func (c *cli) siteScriptCommand() *cobra.Command {
	var id, address string
	var inline bool
	cmd := &cobra.Command{
		Use:   "site-script --site ID",
		Short: "Print the script that hands Mindbox's device id to Calltouch",
		Long: "Print the tag that loads the site script from ingest (--address), or, with --inline, the whole script to paste into the\n" +
			"site's pages. It must run on every page that Calltouch's script runs on.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			file, _, err := c.settings.LoadConfigLeniently(c.lang)
			if err != nil {
				return err
			}
			one := file.Site(id)
			if one == nil {
				return app.Mistakef("%s", c.lang.Sprintf("no site %q in %s", id, c.settings.Config))
			}
			config, _ := app.ScriptConfig(file, one.ID)
			if address == "" {
				address = "https://" + c.lang.Text("YOUR-HOST")
			}
			text := site.Tag(address, one.ID)
			if inline {
				text = site.Inline(config)
			}
			_, err = fmt.Fprintln(c.out, strings.TrimRight(text, "\n"))
			return err
		},
	}
	cmd.Flags().StringVar(&id, "site", "", "id or name of the site (required)")
	cmd.Flags().StringVar(&address, "address", "", "`address` of ingest as browsers see it, such as https://touchbox.example.com")
	cmd.Flags().BoolVar(&inline, "inline", false, "print the script itself between tags")
	_ = cmd.MarkFlagRequired("site")
	return cmd
}
