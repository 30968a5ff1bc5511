package calltouch

import "github.com/touchbox/touchbox/pkg/event"

// What Calltouch's webhook can carry, as its settings offer it, and where the same fact stands in
// the API's records. "[]" in a place means a list that Parse reads by a rule of its own.

var (
	calls    = []event.Kind{event.CallStarted, event.CallEnded}
	ended    = []event.Kind{event.CallEnded}
	requests = []event.Kind{event.Request}
	finished = []event.Kind{event.CallEnded, event.Request}
	all      = event.Kinds
)

// Closed lists of values. In each pair the first word is what the API calls true.
var (
	callPhases  = []string{phaseStarted, phaseEnded}
	attribution = []string{"0", "1"} // 0 is the last interaction, 1 the last non-direct one
	trueFalse   = []string{"true", "false"}
	target      = []string{"target", "non-target"}
	uniqTarget  = []string{"uniqtarget", "non-uniqtarget"}
)

const (
	phaseStarted = "callconnected"
	phaseEnded   = "calldisconnected"

	leadCall    = "call"
	leadRequest = "request"
)

var leadFields = []Field{
	{Name: "leadtype", Values: []string{leadCall, leadRequest}, Kinds: all, Poll: "(always request)", Journal: "(always call)", English: "Type of lead", Russian: "Тип лида"},
	{Name: "siteId", Kinds: all, Poll: "siteId", Journal: "siteId", Whole: true, English: "Site id in Calltouch", Russian: "ID сайта в Calltouch"},
	{Name: "siteName", Kinds: all, Journal: "siteName", English: "Site name in Calltouch", Russian: "Название сайта в Calltouch"},
	{Name: "callerphone", Kinds: all, Poll: "client.phones[].phoneNumber", Journal: "callerNumber", Personal: true, English: "Client's phone", Russian: "Номер телефона клиента"},
	{Name: "ctCallerId", Kinds: calls, Journal: "ctCallerId", Whole: true, English: "Caller's id in Calltouch", Russian: "ID звонящего в Calltouch"},
	{Name: "changedFields", Kinds: all, English: "Fields changed since the last hook", Russian: "Изменившиеся поля"},
	{Name: "sendingTimestamp", Type: Number, Kinds: all, Whole: true, English: "When the hook was sent, Unix seconds", Russian: "Время отправки вебхука, Unix"},
	{Name: "manager", Kinds: finished, Poll: "manager", Journal: "manager", Personal: true, English: "Manager", Russian: "Менеджер"},
	{Name: "orderId", Kinds: finished, Poll: "order.orderId", Journal: "order.orderId", Whole: true, English: "Deal id", Russian: "ID сделки"},
}

