package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"text/template"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/calltouch/calltouchtest"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/site/demopage"
)

func (c *cli) demoCommand() *cobra.Command {
	d := demo{cli: c}
	var rateText string
	cmd := c.withJSON(&cobra.Command{
		Use:   "demo",
		Short: "See calls flow from a simulated Calltouch to a simulated Mindbox",
		Long: "Run the whole bridge over a fresh store in a temporary folder, with a simulated Calltouch that sends all sorts of calls\n" +
			"(some hooks are lost and come back through the journal) and a simulated Mindbox that fails now and then.\n" +
			"Ctrl-C, or the end of --for, prints a table whose sums agree. Nothing leaves this machine.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.serves = true
			var err error
			if d.rate, err = parseRate(rateText); err != nil {
				return app.Mistake{Err: err}
			}
			return d.run(cmd.Context())
		},
	})
	cmd.Flags().DurationVar(&d.length, "for", 0, "stop after this long (default: at Ctrl-C)")
	cmd.Flags().StringVar(&rateText, "rate", "5/s", "calls and form requests a second")
	cmd.Flags().BoolVar(&d.page, "page", false, "also serve a page with the site script, on which a click calls")
	return cmd
}

// demo is the bridge between two simulators.
type demo struct {
	*cli
	length time.Duration
	rate   float64
	page   bool

	cabinet *calltouchtest.Calltouch
	mindbox *mindboxtest.Server
	node    *app.Node
	hookURL string
	pageURL string // with --page
	view    demoView
}

// demoFaults are what the simulated Mindbox does now and then, in per cent.
var demoFaults = mindboxtest.Faults{
	Latency: 15 * time.Millisecond, P500: 4, P429: 3, RetryAfter: time.Second, PValidation: 3, PHang: 1, Hang: 3 * time.Second, PLost: 1,
}

// settleTime is how long the demo lets what is in hand arrive before it counts.
const settleTime = 2 * time.Second

func (d *demo) run(ctx context.Context) error {
	store, err := os.MkdirTemp("", "touchbox-demo")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(store) }()

	// The simulators and the bridge outlive the end of the demo by the time that the table takes.
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	group, running := errgroup.WithContext(running)
	started := make(chan *queue.Queue, 1)
	if err := d.build(running, group, store, func(q *queue.Queue) { started <- q }); err != nil {
		return err
	}
	group.Go(func() error { return app.RunBridge(running, d.node) })
	select {
	case q := <-started:
		err = d.play(ctx, running, q)
	case <-running.Done(): // the bridge did not start: group.Wait knows why
	}
	stop()
	if ended := group.Wait(); ended != nil && !errors.Is(ended, context.Canceled) {
		return ended
	}
	return err
}

// build makes the simulators, their addresses and the configuration between them.
func (d *demo) build(ctx context.Context, group *errgroup.Group, store string, started func(*queue.Queue)) error {
	key := newKey()
	d.cabinet = calltouchtest.New(calltouchtest.Config{Seed: uint64(time.Now().UnixNano()), Faults: calltouchtest.Faults{DropHooks: .05, RepeatHooks: .15}})
	d.mindbox = mindboxtest.New(mindboxtest.Config{Secret: "demo", Seed: uint64(time.Now().UnixNano()), Faults: demoFaults})
	calltouchURL, err := serveLocal(ctx, group, d.cabinet)
	if err != nil {
		return err
	}
	mindboxURL, err := serveLocal(ctx, group, d.mindbox)
	if err != nil {
		return err
	}
	file, err := demoFile(map[string]string{"Key": key, "Calltouch": calltouchURL, "Mindbox": mindboxURL, "Since": time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)})
	if err != nil {
		return err
	}
	s := d.settings
	s.Data, s.IngestAddr, s.IngestAdminAddr, s.WorkerAdminAddr = store, freeAddress("127.0.0.1:8080"), freeAddress(s.IngestAdminAddr), freeAddress(s.WorkerAdminAddr)
	if s.ConsoleAddr != app.ConsoleOff {
		s.ConsoleAddr, s.ConsoleURL = freeAddress("127.0.0.1:8083"), ""
	}
	d.hookURL = "http://" + s.IngestAddr + "/calltouch/10001/" + key
	d.view = newDemoView(d.cli, d.cabinet)
	d.node = &app.Node{
		Settings: s, File: file, Log: zerolog.Nop(), Started: started, Fixed: true,
		Hook: d.view.hook, Settled: d.view.settled, Record: d.view.record,
		Console: func(from app.ConsoleSource) http.Handler { return d.console(s, from) },
	}
	if !d.page {
		return nil
	}
	d.pageURL, err = d.servePage(ctx, group)
	return err
}

