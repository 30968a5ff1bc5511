package bridge_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// An attack is bounded in time and in connections, and comes from this machine alone.
const (
	attackFor = 1500 * time.Millisecond
	// mostMemory is what `touchbox up` may take while it is attacked; idle it takes some 50 MB.
	mostMemory = 200 << 20
)

// attacks are what costs a careless server gigabytes, without a key.
func attacks() map[string]attack {
	header := "POST /calltouch/10001/guess HTTP/1.1\r\nHost: x\r\n"
	chunked := header + "Transfer-Encoding: chunked\r\n"
	return map[string]attack{
		"unfinished headers":                  {2000, 1, header + "X-Long: " + strings.Repeat("x", 310_000)},
		"unfinished headers, from everywhere": {2000, 200, header + "X-Long: " + strings.Repeat("x", 60_000)},
		"thousands of header names":           {2000, 200, header + strings.ReplaceAll(names(10_000), ",", ":\r\n")},
		"large headers that end":              {400, 200, header + strings.ReplaceAll(names(8_000), ",", ":\r\n") + ":\r\n\r\n"},
		"thousands of trailers":               {400, 1, chunked + "Trailer: " + names(75_000) + "\r\n\r\n"},
		"trailers that fit, from everywhere":  {400, 50, chunked + "Trailer: " + names(13_000) + "\r\n\r\n"},
		"bodies that never end":               {2000, 100, header + "Content-Length: 200000\r\n\r\n" + strings.Repeat("x", 100_000)},
		"chunk extensions":                    {400, 50, chunked + "\r\n1;" + strings.Repeat("x", 4000) + "\r\n"},
	}
}

type attack struct {
	connections int
	addresses   int // of the attackers
	request     string
}

// TestFloods attacks. All the while hooks are answered, and the memory stays bounded.
func TestFloods(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "strangers come for a while")
	s := newStack(t)
	up := s.up()
	for name, a := range attacks() {
		t.Run(name, func(t *testing.T) {
			forgetPeak(t, up)
			before := memory(t, up, "VmRSS")
			answered := s.underAttack(t, a)
			peak := memory(t, up, "VmHWM")
			t.Logf("%d MB before, at most %d MB; %d hooks answered", before>>20, peak>>20, answered)
			if peak > mostMemory {
				t.Errorf("took %d MB", peak>>20)
			}
			if answered == 0 {
				t.Error("no hook was answered during the attack")
			}
		})
	}
}

// underAttack attacks, sends hooks meanwhile, and returns how many were answered.
func (s *stack) underAttack(t *testing.T, a attack) int {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var attackers sync.WaitGroup
	for i := range a.connections {
		attackers.Go(func() { flood(ctx, s.ingest, i%a.addresses, a.request) })
	}
	time.AfterFunc(attackFor, stop) // once all of them have begun
	answered := 0
	for ; answered == 0 || ctx.Err() == nil; answered++ {
		if code := s.hook(fmt.Sprint(attackCalls.Add(1))); code != http.StatusOK {
			t.Errorf("a hook during the attack answered %d", code)
			break
		}
	}
	attackers.Wait()
	return answered
}

// attackCalls numbers the calls during attacks.
var attackCalls atomic.Int64

// forgetPeak lets VmHWM begin anew.
func forgetPeak(t *testing.T, p *process) {
	t.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0); err != nil {
		t.Skipf("SKIPPED, NOT TESTED: the memory of a process can only be read on Linux: %v", err)
	}
}

// names is a list of so many different names.
func names(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strconv.FormatInt(int64(i), 36))
		b.WriteByte(',')
	}
	return b.String() + "x"
}

// flood sends a request from one of the addresses of this machine, waits until it is hung up on,
// and begins anew, until ctx ends.
func flood(ctx context.Context, target string, from int, request string) {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1, byte(from), 1)}}
	for ctx.Err() == nil {
		if c, err := dialer.DialContext(ctx, "tcp", target); err == nil {
			hangUp := context.AfterFunc(ctx, func() { _ = c.Close() })
			_, _ = io.WriteString(c, request)
			_, _ = io.Copy(io.Discard, c)
			hangUp()
			_ = c.Close()
		}
		select {
		case <-ctx.Done():
		case <-time.After(attackFor / 2):
		}
	}
}

