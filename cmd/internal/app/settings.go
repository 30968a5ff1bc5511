package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/kelseyhightower/envconfig"

	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/strictyaml"
	"github.com/touchbox/touchbox/pkg/watch"
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
	NATSInsecure bool   `envconfig:"NATS_INSECURE"`
	NATSSynced   string `envconfig:"NATS_SYNCED"` // the NATS_URL whose servers have sync_interval: always
	Replicas     int    `envconfig:"TOUCHBOX_REPLICAS" default:"1"`

	IngestAddr      string `envconfig:"INGEST_ADDR" default:"127.0.0.1:8080"`
	IngestAdminAddr string `envconfig:"INGEST_ADMIN_ADDR" default:"127.0.0.1:8081"`
	WorkerAdminAddr string `envconfig:"WORKER_ADMIN_ADDR" default:"127.0.0.1:8082"`

	TLSCert        string   `envconfig:"INGEST_TLS_CERT"`
	TLSKey         string   `envconfig:"INGEST_TLS_KEY"`
	TrustedProxies Networks `envconfig:"INGEST_TRUSTED_PROXIES"`
	Allow          Networks `envconfig:"INGEST_ALLOW"`

	ConsoleAddr    string   `envconfig:"CONSOLE_ADDR" default:"127.0.0.1:8083"`
	ConsoleURL     string   `envconfig:"CONSOLE_URL"`
	ConsoleTLSCert string   `envconfig:"CONSOLE_TLS_CERT"`
	ConsoleTLSKey  string   `envconfig:"CONSOLE_TLS_KEY"`
	ConsoleProxies Networks `envconfig:"CONSOLE_TRUSTED_PROXIES"`

	AdminToken     string   `envconfig:"ADMIN_TOKEN"`
	AdminTokenFile string   `envconfig:"ADMIN_TOKEN_FILE"`
	AdminHosts     []string `envconfig:"ADMIN_HOSTS"`

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
			prefix = netip.PrefixFrom(address.WithZone(""), address.BitLen())
		}
		if prefix.Addr().Is4In6() && prefix.Bits() >= 96 { // ::ffff:92.118.66.0/119: senders are compared as 92.118.67.5
			prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-96)
		}
		*n = append(*n, prefix.Masked())
	}
	if len(*n) == 0 { // a list of commas would let everybody in
		return wrong("Networks")
	}
	return nil
}

// DefaultNATS is where ingest and worker look for a server when NATS_URL says nothing.
const DefaultNATS = "nats://127.0.0.1:4222"

// ReadSettings reads the environment. A variable that is set but empty counts as not set. The
// error is a Mistake that names every variable with a bad value, never the value.
func ReadSettings() (Settings, error) {
	var s Settings
	tidyEnvironment(&s)
	if err := envconfig.Process("", &s); err != nil {
		// The library's own text holds the value, which may be a secret.
		if bad, ok := errors.AsType[*envconfig.ParseError](err); ok {
			return s, Mistakef("%s: %w", bad.KeyName, wrong(bad.TypeName))
		}
		return s, Mistakef("environment: %v", err)
	}
	return s, s.check()
}

// Language is that of what a process tells a person without being asked: the locale's.
func (s Settings) Language() lang.Language { return lang.Detect("", os.Getenv) }

// alertReceiver is what stands at ALERT_URL; nil where nobody is to be called.
func (s Settings) alertReceiver() *watch.Receiver {
	return watch.NewReceiver(s.AlertURL, s.ConsoleURL, "Touchbox/"+Version)
}

// TestAlert sends one test to ALERT_URL, which is set, and returns the status of the answer, 0 where none
// came. The error holds no part of the address.
func (s Settings) TestAlert(ctx context.Context, l lang.Language) (int, error) {
	return s.alertReceiver().Test(ctx, l)
}

// wrong says of what type a value is not.
func wrong(typeName string) error {
	switch {
	case strings.HasSuffix(typeName, "Networks"):
		return errors.New("the value is not a comma list of networks such as 92.118.66.0/23")
	case typeName == "bool":
		return errors.New("the value is neither true nor false")
	}
	return errors.New("the value is not a whole number")
}

