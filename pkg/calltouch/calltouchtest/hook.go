package calltouchtest

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Hook is one webhook: parameters in the order in which Calltouch sends them.
type Hook struct {
	Sort  Sort
	Phase string // started, ended, request, "" for a hook that is no event
	ID    int64  // of the call or the request; 0 for a hook that is no event
	Pairs [][2]string
}

// Encode is the hook as a form body or as a query string.
func (h Hook) Encode() string {
	var b strings.Builder
	for i, p := range h.Pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(p[0]) + "=" + url.QueryEscape(p[1]))
	}
	return b.String()
}

// JSON is the hook as a JSON object; Calltouch itself never sends one, relays do.
func (h Hook) JSON() []byte {
	m := make(map[string]string, len(h.Pairs))
	for _, p := range h.Pairs {
		m[p[0]] = p[1]
	}
	return encode(m)
}

// nothing is how a hook spells a value that is not there.
const nothing = "null"

// Spellings of a tag that a visit, or the source of a static number, does not have.
const (
	untagged = "<не указано>"
	unfilled = "<не заполнено>"
)

// Hooks returns the hooks of a call: its start and its end.
func (c *Calltouch) Hooks(call Call) []Hook { return []Hook{c.StartHook(call), c.EndHook(call)} }

// StartHook is the hook of a call that has just begun.
func (c *Calltouch) StartHook(call Call) Hook {
	pairs := [][2]string{{"leadtype", "call"}, {"callphase", "callconnected"}, {"id", decimal(call.ID)}, {"changedFields", nothing}}
	pairs = append(pairs, c.callPairs(call)...)
	pairs = append(pairs, [2]string{"redirectNumber", "undefined"}, [2]string{"sendingTimestamp", unix(call.Start.Add(6 * time.Second))})
	return Hook{Sort: call.Sort, Phase: "started", ID: call.ID, Pairs: pairs}
}

// EndHook is the hook of a call that is over: the one that a link waits for.
func (c *Calltouch) EndHook(call Call) Hook {
	pairs := [][2]string{
		{"leadtype", "call"}, {"callphase", "calldisconnected"}, {"id", decimal(call.ID)},
		{"changedFields", "callphase,duration,waiting_time,status"},
	}
	pairs = append(pairs, c.callPairs(call)...)
	status, details := "successful", "Соединение состоялось"
	if !call.Answered {
		status, details = "unsuccessful", "Абонент не ответил"
	}
	pairs = append(pairs, [][2]string{
		{"redirectNumber", call.Redirect}, {"duration", strconv.Itoa(call.Duration)}, {"waiting_time", strconv.Itoa(call.Waiting)},
		{"status", status}, {"statusDetails", details},
		{"targetcall", choose(call.Target, "target", "non-target")},
		{"uniqtargetcall", choose(call.Target && call.Unique, "uniqtarget", "non-uniqtarget")},
		{"sip_call_id", sipID(call.ID)},
		{"reclink", "https://api-node1.calltouch.ru/calls-service/RestAPI/download-call?jwtkey=record-" + decimal(call.ID)},
		{"orderId", orNothing(decimal(call.Order))}, {"manager", orNothing(call.Manager)}, {"spam", "false"},
		{"sendingTimestamp", unix(call.End())},
	}...)
	pairs = append(pairs, tagPairs(call.Tags, "tags_auto_gr", "tags_auto_ct", "tags_manual")...)
	return Hook{Sort: call.Sort, Phase: "ended", ID: call.ID, Pairs: pairs}
}

// callPairs is what both hooks of a call have in common.
func (c *Calltouch) callPairs(call Call) [][2]string {
	pairs := [][2]string{
		{"ctCallerId", callerID(call.Caller)}, {"callerphone", call.Caller}, {"phonenumber", call.Number}, {"subPoolName", call.SubPool},
		{"calltime", c.local(call.Start)}, {"timestamp", unix(call.Start)}, {"unique", strconv.FormatBool(call.Unique)},
		{"callback", choose(call.Sort == CallBack, "callback", "non-callback")}, {"worktime", "worktime"}, {"pool", orNothing(call.Pool)},
		{"attribution", strconv.Itoa(call.Attribution)}, {"callReferenceNumber", referenceID(call.ID)},
		{"siteId", c.cfg.Site}, {"siteName", c.cfg.SiteName},
	}
	pairs = append(pairs, tagPairs(call.Tags, "tags_auto_pn", "tags_api")...)
	if call.Session == nil {
		return append(pairs, staticPairs(call.Number)...)
	}
	return append(pairs, c.sessionPairs(call.Session)...)
}

