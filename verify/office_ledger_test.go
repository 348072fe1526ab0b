package verify

import (
	"bytes"
	"context"
	"image/color"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// officeSigner is the world's seal as a signer for Office documents.
func (w *world) officeSigner(t testing.TB, f sign.Format) sign.Signer {
	if f == sign.CMS {
		return w.officeStamp(t)
	}
	return w.stamp(t, f, noon)
}

// sealDocx seals a Word document with package officex.
func sealDocx(t testing.TB, file []byte, s sign.Signer, o officex.Options) []byte {
	t.Helper()
	if o.Now == nil {
		o.Now = at(noon)
	}
	var out bytes.Buffer
	if _, err := officex.Sign(context.Background(), &out, bytes.NewReader(file), int64(len(file)), s, o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// enteredDocx seals a Word document by way of a scribe.
func enteredDocx(t testing.TB, w *world, f sign.Format, s scribe) []byte {
	t.Helper()
	s.seal, s.now = w.seal, noon
	return sealDocx(t, docx(t), audit.Record(s, w.officeSigner(t, f)), officex.Options{})
}

// signaturesOf lists the signatures by their format.
func signaturesOf(r *Report) map[sign.Format]int {
	out := map[sign.Format]int{}
	for i, s := range r.Signatures {
		out[s.Format] = i
	}
	return out
}

// Evidence of a ledger in Word documents, for every way to seal and for ledgers of both kinds.
func TestOfficeLedger(t *testing.T) {
	for _, origin := range []string{sm3Log, sha256Log} {
		w, log := ledgerWorld(t, origin)
		for _, f := range formats {
			r := verifyFile(t, w, enteredDocx(t, w, f, scribe{log: log}), nil)
			for i := range r.Signatures {
				want(t, r, i, Valid, "ledger", "ok")
				if e := r.Signatures[i].Entry; e == nil || e.Log != origin || e.Index+1 != log.edge.Size() {
					t.Errorf("%s: %+v", f, e)
				}
			}
			if n := len(r.Signatures); n == 0 || (f == sign.Dual) != (n == 2) {
				t.Errorf("%s: %d signatures", f, n)
			}
			bypassed := sealDocx(t, docx(t), w.officeSigner(t, f), officex.Options{})
			want(t, verifyFile(t, w, bypassed, nil), 0, Invalid, "ledger", "no-ledger-entry")
			for _, x := range []struct {
				code string
				use  func(*audit.Use)
			}{
				{"evidence-other-document", func(u *audit.Use) { u.Content = sums(u.Content, "another") }},
				{"evidence-other-source", func(u *audit.Use) { u.Source = sums(u.Source, "another") }},
				{"evidence-other-seal", func(u *audit.Use) { u.Seal = "11010600000009" }},
				{"evidence-other-key", func(u *audit.Use) { u.Certs = [][]byte{make([]byte, 32)} }},
				{"signed-before-entry", func(u *audit.Use) { u.Time = noon.Add(time.Hour) }},
				{"signed-long-after-entry", func(u *audit.Use) { u.Time = noon.AddDate(0, 0, -3) }},
			} {
				r := verifyFile(t, w, enteredDocx(t, w, f, scribe{log: log, use: x.use}), nil)
				for i := range r.Signatures {
					want(t, r, i, Invalid, "ledger", x.code)
				}
			}
		}
	}
}

// The two signatures of one act stand or fall together, by the entry that names the digests of both.
func TestOfficeLedgerHalves(t *testing.T) {
	w, log := ledgerWorld(t, sm3Log)
	file := enteredDocx(t, w, sign.Dual, scribe{log: log})
	evidence := verifyFile(t, w, file, nil).Signatures[0].Evidence

	// Without the seal: the evidence is gone with it; and put back in a part of its own, it speaks of a seal.
	origin := contentOf(t, file, "_seals/_rels/origin.seals.rels")
	at := strings.Index(origin, "Signature.xml")
	from, to := strings.LastIndex(origin[:at], "<Relationship "), at+strings.Index(origin[at:], "/>")+2
	bare := rewritten(t, file, "_seals/_rels/origin.seals.rels", origin[:from]+origin[to:], "_seals/seal1/Signature.xml", "", "_seals/seal1/SignedValue.dat", "")
	r := verifyFile(t, w, bare, nil)
	if c := r.Signatures[0].Check("ledger"); len(r.Signatures) != 1 || c.Code != "evidence-missing" || r.Verdict == Valid {
		t.Errorf("%s", r)
	}
	put := withPart(t, bare, "_seals/seal1/evidence", "application/vnd.courtseal.evidence", "", "", string(evidence))
	r = verifyFile(t, w, put, nil)
	if c := r.Signatures[0].Check("ledger"); c.Code != "evidence-part-missing" || r.Verdict == Valid {
		t.Errorf("%s", r)
	}
	// Without the native signature.
	const native = "_xmlsignatures/_rels/origin.sigs.rels"
	alone := rewritten(t, file, native, relsTag+"</Relationships>", sigName, "")
	want(t, verifyFile(t, w, alone, nil), 0, Indeterminate, "ledger", "evidence-part-missing")
	// One entry for two documents: each has a half of it.
	other := sealDocx(t, docxOf(t, "另一份判决"), w.stamp(t, sign.SES, noon), officex.Options{})
	foreign := verifyFile(t, w, other, nil).Signatures[0]
	if foreign.Check("ledger").Code != "no-ledger-entry" {
		t.Errorf("%+v", foreign)
	}
}

// Several acts: the file before each is found in what came of it, and what the books know of the value proves its time.
func TestOfficeBefore(t *testing.T) {
	w, log := ledgerWorld(t, sm3Log)
	for _, f := range formats {
		first := enteredDocx(t, w, f, scribe{log: log})
		s := scribe{log: log, seal: w.seal, now: noon}
		second := sealDocx(t, first, audit.Record(s, w.officeSigner(t, f)), officex.Options{Invisible: true})
		found, err := officex.Signatures(bytes.NewReader(second), int64(len(second)), officex.Options{})
		if err != nil {
			t.Fatal(err)
		}
		books := &sealingBooks{all: seal.SealingState{Entered: noon.Add(time.Second)}}
		r := verifyFile(t, w, second, func(o *Options) { o.Sealings = books })
		if r.Verdict != Valid || len(r.Signatures) != len(found) {
			t.Fatalf("%s", r)
		}
		for i, x := range found {
			if r.Signatures[i].Name != x.Name || r.Signatures[i].Check("time").Code != "time-entered" || !bytes.Equal(books.asked[i].Value, sign.SM3.Sum(x.Value)) {
				t.Errorf("%s: %s %s: asked for %+v", f, x.Name, r.Signatures[i].Name, books.asked[i])
			}
		}
		last := signaturesOf(r)
		for _, i := range last {
			if got := books.asked[i].Source[sign.SM3]; len(got) > 0 && !bytes.Equal(got, sign.SM3.Sum(first)) {
				t.Errorf("%s: another source", f)
			}
		}
		wrong := s
		wrong.use = func(u *audit.Use) { u.Source = sums(u.Source, "approved") }
		r = verifyFile(t, w, sealDocx(t, first, audit.Record(wrong, w.officeSigner(t, f)), officex.Options{Invisible: true}), nil)
		for _, i := range signaturesOf(r) {
			want(t, r, i, Invalid, "ledger", "evidence-other-source")
		}
		withdrawn := &sealingBooks{all: seal.SealingState{Withdrawn: noon.Add(time.Minute), Reason: "文书有误"}}
		want(t, verifyFile(t, w, second, func(o *Options) { o.Sealings = withdrawn }), 0, Invalid, "withdrawn", "withdrawn")
	}
}

// Time stamps over native signatures and seal signatures prove their time.
func TestOfficeStamps(t *testing.T) {
	w := theWorld()
	for _, f := range formats {
		key := w.sm2
		if f == sign.CMS {
			key = w.rsa
		}
		file := sealDocx(t, docx(t), stamped(t, w.seal, key, f, noon, tsa(noon.Add(time.Second))), officex.Options{})
		r := verifyFile(t, w, file, nil)
		for i, x := range r.Signatures {
			want(t, r, i, Valid, "timestamp", "ok")
			want(t, r, i, Valid, "time", "time-proven")
			if over := map[sign.Format]string{sign.SES: overSES, sign.XML: overXML}[x.Format]; len(x.Stamps) != 1 || x.Stamps[0].Over != over {
				t.Errorf("%s", r)
			}
		}
	}
}

// What the document shows of the seal.
func TestOfficePicture(t *testing.T) {
	w := theWorld()
	for _, f := range formats {
		s := w.officeSigner(t, f)
		visible := sealDocx(t, docx(t), s, officex.Options{})
		want(t, verifyFile(t, w, visible, nil), 0, Valid, "picture", "ok")
		want(t, verifyFile(t, w, sealDocx(t, docx(t), s, officex.Options{Invisible: true}), nil), 0, Valid, "picture", "invisible")
		other := picture(color.NRGBA{0, 0, 220, 255})
		want(t, verifyFile(t, w, sealDocx(t, docx(t), otherPicture{s, &other}, officex.Options{}), nil), 0, Invalid, "picture", "picture-differs")
		small := s.Profile().Picture
		half := *small
		half.Width, half.Height = half.Width/2, half.Height/2
		r := verifyFile(t, w, sealDocx(t, docx(t), otherPicture{s, &half}, officex.Options{}), nil)
		if c := r.Signatures[0].Check("picture"); c.Code != "picture-size" {
			t.Errorf("%+v", c)
		}
		// The picture of a seal with which nobody sealed.
		r, err := Document(context.Background(), bytes.NewReader(unsealed(t, visible)), int64(len(unsealed(t, visible))), Options{})
		if err != ErrUnsigned || len(r.Notes) != 1 || r.Notes[0].Code != "picture-without-seal" {
			t.Errorf("%v\n%s", err, r)
		}
	}
}

// unsealed takes what leads to signatures out of a package.
func unsealed(t testing.TB, file []byte) []byte {
	return rewritten(t, file, "_seals/_rels/origin.seals.rels", "", "_xmlsignatures/_rels/origin.sigs.rels", "")
}