func (s *Settings) check() error {
	var mistakes []error
	complain := func(format string, args ...any) { mistakes = append(mistakes, fmt.Errorf(format, args...)) }
	for name, addr := range map[string]string{
		"INGEST_ADDR": s.IngestAddr, "INGEST_ADMIN_ADDR": s.IngestAdminAddr, "WORKER_ADMIN_ADDR": s.WorkerAdminAddr,
	} {
		if !isAddress(addr) {
			complain("%s: want HOST:PORT or :PORT", name)
		}
	}
	for _, pair := range []struct{ names, one, other string }{
		{"INGEST_TLS_CERT and INGEST_TLS_KEY", s.TLSCert, s.TLSKey},
		{"CONSOLE_TLS_CERT and CONSOLE_TLS_KEY", s.ConsoleTLSCert, s.ConsoleTLSKey},
		{"NATS_CERT and NATS_KEY", s.NATSCert, s.NATSKey},
		{"NATS_USER and NATS_PASSWORD", s.NATSUser, s.NATSPassword},
	} {
		if (pair.one == "") != (pair.other == "") {
			complain("%s go together: set both or none", pair.names)
		}
	}
	for _, err := range []error{s.checkNATS(), s.checkConsole()} {
		if err != nil {
			mistakes = append(mistakes, err)
		}
	}
	if s.Replicas != 1 && s.Replicas != 3 && s.Replicas != 5 {
		complain("TOUCHBOX_REPLICAS: use 1, 3 or 5")
	}
	if !slices.Contains([]string{"trace", "debug", "info", "warn", "error"}, strings.ToLower(s.LogLevel)) {
		complain("LOG_LEVEL: use debug, info, warn or error")
	}
	if s.LogFormat != "" && s.LogFormat != "json" && s.LogFormat != "console" {
		complain("LOG_FORMAT: use json or console")
	}
	if s.AdminTokenFile != "" {
		token, err := os.ReadFile(s.AdminTokenFile)
		s.AdminToken = strings.TrimSpace(string(token))
		switch {
		case err != nil:
			complain("ADMIN_TOKEN_FILE: %w", err)
		case s.AdminToken == "":
			complain("ADMIN_TOKEN_FILE: the file is empty, and the metrics would be open: write a token into it, or leave the variable out")
		}
	}
	if s.AlertURL != "" {
		if err := watch.CheckURL(s.AlertURL); err != nil {
			complain("ALERT_URL: %w", err)
		}
	}
	if len(mistakes) > 0 {
		return Mistake{errors.Join(mistakes...)}
	}
	return nil
}

// isAddress reports whether a text is HOST:PORT or :PORT, of a port that there is.
func isAddress(addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	if err != nil || port == "" {
		return false
	}
	_, err = net.LookupPort("tcp", port)
	return err == nil
}

// tidyEnvironment removes empty variables, which envconfig would let override a default, and takes off what a file of
// variables leaves around a value when it was written on Windows or pasted: a carriage return, blanks. A password keeps its blanks.
func tidyEnvironment(s *Settings) {
	for _, name := range variableNames(s) {
		value, ok := os.LookupEnv(name)
		switch tidy := strings.TrimSpace(value); {
		case !ok:
		case tidy == "":
			_ = os.Unsetenv(name)
		case strings.HasSuffix(name, "PASSWORD"):
			_ = os.Setenv(name, strings.TrimRight(value, "\r\n"))
		default:
			_ = os.Setenv(name, tidy)
		}
	}
}

// misspelt are the variables of the environment that are none of ours and look like one that is not set, each with that one:
// INGEST_ALOW lets everybody in without a word.
func misspelt() map[string]string {
	var unset []string
	known := variableNames(&Settings{})
	for _, name := range known {
		if _, ok := os.LookupEnv(name); !ok {
			unset = append(unset, name)
		}
	}
	found := map[string]string{}
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		if value == "" || slices.Contains(known, name) || strings.HasSuffix(name, "_PORT") || strings.HasSuffix(name, "_HOST") {
			continue // Kubernetes and Docker set NATS_PORT for a service that is called nats
		}
		if near := strictyaml.Nearest(name, unset); near != "" {
			found[name] = near
		}
	}
	return found
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

