package console_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/touchbox/touchbox/pkg/admin"
	"github.com/touchbox/touchbox/pkg/console"
	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/queue"
	"github.com/touchbox/touchbox/pkg/queue/queuetest"
)

// description is the OpenAPI document, as a program reads it, and what of it was seen.
type description struct {
	t        *testing.T
	paths    map[string]map[string]any
	answers  map[string]any // that have a name
	compiler *jsonschema.Compiler
	seen     map[string]bool // "get /events 200"
}

const documentURL = "https://touchbox.test/openapi.json"

func readDescription(t *testing.T) *description {
	t.Helper()
	text, err := os.ReadFile("../../schemas/admin.openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	var shape struct {
		OpenAPI    string
		Paths      map[string]map[string]any
		Components struct{ Responses map[string]any }
	}
	if err := json.Unmarshal(raw, &shape); err != nil || shape.OpenAPI != "3.1.0" {
		t.Fatalf("%v: OpenAPI %q", err, shape.OpenAPI)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	parts := map[string]bool{}
	findParts(document, parts)
	for name, schema := range document.(map[string]any)["components"].(map[string]any)["schemas"].(map[string]any) {
		if !parts[name] {
			closeObjects(schema)
		}
	}
	d := &description{t: t, paths: shape.Paths, answers: shape.Components.Responses, compiler: jsonschema.NewCompiler(), seen: map[string]bool{}}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource(documentURL, document); err != nil {
		t.Fatal(err)
	}
	return d
}

// findParts finds the schemas of which others are made: what they do not name is not wrong.
func findParts(node any, parts map[string]bool) {
	switch node := node.(type) {
	case []any:
		for _, one := range node {
			findParts(one, parts)
		}
	case map[string]any:
		if all, ok := node["allOf"].([]any); ok {
			for _, one := range all {
				ref, _ := one.(map[string]any)["$ref"].(string)
				parts[strings.TrimPrefix(ref, "#/components/schemas/")] = true
			}
		}
		for _, one := range node {
			findParts(one, parts)
		}
	}
}

// closeObjects has a schema refuse what it does not name: a field that the document lacks is a fault of it.
func closeObjects(node any) {
	switch node := node.(type) {
	case []any:
		for _, one := range node {
			closeObjects(one)
		}
	case map[string]any:
		for _, one := range node {
			closeObjects(one)
		}
		_, named := node["properties"].(map[string]any)
		_, open := node["additionalProperties"]
		if named && !open && node["type"] == "object" {
			node["unevaluatedProperties"] = false
		}
	}
}

// of finds the path of the document that an address is of; "" where it has none.
func (d *description) of(path string) string {
	path, _, _ = strings.Cut(strings.TrimPrefix(path, "/api/v1"), "?")
	if d.paths[path] != nil {
		return path
	}
	for template := range d.paths {
		want, got := strings.Split(template, "/"), strings.Split(path, "/")
		same := len(want) == len(got)
		for i := range want {
			same = same && (strings.HasPrefix(want[i], "{") || want[i] == got[i])
		}
		if same {
			return template
		}
	}
	return ""
}

// holds fails the test where an answer is none that the document describes.
func (d *description) holds(method, path string, got answer) {
	d.t.Helper()
	method, template := strings.ToLower(method), d.of(path)
	operation, _ := d.paths[template][method].(map[string]any)
	pointer, responses := "/components/responses/Problem", map[string]any{}
	if operation != nil {
		responses = operation["responses"].(map[string]any)
	}
	response, told := responses[fmt.Sprint(got.status)].(map[string]any)
	if told {
		pointer = "/paths/" + escaped(template) + "/" + method + "/responses/" + fmt.Sprint(got.status)
		if named, ok := response["$ref"].(string); ok {
			pointer = strings.TrimPrefix(named, "#")
			response = d.answers[strings.TrimPrefix(named, "#/components/responses/")].(map[string]any)
		}
	} else if operation != nil || got.status < 400 {
		d.t.Errorf("%s %s: the document has no answer %d", method, path, got.status)
		return
	}
	d.seen[fmt.Sprintf("%s %s %d", method, template, got.status)] = true
	kind, _, _ := strings.Cut(got.header.Get("Content-Type"), ";")
	if told && response["content"].(map[string]any)[kind] == nil || !told && kind != "application/problem+json" {
		d.t.Errorf("%s %s: %d comes as %q", method, path, got.status, kind)
		return
	}
	if !strings.HasSuffix(kind, "json") {
		return
	}
	schema, err := d.compiler.Compile(documentURL + "#" + pointer + "/content/" + escaped(kind) + "/schema")
	if err != nil {
		d.t.Fatalf("%s %s: %v", method, path, err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(got.body))
	if err == nil {
		err = schema.Validate(value)
	}
	if err != nil {
		d.t.Errorf("%s %s %d: %#v\n%s", method, path, got.status, err, got.body)
	}
}

func escaped(text string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(text)
}

// caller asks the API with a key, and holds each answer to the document.
type caller struct {
	*house
	*description
	key string
}

func (h *house) caller(d *description, key string) caller { return caller{h, d, key} }

// asks sends a request, with a body where there is one, and headers by name and value.
func (c caller) asks(method, path, body string, headers ...string) answer {
	c.house.t.Helper()
	got := c.asksRaw(method, path, body, headers...)
	c.holds(method, path, got)
	impersonal(c.house.t, path, got.body)
	return got
}

func (c caller) asksRaw(method, path, body string, headers ...string) answer {
	t := c.house.t
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, c.server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if c.key != "" {
		r.Header.Set("Authorization", "Bearer "+c.key)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, response.Header.Get("Location"), string(text)}
}

// reads is asks for an answer of 200, whose JSON it reads.
func (c caller) reads(v any, path string) {
	c.house.t.Helper()
	got := c.asks("GET", path, "")
	if err := json.Unmarshal([]byte(got.body), v); err != nil || got.status != http.StatusOK {
		c.house.t.Fatalf("%s: %d, %v in %s", path, got.status, err, got.body)
	}
}

// expects is asks for an answer with this status.
func (c caller) expects(status int, method, path, body string, headers ...string) answer {
	c.house.t.Helper()
	got := c.asks(method, path, body, headers...)
	if got.status != status {
		c.house.t.Errorf("%s %s %s: %d, want %d\n%s", method, path, body, got.status, status, got.body)
	}
	return got
}

func TestEveryAnswerOfTheAPIIsAsItsDescriptionSays(t *testing.T) {
	named := func(o *console.Options) { o.URL = &url.URL{Scheme: "https", Host: "touchbox.example.com"} }
	h, d := newHouse(t, named), readDescription(t)
	dead, waiting := h.fill()
	boss, worker, viewer := h.caller(d, adminKey), h.caller(d, actKey), h.caller(d, programKey)
	for _, path := range []string{
		"/status", "/events", "/events?outcome=dead&link=dynamic&limit=1", "/events?site=clinic&kind=call.ended&since=3d", "/events/" + dead.String(), "/events/" + waiting.String(),
		"/causes", "/causes?link=dynamic", "/deadletters", "/deadletters?reason=validation_error&status=400", "/openapi.yaml", "/events?format=csv", "/causes?format=csv", "/deadletters?format=csv",
	} {
		viewer.expects(200, "GET", "/api/v1"+path, "")
	}

	// Who may not, and what makes no sense.
	for _, path := range []string{
		"/events?lnik=dynamic", "/events?limit=0", "/events?limit=1001", "/events?since=soon", "/events?outcome=fine", "/events?link=nobody", "/events?link=a&link=b", "/status?x=1",
		"/deadletters?status=many", "/causes?kind=deal",
	} {
		viewer.expects(400, "GET", "/api/v1"+path, "")
	}
	viewer.expects(404, "GET", "/api/v1/events/10001/call-ended/4711", "")
	viewer.expects(404, "GET", "/api/v1/nothing", "")
	viewer.expects(403, "GET", "/api/v1/audit", "")
	if got := viewer.expects(405, "DELETE", "/api/v1/status", ""); got.header.Get("Allow") != "GET" {
		t.Errorf("Allow: %q", got.header.Get("Allow"))
	}
	viewer.expects(403, "POST", "/api/v1/retries/now", "", "Origin", "https://evil.example")
	for _, path := range []string{"/retries/now", "/links/dynamic/stop", "/replays", "/replays/preview", "/replays/abc/stop"} {
		viewer.expects(403, "POST", "/api/v1"+path, "{}")
	}
	// Acting.
	worker.expects(400, "POST", "/api/v1/links/dynamic/stop", `{"why": " "}`)
	worker.expects(400, "POST", "/api/v1/links/dynamic/stop", `{"wyh": "typo"}`)
	worker.expects(400, "POST", "/api/v1/links/dynamic/stop", `{"why": 7}`)
	worker.expects(400, "POST", "/api/v1/links/dynamic/stop", `why`)
	worker.expects(415, "POST", "/api/v1/links/dynamic/stop", `{"why": "x"}`, "Content-Type", "text/plain")
	worker.expects(404, "POST", "/api/v1/links/nobody/stop", `{"why": "x"}`)
	worker.expects(200, "POST", "/api/v1/links/dynamic/stop", `{"why": "звонить `+person.phone+`"}`)
	viewer.expects(200, "GET", "/api/v1/status", "")
	worker.expects(200, "POST", "/api/v1/links/dynamic/start", `{"why": "waited enough"}`)
	worker.expects(200, "POST", "/api/v1/links/dynamic/start", "")
	worker.expects(400, "POST", "/api/v1/retries/now", `{"link": "nobody"}`)
	asked := worker.expects(202, "POST", "/api/v1/retries/now", `{"link": "dynamic"}`)
	stop := h.worker()
	var made admin.Job
	queuetest.Eventually(t, "what waits was made due", func() bool { viewer.reads(&made, asked.location); return made.State == admin.JobDone })
	if made.Changed != 1 || made.Kind != admin.JobRetriesNow {
		t.Errorf("%+v", made)
	}
	stop()
	replay := h.replays(boss, worker, viewer)
	worker.refusals(dead, replay)
	boss.expects(400, "GET", "/api/v1/audit?x=1", "")
	boss.expects(200, "GET", "/api/v1/audit?who=anna&since=1h", "")
	boss.expects(200, "GET", "/api/v1/audit?format=csv", "")
	audited := h.audited()
	for _, want := range []string{"anna link_stop link dynamic", "anna link_start link dynamic waited enough", "anna replay dead: link dynamic areas mended", "zabbix export events: all"} {
		if !strings.Contains(audited, want) {
			t.Errorf("the audit lacks %q:\n%s", want, audited)
		}
	}
	h.stop()
	boss.everywhere(503, dead, replay, "/openapi.yaml")
	impersonal(t, "the log", h.log.String())
	slow := newHouse(t, nil)
	for range 5 {
		slow.caller(d, "wrong").expects(401, "GET", "/api/v1/status", "")
	}
	slow.caller(d, adminKey).everywhere(429, dead, replay)

	for template, methods := range d.paths {
		for method, operation := range methods {
			if method == "parameters" {
				continue
			}
			for status := range operation.(map[string]any)["responses"].(map[string]any) {
				if status != "default" && !d.seen[method+" "+template+" "+status] {
					t.Errorf("nothing was answered to %s %s by %s", method, template, status)
				}
			}
		}
	}
}

// operations are all that the document has, with what each is asked for.
func (d *description) operations(event event.Key, job string) (list [][3]string) {
	bodies := map[string]string{"/links/{id}/stop": `{"why": "x"}`, "/replays": `{"unseen": true}`}
	for template, methods := range d.paths {
		for method := range methods {
			if method == "parameters" {
				continue
			}
			id := map[bool]string{true: "dynamic", false: job}[strings.HasPrefix(template, "/links/")]
			path := strings.NewReplacer("{site}/{kind}/{id}", event.String(), "{id}", id).Replace(template)
			body := ""
			if method == "post" {
				body = cmp.Or(bodies[template], "{}")
			}
			list = append(list, [3]string{strings.ToUpper(method), "/api/v1" + path, body})
		}
	}
	return list
}

// everywhere expects one status of each operation but some.
func (c caller) everywhere(status int, event event.Key, job string, but ...string) {
	c.house.t.Helper()
	for _, one := range c.operations(event, job) {
		if !slices.Contains(but, strings.TrimPrefix(one[1], "/api/v1")) {
			c.expects(status, one[0], one[1], one[2])
		}
	}
}

// refusals asks each operation by somebody else's name, in the clear, with what there is none of, and as no JSON.
func (c caller) refusals(event event.Key, job string) {
	c.house.t.Helper()
	stranger := c.house.caller(c.description, "")
	for _, one := range c.operations(event, job) {
		method, path, body := one[0], one[1], one[2]
		stranger.expects(401, method, path, body)
		c.expects(421, method, path, body, "Host", "evil.example")
		c.expects(403, method, path, body, "Host", "touchbox.example.com")
		if strings.HasSuffix(path, "/openapi.yaml") || strings.HasSuffix(path, "/audit") {
			continue
		}
		c.expects(400, method, path+"?x=1", body)
		if method == "POST" {
			c.expects(400, method, path, `{"x": 1}`)
			c.expects(415, method, path, "{}", "Content-Type", "text/plain")
			c.expects(413, method, path, `{"x": "`+strings.Repeat("x", 1<<20)+`"}`)
		}
	}
	for _, missing := range []string{"/jobs/none", "/replays/none"} {
		c.expects(404, "GET", "/api/v1"+missing, "")
	}
	for _, missing := range []string{"/replays/none/stop", "/links/nobody/start"} {
		c.expects(404, "POST", "/api/v1"+missing, "")
	}
}

// replays goes the whole way of a replay, and returns the id of its job.
func (h *house) replays(boss, worker, viewer caller) string {
	t := h.t
	t.Helper()
	for _, body := range []string{`{}`, `{"unseen": true, "rate": -1}`, `{"preview": "00", "link": "dynamic"}`, `{"preview": "00", "unseen": true}`, `{"unseen": true, "outcome": "fine"}`,
		`{"unseen": true, "link": "nobody"}`, `{"unseen": true, "event": "no key"}`} {
		worker.expects(400, "POST", "/api/v1/replays", body)
	}
	worker.expects(403, "POST", "/api/v1/replays/preview", `{"outcome": "delivered"}`)
	worker.expects(403, "POST", "/api/v1/replays", `{"unseen": true, "revision": "fix-1"}`)
	worker.expects(409, "POST", "/api/v1/replays/preview", `{"outcome": "waiting"}`)
	if got := worker.expects(409, "POST", "/api/v1/replays", `{"preview": "00"}`); !strings.Contains(got.body, "urn:touchbox:preview") {
		t.Error(got.body)
	}
	var preview struct {
		Preview          string
		Found, WouldSend int
		Forecast         admin.Forecast
	}
	look := func(c caller, body string) string {
		got := c.expects(200, "POST", "/api/v1/replays/preview", body)
		if err := json.Unmarshal([]byte(got.body), &preview); err != nil {
			t.Fatal(err)
		}
		return `{"preview": "` + preview.Preview + `", "why": "areas mended", "rate": 50}`
	}
	worker.expects(403, "POST", "/api/v1/replays", look(boss, `{"outcome": "delivered", "revision": "fix-1"}`))
	ask := look(worker, `{"link": "dynamic"}`)
	if preview.Found != 1 || preview.Forecast.Selected != 1 {
		t.Errorf("%+v", preview)
	}
	h.publish(8, 30) // dies too, as does what was made due before: the preview is no longer true
	h.work("dynamic", queue.Decision{Outcome: event.Dead, Reason: "validation_error", Status: 400, Answer: "again", Attempts: 1}, 2)
	if got := worker.expects(409, "POST", "/api/v1/replays", ask); !strings.Contains(got.body, "urn:touchbox:grown") {
		t.Error(got.body)
	}
	ask = look(worker, `{"link": "dynamic"}`)
	got := worker.expects(202, "POST", "/api/v1/replays", ask)
	worker.expects(409, "POST", "/api/v1/replays", ask) // asked for once
	viewer.expects(200, "GET", got.location, "")
	stop := h.worker()
	var job admin.Job
	queuetest.Eventually(t, "it is done", func() bool { viewer.reads(&job, got.location); return job.State == admin.JobDone })
	stop()
	if job.State != admin.JobDone || job.Changed != 3 || job.By != admin.ByAPI || job.Who != "anna" || job.Address != "" {
		t.Errorf("%+v", job)
	}
	boss.expects(200, "GET", got.location, "")
	viewer.expects(404, "GET", "/api/v1/replays/none", "")
	if got := worker.expects(409, "POST", got.location+"/stop", ""); !strings.Contains(got.body, "urn:touchbox:ended") {
		t.Error(got.body)
	}
	got = worker.expects(202, "POST", "/api/v1/replays", `{"unseen": true, "outcome": "filtered"}`)
	worker.expects(200, "POST", got.location+"/stop", "")
	return job.ID
}

func TestTheDescriptionHasEveryRouteOfTheAPIAndNoOther(t *testing.T) {
	d := readDescription(t)
	routes := map[string]bool{}
	for _, pattern := range console.APIRoutes() {
		method, path, _ := strings.Cut(pattern, " ")
		routes[strings.ToLower(method)+" "+strings.TrimPrefix(path, "/api/v1")] = true
	}
	for template, methods := range d.paths {
		for method := range methods {
			if name := method + " " + template; method != "parameters" && !routes[name] {
				t.Errorf("the console has no route %s", name)
			} else {
				delete(routes, name)
			}
		}
	}
	for name := range routes {
		t.Errorf("the document lacks %s", name)
	}
}

func TestAWrongKeyAtTheAPIIsSlowedDownAndARightOneElsewhereIsNot(t *testing.T) {
	h, d := newHouse(t, nil), readDescription(t)
	for range 5 {
		h.caller(d, "wrong").expects(401, "GET", "/api/v1/status", "")
	}
	if got := h.caller(d, "wrong").expects(429, "GET", "/api/v1/status", ""); got.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if audited := h.audited(); strings.Count(audited, "sign_in_refused") != 1 {
		t.Errorf("the audit:\n%s", audited)
	}
}

func TestACookieOpensNothingOfTheAPI(t *testing.T) {
	h := newHouse(t, nil)
	if got := h.signedIn(adminKey).get("/api/v1/status"); got.status != http.StatusUnauthorized {
		t.Errorf("%d", got.status)
	}
	h.people = h.people[:2]
	d := readDescription(t)
	h.caller(d, adminKey).expects(401, "GET", "/api/v1/status", "")
}

func TestTheStatusSaysWhatNeedsAPerson(t *testing.T) {
	h, d := newHouse(t, nil), readDescription(t)
	h.fill()
	var status struct {
		Alarming  int
		Attention []struct{ What, Page string }
		Links     []admin.LinkStatus
		Streams   []struct{ Name string }
	}
	h.admin.Board.Refresh(t.Context())
	h.caller(d, programKey).reads(&status, "/api/v1/status")
	if status.Alarming != 1 || len(status.Attention) != 1 || !strings.HasPrefix(status.Attention[0].Page, "/causes/") || len(status.Links) != 2 || len(status.Streams) < 5 {
		t.Errorf("%+v", status)
	}
}

func TestTheStatusIsQuick(t *testing.T) {
	h, d := newHouse(t, nil), readDescription(t)
	h.fill()
	c := h.caller(d, programKey)
	began, n := time.Now(), 20
	c.asksRaw("GET", "/api/v1/status", "")
	t.Logf("the first GET /api/v1/status takes %s", time.Since(began))
	let := h.hold() // it waits for no answer of the queue, whoever asked last
	if got := c.asksRaw("GET", "/api/v1/status", ""); got.status != http.StatusOK {
		t.Errorf("beside a queue that is slow: %d %s", got.status, got.body)
	}
	let()
	began = time.Now()
	for range n {
		c.asksRaw("GET", "/api/v1/status", "")
	}
	took := time.Since(began) / time.Duration(n)
	t.Logf("GET /api/v1/status takes %s", took)
	if took > time.Second { // a hundred times what it takes on a quiet machine
		t.Errorf("it takes %s", took)
	}
}

// rowsOf are the lines of a table.
func rowsOf(text string) []string { return strings.Split(strings.TrimRight(text, "\n"), "\n") }

func TestATableHasWhatItsListShowsMaskedAndGuarded(t *testing.T) {
	h, d := newHouse(t, nil), readDescription(t)
	h.fill()
	h.publish(9, 30)
	h.work("dynamic", queue.Decision{Outcome: event.Dead, Reason: "protocol_error", Status: 400, Answer: "=HYPERLINK(\"https://evil.example\")", Attempts: 1}, 1)
	for path, rows := range map[string]int{
		"/events": 4, "/events?outcome=dead": 2, "/deadletters": 2, "/deadletters?reason=protocol_error": 1, "/causes": 2, "/retries": 1, "/aside": 1, "/aside?reason=ping": 0, "/audit": 3,
	} {
		join := "?"
		if strings.Contains(path, "?") {
			join = "&"
		}
		b := h.signedIn(adminKey)
		for language, separator := range map[string]string{"ru": ";", "en": ","} {
			got := b.get(path + join + "format=csv&lang=" + language)
			lines := rowsOf(got.body)
			if got.status != http.StatusOK || !strings.HasPrefix(got.body, "\ufeff") || !strings.Contains(lines[0], separator) || !strings.HasPrefix(got.header.Get("Content-Type"), "text/csv") {
				t.Errorf("%s: %d %q", path, got.status, lines[0])
			}
			if len(lines) != rows+1 && path != "/audit" {
				t.Errorf("%s has %d rows, want %d:\n%s", path, len(lines)-1, rows, got.body)
			}
			impersonal(t, path, got.body)
			for _, line := range lines {
				for cell := range strings.SplitSeq(line, separator) {
					if strings.HasPrefix(strings.Trim(cell, `"`), "=") {
						t.Errorf("%s: a formula: %s", path, cell)
					}
				}
			}
		}
		if path == "/retries" || strings.HasPrefix(path, "/aside") {
			continue
		}
		got := h.caller(d, adminKey).asks("GET", "/api/v1"+path, "", "Accept", "text/csv")
		if strings.HasPrefix(got.body, "\ufeff") || path != "/audit" && len(rowsOf(got.body)) != rows+1 {
			t.Errorf("%s by the API:\n%s", path, got.body)
		}
	}
	if audited := h.audited(); !strings.Contains(audited, "oleg export deadletters: reason protocol_error") {
		t.Errorf("the audit lacks it:\n%s", audited)
	}
}

func TestATableThatCannotBeWrittenDownIsNotGiven(t *testing.T) {
	h := newHouse(t, nil)
	h.fill()
	b := h.signedIn(seeKey)
	h.stop()
	if got := b.get("/events?format=csv"); got.status == http.StatusOK {
		t.Errorf("%d %s", got.status, got.body)
	}
}
