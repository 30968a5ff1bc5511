package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/touchbox/touchbox/pkg/admin"
)

// signInView is the page on which a person gives their key.
type signInView struct {
	To     string // where they wanted to go
	Wrong  string // what was wrong with the last try
	People bool   // somebody stands in the file
}

func (c *Console) showSignIn(v *visit, wrong string, status int) {
	view := signInView{To: localPath(v.r.FormValue("to")), Wrong: wrong, People: len(c.all()) > 0}
	v.show(page{Name: "signin", Title: v.lang.Text("Sign in"), View: view, Status: status})
}

// mostSignIn bounds the form of who signs in, in bytes: anybody may send one, and many at a time.
const mostSignIn = 16 << 10

// signIn takes a person's key, the token, or what stands in a sign-in link.
func (c *Console) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, mostSignIn)
	v := c.stranger(w, r)
	network, now := c.networkOf(r), c.Now()
	if !c.guesses.may(network, now) {
		w.Header().Set("Retry-After", "60")
		c.showSignIn(v, v.lang.Text("Too many wrong keys came from your address: wait a minute."), http.StatusTooManyRequests)
		return
	}
	v.admin = c.Admin()
	v.watched(func() error {
		s, err := c.whose(v.ctx(), v.admin, plainKey(v.r.FormValue("key")))
		if errors.Is(err, admin.ErrNoSession) {
			c.guesses.allow(network, now)
			c.refused(v)
			c.Log.Warn().Str("from", network).Msg("console: a wrong key")
			c.showSignIn(v, v.lang.Text("This key opens nothing: it is mistyped, was taken out of the file, or the link was used already."), http.StatusForbidden)
			return nil
		}
		if err != nil {
			return err
		}
		return c.begin(v, s)
	})
}

// whose is the session of whom a key, or a sign-in link, signs in. ErrNoSession.
func (c *Console) whose(ctx context.Context, a admin.Admin, key string) (admin.Session, error) {
	if p, ok := c.person(key); ok && !p.Program {
		return admin.Session{Name: p.Name, Role: string(p.Role), Reveal: p.Reveal, Listed: true}, nil
	}
	return a.Accept(ctx, key)
}

// refused writes down that a wrong key came, at most once a minute: else a stranger could fill the audit.
func (c *Console) refused(v *visit) {
	if !c.refusals.allow("", c.Now()) {
		return
	}
	v.admin.Actor = v.actor()
	if err := v.admin.Audit(v.ctx(), admin.AuditEntry{Verb: admin.VerbSignInRefused}); err != nil {
		c.Log.Warn().Err(err).Msg("console: a wrong key could not be written down")
	}
}

// begin opens a session and leads to where the person wanted to go.
func (c *Console) begin(v *visit, s admin.Session) error {
	v.who = s
	v.admin.Actor = v.actor()
	if err := v.admin.Audit(v.ctx(), admin.AuditEntry{Verb: admin.VerbSignIn}); err != nil {
		return err
	}
	token, err := v.admin.Open(v.ctx(), s, c.Session())
	if err != nil {
		return err
	}
	c.hold(v.w, v.r, token)
	c.Log.Info().Str("name", s.Name).Str("from", c.address(v.r)).Msg("console: signed in")
	return v.redirect(localPath(v.r.FormValue("to")))
}

// localPath is a path of this console, "/" for whatever is none.
func localPath(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || strings.Contains(u.Path, `\`) {
		return "/"
	}
	return u.RequestURI()
}

// redirect leads to a path of this console.
func (v *visit) redirect(path string) error {
	http.Redirect(v.w, v.r, v.c.prefix+path, http.StatusSeeOther)
	return nil
}

func queryOf(text string) string { return url.QueryEscape(text) }
