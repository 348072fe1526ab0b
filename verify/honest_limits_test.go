package verify

import (
	"fmt"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
)

// What comes close to something honest, and is not: each rule that lets other software do what it does ends here.
func TestHonestLimits(t *testing.T) {
	w := theWorld()
	framed := map[int]string{24: strings.Replace(blank(nil)[24], "/FT", "/AP << /N 32 0 R >> /FT", 1)}
	for _, x := range []struct {
		hand
		code string
	}{
		{hand{name: "read-only, and looks otherwise", do: func(d *draft) { d.with(26, "/Ff 1"); d.put(32, "%s", value("2026-9")); d.save() }}, "later-changed"},
		{hand{name: "read-only no longer", mod: map[int]string{26: strings.Replace(blank(nil)[26], "/FT", "/Ff 1 /FT", 1)}, do: func(d *draft) { d.swap(26, "/Ff 1", "/Ff 0"); d.save() }}, "later-changed"},
		{hand{name: "read-only, and required", do: func(d *draft) { d.with(26, "/Ff 3"); d.save() }}, "later-changed"},
		{hand{name: "another default value", do: func(d *draft) { d.sign(d.field("S", "/Rect [0 0 0 0] /DV 24 0 R"), "", nil) }}, "later-changed"},
		{hand{name: "the waiting field moved", do: func(d *draft) {
			sig := d.next
			d.next++
			d.swap(24, "[ 300 400", "[ 301 400")
			d.with(24, fmt.Sprintf("/V %d 0 R", sig))
			d.sign(sig, "", nil)
		}, mod: map[int]string{24: strings.Replace(blank(nil)[24], "[300 400", "[ 300 400", 1)}}, "later-changed"},
		{hand{name: "the waiting field gone, that showed something", mod: framed, do: func(d *draft) {
			sig := d.next
			d.next++
			d.swap(24, "300 400 450 550", "0 0 0 0")
			d.with(24, fmt.Sprintf("/V %d 0 R", sig))
			d.sign(sig, "", nil)
		}}, "later-changed"},
		{hand{name: "readers are asked to draw", do: func(d *draft) { d.with(5, "/NeedAppearances true"); d.save() }}, "later-changed"},
		{hand{name: "readers are not asked to draw any more", mod: map[int]string{5: undrawn[5]}, do: func(d *draft) { d.swap(5, "true", "false"); d.save() }}, "later-overwritten"},
		{hand{name: "the size of a value", do: func(d *draft) { d.swap(26, "/Helv 12", "/Helv 1"); d.save() }}, "later-overwritten"},
		{hand{name: "metadata alone", do: func(d *draft) { d.with(1, "/Metadata "+d.add("%s", xmp("x"))); d.save() }}, "later-after-certification"},
	} {
		t.Run(x.name, func(t *testing.T) {
			o := pdfx.Options{At: []pdfx.At{{Page: 1, X: 60, Y: 250}}}
			if x.code == "later-after-certification" {
				o.Certify = 1
			}
			d := newDraft(t, w, sealFile(t, informed(pdftest.Table, blank(x.mod)), w.stamp(t, sign.Dual, noon), o), pdftest.Table)
			x.do(d)
			r := verifyFile(t, w, d.file, nil)
			for _, s := range r.Signatures {
				if c := s.Check("pdf-later"); s.Name == "Seal1" && c.Code != x.code {
					t.Errorf("%+v\n%s", c, r)
				}
			}
		})
	}
	t.Run("a value that the second signer saw", func(t *testing.T) {
		d := newDraft(t, w, sealFile(t, informed(pdftest.Table, blank(nil)), w.stamp(t, sign.Dual, noon), pdfx.Options{}), pdftest.Table)
		was := d.body(10)
		d.fill(10, "/V (Zhang)", value("Zhang"))
		d.save()
		d.sign(d.field("Second", "/Rect [0 0 0 0]"), "", nil)
		d.put(10, "%s", was)
		d.fill(10, "/V (Wang)", value("Wang"))
		d.save()
		r := verifyFile(t, w, d.file, nil)
		want(t, r, 0, Valid, "pdf-later", "later-allowed")
		want(t, r, 1, Indeterminate, "pdf-later", "later-overwritten")
	})
}
