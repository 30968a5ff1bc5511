package console

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/lang"
	"github.com/touchbox/touchbox/schemas"
)

// The API gives programs what the pages show, as JSON: the views of the commands' --json. It asks for a key with every
// request and takes no cookie, so that no page of a stranger's can use it. What reveals, erases, drops or resets is not in it:
// that needs a person. schemas/admin.openapi.yaml describes it, and a test holds each to the other.

// apiTable lists every address of the API.
func apiTable() []route {
	return []route{
		{"GET /api/v1/status", See, (*visit).apiStatus},
		{"GET /api/v1/events", See, (*visit).apiEvents},
		{"GET /api/v1/events/{site}/{kind}/{id}", See, (*visit).apiEvent},
		{"GET /api/v1/causes", See, (*visit).apiCauses},
		{"GET /api/v1/deadletters", See, (*visit).apiDeadLetters},
		{"GET /api/v1/audit", Admin, (*visit).apiAudit},
		{"POST /api/v1/replays/preview", Act, (*visit).apiPreview},
		{"POST /api/v1/replays", Act, (*visit).apiReplay},
		{"GET /api/v1/replays/{id}", See, (*visit).apiReplayOf},
		{"POST /api/v1/replays/{id}/stop", Act, (*visit).apiStopReplay},
		{"POST /api/v1/links/{id}/stop", Act, (*visit).apiStopLink},
		{"POST /api/v1/links/{id}/start", Act, (*visit).apiStartLink},
		{"POST /api/v1/retries/now", Act, (*visit).apiRetriesNow},
		{"GET /api/v1/jobs/{id}", See, (*visit).apiJob},
		{"GET /api/v1/openapi.yaml", See, (*visit).apiDescription},
	}
}

// apiPath begins every address of the API.
const apiPath = "/api/"

// apiWithin bounds one request of a program: what changes many things takes longer than a page.
const apiWithin = 2 * time.Minute

// serveAPI adds the API to the addresses.
func (c *Console) serveAPI(mux *http.ServeMux) {
	for _, one := range apiTable() {
		mux.HandleFunc(one.pattern, c.called(one))
	}
	mux.HandleFunc(apiPath, c.called(route{apiPath, See, func(v *visit) error { return v.noRoute(mux) }}))
}

// called lets the programs and people that have a key, and may, through to an answer.
func (c *Console) called(to route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), apiWithin)
		defer cancel()
		v := &visit{c: c, w: w, r: r.WithContext(ctx), lang: accepted(r), program: true, admin: c.Admin()}
		err := c.bearer(v)
		if err == nil && !v.may(to.needs) {
			err = errForbidden
		}
		if err == nil {
			stop := v.watchQueue(cancel)
			if err = to.page(v); stop() {
				err = admin.ErrAway
			}
		}
		if err != nil {
			v.problem(err)
		}
	}
}

// bearer finds whose key a request has. errNoKey, errTooMany.
func (c *Console) bearer(v *visit) error {
	network, now := c.networkOf(v.r), c.Now()
	if !c.guesses.may(network, now) {
		v.w.Header().Set("Retry-After", "60")
		return errTooMany
	}
	scheme, key, _ := strings.Cut(v.r.Header.Get("Authorization"), " ")
	p, ok := c.person(plainKey(key))
	if !strings.EqualFold(scheme, "Bearer") || !ok {
		if key != "" {
			c.guesses.allow(network, now)
			c.refused(v)
			c.Log.Warn().Str("from", network).Msg("console: a wrong key")
		}
		v.w.Header().Set("WWW-Authenticate", `Bearer realm="touchbox"`)
		return errNoKey
	}
	v.who = admin.Session{Name: p.Name, Role: string(p.Role), Listed: true}
	v.admin.Actor = v.actor()
	return nil
}

// noRoute tells an address that is not there from one that is there for another method.
func (v *visit) noRoute(mux *http.ServeMux) error {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		r := v.r.Clone(v.ctx())
		r.Method = method
		if _, pattern := mux.Handler(r); pattern != apiPath {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		return errNoPage
	}
	v.w.Header().Set("Allow", strings.Join(allowed, ", "))
	return errMethod
}

// Errors of the API alone.
var (
	errNoKey  = errors.New("there is no key, or one that opens nothing: send `Authorization: Bearer KEY` with a key of console.people")
	errMethod = errors.New("this address takes another method: see the header Allow")
	errType   = errors.New("the body is to be JSON: send Content-Type: application/json")
	errLarge  = errors.New("the body is larger than anything that is asked for here: it has 1 MB at most")
)

