package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// One process is two sites: the hooks of each go to its own address.
func TestSimulateCalltouchForTwoSites(t *testing.T) {
	var mu sync.Mutex
	sites := map[string]map[string]int{}
	hooks := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.ParseForm() == nil && r.Form.Get("siteId") != "" {
			mu.Lock()
			defer mu.Unlock()
			if sites[r.URL.Path] == nil {
				sites[r.URL.Path] = map[string]int{}
			}
			sites[r.URL.Path][r.Form.Get("siteId")]++
		}
	}))
	defer hooks.Close()
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"simulate", "calltouch", "--site", "10001,10002", "--to", hooks.URL + "/a," + hooks.URL + "/b", "--count", "10", "--rate", "1000"}, strings.NewReader(""), &out, &errs)
	if code != 0 || len(sites["/a"]) != 1 || len(sites["/b"]) != 1 || sites["/a"]["10001"] == 0 || sites["/b"]["10002"] == 0 {
		t.Errorf("exit code %d, %v, %s", code, sites, errs.String())
	}
	for _, args := range [][]string{{"simulate", "calltouch"}, {"simulate", "calltouch", "--site", "1,2", "--to", hooks.URL}} {
		errs.Reset()
		if code := run(t.Context(), append(args, "--lang", "ru"), strings.NewReader(""), &out, &errs); code != 2 || !strings.Contains(errs.String(), "--to") {
			t.Errorf("%v: exit code %d, %s", args, code, errs.String())
		}
	}
}
