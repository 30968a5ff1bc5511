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
