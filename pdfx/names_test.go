package pdfx

import (
	"encoding/json"
	"errors"
	"testing"
)

// Places go over a wire as JSON and come back as they were.
func TestPlacesAsJSON(t *testing.T) {
	for _, c := range []struct {
		text string
		want Straddle
	}{
		{`{"edge":"right","pages":"all"}`, Straddle{}},
		{`{"edge":"left","pages":"even","y":100,"most":3}`, Straddle{Edge: Left, Pages: EvenPages, Y: 100, Most: 3}},
		{`{"edge":"left","pages":"odd"}`, Straddle{Edge: Left, Pages: OddPages}},
	} {
		var s Straddle
		if err := json.Unmarshal([]byte(c.text), &s); err != nil || s != c.want {
			t.Errorf("%s: %+v %v", c.text, s, err)
		}
		if b, err := json.Marshal(c.want); err != nil || string(b) != c.text {
			t.Errorf("%s is written %s (%v)", c.text, b, err)
		}
	}
	for _, bad := range []string{`{"edge":"top"}`, `{"pages":"first"}`, `{"edge":""}`} {
		if err := json.Unmarshal([]byte(bad), new(Straddle)); !errors.Is(err, ErrOptions) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if s := Edge(7).String() + Pages(-1).String(); s != "edge(7)pages(-1)" {
		t.Error(s)
	}
}
