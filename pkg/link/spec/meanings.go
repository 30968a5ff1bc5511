package spec

import (
	"slices"
	"strings"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/strictyaml"
)

// meaning is one thing that a field can be about.
type meaning struct {
	field   string // of the vocabulary
	expr    string // without its ${ and }
	names   []string
	phrases []phrase
}

// meanings are all that Calltouch can tell: each word of the vocabulary by its own names and meanings in both languages,
// and by those that people use besides.
var meanings = allMeanings()

func allMeanings() []meaning {
	var all []meaning
	for _, f := range calltouch.Vocabulary() {
		if f.Type == calltouch.Attributes || f.Name == "tags" || f.Name == "time" || f.Name == "kind" {
			continue
		}
		m := meaning{field: f.Name, expr: f.Name, names: []string{strictyaml.Fold(f.Name)}}
		if f.Name == "origin" { // who asks for an origin means that of the traffic, unless it is said word for word
			all = append(all, meaning{field: f.Name, expr: f.Name})
			continue
		}
		for _, place := range []string{f.Poll, f.Journal} {
			if place != "" && !strings.Contains(place, "[]") && !strings.HasPrefix(place, "order.") {
				m.names = append(m.names, strictyaml.Fold(place[strings.LastIndexByte(place, '.')+1:]))
			}
		}
		for _, about := range []string{f.English, f.Russian} {
			about, _, _ = strings.Cut(about, ",")
			about, _, _ = strings.Cut(about, ":")
			about, _, _ = strings.Cut(about, "(")
			m.phrases = append(m.phrases, phrase{must: tokens(about)})
		}
		all = append(all, m)
	}
	return slices.Concat(withWords(all), flags())
}

// withWords adds what stands in words to the meanings of the vocabulary, and those that have an expression of their own.
func withWords(all []meaning) []meaning {
	for _, w := range words {
		i := slices.IndexFunc(all, func(m meaning) bool { return m.field == w.field })
		if w.expr == "" {
			w.expr = w.field
		}
		if i < 0 || w.apart {
			all = append(all, meaning{field: w.field, expr: w.expr})
			i = len(all) - 1
		}
		all[i].expr = w.expr
		all[i].names = append(all[i].names, strings.Fields(w.names)...)
		all[i].phrases = append(all[i].phrases, phrases(w.said...)...)
	}
	return all
}

// flags are the fields whose two words may be sent as they are, or as yes and no: which of the two Mindbox wants, no
// specification says by a name.
func flags() []meaning {
	var all []meaning
	for _, f := range []struct{ field, yes, names string }{
		{"targetcall", "target", "target istarget targetcall"}, {"uniqtargetcall", "uniqtarget", "uniqtarget uniquetarget uniquetargetcall"},
		{"callback", "callback", "iscallback"}, {"worktime", "worktime", "isworktime"},
		{"targetrequest", "target", "target istarget targetlead"}, {"uniqtargetrequest", "uniqtarget", "uniqtarget uniquetarget uniquetargetrequest"},
		{"uniquerequest", "true", "unique isunique uniquelead"},
	} {
		vocabulary, _ := calltouch.Lookup(f.field)
		m := meaning{field: f.field, expr: f.field + ` == "` + f.yes + `"`, names: append(strings.Fields(f.names), strictyaml.Fold(f.field))}
		m.phrases = append(m.phrases, phrase{must: tokens(vocabulary.English)}, phrase{must: tokens(vocabulary.Russian)})
		all = append(all, m)
	}
	return all
}

