package queue

import (
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/touchbox/touchbox/pkg/event"
)

// message is a message in hand.
type message struct {
	msg   jetstream.Msg
	meta  *jetstream.MsgMetadata
	retry bool   // from RETRIES, else from EVENTS
	key   string // the last three tokens of its subject: site, kind, id
	taken time.Time
	check bool // among the first of its consumer: look it up in HISTORY
}

// newMessage reads where a message comes from.
func newMessage(msg jetstream.Msg, link string, retry bool) (*message, error) {
	meta, err := msg.Metadata()
	if err != nil {
		return nil, err
	}
	prefix := eventPrefix
	if retry {
		prefix = duePrefix + link + "."
	}
	return &message{msg: msg, meta: meta, retry: retry, taken: time.Now(), key: strings.TrimPrefix(msg.Subject(), prefix)}, nil
}

func (m *message) sequence() uint64  { return m.meta.Sequence.Stream }
func (m *message) stored() time.Time { return m.meta.Timestamp }
func (m *message) again() bool       { return m.meta.NumDelivered > 1 }

// suspect reports whether a message may have been settled before and must be looked up.
func (m *message) suspect() bool { return m.check || m.again() }

func (m *message) data() []byte        { return m.msg.Data() }
func (m *message) header() nats.Header { return ownHeader(m.msg.Headers()) }

// source is the word for it in a record.
func (m *message) source() string {
	if m.retry {
		return fromRetries
	}
	return fromEvents
}

// delivery reads the event and its trail. The error is event.ErrNewerFormat or event.ErrDamaged;
// then, too, the key is as far as possible there.
func (m *message) delivery(l *Link) (*Delivery, error) {
	e, err := readEvent(m.key, m.msg.Headers(), m.msg.Data())
	if err != nil {
		e.Key, _ = event.ParseSubject(m.key)
		e.Body = m.msg.Data()
	}
	e.Sequence, e.Stored = m.sequence(), m.stored()
	d := &Delivery{Event: e, Link: l.spec.ID, Start: l.now.Load().Start, Retry: m.retry}
	if m.retry {
		d.fill(readTrail(m.msg.Headers()))
	}
	return d, err
}
