package calltouchtest

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// Parts are the parts of a record that the API gives only when they are asked for.
type Parts struct {
	Attrs, Tags, Orders bool
}

// AllParts asks for everything that a hook would have.
var AllParts = Parts{Attrs: true, Tags: true, Orders: true}

// The ways in which the two methods write local times. The session's is on a 12-hour clock and
// says neither am nor pm, as was seen in real journals.
const (
	recordTime  = "02/01/2006 15:04:05"
	sessionTime = "02/01/2006 03:04:05"
)

// Record is the call as the calls journal lists it at now: a JSON object.
func (c *Calltouch) Record(call Call, now time.Time, parts Parts) []byte {
	return encode(c.record(call, now, parts))
}

func (c *Calltouch) record(call Call, now time.Time, parts Parts) map[string]any {
	call = call.at(now)
	details := "Connection succeeded"
	if !call.Answered {
		details = "No answer"
	}
	m := map[string]any{
		"callId": call.ID, "callphase": "calldisconnected", "attribution": call.Attribution,
		"date": call.Start.In(c.cfg.Location).Format(recordTime), "timestamp": call.Start.Unix(),
		"duration": call.Duration, "waitingConnect": call.Waiting, "callerNumber": orNull(call.Caller),
		"phoneNumber": call.Number, "redirectNumber": call.Redirect, "manager": orNull(call.Manager),
		"successful": call.Answered, "uniqueCall": call.Unique, "targetCall": call.Target,
		"uniqTargetCall": call.Target && call.Unique, "callbackCall": call.Sort == CallBack,
		"ctCallerId": callerID(call.Caller), "sipCallId": sipID(call.ID), "callReferenceId": referenceID(call.ID),
		"statusDetails": details, "subPoolName": call.SubPool, "poolType": orNull(call.Pool),
		"siteId": number(c.cfg.Site), "siteName": c.cfg.SiteName,
		"callTags": nil, "mapVisits": nil, "attrs": nil, "comments": nil, "phrases": nil, "phonesInText": nil,
		"additionalTags": []any{}, "orders": []any{}, "order": nil, "yandexDirect": nil, "googleAdWords": nil,
		"callbackInfo": nil, "dcm": nil, "callClientUniqueId": nil, "customFields": nil,
	}
	if now.Before(call.End()) {
		m["callphase"], m["duration"], m["redirectNumber"] = "callconnected", 0, nil
	}
	if parts.Tags {
		m["callTags"] = tagList(call.Tags)
	}
	if parts.Orders && call.Order != 0 {
		m["orders"] = []any{map[string]any{"orderId": call.Order, "orderNumber": decimal(call.Order), "status": "NEW", "sum": 0}}
	}
	c.addSession(m, call.Session, call.Number, parts)
	return m
}

// addSession adds the visit in the journal's flat spelling.
func (c *Calltouch) addSession(m map[string]any, s *Session, dialled string, parts Parts) {
	m["callUrl"] = nil
	if s == nil {
		for _, name := range []string{"city", "keyword", "url", "ref", "hostname", "sessionId", "sessionDate", "ctClientId", "ctGlobalId", "clientId", "yaClientId", "userAgent", "device", "os", "browser", "ip"} {
			m[name] = nil
		}
		m["source"], m["utmSource"], m["utmCampaign"] = dialled, dialled, dialled
		m["medium"], m["utmMedium"], m["utmContent"], m["utmTerm"] = "offline", unfilled, unfilled, unfilled
		return
	}
	m["city"], m["keyword"], m["url"], m["ref"], m["hostname"] = s.City, s.Keyword, s.URL, s.Ref, c.cfg.SiteName
	m["source"], m["medium"] = s.Source, s.Medium
	m["sessionId"], m["sessionDate"] = s.ID, s.Began.In(c.cfg.Location).Format(sessionTime)
	m["ctClientId"], m["ctGlobalId"], m["clientId"], m["yaClientId"] = s.ClientID, orNull(s.GlobalID), s.GoogleID, s.YandexID
	m["userAgent"], m["device"], m["os"], m["browser"], m["ip"] = s.UserAgent, s.Device, s.OS, s.Browser, s.IP
	addUTM(m, s)
	if parts.Attrs {
		m["attrs"] = s.Attributes
	}
}

