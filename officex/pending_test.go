package officex_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/officex"
)

const pendingMagic = "courtseal-office-pending-1\n"

type object = map[string]any

// A state that was changed is refused before anything is written, whatever values come with it.
func TestHostileState(t *testing.T) {
	first, _ := mustSign(t, judgment().bytes(), signers(t)["dual RSA"], officex.Options{})
	change := func(s object, name string) object {
		for _, c := range s["changes"].([]any) {
			if c := c.(object); c["Name"] == name {
				return c
			}
		}
		t.Fatalf("no change of %s", name)
		return nil
	}
	add := func(s object, name string, data any) {
		s["changes"] = append(s["changes"].([]any), object{"Name": name, "Data": data})
	}
	const text = "PGEvPg==" // <a/>
	for name, damage := range map[string]func(s object){
		"another text":             func(s object) { add(s, "/word/document.xml", text) },
		"another earlier seal":     func(s object) { add(s, "/_seals/seal1/SignedValue.dat", text) },
		"another earlier undo":     func(s object) { add(s, "/_seals/seal1/undo", text) },
		"another earlier native":   func(s object) { add(s, "/_xmlsignatures/sig1.xml", text) },
		"other properties":         func(s object) { add(s, "/docProps/core.xml", text) },
		"one more part":            func(s object) { add(s, "/word/more.xml", text) },
		"one more of the act":      func(s object) { add(s, "/_seals/seal2/evidence", text) },
		"a part twice":             func(s object) { add(s, "/[Content_Types].xml", text) },
		"no types":                 func(s object) { change(s, "/[Content_Types].xml")["Data"] = nil },
		"other relationships":      func(s object) { change(s, "/_seals/_rels/origin.seals.rels")["Data"] = text },
		"another record":           func(s object) { change(s, "/_seals/seal2/undo")["Data"] = "c291cmNlIFNNMyAwMAo=" },
		"the first act's folder":   func(s object) { s["folder"] = "/_seals/seal1/" },
		"another folder":           func(s object) { s["folder"] = "/_seals/seal9/" },
		"the text for a signature": func(s object) { s["sig"] = "/word/document.xml" },
		"the first signature":      func(s object) { s["sig"] = "/_xmlsignatures/sig1.xml" },
		"no signature":             func(s object) { delete(s, "sig") },
		"another time":             func(s object) { s["act"].(object)["time"] = "2030-01-01T00:00:00Z" },
		"another reason":           func(s object) { s["act"].(object)["reason"] = "别的" },
		"no parts":                 func(s object) { s["act"].(object)["parts"] = nil },
		"parts twice":              func(s object) { p := s["act"].(object)["parts"].([]any); s["act"].(object)["parts"] = append(p, p...) },
		"another source":           func(s object) { s["act"].(object)["source"] = object{"SHA-1": "2jmj7l5rSw0yVb/vlWAYkK/YBwk="} },
		"no draft":                 func(s object) { s["draft"] = nil },
		"no act":                   func(s object) { s["act"] = nil },
		"no changes":               func(s object) { s["changes"] = []any{} },
		"negative limits":          func(s object) { s["limits"] = object{"Entries": -1} },
	} {
		for _, format := range []string{"ses", "cms RSA", "dual P384"} {
			t.Run(name+"/"+format, func(t *testing.T) {
				signer := signers(t)[format]
				p, err := officex.Prepare(bytes.NewReader(first), int64(len(first)), signer.Profile(), officex.Options{Now: clock, Invisible: true, Reason: "理由"})
				if err != nil {
					t.Fatal(err)
				}
				values, err := signer.Sign(t.Context(), p.Act())
				if err != nil {
					t.Fatal(err)
				}
				state, err := p.MarshalBinary()
				if err != nil {
					t.Fatal(err)
				}
				var s object
				if err := json.Unmarshal(state[len(pendingMagic):], &s); err != nil {
					t.Fatal(err)
				}
				if format == "ses" && (strings.Contains(name, "signature") || name == "another time" || name == "another reason" || name == "no draft") {
					t.Skip("there is no native signature")
				}
				damage(s)
				bad, err := json.Marshal(s)
				if err != nil {
					t.Fatal(err)
				}
				var q officex.Pending
				var out bytes.Buffer
				if err = q.UnmarshalBinary(append([]byte(pendingMagic), bad...)); err == nil {
					_, err = q.Commit(&out, bytes.NewReader(first), int64(len(first)), values)
				}
				if !errors.Is(err, officex.ErrState) && name != "negative limits" || err == nil || out.Len() > 0 {
					t.Errorf("%v, %d bytes written", err, out.Len())
				}
			})
		}
	}
	var none officex.Pending
	if _, err := none.Commit(nil, nil, 0, nil); !errors.Is(err, officex.ErrState) {
		t.Error(err)
	}
	if _, err := none.MarshalBinary(); !errors.Is(err, officex.ErrState) {
		t.Error(err)
	}
	if err := none.UnmarshalBinary([]byte(pendingMagic + "{}{}")); !errors.Is(err, officex.ErrState) {
		t.Error(err)
	}
}

