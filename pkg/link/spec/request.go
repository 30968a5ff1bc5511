package spec

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/touchbox/touchbox/pkg/mindbox"
)

var (
	// address is one of the API's, whole or as the first line of an HTTP request has it.
	address = regexp.MustCompile(`(https?://[^\s/"'<>\\]+)?/v3/operations/(?:sync|async|bulk)\S*`)

	parameter = regexp.MustCompile(`(?i)\b(operation|endpointId|deviceUUID)=([^&\s"'\\]*)`)

	// spoken is an operation in a sentence: «операция CallTouch», Operation: CallTouch.
	spoken = regexp.MustCompile(`(?i)(?:операци\pL+|\boperations?)(?:\s+name)?["'“”»]?\s*[:=—–-]?\s*`)

	endpoint = regexp.MustCompile(`(?i)(?:endpoint ?id|endpoint|точк\pL+ интеграции)["'“”»)]*\s*[:=—–-]?\s*["'“”«]?([A-Za-z][\w-]*\.[\w.-]*\w)`)

	host = regexp.MustCompile(`https://[\w.-]*(?:mindbox\.(?:ru|cloud)|maestra\.io)\b`)

	header = regexp.MustCompile(`(?m)(?:^\s*|-H\s+\\?["']|--header\s+\\?["'])([A-Za-z][A-Za-z-]+):\s+\S`)

	operationName = regexp.MustCompile("^[\"'`“”«]?([A-Za-z][\\w.-]*\\w)[\"'`“”»]?")
	andAnother    = regexp.MustCompile(`^\s*(?:,|и|and|или|or|/)\s*`)
)

// readRequest takes from a text what it says of the request around the body.
func (r *reader) readRequest(text string) {
	for _, m := range address.FindAllStringSubmatch(text, -1) {
		if r.spec.URL == "" && m[1] != "" {
			r.spec.URL = m[1]
		}
	}
	if r.spec.URL == "" {
		r.spec.URL = host.FindString(text)
	}
	for _, m := range parameter.FindAllStringSubmatch(text, -1) {
		r.addParameter(strings.ToLower(m[1]), m[2])
	}
	r.spec.Device = r.spec.Device || strings.Contains(text, "deviceUUID")
	if m := endpoint.FindStringSubmatch(text); m != nil && r.spec.Endpoint == "" {
		r.spec.Endpoint = m[1]
	}
	for _, m := range spoken.FindAllStringIndex(text, -1) {
		r.spokenOperations(text[m[1]:])
	}
	r.listedOperations(text)
	r.tabledOperations(text)
	for _, operation := range slices.Clone(r.spec.Operations) { // CallTouchStatic beside CallTouch
		for _, longer := range regexp.MustCompile(`\b`+regexp.QuoteMeta(operation)+`[A-Z_.]\w*`).FindAllString(text, -1) {
			r.addOperation(longer)
		}
	}
	switch {
	case strings.Contains(text, "Mindbox secretKey"):
		r.spec.Authorization = mindbox.AuthorizationMindbox
	case regexp.MustCompile(`Authorization["']?\s*:\s*["']?SecretKey\b`).MatchString(text):
		r.spec.Authorization = mindbox.AuthorizationSecretKey
	}
	r.readHeaders(text)
}

// readHeaders notes the headers that a person must add to the destination, where the text is a request at all.
func (r *reader) readHeaders(text string) {
	if !address.MatchString(text) {
		return
	}
	for _, m := range header.FindAllStringSubmatch(text, -1) {
		name := m[1]
		if !mindbox.OwnHeader(name) && strings.Contains(name, "-") && !strings.EqualFold(name, "User-Agent") && !strings.HasPrefix(strings.ToLower(name), "accept") &&
			!slices.Contains(r.spec.Headers, name) {
			r.spec.Headers = append(r.spec.Headers, name)
		}
	}
}

func (r *reader) addParameter(name, value string) {
	value, err := url.QueryUnescape(value)
	named := err == nil && value != "" && !strings.ContainsAny(value, "<>{}*$ ")
	switch {
	case name == "deviceuuid":
		r.spec.Device = true
	case name == "operation" && named:
		r.addOperation(value)
	case name == "endpointid" && named && r.spec.Endpoint == "":
		r.spec.Endpoint = value
	}
}

// spokenOperations reads the names behind the word for an operation: «CallTouch и CallTouchStatic».
func (r *reader) spokenOperations(rest string) {
	for {
		m := operationName.FindStringSubmatch(rest)
		if m == nil || !looksNamed(m[1]) {
			return
		}
		r.addOperation(m[1])
		rest = rest[len(m[0]):]
		another := andAnother.FindString(rest)
		if another == "" {
			return
		}
		rest = rest[len(another):]
	}
}

var (
	// listItem is a line of a list that begins with a name: 1) CallTouch — динамические номера.
	listItem = regexp.MustCompile("^\\s*(?:(\\d+\\s*[.)])|[-–—*•·])\\s*[\"'`“”«]?([A-Za-z][\\w.-]*\\w)[\"'`“”»]?\\s*(?:$|[-–—:;,.(])")

	ofOperations = regexp.MustCompile(`(?i)операци|\boperations?\b`)
	ofFields     = regexp.MustCompile(`(?i)пол[яе]|параметр|тел[оа]|field|param|body`)
)

// listedOperations reads operations that stand in a list, below a line that speaks of them; in a list with numbers a name with a capital
// letter is one without such a line too.
func (r *reader) listedOperations(text string) {
	below := false
	for line := range strings.Lines(text) {
		m := listItem.FindStringSubmatch(strings.TrimRight(line, "\n"))
		switch {
		case m == nil && strings.TrimSpace(line) != "":
			below = ofOperations.MatchString(line) && !ofFields.MatchString(line)
		case m == nil || isRoot(firstSegment(m[2])) || !unicode.IsUpper(rune(m[2][0])) && !(below && looksNamed(m[2])):
		case below, m[1] != "" && looksNamed(m[2]):
			r.addOperation(m[2])
		}
	}
}

// looksNamed tells the name of an operation from a word of a sentence: it has a capital letter within, a dot or a digit.
func looksNamed(word string) bool {
	return strings.ContainsAny(word[1:], "ABCDEFGHIJKLMNOPQRSTUVWXYZ.0123456789") && !isRoot(word) && !strings.EqualFold(word, "endpointId") && !strings.EqualFold(word, "deviceUUID")
}

func (r *reader) addOperation(name string) {
	if !slices.Contains(r.spec.Operations, name) {
		r.spec.Operations = append(r.spec.Operations, name)
	}
}
