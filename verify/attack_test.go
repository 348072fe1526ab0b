package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
)

// Attacks on freshly sealed files: the tables of attack_*_test.go, each over files of three kinds. None may be valid, and each is told
// for what it is, by a check of the seal that was attacked.

// An attack makes something else of a sealed file.
type attack struct {
	name string
	code string // of a check of the seal that is not valid; or one of those below
	make func(t testing.TB, v *victim) []byte
}

// What may be said instead of a code.
const (
	isUnsigned   = "(unsigned)"   // ErrUnsigned: the seal is not found any more, and nobody says that there is one
	isUnreadable = "(unreadable)" // a typed error: nobody says anything of the file
	isReplaced   = "(replaced)"   // another signature is valid, and a note tells of the one that no field reaches
)

// A level is what a seal allows later.
type level string

const (
	approval  level = "approval" // an ordinary signature
	noChange  level = "P1"       // DocMDP
	fillForms level = "P2"
	annotate  level = "P3"
	locked    level = "locked" // of the field Note, and of the one that waits
)

// Numbers of objects in judgment.
const (
	catalogNum = 1 + iota
	pagesNum
	pageNum
	contentNum
	formNum
	amountNum  // a text field that is filled
	waitingNum // a signature field
	page2Num
	shadowNum // nobody uses it: other contents for a page
	resourcesNum
	fontNum // Type 3
	xobjectNum
	glyphANum
	glyphBNum
	layerNum
	outlinesNum
	noteNum // an empty text field
	amountLookNum
	content2Num
	stateNum
	outlineNum
	shadowPageNum // nobody uses it, or the next three
	shadowLookNum
	shadowFieldNum
	shadowLayerNum
	coverNum // drawn over a part of page 1
	fieldsNum
	judgmentLen = iota
)

// judgment is a document with what an attacker could use: fonts, layers, forms, an outline, objects that nobody uses.
func judgment() pdftest.Objects {
	form := "/Type /XObject /Subtype /Form /BBox [0 0 200 100] "
	return pdftest.Objects{
		catalogNum: "<< /Type /Catalog /Pages 2 0 R /AcroForm 5 0 R /Outlines 16 0 R /OCProperties << /OCGs [15 0 R] /D << /ON [15 0 R] >> >> >>",
		pagesNum:   "<< /Type /Pages /Kids [3 0 R 8 0 R] /Count 2 >>",
		pageNum: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources 10 0 R " +
			"/Annots [6 0 R 7 0 R 17 0 R] >>",
		contentNum: pdftest.Stream("", "BT /F 12 Tf 1 0 0 1 100 700 Tm (ABBA) Tj ET q 1 0 0 1 100 500 cm /X Do Q /OC /L BDC 1 0 0 rg 300 600 50 50 re f EMC "+
			"/G gs 0 0 1 rg 100 100 200 200 re f q 1 0 0 1 300 100 cm /Cover Do Q\n%"+strings.Repeat("x", 10_000)), // all offsets have five digits
		formNum:      "<< /Fields 27 0 R /DA (/F 12 Tf) /DR << /Font << /F 11 0 R >> >> >>",
		amountNum:    "<< /Type /Annot /Subtype /Widget /FT /Tx /T (Amount) /V (100) /P 3 0 R /Rect [400 700 500 720] /F 4 /AP << /N 18 0 R >> >>",
		waitingNum:   "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Waiting) /P 3 0 R /Rect [10 10 60 60] /F 4 >>",
		page2Num:     "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 19 0 R /Resources << /XObject << /X 12 0 R >> >> >>",
		shadowNum:    pdftest.Stream("", "1 0 0 rg 0 0 595 842 re f"),
		resourcesNum: "<< /Font << /F 11 0 R >> /XObject << /X 12 0 R /Cover 26 0 R >> /Properties << /L 15 0 R >> /ExtGState << /G 20 0 R >> >>",
		fontNum: "<< /Type /Font /Subtype /Type3 /FontBBox [0 0 1000 1000] /FontMatrix [0.001 0 0 0.001 0 0] /CharProcs << /a 13 0 R /b 14 0 R >> " +
			"/Encoding << /Type /Encoding /Differences [65 /a /b] >> /FirstChar 65 /LastChar 66 /Widths [1000 1000] /Resources << >> >>",
		xobjectNum:     pdftest.Stream(form, "0 1 0 rg 0 0 200 100 re f"),
		glyphANum:      pdftest.Stream("", "1000 0 0 0 1000 1000 d1 0 0 1000 1000 re f"),
		glyphBNum:      pdftest.Stream("", "1000 0 0 0 1000 1000 d1 0 0 500 1000 re f"),
		layerNum:       "<< /Type /OCG /Name (Layer) >>",
		outlinesNum:    "<< /Type /Outlines /First 21 0 R /Last 21 0 R /Count 1 >>",
		noteNum:        "<< /Type /Annot /Subtype /Widget /FT /Tx /T (Note) /P 3 0 R /Rect [400 750 500 770] /F 4 >>",
		amountLookNum:  pdftest.Stream(form, "0 0 0 rg 0 0 10 20 re f"),
		content2Num:    pdftest.Stream("", "q 1 0 0 1 100 500 cm /X Do Q"),
		stateNum:       "<< /Type /ExtGState /ca 1 >>",
		outlineNum:     "<< /Title (Judgment) /Parent 16 0 R /Dest [3 0 R /Fit] >>",
		shadowPageNum:  "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 9 0 R >>",
		shadowLookNum:  pdftest.Stream(form, "1 0 0 rg 0 0 100 20 re f"),
		shadowFieldNum: "<< /Type /Annot /Subtype /Widget /FT /Tx /T (Amount) /V (900) /P 3 0 R /Rect [400 700 500 720] /F 4 /AP << /N 23 0 R >> >>",
		shadowLayerNum: "<< /Type /OCG /Name (Layer) /Usage << /Print << /PrintState /OFF >> >> >>",
		coverNum:       pdftest.Stream(form, "1 1 1 rg 0 0 200 100 re f"),
		fieldsNum:      "[6 0 R 7 0 R 17 0 R]",
	}
}