// RequestHook is the hook of a form request. It has no e-mail, no comment and no timestamp.
func (c *Calltouch) RequestHook(r FormRequest) Hook {
	pairs := [][2]string{
		{"leadtype", "request"}, {"changedFields", nothing}, {"requestId", decimal(r.ID)}, {"requestNumber", decimal(r.ID)},
		{"subject", r.Subject}, {"fio", r.Name}, {"callerphone", r.Phone}, {"requestDate", c.local(r.Created)},
		{"uniquerequest", strconv.FormatBool(r.Unique)}, {"targetrequest", choose(r.Target, "target", "non-target")},
		{"uniqtargetrequest", choose(r.Target && r.Unique, "uniqtarget", "non-uniqtarget")},
		{"attribution", strconv.Itoa(r.Attribution)}, {"orderId", nothing}, {"siteId", c.cfg.Site}, {"siteName", c.cfg.SiteName},
		{"manager", orNothing(r.Manager)}, {"sendingTimestamp", unix(r.Created)},
	}
	pairs = append(pairs, tagPairs(r.Tags, "tags_auto_gr", "tags_auto_ct", "tags_auto_pn", "tags_manual", "tags_api", "tags_request")...)
	if r.Session != nil {
		pairs = append(pairs, c.sessionPairs(r.Session)...)
	}
	return Hook{Sort: r.Sort, Phase: "request", ID: r.ID, Pairs: pairs}
}

func (c *Calltouch) sessionPairs(s *Session) [][2]string {
	attrs, _ := json.Marshal(s.Attributes) // a map of strings cannot fail
	pairs := [][2]string{
		{"source", s.Source}, {"medium", s.Medium}, {"yaClientId", s.YandexID}, {"gcid", s.GoogleID}, {"sessionId", decimal(s.ID)},
		{"ctClientId", decimal(s.ClientID)}, {"ctGlobalId", orNothing(s.GlobalID)}, {"hostname", c.cfg.SiteName}, {"url", s.URL},
		{"ref", s.Ref}, {"attrs", string(attrs)}, {"city", s.City}, {"browser", s.Browser}, {"os", s.OS}, {"device", s.Device},
		{"ip", s.IP}, {"userAgent", s.UserAgent},
	}
	for i, name := range utmNames {
		pairs = append(pairs, [2]string{name, or(s.UTM[i], untagged)})
	}
	return pairs
}

var utmNames = [5]string{"utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"}

// staticPairs is how a static number spells a visit that there was not: its own number as the
// source, "offline" as the medium.
func staticPairs(number string) [][2]string {
	pairs := [][2]string{
		{"source", number}, {"medium", "offline"}, {"utm_source", number}, {"utm_campaign", number},
		{"utm_medium", unfilled}, {"utm_content", unfilled}, {"utm_term", unfilled}, {"url", ""}, {"ref", ""}, {"attrs", "{}"},
	}
	for _, name := range []string{"yaClientId", "gcid", "sessionId", "ctClientId", "ctGlobalId", "hostname", "city", "browser", "os", "device", "ip", "userAgent"} {
		pairs = append(pairs, [2]string{name, nothing})
	}
	return pairs
}

// PingHook is the cabinet's test button: names in braces where values belong.
func PingHook() Hook {
	var pairs [][2]string
	for _, name := range []string{"callphase", "callerphone", "phonenumber", "duration", "id", "timestamp", "sessionId"} {
		pairs = append(pairs, [2]string{name, "{" + name + "}"})
	}
	return Hook{Sort: Ping, Pairs: pairs}
}

// EmptyHook has no parameter at all.
func EmptyHook() Hook { return Hook{Sort: Empty} }

func tagPairs(tags map[string]string, names ...string) [][2]string {
	var pairs [][2]string
	for _, name := range names {
		pairs = append(pairs, [2]string{name, orNothing(tags[name])})
	}
	return pairs
}

// local is a time as hooks spell it: the cabinet's clock, 24 hours.
func (c *Calltouch) local(t time.Time) string { return t.In(c.cfg.Location).Format(time.DateTime) }

func unix(t time.Time) string { return decimal(t.Unix()) }

// decimal writes an id; 0 is none.
func decimal(id int64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(id, 10)
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

func orNothing(value string) string { return or(value, nothing) }

func choose(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

func sipID(id int64) string       { return fmt.Sprintf("5b7d0e1c-94a2-4f3e-8c61-%012d", id) }
func referenceID(id int64) string { return fmt.Sprintf("9e02c4ab-1f57-4d88-a3b0-%012d", id) }

// callerID is stable per client, 32 hexadecimal digits.
func callerID(phone string) string { return fmt.Sprintf("%032x", "ct"+phone)[:32] }
