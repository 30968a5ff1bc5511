package queuetest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
)

// Answers to a publish as a server gives them, for Scripted. Any other text is sent as it is.
const (
	AnswerNobody  = "NATS/1.0 503\r\n\r\n" // no responders
	AnswerSilence = ""                     // none
	AnswerCut     = "cut"                  // the connection ends instead
)

// Scripted starts a server that answers each request with the next line of a script, and the last one
// for ever. It returns its address, and counts what it was asked.
func Scripted(t testing.TB, script ...string) (address string, asked *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	asked = &atomic.Int64{}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go play(c, script, asked)
		}
	}()
	return "nats://" + l.Addr().String(), asked
}

func play(c net.Conn, script []string, asked *atomic.Int64) {
	defer func() { _ = c.Close() }()
	fmt.Fprint(c, `INFO {"server_id":"x","version":"2.15.2","headers":true,"max_payload":1048576,"proto":1}`+"\r\n")
	in, sids := bufio.NewReader(c), map[string]string{} // by what the subjects of answers begin with
	sidOf := func(reply string) (found string) {
		for inbox, sid := range sids {
			if strings.HasPrefix(reply, inbox) {
				found = sid
			}
		}
		return found
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		word := strings.Fields(line)
		switch {
		case len(word) == 0:
		case word[0] == "PING":
			fmt.Fprint(c, "PONG\r\n")
		case word[0] == "SUB" && strings.HasPrefix(word[1], "_INBOX"):
			sids[strings.TrimRight(word[1], "*>")] = word[len(word)-1]
		case word[0] == "HPUB" || word[0] == "PUB":
			var size int
			fmt.Sscan(word[len(word)-1], &size)
			_, _ = io.CopyN(io.Discard, in, int64(size)+2)
			n := int(asked.Add(1)) - 1
			switch answer := script[min(n, len(script)-1)]; answer {
			case AnswerCut:
				return
			case AnswerSilence:
			case AnswerNobody:
				fmt.Fprintf(c, "HMSG %s %s %d %d\r\n%s\r\n", word[2], sidOf(word[2]), len(answer), len(answer), answer)
			default:
				fmt.Fprintf(c, "MSG %s %s %d\r\n%s\r\n", word[2], sidOf(word[2]), len(answer), answer)
			}
		}
	}
}