// errAsked is that what a program asked for makes no sense, and why.
type errAsked struct{ why string }

func (e errAsked) Error() string { return e.why }

// problem is an error as RFC 9457 has it.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty"` // what to do about it
	ID     string `json:"id,omitempty"`   // stands in the log too
}

// problemTypes are the errors that a program can tell from others of the same status.
var problemTypes = map[error]string{admin.ErrNoPreview: "urn:touchbox:preview", admin.ErrGrown: "urn:touchbox:grown", admin.ErrJobEnded: "urn:touchbox:ended"}

// problem answers with an error.
func (v *visit) problem(err error) {
	p := problem{Type: "about:blank"}
	var asked errAsked
	var field errField
	switch {
	case errors.As(err, &asked):
		p.Status, p.Detail = http.StatusBadRequest, asked.why
	case errors.Is(err, errNoKey):
		p.Status, p.Detail = http.StatusUnauthorized, v.lang.Text(errNoKey.Error())
	case errors.Is(err, errMethod):
		p.Status, p.Detail = http.StatusMethodNotAllowed, v.lang.Text(errMethod.Error())
	case errors.Is(err, errType):
		p.Status, p.Detail = http.StatusUnsupportedMediaType, v.lang.Text(errType.Error())
	case errors.Is(err, errLarge):
		p.Status, p.Detail = http.StatusRequestEntityTooLarge, v.lang.Text(errLarge.Error())
	case errors.As(err, &field):
		p.Status, p.Detail = http.StatusBadRequest, field.name+": "+field.said(v.lang)
	default:
		var view errorView
		view, p.Status = v.explain(err)
		p.Detail, p.Hint, p.ID = view.What, view.Hint, view.ID
	}
	if kind := problemTypes[admin.Refusal(err)]; kind != "" {
		p.Type = kind
	}
	p.Title = http.StatusText(p.Status)
	v.w.Header().Set("Content-Type", "application/problem+json")
	v.writeJSON(p.Status, p)
}

// answer writes a value, in the form that the commands' --json has.
func (v *visit) answer(status int, value any) error {
	v.w.Header().Set("Content-Type", "application/json")
	v.writeJSON(status, value)
	return nil
}

