package calltouch

// What only the API's records carry. Objects and lists of which links need no part are given as
// their JSON text.

var apiFields = []Field{
	{Name: "keyword", Kinds: finished, Poll: "session.keywords", Journal: "keyword", English: "Key phrase of the visit", Russian: "Ключевое слово"},
	{Name: "requestUrl", Kinds: requests, Poll: "requestUrl", English: "Page of the request", Russian: "Страница заявки"},
	{Name: "requestType", Kinds: requests, Poll: "requestType", English: "Type of request", Russian: "Тип заявки"},
	{Name: "requestStatus", Kinds: requests, Poll: "status", English: "Status of the request", Russian: "Статус заявки"},
	{Name: "clientId", Kinds: requests, Poll: "client.clientId", Whole: true, English: "Client's id in Calltouch", Russian: "ID клиента в Calltouch"},
	{Name: "phoneType", Kinds: requests, Poll: "client.phones[].phoneType", English: "Type of the client's phone", Russian: "Тип телефона клиента"},
	{Name: "callClientUniqueId", Kinds: ended, Journal: "callClientUniqueId", English: "Call id given by the client", Russian: "Внешний ID звонка"},
	{Name: "orderNumber", Kinds: finished, Poll: "order.orderNumber", Journal: "order.orderNumber", English: "Deal number", Russian: "Номер сделки"},
	{Name: "orderStatus", Kinds: finished, Poll: "order.status", Journal: "order.status", English: "Deal status", Russian: "Статус сделки"},
	{Name: "orderSum", Kinds: finished, Poll: "order.sum", Journal: "order.sum", English: "Deal sum", Russian: "Сумма сделки"},
	{Name: "orderDate", Kinds: finished, Poll: "order.dateCreated", Journal: "order.dateCreated", Whole: true, English: "Deal creation", Russian: "Дата создания сделки"},
	{Name: "phrases", Kinds: ended, Journal: "phrases", Personal: true, English: "Phrases of the talk, JSON", Russian: "Фразы разговора, JSON"},
	{Name: "phonesInText", Kinds: ended, Journal: "phonesInText", Personal: true, English: "Phones in the talk, JSON", Russian: "Телефоны в разговоре, JSON"},
	{Name: "callbackInfo", Kinds: ended, Journal: "callbackInfo", Personal: true, English: "Call-back details, JSON", Russian: "Данные обратного звонка, JSON"},
	{Name: "widgetInfo", Kinds: requests, Poll: "widgetInfo", Personal: true, English: "Widget details, JSON", Russian: "Данные виджета, JSON"},
	{Name: "customFields", Kinds: finished, Poll: "customFields", Journal: "customFields", Personal: true, English: "Custom fields, JSON", Russian: "Пользовательские поля, JSON"},
	{Name: "mapVisits", Kinds: finished, Poll: "mapVisits", Journal: "mapVisits", English: "Visited pages, JSON", Russian: "Карта визита, JSON"},
	{Name: "yandexDirect", Kinds: finished, Poll: "yandexDirect", Journal: "yandexDirect", English: "Yandex Direct details, JSON", Russian: "Данные Яндекс Директа, JSON"},
	{Name: "googleAdWords", Kinds: finished, Poll: "googleAdWords", Journal: "googleAdWords", English: "Google Ads details, JSON", Russian: "Данные Google Ads, JSON"},
	{Name: "dcm", Kinds: finished, Poll: "dcm", Journal: "dcm", English: "DCM details, JSON", Russian: "Данные DCM, JSON"},
}

// What Parse computes. Each comes the same whichever way the event came, where the event has
// what it is computed from.
var derivedFields = []Field{
	{Name: "time", Type: Time, Kinds: all, Origins: FromHook | FromPoll | FromJournal, Derived: true, English: "Start of the call, creation of the request", Russian: "Начало звонка, создание заявки"},
	{Name: "kind", Values: []string{"call.started", "call.ended", "request"}, Kinds: all, Origins: FromHook | FromPoll | FromJournal, Derived: true, English: "Kind of event", Russian: "Вид события"},
	{Name: "origin", Values: []string{"webhook", "poll", "journal", "backfill"}, Kinds: all, Origins: FromHook | FromPoll | FromJournal, Derived: true, Differs: true, English: "Which way it came", Russian: "Откуда пришло"},
	{Name: "deviceUUID", Kinds: all, Origins: FromHook | FromPoll | FromJournal, Derived: true, Personal: true, English: "Mindbox device UUID", Russian: "DeviceUUID Mindbox"},
	{Name: "tags", Type: List, Kinds: all, Poll: "RequestTags[], session.additionalTags[]", Journal: "callTags[], additionalTags[]", Origins: FromHook, Derived: true, English: "All tags", Russian: "Все теги"},
	{Name: "email", Kinds: finished, Poll: "client.contacts[].contactValue", Journal: "callbackInfo.email", Derived: true, Personal: true, English: "Client's e-mail", Russian: "E-mail клиента"},
	{Name: "comment", Kinds: finished, Poll: "comments[].comment", Journal: "comments[].comment", Derived: true, Personal: true, English: "Comment", Russian: "Комментарий"},
	{Name: "lastName", Kinds: requests, Origins: FromHook | FromPoll, Derived: true, Personal: true, English: "Client's last name", Russian: "Фамилия клиента"},
	{Name: "firstName", Kinds: requests, Origins: FromHook | FromPoll, Derived: true, Personal: true, English: "Client's first name", Russian: "Имя клиента"},
	{Name: "middleName", Kinds: requests, Origins: FromHook | FromPoll, Derived: true, Personal: true, English: "Client's middle name", Russian: "Отчество клиента"},
}