// LoadConfig reads the file of TOUCHBOX_CONFIG for a process that will send events. A file with
// mistakes is a Mistake whose text has one line for each, with its place. A process that has no use
// for the secrets of one side does without them.
func (s Settings) LoadConfig(l lang.Language, without link.Side) (*link.File, link.Problems, error) {
	return loadConfig(s.Config, link.Options{Getenv: os.Getenv, Language: l, Without: without})
}

// LoadConfigLeniently reads the file where secrets may be missing, for commands that send nothing.
func (s Settings) LoadConfigLeniently(l lang.Language) (*link.File, link.Problems, error) {
	return loadConfig(s.Config, link.Options{Getenv: os.Getenv, Language: l, Lenient: true})
}

// toServe reads the file for a process that serves: its log is English, and mistakes, which end it, are for the person.
func (s Settings) toServe(load func(lang.Language) (*link.File, link.Problems, error)) (*link.File, link.Problems, error) {
	file, problems, err := load(lang.English)
	if err == nil {
		return file, problems, nil
	}
	if _, _, said := load(s.Language()); said != nil {
		err = said
	}
	return nil, problems, err
}

func loadConfig(path string, o link.Options) (*link.File, link.Problems, error) {
	file, problems, err := link.Load(path, o)
	if _, invalid := errors.AsType[*link.InvalidError](err); invalid {
		return nil, problems, Mistake{err}
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, Mistakef("%w; write one with `touchbox init`, or set TOUCHBOX_CONFIG to yours", err)
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EISDIR) {
		return nil, nil, Mistake{denied(path, err)} // a person has to act: starting again would come to the same
	}
	if errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ENAMETOOLONG) {
		return nil, nil, Mistake{err}
	}
	return file, problems, err
}

// natsSchemes are the ways to reach a NATS server; tls and wss are encrypted.
var natsSchemes = []string{"nats", "tls", "ws", "wss"}

// checkNATS finds mistakes in NATS_URL before anything connects: the client's own error would quote
// the address with its password. Off this machine a server that asks for no credentials and is
// reached without TLS is open to whoever shares its network, and so is every event in it.
func (s Settings) checkNATS() error {
	for i, text := range strings.Split(s.NATSURL, ",") {
		if s.NATSURL == "" {
			return nil
		}
		u, ok := parseNATS(strings.TrimSpace(text))
		if !ok {
			return fmt.Errorf("NATS_URL: number %d of the list is no address such as nats://HOST:4222; "+
				"a password with special characters goes into NATS_PASSWORD", i+1)
		}
		if !s.guarded(u) && !near(u.Hostname()) && !s.NATSInsecure {
			return fmt.Errorf("NATS_URL: %s is another machine, and neither TLS (tls://, NATS_CA) nor credentials (NATS_USER and NATS_PASSWORD, "+
				"NATS_CREDS, NATS_CERT) are set: whoever reaches that server could read and delete every event; NATS_INSECURE=true accepts that", u.Host)
		}
	}
	return nil
}

// parseNATS reads one address as the client does, and more strictly.
func parseNATS(text string) (*url.URL, bool) {
	if !strings.Contains(text, "://") {
		text = "nats://" + text
	}
	u, err := url.Parse(text)
	if err != nil || !slices.Contains(natsSchemes, u.Scheme) || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, false
	}
	if strings.Trim(u.Path, "/") != "" && !strings.HasPrefix(u.Scheme, "ws") {
		return nil, false // nats://user:pa/ss@host: what looks like a path is a password
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, false
		}
	}
	return u, true
}

// guarded reports whether anything stands between the server and a stranger, as far as it can be
// seen from here.
func (s Settings) guarded(u *url.URL) bool {
	return u.Scheme == "tls" || u.Scheme == "wss" || u.User != nil ||
		s.NATSCreds != "" || s.NATSUser != "" || s.NATSCA != "" || s.NATSCert != ""
}

// near reports whether a host is this machine.
func near(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
