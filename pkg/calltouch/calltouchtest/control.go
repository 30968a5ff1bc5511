package calltouchtest

import (
	"encoding/json"
	"net/http"
)

func (c *Calltouch) serveStats(w http.ResponseWriter, _ *http.Request) { writeJSON(w, c.Stats()) }

// serveControl shows the faults, and changes those that a POST names.
func (c *Calltouch) serveControl(w http.ResponseWriter, r *http.Request) {
	f := c.Faults()
	if r.Method == http.MethodPost {
		d := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
		d.DisallowUnknownFields()
		err := d.Decode(&f)
		if err == nil {
			err = f.check()
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		c.SetFaults(f)
	}
	writeJSON(w, f)
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // the client is gone
}