func (v *visit) writeJSON(status int, value any) {
	h := v.w.Header()
	h.Set("Content-Language", string(v.lang))
	h.Set("Vary", "Accept, Accept-Language, Authorization")
	v.w.WriteHeader(status)
	encoder := json.NewEncoder(v.w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(value) // a program that went away needs no answer
}

// list answers with the rows of a list, and says in a header how many there are altogether, where that is known.
func list[T any](v *visit, rows []T, total int) error {
	if total >= 0 {
		v.w.Header().Set("X-Total-Count", strconv.Itoa(total))
	}
	if rows == nil {
		rows = []T{} // no rows are [], not null
	}
	return v.answer(http.StatusOK, rows)
}

// accepted is the language that a program asks for.
func accepted(r *http.Request) lang.Language {
	first, _, _ := strings.Cut(r.Header.Get("Accept-Language"), ",")
	return lang.Detect(first, noEnvironment)
}

func (v *visit) apiDescription() error {
	v.w.Header().Set("Content-Type", "application/yaml")
	_, _ = v.w.Write(schemas.AdminAPI) // a program that went away needs no answer
	return nil
}

func (v *visit) apiEvents() error {
	f, limit, err := v.asksList("link", "site", "kind", "outcome", "since", "until")
	if err != nil {
		return err
	}
	q, err := v.eventQuery(f)
	if err != nil {
		return err
	}
	if v.wantsTable() {
		return v.tableOfEvents(q)
	}
	q.Limit = limit
	rows, total, err := v.admin.Events(v.ctx(), q)
	if err != nil {
		return err
	}
	shown := make([]admin.RowView, len(rows))
	for i, row := range rows {
		shown[i] = admin.Mask{}.Row(row)
	}
	return list(v, shown, total)
}

func (v *visit) apiEvent() error {
	if _, _, err := v.asks(); err != nil {
		return err
	}
	key, err := v.eventKey()
	if err != nil {
		return err
	}
	timeline, err := v.admin.Timeline(v.ctx(), key)
	if err != nil {
		return err
	}
	if !timeline.Known() {
		return errNoPage
	}
	return v.answer(http.StatusOK, v.admin.EventView(timeline, admin.Mask{}))
}

func (v *visit) apiCauses() error {
	f, _, err := v.asks("link", "site", "kind", "reason", "status", "since", "until", formatParameter)
	if err != nil {
		return err
	}
	selection, err := v.of(f)
	if err != nil {
		return err
	}
	if v.wantsTable() {
		return v.tableOfCauses(selection)
	}
	causes, err := v.admin.Causes(v.ctx(), selection)
	if err != nil {
		return err
	}
	return list(v, causes, len(causes))
}

func (v *visit) apiDeadLetters() error {
	f, limit, err := v.asksList("link", "site", "kind", "reason", "status", "since", "until", "cause")
	if err != nil {
		return err
	}
	selection, err := v.of(f)
	if err != nil {
		return err
	}
	if v.wantsTable() {
		return v.tableOfDead(selection, f.Cause)
	}
	rows, total, err := v.admin.DeadRows(v.ctx(), selection, f.Cause, limit)
	if err != nil {
		return err
	}
	return list(v, rows, total)
}

func (v *visit) apiAudit() error {
	f, limit, err := v.asksList("who", "verb", "since", "until")
	if err != nil {
		return err
	}
	q := admin.AuditQuery{Who: v.r.FormValue("who"), Verb: v.r.FormValue("verb"), Limit: limit}
	if q.Since, q.Until, err = v.span(f); err == nil {
		err = v.oneOf("verb", q.Verb, admin.Verbs())
	}
	if err != nil {
		return err
	}
	if v.wantsTable() {
		return v.tableOfAudit(q)
	}
	entries, total, err := v.admin.AuditEntries(v.ctx(), q)
	if err != nil {
		return err
	}
	return list(v, entries, total)
}

// whyAsked says why something is to be done.
type whyAsked struct {
	Why string `json:"why"`
}

func (v *visit) apiStopLink() error {
	ask, err := body[whyAsked](v)
	if err != nil {
		return err
	}
	if strings.TrimSpace(ask.Why) == "" {
		return errAsked{v.lang.Text("Say why: it stands beside the link until it is started, and in the audit.")}
	}
	if err := v.admin.Stop(v.ctx(), v.r.PathValue("id"), ask.Why); err != nil {
		return err
	}
	return v.turned("stopped")
}

func (v *visit) apiStartLink() error {
	ask, err := body[whyAsked](v)
	if err != nil {
		return err
	}
	if err := v.admin.Start(v.ctx(), v.r.PathValue("id"), ask.Why); err != nil {
		return err
	}
	return v.turned("started")
}

// turned answers as `touchbox links stop --json` does.
func (v *visit) turned(state string) error {
	v.c.standing.forget()
	return v.answer(http.StatusOK, map[string]string{"link": v.r.PathValue("id"), "state": state})
}

// retriesAsked says which of what waits is to be tried now.
type retriesAsked struct {
	Link   string `json:"link"`
	Site   string `json:"site"`
	Kind   string `json:"kind"`
	Reason string `json:"reason"`
	Status *int   `json:"status"`
	Since  string `json:"since"`
	Until  string `json:"until"`
}

func (a retriesAsked) filter() filter {
	f := filter{Link: a.Link, Site: a.Site, Kind: a.Kind, Reason: a.Reason, Since: a.Since, Until: a.Until}
	if a.Status != nil {
		f.Status = strconv.Itoa(*a.Status)
	}
	return f
}

func (v *visit) apiRetriesNow() error {
	ask, err := body[retriesAsked](v)
	if err != nil {
		return err
	}
	work, err := v.work(ask.filter())
	if err != nil {
		return err
	}
	job, err := v.admin.AskJob(v.ctx(), admin.JobRetriesNow, work, "")
	if err != nil {
		return err
	}
	return v.asked(job, "/api/v1/jobs/")
}

// asked answers with a job that was asked for, and where it is to be found.
func (v *visit) asked(job admin.Job, at string) error {
	v.w.Header().Set("Location", v.c.prefix+at+job.ID)
	return v.answer(http.StatusAccepted, v.jobOf(job))
}

func (v *visit) apiJob() error {
	if _, _, err := v.asks(); err != nil {
		return err
	}
	j, err := v.admin.JobOf(v.ctx(), v.r.PathValue("id"))
	if err != nil {
		return err
	}
	return v.answer(http.StatusOK, v.jobOf(j))
}

// isOutcome refuses what is no outcome.
func (v *visit) isOutcome(text string) error {
	var all []string
	for _, o := range event.Outcomes {
		all = append(all, string(o))
	}
	return v.oneOf("outcome", text, all)
}
