// Package app wires the parts of Touchbox into the processes that the commands start: the
// settings from the environment, the log, the metrics, the admin address, ingest and worker.
// It decides nothing about events.
package app

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"reflect"
	"strings"

	"github.com/kelseyhightower/envconfig"
	"github.com/rs/zerolog"
)

// Settings is what the environment says. Every name and default is part of the public interface.
type Settings struct {
	Config string `envconfig:"TOUCHBOX_CONFIG" default:"touchbox.yaml"`
	Data   string `envconfig:"TOUCHBOX_DATA" default:"./data"`

	NATSURL      string `envconfig:"NATS_URL"`
	NATSCreds    string `envconfig:"NATS_CREDS"`
	NATSUser     string `envconfig:"NATS_USER"`
	NATSPassword string `envconfig:"NATS_PASSWORD"`
	NATSCA       string `envconfig:"NATS_CA"`
	NATSCert     string `envconfig:"NATS_CERT"`
	NATSKey      string `envconfig:"NATS_KEY"`
	Replicas     int    `envconfig:"TOUCHBOX_REPLICAS" default:"1"`

	IngestAddr      string `envconfig:"INGEST_ADDR" default:":8080"`
	IngestAdminAddr string `envconfig:"INGEST_ADMIN_ADDR" default:"127.0.0.1:8081"`
	WorkerAdminAddr string `envconfig:"WORKER_ADMIN_ADDR" default:"127.0.0.1:8082"`

	TLSCert        string   `envconfig:"INGEST_TLS_CERT"`
	TLSKey         string   `envconfig:"INGEST_TLS_KEY"`
	TrustedProxies Networks `envconfig:"INGEST_TRUSTED_PROXIES"`
	Allow          Networks `envconfig:"INGEST_ALLOW"`

	AdminToken     string `envconfig:"ADMIN_TOKEN"`
	AdminTokenFile string `envconfig:"ADMIN_TOKEN_FILE"`

	AlertURL string `envconfig:"ALERT_URL"`

	LogLevel  string `envconfig:"LOG_LEVEL" default:"info"`
	LogFormat string `envconfig:"LOG_FORMAT"`
}

// Networks is a comma list of networks, each as 92.118.66.0/23 or as a single address.
type Networks []netip.Prefix

// Decode reads the list for envconfig.
func (n *Networks) Decode(text string) error {
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		prefix, err := netip.ParsePrefix(part)
		if err != nil {
			address, addressErr := netip.ParseAddr(part)
			if addressErr != nil {
				return err
			}
			prefix = netip.PrefixFrom(address, address.BitLen())
		}
		*n = append(*n, prefix.Masked())
	}
	return nil
}

// DefaultNATS is where ingest and worker look for a server when NATS_URL says nothing.
const DefaultNATS = "nats://127.0.0.1:4222"

// ReadSettings reads the environment. A variable that is set but empty counts as not set. The
// error is a Mistake that names every variable with a bad value, never the value.
func ReadSettings() (Settings, error) {
	var s Settings
	unsetEmpty(&s)
	if err := envconfig.Process("", &s); err != nil {
		// The library's own text holds the value, which may be a secret.
		if bad, ok := errors.AsType[*envconfig.ParseError](err); ok {
			return s, Mistakef("%s: the value is not a %s", bad.KeyName, what(bad.TypeName))
		}
		return s, Mistakef("environment: %v", err)
	}
	return s, s.check()
}

func what(typeName string) string {
	if strings.HasSuffix(typeName, "Networks") {
		return "comma list of networks such as 92.118.66.0/23"
	}
	return typeName
}

func (s *Settings) check() error {
	var mistakes []error
	complain := func(format string, args ...any) { mistakes = append(mistakes, fmt.Errorf(format, args...)) }
	for name, addr := range map[string]string{
		"INGEST_ADDR": s.IngestAddr, "INGEST_ADMIN_ADDR": s.IngestAdminAddr, "WORKER_ADMIN_ADDR": s.WorkerAdminAddr,
	} {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			complain("%s: want HOST:PORT or :PORT", name)
		}
	}
	if (s.TLSCert == "") != (s.TLSKey == "") {
		complain("INGEST_TLS_CERT and INGEST_TLS_KEY go together: set both or none")
	}
	if (s.NATSCert == "") != (s.NATSKey == "") {
		complain("NATS_CERT and NATS_KEY go together: set both or none")
	}
	if s.Replicas != 1 && s.Replicas != 3 && s.Replicas != 5 {
		complain("TOUCHBOX_REPLICAS: use 1, 3 or 5")
	}
	if _, err := zerolog.ParseLevel(s.LogLevel); err != nil {
		complain("LOG_LEVEL: use debug, info, warn or error")
	}
	if s.LogFormat != "" && s.LogFormat != "json" && s.LogFormat != "console" {
		complain("LOG_FORMAT: use json or console")
	}
	if s.AdminTokenFile != "" {
		token, err := os.ReadFile(s.AdminTokenFile)
		if err != nil {
			complain("ADMIN_TOKEN_FILE: %w", err)
		}
		s.AdminToken = strings.TrimSpace(string(token))
	}
	if len(mistakes) > 0 {
		return Mistake{errors.Join(mistakes...)}
	}
	return nil
}

// unsetEmpty removes empty variables: envconfig would let them override a default.
func unsetEmpty(s *Settings) {
	for _, name := range variableNames(s) {
		if value, ok := os.LookupEnv(name); ok && strings.TrimSpace(value) == "" {
			_ = os.Unsetenv(name)
		}
	}
}

// variableNames lists the environment variables of Settings.
func variableNames(s *Settings) []string {
	t := reflect.TypeOf(*s)
	names := make([]string, 0, t.NumField())
	for i := range t.NumField() {
		names = append(names, t.Field(i).Tag.Get("envconfig"))
	}
	return names
}
