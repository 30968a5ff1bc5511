package main

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/calltouch/calltouchtest"
	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
	"github.com/touchbox/touchbox/pkg/site/demopage"
)

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
				return "", errors.New("ingest did not take the hook: " + strconv.Itoa(status))
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
