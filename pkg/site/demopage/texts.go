package demopage

import "strings"

// view is what the template shows.
type view struct {
	Lang    string // ru or en
	Counter string
	Script  string // address of the site script
	NoSite  bool   // without the site script
	NoTrack bool   // without Mindbox's tracker
}

// T is a text of the page in its language. The template calls it by the text's name.
func (v view) T(name string) string { return texts[name][v.Lang] }

// language is the one asked for, else the first of the browser's that the page has, else English.
func language(asked, accepted string) string {
	for tag := range strings.SplitSeq(asked+","+accepted, ",") {
		tag = strings.ToLower(strings.TrimSpace(tag))
		for _, known := range []string{"ru", "en"} {
			if tag == known || strings.HasPrefix(tag, known+"-") || strings.HasPrefix(tag, known+";") {
				return known
			}
		}
	}
	return "en"
}

// texts holds what the page says, by name and language.
var texts = map[string]map[string]string{
	"title": {
		"en": "Clinic on Nevsky", "ru": "Клиника на Невском"},
	"intro": {
		"en": "A page of a site with simulated scripts of Calltouch and Mindbox. Nothing leaves this computer.",
		"ru": "Страница сайта с имитацией скриптов Calltouch и Mindbox. Ничто не покидает этот компьютер."},
	"waiting": {
		"en": "waiting", "ru": "ждём"},
	"off": {
		"en": "switched off on this page", "ru": "на этой странице выключен"},
	"mindbox": {
		"en": "Mindbox’s tracker knows this browser", "ru": "Трекер Mindbox знает этот браузер"},
	"calltouch": {
		"en": "Calltouch has opened a session", "ru": "Calltouch открыл сессию"},
	"script": {
		"en": "The site script handed the id over to Calltouch", "ru": "Скрипт сайта передал идентификатор в Calltouch"},
	"ring": {
		"en": "The visitor calls", "ru": "Посетитель звонит"},
	"call": {
		"en": "Call +7 812 000-00-05", "ru": "Позвонить +7 812 000-00-05"},
	"arrived": {
		"en": "The call at Mindbox", "ru": "Звонок в Mindbox"},
	"dynamic": {
		"en": "dynamic: Mindbox knows who called", "ru": "динамический: Mindbox знает, кто звонил"},
	"static": {
		"en": "static: without the id Mindbox sees only a phone number",
		"ru": "статический: без идентификатора Mindbox видит только номер телефона"},
	"failed": {
		"en": "It did not work:", "ru": "Не получилось:"},
	"all": {
		"en": "all switched on", "ru": "всё включено"},
	"noscript": {
		"en": "without the site script", "ru": "без скрипта сайта"},
	"notracker": {
		"en": "without the tracker", "ru": "без трекера"},
	"forget": {
		"en": "Come as a new visitor", "ru": "Зайти новым посетителем"},
}
