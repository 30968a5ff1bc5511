package watch

import (
	"net/url"
	"strings"

	"github.com/touchbox/touchbox/pkg/event"
)

// withPage adds to a notice where in the console a person sees more of it.
func (n Notice) withPage(console string) Notice {
	if n.Page = pageOf(console, n.Cause, n.Subject); n.Page != "" {
		n.Text += "\n" + n.Page
	}
	return n
}

// pageOf is the address of the console's page on which a person sees what an alert is about; "" where nobody says by which
// address people reach the console. It names links and sites by their ids, and nothing that came from Calltouch.
func pageOf(console string, cause Cause, subject string) string {
	if console == "" {
		return ""
	}
	return strings.TrimRight(console, "/") + pathOf(cause, subject)
}

func pathOf(cause Cause, subject string) string {
	switch cause {
	case CauseDeadLetters:
		return "/causes?link=" + url.QueryEscape(subject)
	case CauseParked:
		if id, ok := event.LinkOf(subject); ok {
			return linkPath(id)
		}
		return "/links" // an endpoint's: all links that send there
	case CauseAbandoned:
		return linkPath(subject)
	case CauseLostRetries:
		return "/retries?link=" + url.QueryEscape(subject)
	case CauseSilence, CauseUnread:
		return "/sites/" + url.PathEscape(subject)
	case CauseAside:
		return "/aside?site=" + url.QueryEscape(subject)
	case CauseDisk:
		if path := streamPaths[subject]; path != "" {
			return path
		}
		return "/health"
	case CauseQueue:
		return "/health"
	case CauseConfig:
		return "/settings"
	case CauseTest:
	}
	return "/"
}

// streamPaths are the pages on which a person makes room; that of the others says how full they are.
var streamPaths = map[string]string{"deadletters": "/causes", "aside": "/aside"}

func linkPath(id string) string { return "/links/" + url.PathEscape(id) }
