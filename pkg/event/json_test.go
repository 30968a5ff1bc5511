package event_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/touchbox/touchbox/pkg/event"
)

func TestEventJSONIsValidAndComesBack(t *testing.T) {
	text, err := os.ReadFile("../../schemas/event.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("event.schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("event.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	moment := time.Date(2026, 11, 1, 10, 0, 0, 500, time.UTC)
	tests := []struct {
		name  string
		event event.Event
	}{
		{"full", event.Event{
			Key: event.Key{Site: "10001", Kind: event.CallEnded, ID: "148071"}, Origin: event.Webhook,
			ContentType: "application/json", Query: "a=b", Body: []byte("\x00\xff{"), Received: moment,
			Time: moment.Add(-time.Minute), Sequence: 7, Stored: moment.Add(time.Second),
		}},
		{"hostile id, empty body", event.Event{
			Key: event.Key{Site: "10001", Kind: event.Request, ID: "a*b>.c"}, Origin: event.Poll, Body: []byte{}, Received: moment, Time: moment,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := json.Marshal(tt.event)
			if err != nil {
				t.Fatal(err)
			}
			instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(got))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(instance); err != nil {
				t.Errorf("%s is not valid: %v", got, err)
			}
			var back event.Event
			if err := json.Unmarshal(got, &back); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.event, back); diff != "" {
				t.Error(diff)
			}
		})
	}
}