// words are how people speak of Calltouch's fields besides the names that Calltouch gives them. A name that several
// meanings share is sure of none.
var words = []struct {
	field, expr string // of the vocabulary; an expression other than the field itself
	names       string // folded names of fields
	said        []string
	apart       bool // a second meaning of the field
}{
	{field: "callerphone", expr: "phone(callerphone)",
		names: "mobilephone phone phonenumber clientphone customerphone caller callernumber callerphonenumber tel telefon telephone msisdn mobile clientnumber",
		said: []string{
			"телефон ?мобильн ?номер ?звонящ ?звонивш ?позвонивш ?абонент ?контактн ?покупател ?посетител ?заявк ?звонк ?лид ?форм", "номер звонящ ?мобильн", "номер звонивш", "номер абонент", "мобильн ?номер",
			"номер с котор ?звонил ?звонят ?телефон ?позвонил", "номер мобильн", "кто звонил ?номер",
			"phone ?mobile ?number ?cell ?caller ?callers", "mobile ?number", "caller number ?phone", "msisdn",
		}},
	{field: "phonenumber", names: "trackingnumber trackednumber callednumber dialednumber virtualnumber did tonumber",
		said: []string{
			"отслеживаем номер ?телефон", "подменн номер ?телефон", "номер ?телефон на котор ?звонил ?звонят ?позвонил", "номер ?телефон куда ?звонил ?позвонил", "набранн номер ?телефон", "вызываем номер ?телефон",
			"tracking number ?phone", "tracked number ?phone", "called number ?phone", "dialed number ?phone", "dialled number ?phone",
		}},
	{field: "id", names: "callid calltouchcallid ctcallid idcall calltouchid",
		said: []string{"id звонк ?уникальн ?внешн", "номер звонк ?уникальн", "call id ?unique", "id ?уникальн", "id ?unique"}},
	{field: "requestId", names: "leadid calltouchrequestid ctrequestid orderrequestid formid",
		said: []string{"id заявк ?уникальн ?форм", "номер заявк ?уникальн", "id лид ?уникальн", "request id ?form ?unique", "lead id ?unique", "id ?уникальн", "id ?unique"}},
	{field: "sessionId", names: "calltouchsessionid ctsessionid idsession visitid",
		said: []string{"id сесси ?визит", "id визит", "session id ?visit", "visit id", "id ?уникальн"}},
	{field: "ctClientId", names: "calltouchclientid visitorid clientid", said: []string{"id посетител", "visitor id", "id ?уникальн"}},
	{field: "ctCallerId", names: "callerid", said: []string{"id звонящ", "caller id"}},
	{field: "yaClientId", names: "yandexclientid metrikaclientid metricaclientid ymclientid ymuid yandexid clientid",
		said: []string{"id яндекс ?метрик ?client", "clientid ?client ?id яндекс ?метрик", "metrica ?client ?id ?yandex", "client id ?clientid", "yandex id ?client ?metrica"}},
	{field: "gcid", names: "gaclientid googleclientid gaid googleid cid",
		said: []string{"id google ?analytics ?client", "id ga ?client", "google client id ?analytics", "client id ?clientid", "id гугл ?аналитик"}},
	{field: "deviceUUID", names: "deviceid mindboxdeviceuuid mindboxdevice device uuid",
		said: []string{"device uuid ?cookie ?кук", "cookie ?кук ?mindbox ?устройств ?id ?device ?uuid", "id устройств"}},
	{field: "duration", names: "callduration talktime calllength talkduration durationsec durationseconds",
		said: []string{"длительност ?звонк ?разговор ?секунд ?сек ?вызов", "продолжительност ?звонк ?разговор ?секунд ?сек ?вызов", "duration ?call ?talk ?seconds ?sec"}},
	{field: "waiting_time", names: "waittime waiting callwaiting waitduration",
		said: []string{"время ожидан ?ответ ?секунд ?сек ?звонк", "сколько ждал ?ответ ?секунд ?сек ?звонивш ?позвонивш", "сколько ожидал ?ответ ?секунд ?сек", "длительност ожидан ?ответ ?секунд", "wait time ?seconds", "waiting time ?seconds"}},
	{field: "status", names: "callstatus callresult result", said: []string{"статус ?звонк", "результат звонк", "итог звонк", "call status", "call result"}},
	{field: "requestStatus", names: "leadstatus status", said: []string{"статус ?заявк", "request status", "lead status"}},
	{field: "statusDetails", names: "callstatusdetails", said: []string{"подробност статус ?звонк", "детал статус ?звонк"}},
	{field: "source", names: "trafficsource leadsource", said: []string{"источник ?трафик ?звонк ?визит ?переход ?обращен ?рекламн", "traffic source", "source ?traffic"}},
	{field: "medium", names: "trafficmedium channel", said: []string{"канал ?трафик ?рекламн ?рекламы", "тип трафик", "medium ?traffic", "channel ?traffic"}},
	{field: "utm_source", names: "source utmsource", said: []string{"utm source ?источник ?трафик", "источник ?трафик ?рекламн ?звонк ?визит ?переход ?обращен"}},
	{field: "utm_medium", names: "medium utmmedium", said: []string{"utm medium ?канал ?тип ?трафик", "канал ?трафик ?рекламн ?рекламы", "тип трафик"}},
	{field: "utm_campaign", names: "campaign utmcampaign campaignname", said: []string{"utm campaign ?кампани ?рекламн ?назван", "кампани ?рекламн ?назван", "campaign ?name ?advertising ?ad"}},
	{field: "utm_content", names: "content adcontent", said: []string{"utm content ?объявлен ?содержан", "объявлен ?содержан ?рекламн"}},
	{field: "utm_term", names: "term keyword utmkeyword", said: []string{"utm term ?ключев ?слово ?фраза", "ключев слов", "ключев фраз", "keyword", "поисков запрос"}},
	{field: "keyword", said: []string{"ключев слов", "ключев фраз", "search phrase", "поисков запрос"}},
	{field: "url", expr: "cut(url, 1000)", names: "page pageurl landing landingpage entrypage landingurl", said: []string{"страниц вход ?url ?адрес", "посадочн страниц ?url ?адрес", "страниц ?url ?адрес", "landing page ?url", "page ?url", "entry page ?url"}},
	{field: "callUrl", expr: "cut(callUrl, 1000)", names: "url page pageurl callpage", said: []string{"страниц звонк ?url ?адрес", "url звонк", "страниц ?url ?адрес", "call page ?url", "page ?url"}},
	{field: "requestUrl", expr: "cut(requestUrl, 1000)", names: "url page pageurl requestpage formurl", said: []string{"страниц заявк ?url ?адрес ?форм ?с ?котор ?отправлен ?оставлен", "страниц форм ?url", "страниц ?url ?адрес", "form page ?url", "page ?url"}},
	{field: "ref", expr: "cut(ref, 1000)", names: "referrer referer ref", said: []string{"реферер ?url ?адрес", "реферрер ?url", "referrer ?url", "referer ?url"}},
	{field: "hostname", names: "domain site host website", said: []string{"домен ?сайт", "сайт", "host ?name", "site ?domain", "domain ?site"}},
	{field: "siteName", names: "site website", said: []string{"назван сайт", "сайт", "site name"}},
	{field: "siteId", names: "calltouchsiteid", said: []string{"id сайт", "site id"}},
	{field: "city", names: "clientcity", said: []string{"город ?звонящ ?посетител", "city ?caller ?visitor"}},
	{field: "ip", names: "ipaddress clientip", said: []string{"ip ?адрес ?посетител", "ip ?address"}},
	{field: "device", names: "devicetype", said: []string{"тип устройств", "устройств", "device ?type"}},
	{field: "email", expr: "email(email)", names: "mail clientemail customeremail", said: []string{"email ?адрес ?почт", "почт ?электронн ?адрес", "электронн адрес"}},
	{field: "comment", expr: "cut(comment, 1000)", names: "message comments note text", said: []string{"комментари ?заявк ?звонк ?форм", "сообщени ?заявк ?форм", "comment ?message ?form", "message ?form"}},
	{field: "fio", expr: "cut(fio, 100)", names: "fullname name clientname customername fio", said: []string{"фио ?полност ?звонящ", "полн имя", "full name", "имя фамили ?отчеств"}},
	{field: "lastName", names: "surname familyname", said: []string{"фамили", "last name", "surname"}},
	{field: "firstName", names: "givenname name", said: []string{"имя", "first name"}},
	{field: "middleName", names: "patronymic secondname", said: []string{"отчеств", "middle name", "patronymic"}},
	{field: "manager", names: "operator agent", said: []string{"менеджер ?ответственн", "оператор", "manager"}},
	{field: "subject", names: "formname form theme topic", said: []string{"тем заявк ?форм", "назван форм ?заявк", "форм", "form name", "form"}},
	{field: "subPoolName", names: "subpool poolname", said: []string{"подпул ?назван ?имя", "sub pool ?name", "subpool ?name"}},
	{field: "pool", names: "pooltype", said: []string{"тип пул", "пул", "pool type"}},
	{field: "reclink", names: "recordlink recordurl recordingurl callrecord recording record reclink audio", said: []string{"ссылк ?на запис ?разговор ?звонк", "запис разговор ?звонк ?ссылк", "запис звонк ?ссылк", "link recording ?call", "recording ?call ?url ?link"}},
	{field: "rating", names: "callrating score", said: []string{"оценк ?звонк", "рейтинг ?звонк", "rating ?call"}},
	{field: "unique", names: "isunique uniquecall firstcall isfirst", said: []string{"уникальн звонк", "перв звонк", "unique call", "first call"}},
	{field: "tags", expr: `join(tags, ", ")`, names: "tags tag calltags alltags", said: []string{"теги ?звонк ?заявк ?все ?обращен", "тегов ?список", "тег ?звонк ?заявк", "tags ?call ?request ?all"}},
	{field: "time", expr: "utc(time)", names: "executiondatetimeutc datetimeutc timeutc calltimeutc date datetime calldate calldatetime calltime eventtime eventdate time requestdate createdat",
		said: []string{"дата ?время utc ?звонк ?событи ?действи ?заявк ?начал", "время utc ?дата ?звонк ?событи ?действи ?заявк ?начал", "date ?time utc ?call ?event ?start", "time utc ?call ?event ?start",
			"дата ?время ?звонк ?событи ?заявк ?обращен ?начал", "время ?дата ?звонк ?событи ?заявк ?обращен ?начал", "date ?time ?call ?event ?start", "time ?date ?call ?event ?start"}},
	{field: "time", expr: "local(time)", apart: true, names: "localtime date datetime calldate calldatetime calltime eventtime eventdate time requestdate createdat",
		said: []string{"время местн ?дата ?звонк ?событи ?заявк ?начал", "время локальн ?дата ?звонк ?событи", "время мск ?дата ?звонк ?заявк", "local time ?date ?call",
			"дата время ?звонк ?событи ?заявк ?обращен ?начал", "время ?дата ?звонк ?событи ?заявк ?обращен ?начал", "date ?time ?call ?event ?start", "time ?date ?call ?event ?start"}},
	{field: "time", expr: "date(time)", apart: true, names: "date calldate day eventdate requestdate", said: []string{"дата ?звонк ?событи ?заявк ?обращен", "день ?звонк ?заявк", "date ?call ?event", "day ?call"}},
	{field: "kind", names: "eventtype leadtype type", said: []string{"тип событи", "вид событи", "тип обращен", "event type"}},
	{field: "leadtype", names: "leadtype type", said: []string{"тип лид", "тип обращен", "lead type"}},
}
