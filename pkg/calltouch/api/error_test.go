package api_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/calltouch/api"
)

// Calltouch's words stand in logs and on the operator's terminal, whatever they quote.
func TestErrorsOfCalltouchShowNobody(t *testing.T) {
	none := func(calltouch.Listed) error { return nil }
	words := "limit for anna@example.ru, anna%40example.ru, +7 (916) 123-45-67, 8_916_123_45_67, /x?name=Anna&clientApiId=" + url.QueryEscape(token()) + " \x1b[31m\u009b\u202e\nowned " + token()
	for _, status := range []int{401, 403, 429, 500} {
		for _, form := range []string{`{"message":%s}`, `{"data":{"apiErrorData":{"errorMessage":%s}}}`} {
			quoted, _ := json.Marshal(words)
			err := client(answer(status, fmt.Sprintf(form, quoted))).Requests(t.Context(), day(t, "2026-11-02"), none)
			if err == nil {
				t.Fatal("no error")
			}
			assertNobodyIn(t, err.Error())
			if !strings.Contains(err.Error(), "limit for") {
				t.Errorf("%d: the reason is lost: %v", status, err)
			}
		}
	}
}

func assertNobodyIn(t *testing.T, text string) {
	t.Helper()
	for _, marked := range []string{"anna", "Anna", "9161", "916_", "123-45", token(), url.QueryEscape(token())} {
		if strings.Contains(text, marked) {
			t.Errorf("%q is in %q", marked, text)
		}
	}
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("%q would be obeyed", text)
	}
}

// What is no HTTP at all is quoted by net/http.
func TestErrorsOfTheWayShowNobody(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = http.ReadRequest(bufio.NewReader(conn))
				_, _ = io.WriteString(conn, "HTTP/1.1 +79161234567\u009b anna@example.ru\r\n\r\n")
				_ = conn.Close()
			}()
		}
	}()
	c := &api.Client{Site: "10001", Base: "http://" + listener.Addr().String(), Token: token}
	err = c.Requests(t.Context(), day(t, "2026-11-02"), func(calltouch.Listed) error { return nil })
	if api := (*api.Error)(nil); !errors.As(err, &api) {
		t.Fatalf("got %v", err)
	}
	assertNobodyIn(t, err.Error())
}
