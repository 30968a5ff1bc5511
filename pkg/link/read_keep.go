package link

import (
	"fmt"
	"time"
)

func (l *loader) readKeep() {
	sub, ok := l.sub(l.root, "keep", keepSection())
	if !ok {
		return
	}
	k := Keep{
		Events:      sub.duration("events", 30*day, time.Hour),
		History:     sub.duration("history", 30*day, 0),
		DeadLetters: sub.duration("deadletters", 90*day, time.Hour),
		Disk:        l.size(sub, "disk", 10e9),
	}
	l.file.Keep = k
	for _, s := range l.file.Sites {
		if sweep := max(s.Requests.Sweep, s.Journal.Sweep); k.Events <= sweep {
			l.mistake(sub.pos("events"), "events must be kept longer than the longest sweep (%s: %s)", s.Name, days(sweep)).
				hint("else a sweep would bring back what was deleted")
		}
	}
	if k.History != 0 && k.History < k.Events {
		l.mistake(sub.pos("history"), "history must be kept at least as long as events (%s), or not at all (0d)", days(k.Events))
	}
}

// leastDisk is what the streams need to hold anything at all.
const leastDisk = 16e6

func (l *loader) size(o object, key string, def int64) int64 {
	n := o.node.get(key)
	s, ok := l.scalarText(n)
	if !ok {
		return def
	}
	size, ok := parseSize(s)
	switch {
	case !ok:
		l.mistake(n.pos, "%s is no size", s).hint("a number with its unit: 500MB, 10GB")
		return def
	case size < leastDisk:
		l.mistake(n.pos, "%s is too small: at least %s", s, "16MB")
	}
	return size
}

// days prints a span in the file's own words.
func days(d time.Duration) string {
	if d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return d.String()
}
