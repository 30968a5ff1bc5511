// Package poll reads through Calltouch's API what no hook brought: the Poller all the time, Backfill and
// Gaps when a person asks for a span of days.
//
// In flow the records that an api.Client lists; out flow events to a store, of which the event key alone
// decides what is new. How far each came, and who polls of several processes (a lease), stands in STATE,
// which it is given.
//
// It delivers nothing, and knows neither the queue nor the links.
package poll
