package site_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/touchbox/touchbox/pkg/site"
)

func ExampleTag() {
	fmt.Println(site.Tag("https://touchbox.example", "10001"))
	// Output: <script async src="https://touchbox.example/site/10001.js"></script>
}

func ExampleNewHandler() {
	sites := map[string]site.Config{"10001": {Site: "10001", Counter: "abcd1234"}}
	h := site.NewHandler(func(id string) (site.Config, bool) {
		config, ok := sites[id]
		return config, ok
	})
	for _, id := range []string{"10001", "10002"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, site.Path(id), nil))
		fmt.Println(site.Path(id), w.Code, w.Header().Get("Content-Type"))
	}
	// Output:
	// /site/10001.js 200 text/javascript; charset=utf-8
	// /site/10002.js 404 text/plain; charset=utf-8
}