// A victim is a sealed judgment.
type victim struct {
	kind   pdftest.Kind
	format sign.Format // "" is a CMS by RSA, without a seal
	level  level
	file   []byte

	name                             string    // of the seal's field
	pdf                              *pdf.File // of file
	field, widget, value, look, free int       // numbers of the seal's objects, and the first that is not in use
}

var victims struct {
	sync.Mutex
	made map[string]*victim
}

// victimOf gives a fresh seal on a judgment; each is made once.
func victimOf(t testing.TB, k pdftest.Kind, f sign.Format, l level) *victim {
	t.Helper()
	victims.Lock()
	defer victims.Unlock()
	key := fmt.Sprint(k, f, l)
	if v := victims.made[key]; v != nil {
		return v
	}
	v := &victim{kind: k, format: f, level: l}
	v.file = v.seal(t, pdftest.File(k, judgment()))
	v.read(t)
	if victims.made == nil {
		victims.made = map[string]*victim{}
	}
	victims.made[key] = v
	return v
}

// seal seals a file as the victim is sealed.
func (v *victim) seal(t testing.TB, file []byte) []byte {
	t.Helper()
	w := theWorld()
	o := visible
	switch v.level {
	case noChange:
		o.Certify = 1
	case fillForms:
		o.Certify = 2
	case annotate:
		o.Certify = 3
	case locked:
		o.Lock = &pdfx.Lock{Fields: []string{"Note", "Waiting"}}
	}
	if v.format == "" {
		o.At = nil
		return sealFile(t, file, cmsSigner(t, w.rsa), o)
	}
	return sealFile(t, file, w.stamp(t, v.format, noon), o)
}

// read finds the seal's objects in the file.
func (v *victim) read(t testing.TB) {
	t.Helper()
	var err error
	if v.pdf, err = pdf.Open(bytes.NewReader(v.file), int64(len(v.file)), pdf.Options{}); err != nil {
		t.Fatal(err)
	}
	found, err := v.pdf.Signatures()
	if err != nil || len(found) == 0 || found[0].Err != nil {
		t.Fatal(err, found)
	}
	s := found[len(found)-1]
	v.name = s.Name
	v.field, v.value, v.free = int(s.Field.Ref.Num), int(s.Value.Ref.Num), pdftest.Unused(v.file)
	if len(s.Widgets) > 0 {
		v.widget = int(s.Widgets[0].Num)
		if ap, ok := s.Field.Dict().Get("AP").(*pdf.Dict); ok {
			v.look = int(ap.Get("N").(pdf.Ref).Num)
		}
	}
}

// body is an object as the file has it; of a stream, the dictionary.
func (v *victim) body(t testing.TB, n int) string {
	t.Helper()
	x, _ := v.pdf.Lookup(uint32(n))
	o, err := v.pdf.Load(pdf.Ref{Num: uint32(n), Gen: x.Gen})
	if err != nil {
		t.Fatal(err)
	}
	return string(o.Raw)
}

// edited is a body in which from, which stands there once, became to.
func (v *victim) edited(t testing.TB, n int, from, to string) string {
	t.Helper()
	b := v.body(t, n)
	if strings.Count(b, from) != 1 {
		t.Fatalf("object %d does not have %q once: %s", n, from, b)
	}
	return strings.Replace(b, from, to, 1)
}

// with is a body, a dictionary, with more entries.
func (v *victim) with(t testing.TB, n int, entries string) string {
	b := strings.TrimSpace(v.body(t, n))
	return strings.TrimSuffix(b, ">>") + " " + entries + " >>"
}

// saving is an update of the file's own kind; of all but tables, objects that may do stand in an object stream.
func (v *victim) saving(objects pdftest.Objects) pdftest.Revision {
	r := pdftest.Revision{Kind: v.kind, Objects: objects}
	for n, body := range objects {
		if v.kind != pdftest.Table && !strings.Contains(body, "stream\n") && !strings.Contains(body, "/ByteRange") {
			r.Packed = append(r.Packed, n)
		}
	}
	return r
}

