package event

import (
	"encoding/json"
	"fmt"
	"time"
)

// document is an event in CloudEvents' JSON format. Touchbox's own attributes are extensions,
// whose names CloudEvents keeps to lower-case letters and digits.
type document struct {
	SpecVersion string `json:"specversion"`
	ID          string `json:"id"`
	Source      string `json:"source"`
	Type        string `json:"type"`
	Time        string `json:"time"`
	ContentType string `json:"datacontenttype,omitempty"`
	Key         string `json:"touchboxkey"`
	Origin      Origin `json:"touchboxorigin"`
	Received    string `json:"touchboxreceived"`
	Query       string `json:"touchboxquery,omitempty"`
	Sequence    uint64 `json:"touchboxsequence,omitempty"`
	Stored      string `json:"touchboxstored,omitempty"`
	Data        []byte `json:"data_base64"`
}

// MarshalJSON writes the form of schemas/event.schema.json, in which events are shown and
// exported: CloudEvents' JSON with the raw body in base64, so that every byte comes back.
func (e Event) MarshalJSON() ([]byte, error) {
	d := document{
		SpecVersion: specVersion, ID: e.id(), Source: e.source(), Type: typePrefix + e.Key.Kind.Dotted(),
		Time: formatTime(e.occurred()), ContentType: e.ContentType, Key: e.Key.String(), Origin: e.Origin,
		Received: formatTime(e.Received), Query: e.Query, Sequence: e.Sequence, Data: e.Body,
	}
	if d.Data == nil {
		d.Data = []byte{}
	}
	if !e.Stored.IsZero() {
		d.Stored = formatTime(e.Stored)
	}
	return json.Marshal(d)
}

// UnmarshalJSON reads what MarshalJSON wrote. The error is ErrDamaged or one of JSON's.
func (e *Event) UnmarshalJSON(text []byte) error {
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		return err
	}
	key, err := ParseKey(d.Key)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	*e = Event{Key: key, Origin: d.Origin, ContentType: d.ContentType, Query: d.Query, Sequence: d.Sequence, Body: d.Data}
	for _, t := range []struct {
		into *time.Time
		text string
	}{{&e.Time, d.Time}, {&e.Received, d.Received}, {&e.Stored, d.Stored}} {
		if t.text == "" {
			continue
		}
		if *t.into, err = time.Parse(time.RFC3339Nano, t.text); err != nil {
			return fmt.Errorf("%w: %q is no time", ErrDamaged, clip(t.text))
		}
	}
	return nil
}
