package app

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/link/linktest"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/embedded"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// sending tells a copy of the test's binary to send hooks: "ADDRESS CONNECTIONS HOOKS".
const sending = "TOUCHBOX_BENCH_SEND"

func TestMain(m *testing.M) {
	if what := os.Getenv(sending); what != "" {
		if err := send(what); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	queuetest.Main(m)
}

const (
	hookKey  = "a-key-of-the-benchmark"
	sentHook = "id=%d&callphase=calldisconnected&leadtype=call&siteId=" + linktest.Site + "&siteName=house.example&hostname=house.example" +
		"&timestamp=1795898439&calltime=2026-03-14+12%%3A45%%3A10&callerphone=79000000001&phonenumber=78120000005&redirectNumber=78120000006" +
		"&duration=60&waiting_time=3&status=successful&unique=true&targetcall=true&uniqtargetcall=true&callbackCall=false&source=yandex" +
		"&medium=cpc&keyword=%%D0%%BA%%D1%%83%%D0%%BF%%D0%%B8%%D1%%82%%D1%%8C+%%D0%%B4%%D0%%BE%%D0%%BC&utm_source=yandex&utm_medium=cpc" +
		"&utm_campaign=%%D0%%B1%%D1%%80%%D0%%B5%%D0%%BD%%D0%%B4_%%D0%%BF%%D0%%BE%%D0%%B8%%D1%%81%%D0%%BA&utm_content=ad_1000" +
		"&city=%%D0%%9C%%D0%%BE%%D1%%81%%D0%%BA%%D0%%B2%%D0%%B0&ip=203.0.113.10&device=mobile&os=Android&browser=Chrome+122" +
		"&url=https%%3A%%2F%%2Fhouse.example%%2Fflats%%3Frooms%%3D2&ref=https%%3A%%2F%%2Fyandex.ru%%2F&attribution=1&sessionId=1000000000" +
		"&attrs=%%7B%%22mindboxDeviceUUID%%22%%3A%%220f8fad5b-d9cb-469f-a165-701000000000%%22%%7D"
)

// send sends hooks, each of another call, over so many connections at once.
func send(what string) error {
	var address string
	var connections, hooks int64
	if _, err := fmt.Sscan(what, &address, &connections, &hooks); err != nil {
		return err
	}
	var next atomic.Int64
	var senders sync.WaitGroup
	failed := make(chan error, connections)
	for range connections {
		senders.Go(func() {
			if err := sendOver(address, func() (id int64, more bool) { id = next.Add(1); return id, id <= hooks }); err != nil {
				failed <- err
			}
		})
	}
	senders.Wait()
	close(failed)
	return <-failed
}

func sendOver(address string, next func() (int64, bool)) error {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	answers := bufio.NewReader(c)
	for id, more := next(); more; id, more = next() {
		body := fmt.Sprintf(sentHook, 1_000_000_000+id)
		if _, err := fmt.Fprintf(c, "POST /calltouch/%s/%s HTTP/1.1\r\nHost: house.example\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
			linktest.Site, hookKey, len(body), body); err != nil {
			return err
		}
		answer, err := http.ReadResponse(answers, nil)
		if err != nil {
			return err
		}
		if text, err := io.ReadAll(answer.Body); err != nil || answer.StatusCode != http.StatusOK || string(text) != "stored\n" {
			return fmt.Errorf("answered %s %q, %v", answer.Status, text, err)
		}
	}
	return nil
}

// BenchmarkIngest measures the whole way of a hook, from its connection to its answer, with so many connections at
// once. The server and who sends are processes of their own, so that the figures are ingest's.
func BenchmarkIngest(b *testing.B) {
	for _, connections := range []int{64, 256} {
		b.Run(fmt.Sprintf("connections=%d", connections), func(b *testing.B) {
			server := queuetest.Spawn(b)
			address := startIngest(b, server)
			senders := exec.Command(os.Args[0])
			senders.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d", sending, address, connections, b.N))
			b.ReportAllocs()
			before := waittest.CPUTime(b)
			b.ResetTimer()
			if out, err := senders.CombinedOutput(); err != nil {
				b.Fatalf("%v: %s", err, out)
			}
			b.StopTimer()
			b.ReportMetric(float64((waittest.CPUTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// startIngest runs ingest over a server until the benchmark ends, and returns the webhook's address.
func startIngest(b *testing.B, server *queuetest.Process) string {
	b.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	n := &Node{
		Ingest: true, Fixed: true, Log: zerolog.Nop(), File: linktest.File{Site: "key: " + hookKey, To: "secret: a-secret"}.Parse(b),
		Settings: Settings{ // as behind a proxy: one address alone may not hold so many connections
			IngestAddr: address, IngestAdminAddr: "127.0.0.1:0", TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		},
	}
	started := make(chan struct{})
	n.Started = func(*queue.Queue) { close(started) }
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- n.run(ctx, queue.Options{Connection: queue.Connection{Socket: embedded.Socket(server.Dir), Log: zerolog.Nop()}, SyncKnown: true, Limits: queue.Limits{Disk: 200_000_000}})
	}()
	b.Cleanup(func() {
		cancel()
		if err := <-ended; ExitCode(err) != ExitOK {
			b.Error(err)
		}
	})
	select {
	case <-started:
	case err := <-ended:
		ended <- err
		b.Fatal("ingest did not start: ", err)
	}
	queuetest.Eventually(b, "the webhook's address is open", func() bool {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return address
}
