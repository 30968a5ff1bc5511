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
