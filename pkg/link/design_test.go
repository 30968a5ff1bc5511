package link_test

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/touchbox/touchbox/pkg/calltouch"
	"github.com/touchbox/touchbox/pkg/link"
)

// environment gives every variable a value that is long enough for a key.
func environment(name string) string { return "secret-of-" + name + "-0123456789" }

// load parses a file that must have neither mistakes nor warnings.
func load(t testing.TB, text string) *link.File {
	t.Helper()
	f, problems, err := link.Parse("touchbox.yaml", []byte(text), link.Options{Getenv: environment})
	if err != nil {
		t.Fatal(err)
	}
	if len(problems) > 0 {
		t.Fatalf("unexpected warnings:\n%s", problems)
	}
	return f
}

// design is the example of the documentation: two links after Albato's recipe.
func design(t testing.TB) *link.File {
	t.Helper()
	text, err := os.ReadFile("testdata/design.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return load(t, string(text))
}

// dynamicCall is an ended call of a visitor whom Mindbox knows.
func dynamicCall() calltouch.Fields {
	return calltouch.Fields{
		"id": "148071", "kind": "call.ended", "callerphone": "79000000001", "phonenumber": "78120000005",
		"duration": int64(42), "utm_source": "yandex", "sessionId": "22440011", "siteId": "10001",
		"deviceUUID": "6a2d9b40-1c7e-4f58-b3d1-9e0f7a5c2b84", "city": "saint petersburg",
		"attrs": map[string]string{"mindboxDeviceUUID": "6a2d9b40-1c7e-4f58-b3d1-9e0f7a5c2b84"},
		"time":  time.Unix(1698092972, 0), "unique": true, "tags": []string{"a", "b"}, "targetcall": "target",
	}
}

func TestDesignExample(t *testing.T) {
	f := design(t)
	l := f.Link("calls-dynamic")
	v, err := l.Filter(dynamicCall())
	if err != nil || !v.Pass {
		t.Fatalf("got %v, %v", v, err)
	}
	r, err := l.Render(dynamicCall())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"customer":{"mobilePhone":"79000000001"},"customerAction":{"customFields":{"callId":"148071","utmSource":"yandex"}},"executionDateTimeUtc":"2023-10-23 20:29:32.000"}`
	if diff := cmp.Diff(want, string(r.Body)); diff != "" {
		t.Error(diff)
	}
	if r.DeviceUUID != "6a2d9b40-1c7e-4f58-b3d1-9e0f7a5c2b84" || r.Missing != nil || r.Notes != nil {
		t.Errorf("got %+v", r)
	}
	v, err = f.Link("calls-static").Filter(dynamicCall())
	if err != nil || v.Pass {
		t.Fatalf("static: got %v, %v", v, err)
	}
	t.Log(v)
}

func BenchmarkFilter(b *testing.B) {
	for name, pass := range map[string]bool{"calls-dynamic": true, "calls-static": false} {
		l := design(b).Link(name)
		fields := dynamicCall()
		b.Run(fmt.Sprintf("pass=%v", pass), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if v, err := l.Filter(fields); err != nil || v.Pass != pass {
					b.Fatal(v, err)
				}
			}
		})
	}
}

func BenchmarkRender(b *testing.B) {
	l := design(b).Link("calls-dynamic")
	fields := dynamicCall()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Render(fields); err != nil {
			b.Fatal(err)
		}
	}
}

// errorsAs finds an error of a type in a chain.
func errorsAs[E error](err error) (E, bool) {
	var e E
	ok := errors.As(err, &e)
	return e, ok
}

// TestAllocations bounds what one call costs; the time is the benchmarks': at most 5 µs together.
func TestAllocations(t *testing.T) {
	l := design(t).Link("calls-dynamic")
	fields := dynamicCall()
	allocations := testing.AllocsPerRun(100, func() {
		if v, err := l.Filter(fields); err != nil || !v.Pass {
			t.Fatal(v, err)
		}
		if _, err := l.Render(fields); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > 20 {
		t.Errorf("%g allocations for one call, want at most 20", allocations)
	}
}

// TestConcurrentUse: workers share a link.
func TestConcurrentUse(t *testing.T) {
	l := design(t).Link("calls-dynamic")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			fields := dynamicCall()
			fields["id"] = strconv.Itoa(i)
			for range 200 {
				r, err := l.Render(fields)
				if err != nil || !strings.Contains(string(r.Body), `"callId":"`+strconv.Itoa(i)+`"`) {
					t.Errorf("got %s, %v", r.Body, err)
					return
				}
			}
		})
	}
	wg.Wait()
}