// RequestRecord is the form request as the requests method lists it at now: a JSON object.
func (c *Calltouch) RequestRecord(r FormRequest, now time.Time, parts Parts) []byte {
	return encode(c.requestRecord(r, now, parts))
}

func (c *Calltouch) requestRecord(r FormRequest, now time.Time, parts Parts) map[string]any {
	r = r.at(now)
	m := map[string]any{
		"requestId": r.ID, "requestNumber": decimal(r.ID), "date": r.Created.UnixMilli(),
		"dateStr": r.Created.In(c.cfg.Location).Format(recordTime), "subject": r.Subject, "requestUrl": "https://" + c.cfg.SiteName + "/",
		"requestType": nil, "status": "NOT_SET", "manager": orNull(r.Manager), "uniqueRequest": r.Unique,
		"targetRequest": r.Target, "uniqTargetRequest": r.Target && r.Unique, "siteId": number(c.cfg.Site),
		"client": map[string]any{
			"clientId": 100000 + r.ID, "fio": r.Name,
			"phones":   []any{map[string]any{"phoneNumber": r.Phone, "phoneType": "OTHER"}},
			"contacts": []any{map[string]any{"contactType": "MAIL", "contactValue": r.Email}},
		},
		"session": nil, "ctClientId": nil, "ctGlobalId": nil, "hostname": nil, "RequestTags": nil,
		"comments": []any{map[string]any{"commentId": r.ID, "requestId": r.ID, "comment": r.Comment, "partyId": 1, "partyName": "site"}},
		"orders":   []any{}, "order": nil, "mapVisits": nil, "yandexDirect": nil, "googleAdWords": nil, "dcm": nil, "widgetInfo": nil, "customFields": nil,
	}
	if parts.Tags {
		m["RequestTags"] = tagList(r.Tags)
	}
	if s := r.Session; s != nil {
		m["session"] = c.requestSession(s, r.Attribution, parts)
		m["ctClientId"], m["ctGlobalId"], m["hostname"] = s.ClientID, orNull(s.GlobalID), c.cfg.SiteName
	}
	return m
}

// requestSession is the visit as the requests method nests it: the address with /32, the whole
// user agent under the name browser.
func (c *Calltouch) requestSession(s *Session, attribution int, parts Parts) map[string]any {
	m := map[string]any{
		"sessionId": s.ID, "keywords": s.Keyword, "city": s.City, "ip": s.IP + "/32", "source": s.Source, "medium": s.Medium,
		"ref": s.Ref, "url": s.URL, "guaClientId": s.GoogleID, "yaClientId": s.YandexID,
		"sessionDate": s.Began.In(c.cfg.Location).Format(sessionTime), "attrs": nil, "attribution": attribution,
		"additionalTags": []any{}, "ctGlobalId": orNull(s.GlobalID), "browser": s.UserAgent, "browserName": s.Browser,
		"device": s.Device, "os": s.OS,
	}
	addUTM(m, s)
	if parts.Attrs {
		m["attrs"] = s.Attributes
	}
	return m
}

func addUTM(m map[string]any, s *Session) {
	for i, name := range [5]string{"utmSource", "utmMedium", "utmCampaign", "utmContent", "utmTerm"} {
		m[name] = or(s.UTM[i], untagged)
	}
}

// tagList is how the API groups the tags that hooks list under tags_*.
func tagList(tags map[string]string) any {
	list := []any{}
	for _, name := range []string{"tags_auto_gr", "tags_auto_ct", "tags_auto_pn", "tags_manual", "tags_api", "tags_request"} {
		if tags[name] != "" {
			list = append(list, map[string]any{"category": "Теги", "type": strings.ToUpper(strings.TrimPrefix(name, "tags_")), "names": strings.Split(tags[name], ",")})
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// number is a decimal text as a JSON number, every digit kept.
func number(s string) json.Number { return json.Number(s) }

// encode writes JSON as Calltouch does: `<не указано>` stands as it is.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // unreachable: maps, texts, numbers and booleans only
	}
	return bytes.TrimSpace(b.Bytes())
}