// update appends objects.
func (v *victim) update(objects pdftest.Objects) []byte { return v.saving(objects).Append(v.file) }

// annotated is page 1 with one more annotation, object v.free.
func (v *victim) annotated(t testing.TB, annotation string) pdftest.Objects {
	return pdftest.Objects{pageNum: v.edited(t, pageNum, "/Annots [6 0 R", fmt.Sprintf("/Annots [%d 0 R 6 0 R", v.free)), v.free: annotation}
}

// appended is the same, with the annotation above all others.
func (v *victim) appended(t testing.TB, annotation string) pdftest.Objects {
	return pdftest.Objects{pageNum: appendedTo(v.body(t, pageNum), v.free), v.free: annotation}
}

// attackers are the signers of the files under attack, in turn.
var attackers = []sign.Format{sign.SES, sign.CMS, "", sign.Dual}

// attackTables are the attacks by what they are on, and by the level of the seal.
var attackTables = map[string]map[level][]attack{
	"value":       valueAttacks,
	"wrapping":    wrappingAttacks,
	"incremental": incrementalAttacks,
	"shadow":      shadowAttacks,
	"shown":       shownAttacks,
	"field":       fieldAttacks,
	"catalog":     catalogAttacks,
	"certified":   certifiedAttacks,
	"xref":        xrefAttacks,
	"roles":       roleAttacks,
}

// An attacked file and what is to be said of it.
type attacked struct {
	name string
	file []byte
	code string
	seal string // the name of the field that was attacked
}

// allAttacks makes every file: each attack on a file of each kind, the signers in turn.
func allAttacks(t testing.TB, kinds []pdftest.Kind) (out []attacked) {
	t.Helper()
	i := 0
	for _, table := range slices.Sorted(maps.Keys(attackTables)) {
		for _, l := range slices.Sorted(maps.Keys(attackTables[table])) {
			for _, a := range attackTables[table][l] {
				for _, k := range kinds {
					v := victimOf(t, k, attackers[i%len(attackers)], l)
					if v.format == "" && strings.Contains(a.name, "seal's picture") { // it has none
						v = victimOf(t, k, sign.Dual, l)
					}
					file := a.make(t, v)
					i++
					if file == nil { // makes no sense in this kind
						continue
					}
					name := v.format
					if name == "" {
						name = "rsa"
					}
					out = append(out, attacked{fmt.Sprintf("%s/%s/%s/%s-%s", table, l, a.name, k, name), file, a.code, v.name})
				}
			}
		}
	}
	return out
}

func TestAttacks(t *testing.T) {
	w := theWorld()
	kinds := pdftest.Kinds
	if testing.Short() {
		kinds = kinds[:1]
	}
	all := allAttacks(t, kinds)
	if len(all) < 60*len(kinds) {
		t.Errorf("%d attacks", len(all))
	}
	seen := map[string]bool{}
	for _, a := range all {
		if seen[a.name] {
			t.Errorf("%s stands twice", a.name)
		}
		seen[a.name] = true
		t.Run(a.name, func(t *testing.T) { a.flagged(t, w) })
	}
}

// The files that are attacked are valid before.
func TestVictims(t *testing.T) {
	w := theWorld()
	for _, k := range pdftest.Kinds {
		for _, f := range attackers {
			for _, l := range []level{approval, noChange, fillForms, annotate, locked} {
				if r := verifyFile(t, w, victimOf(t, k, f, l).file, nil); r.Verdict != Valid || len(r.Signatures) != 1 {
					t.Errorf("%s %s %s\n%s", k, f, l, r)
				}
			}
		}
	}
}

func (a attacked) flagged(t *testing.T, w *world) {
	walkAgrees(t, w, a.file)
	r, err := Document(context.Background(), bytes.NewReader(a.file), int64(len(a.file)), Options{Roots: w.roots, At: noon.Add(time.Hour)})
	switch {
	case a.code == isUnreadable:
		if err == nil || !isOfFile(err) {
			t.Errorf("not refused: %v\n%s", err, r)
		}
		return
	case a.code == isUnsigned:
		if !errors.Is(err, ErrUnsigned) || r == nil || r.Verdict == Valid || !noted(r, "unreached-signature") {
			t.Errorf("%v\n%s", err, r)
		}
		return
	case a.code == isReplaced:
		if err != nil || !noted(r, "unreached-signature") {
			t.Errorf("%v\n%s", err, r)
		}
		return
	case err != nil:
		t.Errorf("%v; want %s\n%s", err, a.code, r)
		return
	case r.Verdict == Valid:
		t.Errorf("valid; want %s\n%s", a.code, r)
		return
	}
	var said []string
	renamed := !slices.ContainsFunc(r.Signatures, func(s Signature) bool { return s.Name == a.seal })
	for _, s := range r.Signatures {
		for _, c := range s.Checks {
			if (renamed || s.Name == a.seal) && s.Verdict != Valid && c.Verdict != Valid && c.Verdict != NotAsked {
				said = append(said, c.Code)
			}
		}
	}
	if !slices.Contains(said, a.code) {
		t.Errorf("no check of %s says %s but %s\n%s", a.seal, a.code, said, r)
	}
}
