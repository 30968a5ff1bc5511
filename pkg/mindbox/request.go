package mindbox

import (
	"encoding/json"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/touchbox/touchbox/pkg/show"
	"github.com/touchbox/touchbox/pkg/web"
)

// operationsPath is the asynchronous call: accepted at once, executed by Mindbox later.
const operationsPath = "/v3/operations/async"

// The two spellings of the Authorization header that Mindbox publishes.
const (
	AuthorizationMindbox   = "mindbox"   // Mindbox secretKey="..."
	AuthorizationSecretKey = "secretkey" // SecretKey ...
)

// Operation is one call, rendered.
type Operation struct {
	Endpoint      string // endpointId, the integration point's system name
	Name          string // the operation's system name
	DeviceUUID    string // "" leaves the parameter out: Mindbox reports an error when an operation without devices gets one
	TransactionID string // a GUID; Mindbox executes each once
	Body          []byte // JSON
	Header, Query map[string]string
	Concealed     []string // values of Header and Query that an answer must not be kept with
}

// Preview is a call as anybody may see it before it is made: without the transaction id, and with the
// secret masked.
type Preview struct {
	Method string            `json:"method"`
	URL    string            `json:"url"`
	Header map[string]string `json:"header"`
	Body   json.RawMessage   `json:"body"`
}

// Preview shows the call of an operation. The secret is not read: where Secret is not nil, it is masked. Stars of a mask stay stars in the address.
func (c Config) Preview(op Operation) Preview {
	base, err := url.Parse(c.URL)
	if err != nil {
		base = &url.URL{} // New refuses it
	}
	secret := ""
	if c.Secret != nil {
		secret = show.Hidden
	}
	header := http.Header{}
	setHeader(header, op.Header, c.Authorization, secret)
	shown := make(map[string]string, len(header))
	for name := range header {
		shown[name] = header.Get(name)
	}
	return Preview{Method: http.MethodPost, URL: strings.ReplaceAll(address(base, parameters(base, op, "")), "%2A", "*"), Header: shown, Body: op.Body}
}

// The parameters and headers that a call sets itself.
var (
	ownParameters = []string{"endpointId", "operation", "deviceUUID", "transactionId"}
	ownHeaders    = []string{"Authorization", "Content-Type", "Content-Length", "Accept", "Host", "Connection", "Transfer-Encoding"}
)

// OwnParameter reports whether a call sets the parameter of the address itself, and how it is spelt.
func OwnParameter(name string) (spelling string, own bool) {
	i := slices.IndexFunc(ownParameters, func(p string) bool { return strings.EqualFold(p, name) })
	if i < 0 {
		return "", false
	}
	return ownParameters[i], true
}

// OwnPath reports whether an address holds the path that a call adds to it.
func OwnPath(address string) bool { return strings.Contains(address, path.Dir(operationsPath)) }

// OwnHeader reports whether a call sets the header itself.
func OwnHeader(name string) bool {
	return slices.Contains(ownHeaders, http.CanonicalHeaderKey(name))
}

// parameters are those of a call, encoded and sorted by name. Its own win over those of the operation, and these over the
// destination's. Without transaction there is no such parameter.
func parameters(base *url.URL, op Operation, transaction string) string {
	own := [...][2]string{{"deviceUUID", op.DeviceUUID}, {"endpointId", op.Endpoint}, {"operation", op.Name}, {"transactionId", transaction}}
	optional := func(name string) bool { return name == "deviceUUID" || name == "transactionId" }
	if base.RawQuery == "" && len(op.Query) == 0 { // as a rule, and they are sorted
		encoded := make([]byte, 0, 256)
		for _, p := range own {
			if p[1] == "" && optional(p[0]) {
				continue
			}
			if len(encoded) > 0 {
				encoded = append(encoded, '&')
			}
			encoded = append(append(append(encoded, p[0]...), '='), url.QueryEscape(p[1])...)
		}
		return string(encoded)
	}
	query := base.Query()
	for name, value := range op.Query {
		query.Set(name, value)
	}
	for _, p := range own {
		if p[1] != "" || !optional(p[0]) {
			query.Set(p[0], p[1])
		}
	}
	return query.Encode()
}

// address is that of a call, with its encoded parameters.
func address(base *url.URL, parameters string) string {
	address := base.JoinPath(operationsPath)
	address.RawQuery = parameters
	return address.String()
}

// setHeader sets the configured headers first: none of them can change what the API asks for.
func setHeader(h http.Header, configured map[string]string, authorization, secret string) {
	for name, value := range configured {
		h.Set(name, web.HeaderValue(value))
	}
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Accept", "application/json")
	switch {
	case secret == "":
	case authorization == AuthorizationSecretKey:
		h.Set("Authorization", "SecretKey "+web.HeaderValue(secret))
	default:
		h.Set("Authorization", `Mindbox secretKey="`+web.HeaderValue(secret)+`"`)
	}
}

// Limits of the texts in an operation's body, in characters.
const (
	longestName = 100 // a longer name stops the whole operation
	longestText = 1000
)

var nameFields = []string{"firstName", "lastName", "middleName", "fullName"}

// Longest is how many characters Mindbox takes of a text in the body's field at a dotted path.
func Longest(path string) int {
	if slices.Contains(nameFields, path[strings.LastIndexByte(path, '.')+1:]) {
		return longestName
	}
	return longestText
}

// FitsInteger reports whether Mindbox's integer fields hold v: they have 32 bits.
func FitsInteger(v int64) bool { return v == int64(int32(v)) }

// Identifies reports whether Mindbox can find or create a customer by the body's field at a dotted path.
func Identifies(path string) bool {
	switch path {
	case "customer.mobilePhone", "customer.email", "customer.discountCard.ids.number":
		return true
	}
	id, ok := strings.CutPrefix(path, "customer.ids.")
	return ok && !strings.Contains(id, ".")
}