// play sends calls until the person or the clock says stop, then counts.
func (d *demo) play(ctx, running context.Context, q *queue.Queue) error {
	d.view.greet(d.hookURL, d.pageURL)
	if d.node.ConsoleOpen && !d.json {
		address, err := invite(running, q, d.node.Settings, "demo")
		if err != nil {
			return err
		}
		d.say("The console, by a link that signs in once, for ten minutes:\n  %s\n", address)
	}
	if d.length > 0 {
		var end context.CancelFunc
		ctx, end = context.WithTimeout(ctx, d.length)
		defer end()
	}
	d.cabinet.Send(ctx, calltouchtest.Sending{URL: d.hookURL, Rate: d.rate, Seen: d.view.sent, Long: 4 * time.Second})
	if running.Err() != nil {
		return nil // the bridge failed: its own error tells
	}
	select {
	case <-time.After(settleTime):
	case <-running.Done():
	}
	sums, err := d.view.count(running, q, d.node.File)
	if err != nil {
		return fmt.Errorf("count: %w", err)
	}
	return sums.print(d.cli)
}

// demoFile is the configuration of the demo, as a person would write it.
func demoFile(values map[string]string) (*link.File, error) {
	text, err := template.ParseFS(templates, "templates/demo.yaml")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := text.Execute(&b, values); err != nil {
		return nil, err
	}
	file, _, err := link.Parse("demo.yaml", b.Bytes(), link.Options{})
	return file, err
}

// serveLocal serves a simulator on a free port of this machine and returns its address.
func serveLocal(ctx context.Context, group *errgroup.Group, handler http.Handler) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	group.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	return "http://" + listener.Addr().String(), nil
}

// freeAddress is the wished address when it is free, else any free one.
func freeAddress(wish string) string {
	listener, err := net.Listen("tcp", wish)
	if err != nil {
		if listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return wish
		}
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// firstPageID begins the ids of the calls that a person makes on the page, far from the others.
const firstPageID = 900_000

// servePage serves the page with the site script, on which a click calls.
func (d *demo) servePage(ctx context.Context, group *errgroup.Group) (string, error) {
	script, _ := app.ScriptConfig(d.node.File, "10001")
	var last atomic.Int64
	last.Store(firstPageID)
	return serveLocal(ctx, group, demopage.Handler(demopage.Config{
		Script: script,
		Call: func(ctx context.Context, session string, attrs map[string]string) (string, error) {
			id := last.Add(1)
			call := d.pageCall(id, session, attrs)
			d.cabinet.Add(call)
			status := d.cabinet.SendHook(ctx, calltouchtest.Sending{URL: d.hookURL}, d.cabinet.EndHook(call))
			if status != http.StatusOK {
				return "", fmt.Errorf("ingest did not take the hook: %d", status)
			}
			return strconv.FormatInt(id, 10), nil
		},
		Status: func(_ context.Context, id string) (demopage.Status, error) {
			for _, done := range d.mindbox.Executed(mindboxtest.Query{CallID: id, Limit: 1}) {
				return demopage.Status{Arrived: true, Operation: done.Operation, DeviceUUID: done.DeviceUUID}, nil
			}
			return demopage.Status{}, nil
		},
	}))
}

// pageCall is the call of a visitor of the page: a dynamic one, with just the attributes that the
// script has handed over.
func (d *demo) pageCall(id int64, session string, attrs map[string]string) calltouchtest.Call {
	call := d.cabinet.NewCall(calltouchtest.Dynamic, id, time.Now().Add(-time.Minute))
	call.Duration = 30
	if number, err := strconv.ParseInt(session, 10, 64); err == nil {
		call.Session.ID = number
	}
	call.Session.Attributes = attrs
	return call
}