// What Limits let pass when it was prepared passes when it is committed, in another process too.
func TestPendingKeepsLimits(t *testing.T) {
	d := judgment()
	d.parts = map[string]string{"word/more.xml": "<a>" + strings.Repeat("x", 70<<20) + "</a>"}
	b := d.bytes()
	s := signers(t)["cms P-256"]
	refused(t, b, s, officex.Options{}, officex.ErrLimit)
	p, err := officex.Prepare(bytes.NewReader(b), int64(len(b)), s.Profile(), officex.Options{Now: clock, Limits: officex.Limits{Ratio: 2000, Read: 80 << 20}})
	if err != nil {
		t.Fatal(err)
	}
	state, err := p.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var q officex.Pending
	if err := q.UnmarshalBinary(state); err != nil {
		t.Fatal(err)
	}
	values, err := s.Sign(t.Context(), q.Act())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := q.Commit(&out, bytes.NewReader(b), int64(len(b)), values); err != nil {
		t.Fatal(err)
	}
}

// A part that asks for too much is over the limit, and not damaged.
func TestLimitOfText(t *testing.T) {
	b := docx{body: strings.Repeat(`<w:p/>`, 1<<19+1)}.bytes()
	refused(t, b, signers(t)["ses"], officex.Options{Keyword: &officex.Keyword{Text: "公章"}, Limits: officex.Limits{Ratio: 1000}}, officex.ErrLimit)
}

// A reason that reads as the reference of a ledger's entry would be looked for in a ledger.
func TestReasonIsNoReference(t *testing.T) {
	o := officex.Options{Reason: "归档 court.example.cn/seals#" + strings.Repeat("A", 43) + "="}
	refused(t, judgment().bytes(), signers(t)["dual RSA"], o, officex.ErrOptions)
}

func TestReserveRefuses(t *testing.T) {
	b := judgment().bytes()
	reserve := func(slots ...officex.Slot) ([]byte, error) {
		var out bytes.Buffer
		err := officex.Reserve(&out, bytes.NewReader(b), int64(len(b)), slots, officex.Options{})
		return out.Bytes(), err
	}
	for _, at := range []officex.Options{{Header: true, Footer: true}, {Invisible: true}, {Line: "1"}, {Keyword: &officex.Keyword{}}} {
		if out, err := reserve(officex.Slot{At: at}); !errors.Is(err, officex.ErrOptions) || len(out) > 0 {
			t.Errorf("%+v: %v", at, err)
		}
	}
	// The second one finds the header that the first one made.
	two, err := reserve(officex.Slot{At: officex.Options{Header: true}}, officex.Slot{At: officex.Options{Header: true}})
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= 2; n++ {
		two, _ = mustSign(t, two, signers(t)["cms RSA"], officex.Options{Line: "1"})
		valid(t, two, n)
	}
}
