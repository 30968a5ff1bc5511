package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aymanbagabas/go-udiff"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/queue"
)

// LinkVersion is one version of a link: one that ran, or the file's.
type LinkVersion struct {
	Version string     `json:"version"`
	TakenUp *time.Time `json:"taken_up,omitempty"` // when a worker took it up the last time
	First   *time.Time `json:"first,omitempty"`    // when it first decided, as far as the history reaches
	Last    *time.Time `json:"last,omitempty"`     // and the last time
	Records int        `json:"records"`            // what it decided: outcomes and attempts
	Kept    bool       `json:"kept"`               // its text can still be read
	Runs    bool       `json:"runs"`               // of all versions of the link a worker took it up last
	InFile  bool       `json:"in_file"`

	document json.RawMessage
}

// Document is the version's text, as link.Link.Document says; nil where it is not kept.
func (v LinkVersion) Document() []byte { return v.document }

// ErrManyVersions reports the beginning of a hash that more than one version has.
var ErrManyVersions = errors.New("more than one version begins so")

// LinkVersions lists the versions of a link, the one that decided or was taken up last at the end. It reads the whole
// history. ErrNoLink.
func (a Admin) LinkVersions(ctx context.Context, id string) ([]LinkVersion, error) {
	versions, err := a.keptVersions(ctx, id)
	if err != nil {
		return nil, err
	}
	for r, err := range a.Queue.ScanRecords(ctx, queue.RecordScan{Told: a.scanning(event.HistoryStream)}) {
		if err != nil {
			return nil, err
		}
		if r.Link == id && r.Version != "" && r.Outcome != "" {
			versions = counted(versions, r.Record)
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(versions) == 0 {
		return nil, noLink(id)
	}
	slices.SortStableFunc(versions, func(x, y LinkVersion) int { return x.at().Compare(y.at()) })
	return versions, nil
}

// keptVersions are the versions of a link whose text is at hand: in STATE, and in the file. No id: of all links.
func (a Admin) keptVersions(ctx context.Context, id string) ([]LinkVersion, error) {
	entries, err := a.Queue.State().List(ctx, string(event.VersionKeys))
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(x, y queue.Entry) int { return cmp.Compare(x.Revision, y.Revision) })
	var versions []LinkVersion
	for _, e := range entries {
		if id == "" || linkIn(e.Value) == id {
			versions = append(versions, LinkVersion{Version: event.VersionKeys.Name(e.Key), TakenUp: &e.Stored, Kept: true, document: e.Value})
		}
	}
	if n := len(versions); n > 0 && id != "" {
		versions[n-1].Runs = true
	}
	for _, l := range a.File.Links {
		if id != "" && l.ID != id {
			continue
		}
		i := slices.IndexFunc(versions, func(v LinkVersion) bool { return v.Version == l.Version })
		if i < 0 {
			i = len(versions)
			versions = append(versions, LinkVersion{Version: l.Version, Kept: true, document: l.Document()})
		}
		versions[i].InFile = true
	}
	return versions, nil
}

// linkIn is the id of the link that a document is of.
func linkIn(document []byte) string {
	var file struct {
		Links []struct {
			ID string `json:"id"`
		} `json:"links"`
	}
	if json.Unmarshal(document, &file) != nil || len(file.Links) == 0 {
		return ""
	}
	return file.Links[0].ID
}

// counted counts a record of the version that decided it.
func counted(versions []LinkVersion, r queue.Record) []LinkVersion {
	i := slices.IndexFunc(versions, func(v LinkVersion) bool { return v.Version == r.Version })
	if i < 0 { // retention has removed its text
		i = len(versions)
		versions = append(versions, LinkVersion{Version: r.Version})
	}
	v := &versions[i]
	v.Records++
	if v.First == nil || r.Time.Before(*v.First) {
		v.First = &r.Time
	}
	if v.Last == nil || r.Time.After(*v.Last) {
		v.Last = &r.Time
	}
	return versions
}

// at is the last moment that is known of a version; one that has not run yet comes last.
func (v LinkVersion) at() time.Time {
	switch {
	case v.Last != nil:
		return *v.Last
	case v.TakenUp != nil:
		return *v.TakenUp
	}
	return time.Unix(1<<40, 0)
}

// Version finds a version of a link by the beginning of its hash; no id: of any link. queue.ErrNotFound,
// ErrManyVersions.
func (a Admin) Version(ctx context.Context, id, hash string) (LinkVersion, error) {
	versions, err := a.keptVersions(ctx, id)
	if err != nil {
		return LinkVersion{}, err
	}
	versions = slices.DeleteFunc(versions, func(v LinkVersion) bool { return !strings.HasPrefix(v.Version, hash) })
	switch {
	case hash == "" || len(versions) == 0:
		return LinkVersion{}, fmt.Errorf("version %q: %w", hash, queue.ErrNotFound)
	case len(versions) > 1:
		return LinkVersion{}, fmt.Errorf("version %q: %w", hash, ErrManyVersions)
	}
	return versions[0], nil
}

// File is the version as a file of its own, and the link in it.
func (v LinkVersion) File() (*link.File, *link.Link, error) {
	file, err := parseVersion(v.Version, v.document)
	if err != nil {
		return nil, nil, fmt.Errorf("version %s cannot be read any more: %w", v.Version, err)
	}
	return file, file.Links[0], nil
}

// In is a file with the link as this version has it.
func (v LinkVersion) In(file *link.File) (*link.File, *link.Link, error) {
	old, l, err := v.File()
	if err != nil {
		return nil, nil, err
	}
	merged := &link.File{Path: file.Path}
	add(merged, old, l)
	for _, other := range file.Links {
		if other.ID != l.ID {
			add(merged, file, other)
		}
	}
	return merged, l, nil
}

// version reads a link as it was. queue.ErrNotFound: nobody kept it.
func (a Admin) version(ctx context.Context, hash, id string) (*link.Link, error) {
	if l := a.File.Link(id); l != nil && l.Version == hash {
		return l, nil
	}
	if hash == "" {
		return nil, fmt.Errorf("a version of link %s: %w", id, queue.ErrNotFound)
	}
	var document json.RawMessage
	if _, err := a.Queue.State().Get(ctx, event.VersionKeys.Of(hash), &document); err != nil {
		return nil, err
	}
	file, err := parseVersion(hash, document)
	if err != nil { // a stricter file than then: the same as one that nobody kept
		return nil, fmt.Errorf("version %s of link %s cannot be read any more (%v): %w", hash, id, err, queue.ErrNotFound)
	}
	if l := file.Link(id); l != nil {
		return l, nil
	}
	return nil, fmt.Errorf("link %s in version %s: %w", id, hash, queue.ErrNotFound)
}

// parseVersion reads a link's document. Its version is the hash under which it was kept: that of the file from which it came,
// which held what a document does not.
func parseVersion(hash string, document []byte) (*link.File, error) {
	file, _, err := link.Parse("version "+hash, document, link.Options{Lenient: true})
	if err != nil {
		return nil, err
	}
	for _, l := range file.Links {
		l.Version = hash
	}
	return file, nil
}

// ErrNothingRuns reports that no worker has written down what it runs.
var ErrNothingRuns = errors.New("no link has run yet")

// Running puts together the configuration by which the workers run, of what they keep in STATE: each
// link of theirs as it was last started, with its sites and destinations. It holds no secret, and of
// `keep` only the defaults. It is for the time in which the file cannot be read. ErrNothingRuns.
func Running(ctx context.Context, q *queue.Queue) (*link.File, error) {
	states, err := q.Links(ctx)
	if err != nil {
		return nil, err
	}
	entries, err := q.State().List(ctx, string(event.VersionKeys))
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(x, y queue.Entry) int { return cmp.Compare(y.Revision, x.Revision) }) // the newest first
	running := &link.File{Path: "STATE"}
	for _, entry := range entries {
		hash := event.VersionKeys.Name(entry.Key)
		file, err := parseVersion(hash, entry.Value)
		if err != nil { // a stricter file than then
			continue
		}
		for _, l := range file.Links {
			stays := slices.ContainsFunc(states, func(s queue.LinkState) bool { return s.ID == l.ID && s.Paused != queue.Gone })
			if stays && running.Link(l.ID) == nil {
				add(running, file, l)
			}
		}
	}
	if len(running.Links) == 0 {
		return nil, ErrNothingRuns
	}
	slices.SortFunc(running.Links, func(x, y *link.Link) int { return strings.Compare(x.ID, y.ID) })
	slices.SortFunc(running.Sites, func(x, y *link.Site) int { return strings.Compare(x.ID, y.ID) })
	return running, nil
}