var callFields = []Field{
	{Name: "id", Kinds: calls, Journal: "callId", Whole: true, English: "Call id", Russian: "ID звонка"},
	{Name: "callphase", Values: callPhases, Kinds: calls, Journal: "callphase", English: "Phase of the call", Russian: "Фаза звонка"},
	{Name: "phonenumber", Kinds: calls, Journal: "phoneNumber", Whole: true, English: "Tracked number that was dialled", Russian: "Отслеживаемый номер"},
	{Name: "subPoolName", Kinds: calls, Journal: "subPoolName", English: "Sub-pool name", Russian: "Название подпула"},
	{Name: "pool", Values: []string{"dynamic", "staticOffline", "staticOnline"}, Kinds: calls, Journal: "poolType", English: "Type of pool", Russian: "Тип пула"},
	{Name: "redirectNumber", Kinds: calls, Journal: "redirectNumber", Personal: true, English: "Where the call was put through", Russian: "Номер переадресации"},
	{Name: "calltime", Kinds: calls, Journal: "date", Whole: true, English: "Start of the call, local time", Russian: "Дата и время звонка"},
	{Name: "timestamp", Type: Number, Kinds: calls, Journal: "timestamp", Whole: true, English: "Start of the call, Unix seconds", Russian: "Время звонка, Unix"},
	{Name: "duration", Type: Number, Kinds: ended, Journal: "duration", English: "Duration, seconds", Russian: "Длительность разговора, с"},
	{Name: "waiting_time", Type: Number, Kinds: ended, Journal: "waitingConnect", English: "Waiting before the answer, seconds", Russian: "Время ожидания ответа, с"},
	{Name: "status", Values: []string{"successful", "unsuccessful"}, Kinds: ended, Journal: "successful", English: "Outcome of the call", Russian: "Статус звонка"},
	{Name: "statusDetails", Kinds: ended, Journal: "statusDetails", Differs: true, English: "Outcome in words", Russian: "Расшифровка статуса"},
	{Name: "unique", Type: Boolean, Kinds: calls, Journal: "uniqueCall", English: "Unique call", Russian: "Уникальный звонок"},
	{Name: "targetcall", Values: target, Kinds: ended, Journal: "targetCall", English: "Target call", Russian: "Целевой звонок"},
	{Name: "uniqtargetcall", Values: uniqTarget, Kinds: ended, Journal: "uniqTargetCall", English: "Unique target call", Russian: "Уникально-целевой звонок"},
	{Name: "callback", Values: []string{"callback", "non-callback"}, Kinds: calls, Journal: "callbackCall", English: "Call from the call-back widget", Russian: "Обратный звонок"},
	{Name: "callback_request_id", Kinds: calls, Whole: true, English: "Call-back request id", Russian: "ID заявки на обратный звонок"},
	{Name: "callback_final_attempt", Kinds: calls, English: "Last attempt of the call-back", Russian: "Последняя попытка обратного звонка"},
	{Name: "worktime", Values: []string{"worktime", "non-worktime"}, Kinds: calls, English: "Working hours", Russian: "Рабочее время"},
	{Name: "rating", Type: Number, Kinds: ended, English: "Rating of the call, 0 to 5", Russian: "Оценка звонка"},
	{Name: "spam", Type: Boolean, Kinds: ended, English: "Spam", Russian: "Спам"},
	{Name: "callUrl", Kinds: calls, Journal: "callUrl", English: "Page of the call", Russian: "Страница звонка"},
	{Name: "sip_call_id", Kinds: ended, Journal: "sipCallId", English: "Session id in the PBX", Russian: "ID сессии в АТС"},
	{Name: "callReferenceNumber", Kinds: calls, Journal: "callReferenceId", English: "Call id in the PBX", Russian: "ID звонка в АТС"},
	{Name: "reclink", Kinds: ended, Personal: true, English: "Link to the recording", Russian: "Ссылка на запись разговора"},
}

// The API does not say of which sort a tag is: its records have only `tags`, the union of all.
var tagFields = []Field{
	{Name: "tags_auto_gr", Kinds: finished, English: "Automatic tags by rules, by hook only", Russian: "Автотеги: правила, только в вебхуке"},
	{Name: "tags_auto_ct", Kinds: finished, English: "Automatic tags by Calltouch, by hook only", Russian: "Автотеги: Calltouch, только в вебхуке"},
	{Name: "tags_auto_pn", Kinds: all, English: "Automatic tags by number, by hook only", Russian: "Автотеги: номер, только в вебхуке"},
	{Name: "tags_auto_pr", Kinds: finished, English: "Automatic tags of Predict, by hook only", Russian: "Автотеги: Предикт, только в вебхуке"},
	{Name: "tags_auto_af", Kinds: finished, English: "Automatic tags of Antifraud, by hook only", Russian: "Автотеги: Антифрод, только в вебхуке"},
	{Name: "tags_manual", Kinds: finished, English: "Tags set by hand, by hook only", Russian: "Ручные теги, только в вебхуке"},
	{Name: "tags_api", Kinds: all, English: "Tags set through the API, by hook only", Russian: "Теги через API, только в вебхуке"},
	{Name: "tags_request", Kinds: requests, English: "Tags of the request, by hook only", Russian: "Теги заявки, только в вебхуке"},
}

var requestFields = []Field{
	{Name: "requestId", Kinds: requests, Poll: "requestId", Whole: true, English: "Request id", Russian: "ID заявки"},
	{Name: "requestNumber", Kinds: requests, Poll: "requestNumber", English: "Request number given by the site", Russian: "Номер заявки"},
	{Name: "requestDate", Kinds: requests, Poll: "dateStr", Whole: true, English: "Creation of the request, local time", Russian: "Дата и время заявки"},
	{Name: "subject", Kinds: requests, Poll: "subject", English: "Name of the form", Russian: "Название формы (тема заявки)"},
	{Name: "fio", Kinds: requests, Poll: "client.fio", Personal: true, English: "Client's full name", Russian: "ФИО клиента"},
	{Name: "uniquerequest", Values: trueFalse, Kinds: requests, Poll: "uniqueRequest", English: "Unique request", Russian: "Уникальная заявка"},
	{Name: "targetrequest", Values: target, Kinds: requests, Poll: "targetRequest", English: "Target request", Russian: "Целевая заявка"},
	{Name: "uniqtargetrequest", Values: uniqTarget, Kinds: requests, Poll: "uniqTargetRequest", English: "Unique target request", Russian: "Уникально-целевая заявка"},
}

