package pipeline_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/pipeline"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/embedded"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
	"github.com/touchbox/touchbox/pkg/wait/waittest"
)

// drained is a file with two links on the same calls: each call is read by both and sent by one.
const drained = `
calltouch:
  - {site: 52893, name: bench, attrs: [mindboxDeviceUUID]}
mindbox:
  - {name: bench, url: %q, endpoint: bench, secret: {env: SECRET}}
links:
  - id: dynamic
    from: bench
    event: call.ended
    since: "2020-01-01"
    when: filled(deviceUUID)
    to: bench
    operation: CallDynamic
    deviceUUID: ${deviceUUID}
    body: &fields
      customer.mobilePhone: ${phone(callerphone)}
      customerAction.customFields.callId: ${id}
      customerAction.customFields.utmSource: ${utm_source}
      customerAction.customFields.utmMedium: ${utm_medium}
      customerAction.customFields.utmCampaign: ${utm_campaign}
      executionDateTimeUtc: ${utc(time)}
  - id: static
    from: bench
    event: call.ended
    since: "2020-01-01"
    when: not filled(deviceUUID)
    to: bench
    operation: CallStatic
    body: *fields
`

// drainedCall is an ended call as a hook brings it, with all that is ticked as a rule; its id stands first.
const drainedCall = "id=%d&callphase=calldisconnected&leadtype=call&siteId=52893&siteName=house.example&hostname=house.example" +
	"&timestamp=1795898439&calltime=2026-03-14+12%%3A45%%3A10&callerphone=79000000001&phonenumber=78120000005&redirectNumber=78120000006" +
	"&duration=60&waiting_time=3&status=successful&unique=true&targetcall=true&uniqtargetcall=true&callbackCall=false&source=yandex" +
	"&medium=cpc&keyword=%%D0%%BA%%D1%%83%%D0%%BF%%D0%%B8%%D1%%82%%D1%%8C+%%D0%%B4%%D0%%BE%%D0%%BC&utm_source=yandex&utm_medium=cpc" +
	"&utm_campaign=%%D0%%B1%%D1%%80%%D0%%B5%%D0%%BD%%D0%%B4_%%D0%%BF%%D0%%BE%%D0%%B8%%D1%%81%%D0%%BA&utm_content=ad_1000" +
	"&utm_term=%%D0%%BA%%D1%%83%%D0%%BF%%D0%%B8%%D1%%82%%D1%%8C+%%D0%%B4%%D0%%BE%%D0%%BC&city=%%D0%%9C%%D0%%BE%%D1%%81%%D0%%BA%%D0%%B2%%D0%%B0" +
	"&ip=203.0.113.10&device=mobile&os=Android&browser=Chrome+122&url=https%%3A%%2F%%2Fhouse.example%%2Fflats%%3Frooms%%3D2" +
	"&ref=https%%3A%%2F%%2Fyandex.ru%%2F&yaClientId=161000000000123456&gcid=118.1000000000&attribution=1&sessionId=1000000000" +
	"&mindboxDeviceUUID=0f8fad5b-d9cb-469f-a165-701000000000&attrs=%%7B%%22mindboxDeviceUUID%%22%%3A%%220f8fad5b-d9cb-469f-a165-701000000000%%22%%7D"

// filling tells a copy of the test's binary to store so many calls on the server at DIR: "DIR N".
const filling = "TOUCHBOX_BENCH_FILL"

func TestMain(m *testing.M) {
	if at := os.Getenv(filling); at != "" {
		if err := fillAt(at); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	queuetest.Main(m)
}

func fillAt(at string) error {
	dir, count, _ := strings.Cut(at, " ")
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	q, err := queue.Open(context.Background(), queue.Options{Connection: queue.Connection{Socket: embedded.Socket(dir)}, SyncKnown: true})
	if err != nil {
		return err
	}
	defer q.Close()
	var next, failed atomic.Int64
	var publishers sync.WaitGroup
	for range 64 {
		publishers.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				now := time.Now().UTC()
				e := event.Event{
					Key: event.Key{Site: "52893", Kind: event.CallEnded, ID: strconv.FormatInt(i, 10)}, Origin: event.Webhook,
					ContentType: "application/x-www-form-urlencoded; charset=utf-8", Body: fmt.Appendf(nil, drainedCall, i), Received: now, Time: now,
				}
				if _, err := q.Publish(context.Background(), e); err != nil {
					failed.Add(1)
				}
			}
		})
	}
	publishers.Wait()
	if failed.Load() > 0 {
		return fmt.Errorf("%d of %d calls were not stored", failed.Load(), n)
	}
	return nil
}

// BenchmarkDrain measures a worker's whole path: two links drain a log to a far end that answers at once, or
// after 20 ms. Server and filling are processes of their own, and the far end allocates next to nothing, so
// that the figures are the worker's. One operation is one event, which both links read and one sends. With
// PROFILES it leaves cpu.pprof and heap.pprof in that folder.
func BenchmarkDrain(b *testing.B) {
	for _, answer := range []time.Duration{0, 20 * time.Millisecond} {
		b.Run(answer.String(), func(b *testing.B) {
			server := queuetest.Spawn(b)
			q := server.Open(queue.Options{})
			fill := exec.Command(os.Args[0])
			fill.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", filling, server.Dir, b.N))
			if out, err := fill.CombinedOutput(); err != nil {
				b.Fatalf("%v: %s", err, out)
			}
			text := fmt.Sprintf(drained, accepting(b, answer))
			file, problems, err := link.Parse("touchbox.yaml", []byte(text), link.Options{Getenv: func(string) string { return pipeline.Secret }})
			if err != nil {
				b.Fatal(err, problems)
			}
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			var settled atomic.Int64
			w, err := pipeline.New(pipeline.Config{Queue: q, File: file, Log: zerolog.Nop(), Settled: func(*queue.Delivery, queue.Decision) {
				if settled.Add(1) == int64(2*b.N) {
					cancel()
				}
			}})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			profiled(b)
			b.ResetTimer()
			began := waittest.CPUTime(b)
			if err := w.Run(ctx); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64((waittest.CPUTime(b)-began).Microseconds())/float64(b.N), "cpu-µs/op")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// profiled leaves profiles of the rest of the benchmark in the folder PROFILES.
func profiled(b *testing.B) {
	dir := os.Getenv("PROFILES")
	if dir == "" {
		return
	}
	write := func(name string, profile func(io.Writer) error) {
		f, err := os.Create(filepath.Join(dir, name))
		if err == nil {
			err = profile(f)
		}
		if err != nil {
			b.Error(err)
		}
	}
	write("cpu.pprof", func(w io.Writer) error { return pprof.StartCPUProfile(w) })
	b.Cleanup(func() {
		pprof.StopCPUProfile()
		runtime.GC() // the profile is that of the last collection
		write("heap.pprof", pprof.WriteHeapProfile)
	})
}

// accepting is a far end that accepts whatever comes, so long after it came.
func accepting(b *testing.B, after time.Duration) (address string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go accept(c, after)
		}
	}()
	return "http://" + l.Addr().String()
}

func accept(c net.Conn, after time.Duration) {
	defer func() { _ = c.Close() }()
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{\"status\":\"Success\"}")
	in, length := bufio.NewReader(c), 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		if digits, ok := strings.CutPrefix(string(line), "Content-Length: "); ok { // no allocation: the text does not escape
			length, _ = strconv.Atoi(strings.TrimSpace(digits))
		}
		if len(line) > len("\r\n") {
			continue
		}
		if _, err := in.Discard(length); err != nil {
			return
		}
		time.Sleep(after)
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}
