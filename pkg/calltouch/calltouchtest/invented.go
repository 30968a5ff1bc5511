package calltouchtest

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Session is the visit that a call or a form request belongs to.
type Session struct {
	ID         int64  // beyond 32 bits
	ClientID   int64  // ctClientId: 19 digits, beyond what a float64 holds
	GlobalID   string // ctGlobalId: "" where the manager has not switched it on
	YandexID   string // yaClientId: 19 digits
	GoogleID   string // digits.digits
	Began      time.Time
	City       string
	IP         string
	Source     string
	Medium     string
	UTM        [5]string // source, medium, campaign, content, term; "" = the visit had no tag
	Keyword    string
	URL        string
	Ref        string
	Device     string
	OS         string
	Browser    string
	UserAgent  string
	Attributes map[string]string
}

var (
	subjects = []string{"Заявка с clinic.example", "Запись на приём", "Обратный звонок"}
	surnames = []string{"Соколов", "Волков", "Лебедев", "Зайцев", "Голубев", "Орлов"}
	names    = []string{"Пётр", "Иван", "Семён", "Егор", "Лев", "Фёдор"}
	fathers  = []string{"Петрович", "Иванович", "Ильич", "Львович"}
	cities   = []string{"saint petersburg", "moscow", "kazan", "irkutsk"}
)

func personName(r *rand.Rand) string {
	name := surnames[r.IntN(len(surnames))] + " " + names[r.IntN(len(names))]
	if r.IntN(2) == 0 {
		name += " " + fathers[r.IntN(len(fathers))]
	}
	return name
}

// phone is the number of the person with this id: another for each id within ten million.
func (c *Calltouch) phone(id int64) string {
	return fmt.Sprintf("7900%07d", uint64(id)*7919%10_000_000)
}

// visit is where visitors come from.
type visit struct {
	source, medium, ref string
	utm                 [5]string
	keyword, query      string
}

var visits = []visit{
	{source: "(direct)", medium: "(none)", keyword: "(not set)"},
	{source: "google", medium: "organic", ref: "https://www.google.com/", keyword: "(not provided)"},
	{source: "maps.example", medium: "referral", ref: "https://maps.example/", keyword: "(not set)"},
	{
		source: "yandex", medium: "cpc", ref: "https://yandex.ru/", keyword: "имплант цена",
		utm:   [5]string{"yandex", "cpc", "implants|spb", "банер 3", "имплант цена"},
		query: "?utm_source=yandex&utm_medium=cpc&utm_campaign=implants|spb&utm_content=банер 3&utm_term=имплант цена",
	},
	{
		source: "vk", medium: "social", ref: "https://vk.com/", keyword: "(not set)",
		utm:   [5]string{"vk", "social", "whitening", "", ""},
		query: "?utm_source=vk&utm_medium=social&utm_campaign=whitening",
	},
}

// newSession invents the visit behind the call or request with this id; with device says whether
// the site's script had set Mindbox's device id.
func (c *Calltouch) newSession(id int64, at time.Time, device bool) *Session {
	r := c.random(id, 3)
	v := visits[r.IntN(len(visits))]
	s := &Session{
		ID: 4_794_000_000 + id, ClientID: 2_500_000_000_000_000_000 + r.Int64N(1_000_000_000_000_000)*10 + 7,
		YandexID: fmt.Sprintf("16%017d", r.Int64N(100_000_000_000_000_000)),
		GoogleID: fmt.Sprintf("%d.%d", 1_000_000_000+r.Int64N(1_000_000_000), at.Unix()-600),
		Began:    at.Add(-time.Duration(60+r.IntN(900)) * time.Second),
		City:     cities[r.IntN(len(cities))], IP: fmt.Sprintf("192.0.2.%d", 1+r.IntN(250)),
		Source: v.source, Medium: v.medium, UTM: v.utm, Keyword: v.keyword, Ref: v.ref,
		URL:    "https://" + c.cfg.SiteName + "/" + v.query,
		Device: "desktop", OS: "Windows", Browser: "Chrome",
		UserAgent:  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36",
		Attributes: map[string]string{},
	}
	if r.IntN(2) == 0 {
		s.GlobalID = uuid(r)
	}
	if device {
		s.Attributes[c.cfg.Attribute] = uuid(r)
	}
	return s
}

// uuid is a well-formed random UUID of version 4.
func uuid(r *rand.Rand) string {
	a, b := r.Uint64(), r.Uint64()
	a = a&^0xf000 | 0x4000
	b = b&^(0b11<<62) | 0b10<<62
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", a>>32, a>>16&0xffff, a&0xffff, b>>48, b&0xffff_ffff_ffff)
}

// Sort names what is particular about a call, a form request or a hook, in a word or two that a
// demonstration can show beside it.
type Sort string

// The sorts of calls.
const (
	Dynamic  Sort = "dynamic"   // a visitor with a session and Mindbox's device id
	Static   Sort = "static"    // dialled a number printed somewhere: no session at all
	NoCookie Sort = "no cookie" // a session, but the device id was never set
	CallBack Sort = "call-back" // the call-back widget: a session, and no pool
	Missed   Sort = "missed"    // nobody answered
	Short    Sort = "short"     // answered, over within five seconds
	Foreign  Sort = "foreign"   // a number of another country
	Hidden   Sort = "hidden"    // the caller's number is not shown
	Internal Sort = "internal"  // a colleague's three digits
	Negative Sort = "negative"  // Calltouch reports a duration below zero
	Long     Sort = "long"      // still going on for a while after its first hook
)

// The sorts of form requests.
const (
	Form      Sort = "form"         // with a session, an e-mail and a comment
	Formatted Sort = "form, 8 (…)"  // the number as the visitor typed it
	Offline   Sort = "form, no web" // created by an API: no session
)

// The hooks that are no event.
const (
	Ping  Sort = "test ping" // the cabinet's test button: {callerphone} unfilled
	Empty Sort = "empty"     // no parameter at all
)

func (s Sort) isRequest() bool { return s == Form || s == Formatted || s == Offline }

// session reports whether calls and requests of this sort belong to a visit of the site.
func (s Sort) session() bool { return s != Static && s != Offline }

// mixture is the usual mixture of a busy clinic, in parts of a hundred.
var mixture = []struct {
	sort  Sort
	parts int
}{
	{Dynamic, 30}, {Static, 13}, {NoCookie, 9}, {CallBack, 6}, {Missed, 8}, {Short, 6}, {Foreign, 3},
	{Hidden, 2}, {Internal, 2}, {Negative, 1}, {Long, 4}, {Form, 9}, {Formatted, 2}, {Offline, 2},
	{Ping, 2}, {Empty, 1},
}

// pick is the sort of the event with this id.
func (c *Calltouch) pick(id int64) Sort {
	left := c.random(id, 7).IntN(100)
	for _, m := range mixture {
		if left -= m.parts; left < 0 {
			return m.sort
		}
	}
	return Dynamic
}

// random gives numbers that depend on the seed, the id and the purpose alone.
func (c *Calltouch) random(id int64, purpose uint64) *rand.Rand {
	return rand.New(rand.NewPCG(c.cfg.Seed<<8|purpose, uint64(id)))
}
