package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"syscall"
	"time"

	"github.com/google/uuid"

	"github.com/touchbox/touchbox/cmd/internal/app"
	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/api"
	"github.com/touchbox/touchbox/pkg/link"
	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/pipeline"
	"github.com/touchbox/touchbox/pkg/web"
)

// clock is how far this machine's clock is ahead of another one's, give or take slack.
type clock struct {
	whose       string
	ahead       time.Duration
	uncertainty time.Duration
}

// clockOff is from how far off on a clock is a finding: times of calls are compared in seconds, and
// what is parked or leased is judged by the clock.
const clockOff = 5 * time.Second

// clock says what the other clocks said of this one.
func (d *Doctor) clock() {
	if len(d.clocks) == 0 {
		d.skip("clock", "", d.Lang.Text("nobody answered whose clock could be compared"))
	}
	for _, c := range d.clocks {
		off := max(0, c.ahead.Abs()-c.uncertainty)
		if off < clockOff {
			d.ok("clock", c.whose, d.Lang.Text("goes with this machine's"))
			continue
		}
		text := d.Lang.Sprintf("this machine's clock is %s ahead of it", c.ahead.Round(time.Second))
		if c.ahead < 0 {
			text = d.Lang.Sprintf("this machine's clock is %s behind it", (-c.ahead).Round(time.Second))
		}
		d.finding("clock", c.whose, text, d.Lang.Text("let NTP set the clocks: `timedatectl`, chrony or systemd-timesyncd"))
	}
}

// noteDate compares the clocks by the Date of an answer, which is cut to the second.
func (d *Doctor) noteDate(whose, date string, asked time.Time) {
	at, err := http.ParseTime(date)
	if err != nil {
		return
	}
	took := time.Since(asked)
	d.clocks = append(d.clocks, clock{whose, asked.Add(took / 2).Sub(at.Add(time.Second / 2)), took/2 + time.Second/2})
}

// hosts asks whether the hosts that the file names answer. No secret is sent.
func (d *Doctor) hosts(ctx context.Context) {
	var bases []string
	for _, s := range d.File.Sites {
		if s.Token.Set() {
			bases = append(bases, s.API)
		}
	}
	for _, to := range d.File.Destinations {
		bases = append(bases, to.URL)
	}
	slices.Sort(bases)
	for _, base := range slices.Compact(bases) {
		if answer, asked, err := d.head(ctx, base+"/"); err != nil {
			d.finding("host", base, d.why(err), d.Lang.Text("see the address in touchbox.yaml, the network, and HTTPS_PROXY"))
		} else {
			d.ok("host", base, d.Lang.Sprintf("answers in %s", max(time.Since(asked).Round(time.Millisecond), time.Millisecond)))
			d.noteDate(base, answer.Header.Get("Date"), asked)
		}
	}
}

// head asks an address without its body, following nothing.
func (d *Doctor) head(ctx context.Context, address string) (*http.Response, time.Time, error) {
	asked := time.Now()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, address, nil)
	if err != nil {
		return nil, asked, errors.New("the address is malformed")
	}
	request.Header.Set("User-Agent", "Touchbox/"+app.Version+" doctor")
	answer, err := web.Client(netTimeout).Do(request)
	if err != nil {
		return nil, asked, err
	}
	return answer, asked, answer.Body.Close()
}

// why says in words why nobody answered: net/http's own texts hold addresses.
func (d *Doctor) why(err error) string {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return d.Lang.Sprintf("the name %s cannot be resolved", dns.Name)
	}
	if wrong, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return d.whyNotTrusted(wrong.Err)
	}
	switch timeout, ok := errors.AsType[net.Error](err); {
	case errors.Is(err, syscall.ECONNREFUSED):
		return d.Lang.Text("the connection is refused: nobody listens there")
	case ok && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return d.Lang.Text("no answer in time: a firewall, or nobody there")
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return d.Lang.Text("the network does not lead there")
	}
	return d.Lang.Text("no answer, or none that is HTTP")
}

func (d *Doctor) whyNotTrusted(err error) string {
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return d.Lang.Text("the certificate is another host's")
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return d.Lang.Text("the certificate has expired, or is not valid yet")
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return d.Lang.Text("the certificate is of an unknown authority, or the intermediate one is not sent with it")
	}
	return d.Lang.Text("the certificate is not valid")
}

// errEnough ends a question whose answer has begun.
var errEnough = errors.New("enough")

