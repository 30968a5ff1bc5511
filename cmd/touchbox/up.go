package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

func (c *cli) upCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "up",
		Short: "Run the whole bridge in this process: ingest, worker and the queue",
		Long: "Run ingest, worker and an embedded NATS server with its store in TOUCHBOX_DATA (./data). Everything survives restarts.\n" +
			"Other commands of this machine reach it through TOUCHBOX_DATA/nats.sock. Ctrl-C or SIGTERM stops it, after what is in hand.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if os.Getenv("NATS_URL") != "" {
				return app.Mistakef("%s", c.lang.Sprintf("NATS_URL is set, but `touchbox up` always runs its own server: unset it, or run ingest and worker"))
			}
			file, problems, err := c.settings.LoadConfig(c.lang)
			if err != nil {
				return err
			}
			for _, p := range problems.Warnings() {
				c.log.Warn().Str("problem", p.String()).Msg("configuration")
			}
			return app.RunBridge(cmd.Context(), &app.Node{
				Settings: c.settings, File: file, Log: c.log,
				Started: func(*queue.Queue) { c.tellWhatToEnter(file) },
			})
		},
	}
}

// tellWhatToEnter says what a person has to set in Calltouch. It goes to standard output, not to
// the log: it holds the key.
func (c *cli) tellWhatToEnter(file *link.File) {
	for _, site := range file.Sites {
		keys := site.Keys()
		if len(keys) == 0 {
			continue
		}
		c.say("\nSite %s (%s). Enter in Calltouch, method POST, moment \"call ended\":", site.ID, site.Name)
		c.say("  https://YOUR-HOST/calltouch/%s/%s", site.ID, keys[0])
		c.say("  this machine: http://%s/calltouch/%s/%s", localAddress(c.settings.IngestAddr), site.ID, keys[0])
		c.say("  fields to tick there: %s", strings.Join(file.Ticks(site), ", "))
	}
	c.say("\nWaiting for the first hook.")
}

// localAddress is an address as this machine can call it.
func localAddress(addr string) string {
	return strings.TrimSuffix(strings.TrimPrefix(app.HealthURL(addr), "http://"), "/healthz")
}
