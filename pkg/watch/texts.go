package watch

import (
	"fmt"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// The sentences of the alerts name their subject as a person knows it. Nothing that came from
// Calltouch or Mindbox stands in them.

// linkName is a link as the file calls it: its title, where it has one, and its id.
func linkName(file *link.File, id string) string {
	if l := file.Link(id); l != nil && l.Title != "" {
		return fmt.Sprintf("%s (%s)", l.Title, id)
	}
	return id
}

// siteName is a site as the file calls it.
func siteName(file *link.File, id string) string {
	if s := file.Site(id); s != nil {
		return fmt.Sprintf("%s (%s)", s.Name, id)
	}
	return id
}

// bareSiteName is a site's name alone, or its id where the file has no such site.
func bareSiteName(file *link.File, id string) string {
	if s := file.Site(id); s != nil {
		return s.Name
	}
	return id
}

// CauseWord says a cause in words: English, with a Russian twin.
func CauseWord(c Cause) string {
	words := map[Cause]string{
		CauseParked: "paused: waiting for Mindbox", CauseDeadLetters: "not delivered", CauseDisk: "the disk was full", CauseSilence: "nothing comes", CauseAside: "much is set aside",
		CauseAbandoned: "lost", CauseLostRetries: "retries were lost", CauseUnread: "days that Calltouch does not list", CauseQueue: "the queue is unwell",
		CauseConfig: "the changed file is refused", CauseTest: "a test",
	}
	if word, ok := words[c]; ok {
		return word
	}
	return string(c)
}

// deadLettersText says how many there are and why the oldest one is. Mindbox's own words may name a person: they stay here.
func (a *Alerts) deadLettersText(id string, n int, oldest []queue.DeadLetter) string {
	why := queue.ReasonDamaged
	for _, d := range oldest {
		if why = d.Reason; d.Status != 0 {
			why = fmt.Sprintf("%s %d", d.Reason, d.Status)
		}
	}
	return a.lang.Sprintf("link %s: not delivered: %d, the oldest because of %s; see `touchbox deadletters --link %s`.", linkName(a.file(), id), n, why, id)
}

func (a *Alerts) noDeadLettersText(id string) string {
	return a.lang.Sprintf("link %s has no dead letters any more.", linkName(a.file(), id))
}

func (a *Alerts) silenceText(site string, silent time.Duration) string {
	return a.lang.Sprintf("nothing has come from site %s for %s, longer than is usual for it: look at its webhook in Calltouch.", siteName(a.file(), site), a.hours(silent))
}

func (a *Alerts) heardText(site string) string {
	return a.lang.Sprintf("events of site %s come again.", siteName(a.file(), site))
}

// parkedText is for the scope of a park: link/<id> or endpoint/<name>.
func (a *Alerts) parkedText(scope string) string {
	if id, ok := event.LinkOf(scope); ok {
		return a.lang.Sprintf("link %s is parked, nothing is sent over it and nothing is lost: see `touchbox links`.", linkName(a.file(), id))
	}
	return a.lang.Sprintf("Mindbox %s is parked, nothing is sent there and nothing is lost: see `touchbox links`.", endpointOf(scope))
}

func (a *Alerts) goesOnText(scope string) string {
	if id, ok := event.LinkOf(scope); ok {
		return a.lang.Sprintf("link %s goes on.", linkName(a.file(), id))
	}
	return a.lang.Sprintf("Mindbox %s is sent to again.", endpointOf(scope))
}

func (a *Alerts) queueAwayText(host string) string {
	return a.lang.Sprintf("events cannot be stored on %s, and hooks are answered 503: see the queue, its disk, and /readyz.", host)
}

func (a *Alerts) queueText(host string) string {
	return a.lang.Sprintf("events are stored again on %s.", host)
}

func (a *Alerts) configText() string {
	return a.lang.Text("the changed touchbox.yaml is refused, the one before stays in force until a restart: see `touchbox check`.")
}

func (a *Alerts) configRightText() string {
	return a.lang.Text("touchbox.yaml is in force again.")
}

// goneText is for the id of a link or a site, or for the scope of a park.
func (a *Alerts) goneText(subject string) string {
	if id, ok := event.LinkOf(subject); ok {
		subject = id
	} else if name, ok := event.EndpointOf(subject); ok {
		subject = name
	}
	return a.lang.Sprintf("%s is not in touchbox.yaml any more: nobody looks after it.", subject)
}

func (a *Alerts) fullText(s queue.StreamSize) string {
	return a.lang.Sprintf("the stream %s fills %.0f %% of its %s: %s.", s.Stream, 100*s.Share(), a.gigabytes(s.Limit), a.fullAdvice(s.Stream))
}

func (a *Alerts) fullAdvice(stream string) string {
	switch stream {
	case queue.StreamEvents:
		return a.lang.Text("what is done is deleted before its time; what a stopped or parked link has not read stays until the bound, see `touchbox links`, or raise keep.disk")
	case "history":
		return a.lang.Text("events are deleted before their time to make way for it; raise keep.disk")
	case "deadletters":
		return a.lang.Text("when it is full, events stay where they are: replay or drop dead letters, see `touchbox deadletters`")
	case queue.StreamAudit:
		return a.lang.Text("when it is full, nobody can change anything or see anything unmasked: lower keep.audit, or raise keep.disk")
	default:
		return a.lang.Text("its oldest go when it is full, see `touchbox aside`")
	}
}

func (a *Alerts) roomText(stream string) string {
	return a.lang.Sprintf("the stream %s has room again.", stream)
}

func (a *Alerts) abandonedText(id string, events int) string {
	return a.lang.Sprintf("the disk is full: link %s has lost its %d oldest unread events and loses more: start it or remove it (`touchbox links`), or raise keep.disk.", linkName(a.file(), id), events)
}

func (a *Alerts) keptText(id string) string {
	return a.lang.Sprintf("link %s loses no more events.", linkName(a.file(), id))
}

func (a *Alerts) lostText(id string, events int) string {
	return a.lang.Sprintf("%d events wait for link %s and nothing holds them any more: `touchbox retries --restore` puts them back.", events, linkName(a.file(), id))
}

func (a *Alerts) notLostText(id string) string {
	return a.lang.Sprintf("nothing that waits for link %s is lost any more.", linkName(a.file(), id))
}

func (a *Alerts) asideText(site *link.Site, asides, received uint64) string {
	return a.lang.Sprintf("%d of the %d last hooks and records of site %s were set aside: see `touchbox aside`.", asides, received, siteName(a.file(), site.ID))
}

func (a *Alerts) notAsideText(site *link.Site) string {
	return a.lang.Sprintf("what comes from site %s is stored again.", siteName(a.file(), site.ID))
}

func (a *Alerts) unreadText(site string, days int) string {
	return a.lang.Sprintf("Calltouch's API has not listed %d of the days of site %s for an hour: see the log; what only it knows of them is missing.", days, bareSiteName(a.file(), site))
}

func (a *Alerts) readText(site string) string {
	return a.lang.Sprintf("Calltouch lists the days of site %s again.", bareSiteName(a.file(), site))
}

func (a *Alerts) gigabytes(n int64) string {
	if n < 1e9 {
		return a.lang.Sprintf("%.0f MB", float64(n)/1e6)
	}
	return a.lang.Sprintf("%.1f GB", float64(n)/1e9)
}

func (a *Alerts) hours(d time.Duration) string { return a.lang.Sprintf("%.0f h", d.Hours()) }