// calltouch asks the API of each site for today's form requests, as the poll does, and reads no
// further than the first.
func (d *Doctor) calltouch(ctx context.Context) {
	limiter := &api.Limiter{}
	for _, s := range d.File.Sites {
		switch {
		case !s.Token.Set():
			d.skip("calltouch", s.ID, d.Lang.Text("no token: nothing is polled, and what no hook brings is not fetched"))
		case s.Token.Value() == "":
			d.finding("calltouch", s.ID, d.Lang.Sprintf("its token is not here: %s", s.Token.Missing(d.Lang)), d.Lang.Text("run the command in the environment that Touchbox runs in, as in sudo touchboxctl doctor"))
		default:
			d.askCalltouch(ctx, s, limiter)
		}
	}
}

func (d *Doctor) askCalltouch(ctx context.Context, s *link.Site, limiter *api.Limiter) {
	ctx, cancel := context.WithTimeout(ctx, netTimeout)
	defer cancel()
	client := api.Client{Site: s.ID, Base: s.API, Token: s.Token.Value, Limiter: limiter, Location: s.Location, HTTP: web.Client(netTimeout)}
	err := client.Requests(ctx, calltouch.DayOf(time.Now(), s.Location), func(calltouch.Listed) error { return errEnough })
	var refused *api.Error
	switch {
	case err == nil || errors.Is(err, errEnough):
		d.ok("calltouch", s.ID, d.Lang.Text("the API takes the token"))
	case errors.As(err, &refused) && refused.Limit:
		d.finding("calltouch", s.ID, d.Lang.Text("the API says that it was asked too often"), d.Lang.Text("poll less often: `every` and `sweep` of the site; see who else asks with this token"))
	case refused != nil && refused.Refused():
		d.finding("calltouch", s.ID, d.Lang.Sprintf("the API answers %d", refused.Status), d.Lang.Text("see the token in Calltouch's settings (API), and that it is this site's"))
	case refused != nil && refused.Status >= 500:
		d.finding("calltouch", s.ID, d.Lang.Sprintf("the API answers %d", refused.Status), d.Lang.Text("Calltouch is unwell: the poll goes on by itself"))
	default:
		d.finding("calltouch", s.ID, d.Lang.Text("no whole answer came from the API"), d.Lang.Text("see the address in touchbox.yaml, the network, and HTTPS_PROXY"))
	}
}

// noSuchOperation is an operation that no project has: Mindbox can execute nothing of it.
const noSuchOperation = "Touchbox.Doctor.NoSuchOperation"

// mindbox asks each destination for an operation that does not exist. A key that is not accepted is
// refused as such before anything is looked for.
func (d *Doctor) mindbox(ctx context.Context) {
	for _, to := range d.File.Destinations {
		if missing := to.Secret.Missing(d.Lang); missing != "" {
			d.finding("mindbox", to.Name, d.Lang.Sprintf("its secret is not here: %s", missing), d.Lang.Text("run the command in the environment that Touchbox runs in, as in sudo touchboxctl doctor"))
			continue
		}
		d.askMindbox(ctx, to)
	}
}

func (d *Doctor) askMindbox(ctx context.Context, to *link.Destination) {
	client, err := pipeline.Client(to, "Touchbox/"+app.Version+" doctor")
	if err != nil {
		d.finding("mindbox", to.Name, d.Lang.Text("no request can be made by this file"), d.Lang.Text("see `touchbox check`"))
		return
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, netTimeout)
	defer cancel()
	answer := client.Deliver(ctx, mindbox.Operation{
		Endpoint: to.Endpoint, Name: noSuchOperation, TransactionID: uuid.NewString(), Body: []byte("{}"),
	})
	switch {
	case answer.Status == 401 || answer.Status == 403:
		d.finding("mindbox", to.Name, d.Lang.Sprintf("answers %d: the key is not accepted", answer.Status), d.Lang.Text("see `secret`, `endpoint` and `authorization` in touchbox.yaml, and the integration point in Mindbox"))
	case answer.Status == 0:
		d.finding("mindbox", to.Name, d.Lang.Text("no whole answer came"), d.Lang.Text("see the address in touchbox.yaml, the network, and HTTPS_PROXY"))
	case answer.Foreign && answer.Status != 404:
		d.finding("mindbox", to.Name, d.Lang.Sprintf("answers %d, and the answer is not Mindbox's", answer.Status), d.Lang.Text("something stands in front of it: a proxy, a guard against bots; see `url`"))
	case answer.Foreign:
		d.skip("mindbox", to.Name, d.Lang.Text("answers 404 without a word: the key was not refused, and a wrong `url` cannot be told from an operation that does not exist; see with `touchbox send`"))
	case answer.Status == 429 || answer.Status >= 500:
		d.finding("mindbox", to.Name, d.Lang.Sprintf("answers %d: it is unwell, or was asked too often", answer.Status), d.Lang.Text("try again later; events wait meanwhile"))
	default:
		d.ok("mindbox", to.Name, d.Lang.Sprintf("answers %d to an operation that does not exist: the key was not refused. Whether the operations of the links exist can only be seen by sending: `touchbox send`", answer.Status))
	}
}