// memory is a figure of /proc/PID/status in bytes.
func memory(t *testing.T, p *process, name string) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == name+":" {
			kilobytes, _ := strconv.ParseInt(words[1], 10, 64)
			return kilobytes << 10
		}
	}
	t.Fatalf("/proc tells no %s", name)
	return 0
}

// TestHPACK speaks HTTP/2 to the address with TLS, and lets the table of its header encoder grow and
// shrink under the answers: this has ended a process by a panic that nobody could recover.
func TestHPACK(t *testing.T) {
	t.Parallel()
	waittest.Slow(t, "strangers come for a while")
	s := newStack(t)
	certFile, keyFile, pool := keyPair(t)
	s.env = append(s.env, "INGEST_TLS_CERT="+certFile, "INGEST_TLS_KEY="+keyFile)
	up := s.up()
	deadline := time.Now().Add(attackFor)
	var attackers sync.WaitGroup
	for _, protocols := range [][]string{{"h2"}, {"h2", "http/1.1"}, nil} {
		for range 8 {
			attackers.Go(func() {
				for time.Now().Before(deadline) {
					if got := resizeTable(s.ingest, protocols, deadline); got == "h2" {
						t.Error("the address speaks HTTP/2")
						return
					}
					time.Sleep(20 * time.Millisecond)
				}
			})
		}
	}
	attackers.Wait()
	select {
	case <-up.done:
		t.Fatal("the process has ended")
	default:
	}
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "localhost"}}}
	answer, err := client.Post("https://"+s.ingest+"/calltouch/10001/secret-key-of-the-test", form, strings.NewReader("id=1&callphase=calldisconnected&callerphone=79161230001"))
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.ProtoMajor != 1 {
		t.Errorf("a hook after the attack answered %d by %s", answer.StatusCode, answer.Proto)
	}
}

// resizeTable sends requests by HTTP/2 with another SETTINGS_HEADER_TABLE_SIZE before each, and
// returns the protocol that the server chose.
func resizeTable(target string, protocols []string, deadline time.Time) string {
	dialer := tls.Dialer{NetDialer: &net.Dialer{Deadline: deadline}, Config: &tls.Config{InsecureSkipVerify: true, NextProtos: protocols}}
	conn, err := dialer.Dial("tcp", target)
	if err != nil {
		return ""
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(deadline)
	go func() { _, _ = io.Copy(io.Discard, conn) }()
	_, _ = io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	for stream := uint32(1); stream < 400; stream += 2 {
		size := []byte{0, 1, 0, 0, 0, 0} // SETTINGS_HEADER_TABLE_SIZE
		if stream%4 == 1 {
			binary.BigEndian.PutUint32(size[2:], 4096)
		}
		block := append([]byte{0x82, 0x87, 0x41, 1, 'x', 0x44, 5}, fmt.Sprintf("/%04d", stream)...) // GET, https, authority, path
		var frames bytes.Buffer
		frames.Write(frame(4, 0, 0, size))
		frames.Write(frame(1, 5, stream, block)) // HEADERS, END_STREAM and END_HEADERS
		if _, err := conn.Write(frames.Bytes()); err != nil {
			break
		}
	}
	return conn.(*tls.Conn).ConnectionState().NegotiatedProtocol
}

// frame is one frame of HTTP/2.
func frame(kind, flags byte, stream uint32, payload []byte) []byte {
	head := make([]byte, 9, 9+len(payload))
	head[1], head[2] = byte(len(payload)>>8), byte(len(payload))
	head[3], head[4] = kind, flags
	binary.BigEndian.PutUint32(head[5:], stream)
	return append(head, payload...)
}

// keyPair writes the files of a certificate for localhost, and returns who trusts it.
func keyPair(t *testing.T) (certFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	pool = x509.NewCertPool()
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	pool.AppendCertsFromPEM(cert)
	for name, text := range map[string][]byte{certFile: cert, keyFile: pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile, pool
}
