package app

import (
	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// newPoller makes the poller of all sites with a token.
func newPoller(q *queue.Queue, file *link.File, state calltouch.State, m *Metrics, record recordObserver, log zerolog.Logger) *calltouch.Poller {
	return calltouch.NewPoller(calltouch.PollerConfig{
		Sites: polledSites(file), Store: store{q}, State: state, Log: log,
		Observe: calltouch.Observer{
			Offered: func(key event.Key, origin event.Origin, receipt event.Receipt) {
				m.received.WithLabelValues(key.Site, string(key.Kind), string(receipt)).Inc()
				if record != nil {
					record(key, origin, receipt)
				}
			},
			Aside: func(site string, reason calltouch.Reason) { m.aside.WithLabelValues(site, string(reason)).Inc() },
			Asked: func(site, method string, err error) {
				result := "ok"
				if err != nil {
					result = "failed"
				}
				m.polls.WithLabelValues(site, method, result).Inc()
			},
			Checked: func(site string, found bool) {
				if found {
					m.missed.WithLabelValues(site, string(event.CallEnded)).Inc()
				}
			},
			Attribution: func(site string) { m.attribution.WithLabelValues(site).Inc() },
		},
	})
}

// recordObserver is told of each record that the poll or the journal offered.
type recordObserver func(event.Key, event.Origin, event.Receipt)

// polledSites are the sites as the API side reads them. One without a token is left to its hooks.
func polledSites(file *link.File) []calltouch.Polled {
	var sites []calltouch.Polled
	for _, one := range file.Sites {
		if one.Token.Set() {
			sites = append(sites, PolledSite(one))
		}
	}
	return sites
}

// PolledSite is a site as the API side reads it.
func PolledSite(one *link.Site) calltouch.Polled {
	return calltouch.Polled{
		ID: one.ID, View: one.View(), Base: one.API, Token: one.Token.Value, Attribution: one.Attribution,
		Hooks: one.Key.Set(),
		Requests: calltouch.RequestsPoll{
			FromHook: one.Requests.From == link.FromHook, Every: one.Requests.Every,
			Sweep: one.Requests.Sweep, Grace: one.Requests.Grace,
		},
		Journal: calltouch.JournalPoll{Every: one.Journal.Every, Sweep: one.Journal.Sweep, Grace: one.Journal.Grace},
	}
}
