package test_test

import (
	"bufio"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/touchbox/touchbox/test/internal/ports"
)

// What stands in a hook's address and must be in no log of a proxy.
const (
	proxyKey   = "ABCDEFGHIJKLMNOP1234"
	proxyPhone = "79161234567"
)

// example is the block of a guide that follows its heading.
func example(t *testing.T, guide, heading string) string {
	t.Helper()
	m := regexp.MustCompile("(?s)\\*\\*" + heading + "\\*\\*\n\n```[a-z]*\n(.*?)```").FindStringSubmatch(read(t, guide))
	if m == nil {
		t.Fatalf("%s has no example of %s", guide, heading)
	}
	return m[1]
}

// need looks for a program that the build server installs.
func need(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("NEED_PROXIES") != "" {
			t.Fatalf("%s is to be there: %v", name, err)
		}
		t.Skipf("SKIPPED, NOT TESTED: the guide's example for %s needs it: %v", name, err)
	}
	return path
}

// The guides' nginx keeps the key out of its logs, whatever goes wrong behind it.
func TestNginxOfTheGuideLogsNoKey(t *testing.T) {
	nginx := need(t, "nginx")
	for _, guide := range []string{"docs/operations.md", "docs/operations.ru.md"} {
		t.Run(guide, func(t *testing.T) {
			dir, front, back := t.TempDir(), ports.Free(t), ports.Free(t)
			block := strings.NewReplacer("listen 443 ssl;", "listen "+front+";", "http://127.0.0.1:8080", "http://"+back).Replace(example(t, guide, "nginx"))
			block = regexp.MustCompile(`(?m)^\s*ssl_certificate.*\n`).ReplaceAllString(block, "")
			conf := fmt.Sprintf("daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/error.log debug;\nevents {}\nhttp {\naccess_log %[1]s/access.log;\n"+
				"client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;\n%[2]s\n}\n", dir, block)
			write(t, filepath.Join(dir, "nginx.conf"), conf)
			behind(t, dir, front, back, exec.Command(nginx, "-c", filepath.Join(dir, "nginx.conf"), "-p", dir, "-e", filepath.Join(dir, "start.log")))
		})
	}
}

// So does the guides' Caddy.
func TestCaddyOfTheGuideLogsNoKey(t *testing.T) {
	caddy := need(t, "caddy")
	for _, guide := range []string{"docs/operations.md", "docs/operations.ru.md"} {
		t.Run(guide, func(t *testing.T) {
			dir, front, back := t.TempDir(), ports.Free(t), ports.Free(t)
			file := strings.NewReplacer("touchbox.example.com", "http://"+front, "127.0.0.1:8080", back).Replace(example(t, guide, "Caddy"))
			file = strings.Replace(file, "{\n", "{\n\tadmin off\n", 1)
			write(t, filepath.Join(dir, "Caddyfile"), file)
			cmd := exec.Command(caddy, "run", "--config", filepath.Join(dir, "Caddyfile"), "--adapter", "caddyfile")
			cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
			behind(t, dir, front, back, cmd)
		})
	}
}

// behind runs a proxy with its output in dir, lets hooks go wrong behind it in several ways, and looks
// for the key in all that it wrote.
func behind(t *testing.T, dir, front, back string, proxy *exec.Cmd) {
	t.Helper()
	out, err := os.Create(filepath.Join(dir, "output.log"))
	if err != nil {
		t.Fatal(err)
	}
	proxy.Stdout, proxy.Stderr = out, out
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- proxy.Wait() }()
	stop := func() {
		_ = proxy.Process.Kill()
		<-ended
	}
	address := "http://" + front + "/calltouch/10001/" + proxyKey
	if !waitFor(func() bool { _, err := http.Get("http://" + front + "/"); return err == nil }) {
		stop()
		text, _ := os.ReadFile(out.Name())
		t.Fatalf("the proxy does not answer:\n%s", text)
	}
	var codes []int
	hooks := func() {
		for _, ask := range []func() (*http.Response, error){
			func() (*http.Response, error) { return http.Get(address + "?callerphone=" + proxyPhone) },
			func() (*http.Response, error) {
				return http.Post(address, "application/x-www-form-urlencoded", strings.NewReader("callerphone="+proxyPhone))
			},
			func() (*http.Response, error) {
				return http.Post(address, "text/plain", strings.NewReader(strings.Repeat(proxyPhone, 50_000)))
			},
			func() (*http.Response, error) { return http.Get(address + "?x=" + strings.Repeat("y", 40_000)) },
		} {
			if answer, err := ask(); err == nil {
				codes = append(codes, answer.StatusCode)
				_ = answer.Body.Close()
			}
		}
	}
	hooks() // nobody listens behind it
	listener := breaksOff(t, back)
	hooks()
	_ = listener.Close()
	stop()
	if !strings.Contains(fmt.Sprint(codes), "502") {
		t.Errorf("nothing went wrong behind the proxy: %v", codes)
	}
	noKeyIn(t, dir)
}

// breaksOff answers with half an answer, or with none.
func breaksOff(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for n := 0; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
			_, _ = bufio.NewReader(conn).ReadString('\n')
			if n%2 == 0 {
				_, _ = fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
			}
			_ = conn.Close()
		}
	}()
	return l
}

func noKeyIn(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		for _, secret := range []string{proxyKey, proxyPhone} {
			if i := strings.Index(string(text), secret); i >= 0 {
				t.Errorf("%s holds what stands in the address: %.300q", filepath.Base(path), string(text)[max(0, i-150):])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func waitFor(ok func() bool) bool {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if ok() {
			return true
		}
	}
	return false
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
