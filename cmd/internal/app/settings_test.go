package app

import (
	"net/netip"
	"strings"
	"testing"
)

func TestReadSettings(t *testing.T) {
	tests := []struct {
		name string
		env  map[string]string
		want []string // in the mistake; none = it is read
	}{
		{"nothing set", nil, nil},
		{"empty counts as not set", map[string]string{"TOUCHBOX_REPLICAS": " ", "INGEST_ADDR": ""}, nil},
		{"a text for a number", map[string]string{"TOUCHBOX_REPLICAS": "s3cret"}, []string{"TOUCHBOX_REPLICAS"}},
		{"an impossible number", map[string]string{"TOUCHBOX_REPLICAS": "2"}, []string{"TOUCHBOX_REPLICAS"}},
		{"no network", map[string]string{"INGEST_ALLOW": "s3cret"}, []string{"INGEST_ALLOW", "92.118.66.0/23"}},
		{"half of a pair, twice", map[string]string{"INGEST_TLS_CERT": "x", "NATS_KEY": "y"}, []string{"INGEST_TLS_KEY", "NATS_CERT"}},
		{"no port", map[string]string{"WORKER_ADMIN_ADDR": "localhost"}, []string{"WORKER_ADMIN_ADDR"}},
		{"unknown words", map[string]string{"LOG_LEVEL": "loud", "LOG_FORMAT": "xml"}, []string{"LOG_LEVEL", "LOG_FORMAT"}},
		{"a token file that is not there", map[string]string{"ADMIN_TOKEN_FILE": "/nowhere/token"}, []string{"ADMIN_TOKEN_FILE"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			s, err := ReadSettings()
			if len(tt.want) == 0 {
				if err != nil || s.Replicas != 1 || s.IngestAddr != ":8080" {
					t.Fatalf("got %+v, %v", s, err)
				}
				return
			}
			if ExitCode(err) != ExitMistake {
				t.Fatalf("exit code %d of %v, want %d", ExitCode(err), err, ExitMistake)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v does not name %s", err, want)
				}
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%v shows the value", err)
			}
		})
	}
}

func TestNetworks(t *testing.T) {
	var n Networks
	if err := n.Decode("92.118.66.0/23, 10.0.0.7,, ::1"); err != nil {
		t.Fatal(err)
	}
	want := []string{"92.118.66.0/23", "10.0.0.7/32", "::1/128"}
	if len(n) != len(want) {
		t.Fatalf("got %v", n)
	}
	for i, text := range want {
		if n[i] != netip.MustParsePrefix(text) {
			t.Errorf("got %v, want %s", n[i], text)
		}
	}
}