// add takes a link, and those of its sites and destinations that no newer link has brought.
func add(to, from *link.File, l *link.Link) {
	to.Links, to.Keep = append(to.Links, l), from.Keep
	for _, s := range from.Sites {
		if !slices.ContainsFunc(to.Sites, func(t *link.Site) bool { return t.ID == s.ID }) {
			to.Sites = append(to.Sites, s)
		}
	}
	for _, d := range from.Destinations {
		if to.Destination(d.Name) == nil {
			to.Destinations = append(to.Destinations, d)
		}
	}
}

// documentText is a kept version as a person reads it: as YAML, a value that may be a person's masked.
func documentText(document []byte) string {
	text, err := link.DocumentText(document)
	if err != nil {
		text = string(document)
	}
	return maskLines(text)
}

// maskLines masks each line by itself: a number of a test may stand in a condition.
func maskLines(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		lines[i] = Mask{}.Text(line)
	}
	return strings.Join(lines, "\n")
}

// VersionDiff is what a version of a link differs in from another, by the beginnings of their hashes, as a unified diff of
// their texts; "" where they are the same. queue.ErrNotFound, ErrManyVersions.
func (a Admin) VersionDiff(ctx context.Context, id, from, to string) (string, error) {
	before, err := a.Version(ctx, id, from)
	if err != nil {
		return "", err
	}
	after, err := a.Version(ctx, id, to)
	if err != nil {
		return "", err
	}
	then, now := documentText(before.Document())+"\n", documentText(after.Document())+"\n"
	return udiff.ToUnified(before.Version, after.Version, then, udiff.Lines(then, now), udiff.DefaultContextLines)
}
