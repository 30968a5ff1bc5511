package console

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/pkg/web"
)

// Names of cookies. Over TLS the first has the prefix by which browsers hold it to this very host.
const (
	sessionCookie   = "touchbox"
	securePrefix    = "__Host-"
	languageCookie  = "touchbox-lang"
	languageForever = 365 * 24 * time.Hour
)

// pageWithin bounds one request of a browser's. A queue that is slow, because its disk is busy, is waited for: each question to it has a
// bound of its own. One that cannot be reached is said soon, see watchQueue.
const pageWithin = 30 * time.Second

// visit is one request of somebody, as a page's handler sees it.
type visit struct {
	c     *Console
	w     http.ResponseWriter
	r     *http.Request
	admin admin.Admin
	lang  lang.Language
	who   admin.Session // the zero Session of a stranger

	program bool // it asks the API
	streams bool // the answer is a stream, which has begun
}

// ctx is the request's.
func (v *visit) ctx() context.Context { return v.r.Context() }

// may reports whether the person may do what needs a role.
func (v *visit) may(needs Role) bool { return Role(v.who.Role).may(needs) }

// stranger is a request of somebody who has not signed in.
func (c *Console) stranger(w http.ResponseWriter, r *http.Request) *visit {
	return &visit{c: c, w: w, r: r, lang: languageOf(w, r)}
}

// visited lets whoever has signed in, and may, through to a page.
func (c *Console) visited(to route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := c.stranger(w, r)
		v.admin = c.Admin()
		v.watched(func() error { return v.enter(to) })
	}
}

// enter finds out who asks, and has the page made where they may.
func (v *visit) enter(to route) error {
	who, err := v.c.session(v)
	if err != nil {
		return err
	}
	v.who = who
	v.admin.Actor = v.actor()
	if !v.may(to.needs) {
		return errForbidden
	}
	if err := v.readForm(); err != nil {
		return err
	}
	return to.page(v)
}

// readForm reads the address and the form. Where a part is malformed nothing is done: without it more would be selected than was
// meant. errBadForm.
func (v *visit) readForm() error {
	if v.r.ParseForm() != nil {
		return errBadForm
	}
	if err := v.r.ParseMultipartForm(maxBody); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return errBadForm
	}
	return nil
}

// watched answers with what is made within pageWithin, as long as the queue can be reached, and with its error where it has one.
func (v *visit) watched(made func() error) {
	asker := v.r.Context()
	ctx, cancel := context.WithTimeout(asker, pageWithin)
	defer cancel()
	v.r = v.r.WithContext(ctx)
	stop := v.watchQueue(cancel)
	err := made()
	if stop() {
		err = admin.ErrAway
	}
	switch {
	case err == nil, asker.Err() != nil, v.streams: // nobody reads it any more, or what a stream has sent cannot be taken back
	case errors.Is(err, admin.ErrNoSession):
		v.askToSignIn()
	default:
		v.fail(err)
	}
}

// patience is how long a page waits for a connection to the queue that is gone: it may come back.
const patience = time.Second

// watchQueue gives a page up that waits for a queue that cannot be reached. What it returns ends that, and reports whether the page was
// given up.
func (v *visit) watchQueue(giveUp context.CancelFunc) (stop func() bool) {
	ctx, end := context.WithCancel(v.r.Context())
	over, away := make(chan struct{}), false
	reachable := v.admin.Reachable // of this moment: the page goes on to change v
	go func() {
		defer close(over)
		again := time.NewTicker(patience)
		defer again.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-again.C:
			}
			if !reachable() {
				away = true
				giveUp()
				return
			}
		}
	}()
	return func() bool {
		end()
		<-over
		return away
	}
}

// session is who has signed in. What a person of the file may is what the file says now; without them in it, the
// session has ended.
func (c *Console) session(v *visit) (admin.Session, error) {
	token := c.cookieOf(v.r)
	if token == "" {
		return admin.Session{}, admin.ErrNoSession
	}
	s, err := v.admin.Session(v.ctx(), token, c.Session())
	if err != nil || !s.Listed {
		return s, err
	}
	p, ok := c.named(s.Name)
	if !ok || p.Program {
		return admin.Session{}, admin.ErrNoSession
	}
	s.Role, s.Reveal = string(p.Role), p.Reveal
	return s, nil
}

// askToSignIn leads a person to the page for it, and a script to what it can understand.
func (v *visit) askToSignIn() {
	if v.r.Method != http.MethodGet || v.r.Header.Get(partHeader) != "" {
		http.Error(v.w, v.lang.Text("sign in first"), http.StatusUnauthorized)
		return
	}
	http.Redirect(v.w, v.r, v.c.prefix+"/sign-in?to="+queryOf(v.r.URL.RequestURI()), http.StatusSeeOther)
}

// cookieOf is what the browser holds of a session.
func (c *Console) cookieOf(r *http.Request) string {
	cookie, err := r.Cookie(c.cookieName(r))
	if err != nil {
		return ""
	}
	return cookie.Value
}

func (c *Console) cookieName(r *http.Request) string {
	if c.encrypted(r) {
		return securePrefix + sessionCookie
	}
	return sessionCookie
}

// hold gives the browser a session to hold, or with "" takes it away.
func (c *Console) hold(w http.ResponseWriter, r *http.Request, token string) {
	cookie := &http.Cookie{Name: c.cookieName(r), Value: token, Path: "/", HttpOnly: true, Secure: c.encrypted(r), SameSite: http.SameSiteLaxMode}
	if token == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

// signOut ends the session.
func (v *visit) signOut() error {
	if err := v.admin.Audit(v.ctx(), admin.AuditEntry{Verb: admin.VerbSignOut}); err != nil {
		return err
	}
	if err := v.admin.Close(v.ctx(), v.c.cookieOf(v.r)); err != nil {
		return err
	}
	v.c.hold(v.w, v.r, "")
	return v.redirect("/sign-in?done=signed-out")
}

// networkOf is the address from which a request came, of IPv6 the network: a house has many of those.
func (c *Console) networkOf(r *http.Request) string {
	const house = 64
	addr := web.Sender(r, c.Proxies)
	if prefix, err := addr.Prefix(house); err == nil && addr.Is6() {
		return prefix.String()
	}
	return addr.String()
}

// address is the address from which a request came, as the audit keeps it.
func (c *Console) address(r *http.Request) string {
	if addr := web.Sender(r, c.Proxies); addr != (netip.Addr{}) {
		return addr.String()
	}
	return ""
}
