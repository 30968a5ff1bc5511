// Package pipeline takes one event of one link from the log to Mindbox: parse, filter, render,
// require, expire, shadow, deliver. Each stage is a function in a file of its own; Process runs
// them in this order until one has decided, and the queue carries the decision out.
//
// It also knows when not to send. A gate per link and one per endpoint park what would only
// repeat the same refusal, and let one probe at a time find out whether that has changed; a pace
// per endpoint slows down when Mindbox says "too many requests". Worker runs all of it for the
// links of one file.
//
// What an answer means stands in package mindbox, what an outcome does to a message in package
// queue. This package connects the two languages and is the only one to speak both.
package pipeline