var visitFields = []Field{
	{Name: "attribution", Values: attribution, Kinds: all, Poll: "session.attribution", Journal: "attribution", English: "Attribution model: 0 last, 1 last non-direct", Russian: "Модель атрибуции: 0 последнее, 1 последнее непрямое"},
	{Name: "source", Kinds: all, Poll: "session.source", Journal: "source", English: "Source", Russian: "Источник"},
	{Name: "medium", Kinds: all, Poll: "session.medium", Journal: "medium", English: "Medium", Russian: "Канал"},
	{Name: "utm_source", Kinds: all, Poll: "session.utmSource", Journal: "utmSource", English: "utm_source", Russian: "utm_source"},
	{Name: "utm_medium", Kinds: all, Poll: "session.utmMedium", Journal: "utmMedium", English: "utm_medium", Russian: "utm_medium"},
	{Name: "utm_campaign", Kinds: all, Poll: "session.utmCampaign", Journal: "utmCampaign", English: "utm_campaign", Russian: "utm_campaign"},
	{Name: "utm_content", Kinds: all, Poll: "session.utmContent", Journal: "utmContent", English: "utm_content", Russian: "utm_content"},
	{Name: "utm_term", Kinds: all, Poll: "session.utmTerm", Journal: "utmTerm", English: "utm_term", Russian: "utm_term"},
	{Name: "yaClientId", Kinds: all, Poll: "session.yaClientId", Journal: "yaClientId", Whole: true, English: "Yandex Metrica client id", Russian: "ClientID Яндекс Метрики"},
	{Name: "gcid", Kinds: all, Poll: "session.guaClientId", Journal: "clientId", Whole: true, English: "Google Analytics client id", Russian: "ClientID Google Analytics"},
	{Name: "sessionId", Kinds: all, Poll: "session.sessionId", Journal: "sessionId", Whole: true, English: "Calltouch session id", Russian: "ID сессии Calltouch"},
	{Name: "ctClientId", Kinds: all, Poll: "ctClientId", Journal: "ctClientId", Whole: true, English: "Visitor's id in Calltouch", Russian: "ID посетителя Calltouch"},
	{Name: "ctGlobalId", Kinds: all, Poll: "ctGlobalId", Journal: "ctGlobalId", Whole: true, English: "Visitor's id across sites", Russian: "Сквозной ID посетителя"},
	{Name: "hostname", Kinds: all, Poll: "hostname", Journal: "hostname", English: "Site's host name", Russian: "Домен сайта"},
	{Name: "url", Kinds: all, Poll: "session.url", Journal: "url", English: "Landing page", Russian: "Страница входа"},
	{Name: "ref", Kinds: all, Poll: "session.ref", Journal: "ref", English: "Referrer", Russian: "Реферер"},
	{Name: "attrs", Type: Attributes, Kinds: all, Poll: "session.attrs", Journal: "attrs", English: "Attributes set by the site", Russian: "Атрибуты, переданные сайтом"},
	{Name: "city", Kinds: all, Poll: "session.city", Journal: "city", English: "City", Russian: "Город"},
	{Name: "browser", Kinds: all, Poll: "session.browserName", Journal: "browser", English: "Browser", Russian: "Браузер"},
	{Name: "os", Kinds: all, Poll: "session.os", Journal: "os", English: "Operating system", Russian: "Операционная система"},
	{Name: "device", Kinds: all, Poll: "session.device", Journal: "device", English: "Type of device", Russian: "Тип устройства"},
	{Name: "ip", Kinds: all, Poll: "session.ip", Journal: "ip", Personal: true, English: "IP address", Russian: "IP-адрес"},
	{Name: "userAgent", Kinds: all, Poll: "session.browser", Journal: "userAgent", English: "User agent", Russian: "User-Agent"},
}
