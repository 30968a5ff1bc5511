package main

import (
	"github.com/touchbox/touchbox/pkg/link/draft"
	"github.com/touchbox/touchbox/pkg/link/spec"
)

// drafted is what `link new --json` prints.
type drafted struct {
	Shape         spec.Shape     `json:"shape"`
	Operations    []string       `json:"operations"`
	Endpoint      string         `json:"endpoint,omitempty"`
	URL           string         `json:"url,omitempty"`
	Authorization string         `json:"authorization,omitempty"`
	Headers       []string       `json:"headers,omitempty"`
	Device        bool           `json:"device_uuid"`
	Secret        bool           `json:"secret"`
	Links         []string       `json:"links"`
	Fields        []draftedField `json:"fields"`
	ToDo          []string       `json:"todo"`
	Notes         []spec.Note    `json:"notes"`
	Draft         string         `json:"draft"`
	Kept          string         `json:"kept,omitempty"` // the old file; "" where nothing was written
}

type draftedField struct {
	Path       string             `json:"path"`
	Line       int                `json:"line"`
	Said       []string           `json:"said,omitempty"`
	Value      string             `json:"expression"`
	Certainty  spec.Certainty     `json:"certainty"`
	Candidates []draftedCandidate `json:"candidates,omitempty"`
}

type draftedCandidate struct {
	Value string `json:"expression"`
	Last  string `json:"last,omitempty"` // masked
}

func (n *newLink) result(d draft.Draft, kept string) drafted {
	r := drafted{
		Shape: n.spec.Shape, Operations: orNone(n.spec.Operations), Endpoint: n.spec.Endpoint, URL: n.spec.URL, Authorization: n.spec.Authorization, Headers: n.spec.Headers,
		Device: n.spec.Device, Secret: n.spec.Secret, Links: d.Links, ToDo: orNone(d.ToDo), Notes: orNone(d.Notes), Draft: d.Text(usualIndent), Kept: kept,
	}
	for _, f := range d.Fields {
		one := draftedField{Path: f.Path, Line: f.Line, Said: f.Said, Value: f.Value, Certainty: f.Certainty}
		for _, c := range f.Candidates {
			one.Candidates = append(one.Candidates, draftedCandidate{c.Value, d.Last(c.Field)})
		}
		r.Fields = append(r.Fields, one)
	}
	return r
}

// orNone is a list that JSON writes as [] where it is empty.
func orNone[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
