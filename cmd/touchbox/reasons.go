package main

import (
	"slices"
	"strings"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/pipeline"
	"github.com/touchbox/touchbox/pkg/pipeline/breaker"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/keep"
	"github.com/touchbox/touchbox/pkg/show"
)

// reasonWord says a reason in words, with its code beside it; "" for none.
func (c *cli) reasonWord(code string) string {
	if code == "" {
		return ""
	}
	return c.lang.Worded(admin.ReasonWord(code), code)
}

// parkedBy says why a link is parked: a reason, and behind it what Mindbox answered.
func (c *cli) parkedBy(why string) string {
	code, answer, more := strings.Cut(why, ": ")
	if more {
		return c.reasonWord(code) + ": " + show.Printable(answer)
	}
	return c.reasonWord(code)
}

// reasons are the words of --reason: why an event waits, died or was filtered.
func reasons() []string {
	list := []string{
		pipeline.ReasonUnreadable, pipeline.ReasonExpression, pipeline.ReasonCondition, pipeline.ReasonMissing, pipeline.ReasonExpired,
		pipeline.ReasonTooOld, pipeline.ReasonParked, pipeline.ReasonCrashed, pipeline.ReasonUnknown,
		breaker.ReasonOutage, breaker.ReasonRefusals,
		queue.ReasonDamaged, queue.ReasonPanic, queue.ReasonTooLarge, queue.ReasonRemoved, keep.ReasonLost, keep.ReasonDiskFull, admin.ReasonCancelled,
	}
	for _, reason := range mindbox.Reasons {
		list = append(list, string(reason))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// asideReasons are the words of `aside --reason`.
func asideReasons() []string {
	list := []string{string(calltouch.AsideUnpolled)}
	for _, reason := range calltouch.Reasons {
		list = append(list, string(reason))
	}
	slices.Sort(list)
	return list
}
