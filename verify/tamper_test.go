package verify

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

// gap finds the /Contents string of the only signature.
func gap(t testing.TB, file []byte) (from, to int) {
	t.Helper()
	found, err := pdfx.Signatures(bytes.NewReader(file), int64(len(file)), pdfx.Options{})
	if err != nil || len(found) == 0 || found[0].Err != nil {
		t.Fatal(err, found)
	}
	return int(found[0].Ranges[0].Length), int(found[0].Ranges[1].Offset)
}

// changed returns a copy with one byte xored.
func changed(file []byte, at int, mask byte) []byte {
	out := bytes.Clone(file)
	out[at] ^= mask
	return out
}

// replaced returns a copy in which the only from, or the last, became to.
func replaced(t testing.TB, file []byte, from, to string) []byte {
	t.Helper()
	i := bytes.LastIndex(file, []byte(from))
	if i < 0 {
		t.Fatalf("no %q in the file", from)
	}
	return slices.Concat(file[:i], []byte(to), file[i+len(from):])
}

// flagged verifies a tampered file, which must not be valid; code, if any, is what one of the checks must say. "read" says
// that a file that cannot be read will do.
func flagged(t *testing.T, w *world, file []byte, code string) {
	t.Helper()
	r, err := Document(context.Background(), bytes.NewReader(file), int64(len(file)), Options{Roots: w.roots, At: noon.Add(time.Hour)})
	if err != nil {
		if code != "read" && !errors.Is(err, ErrUnsigned) {
			t.Errorf("not read: %v; want %s", err, code)
		}
		return
	}
	if r.Verdict == Valid {
		t.Errorf("valid; want %s\n%s", code, r)
		return
	}
	if code == "" || code == "read" {
		return
	}
	for _, s := range r.Signatures {
		for _, c := range s.Checks {
			if c.Code == code && c.Verdict != Valid {
				return
			}
		}
	}
	t.Errorf("no check says %s\n%s", code, r)
}

// Every class of bytes of a sealed file.
func TestTamperBytes(t *testing.T) {
	w := theWorld()
	for _, f := range formats {
		file := sealFile(t, page(), w.stamp(t, f, noon), visible)
		from, to := gap(t, file)
		value, err := hex.DecodeString(string(file[from+1 : to-1]))
		if err != nil {
			t.Fatal(err)
		}
		length, err := der.Length(value) // a value may end in zeros of its own
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range []struct {
			name string
			file []byte
			code string
		}{
			{"header", changed(file, 5, 1), "content-changed"},
			{"header comment", changed(file, 11, 1), "content-changed"},
			{"body", changed(file, bytes.Index(file, []byte("100 100")), 1), "content-changed"},
			{"body of the seal's revision", replaced(t, file, "/T (Seal1)", "/T (Seal2)"), "content-changed"},
			{"claimed time", replaced(t, file, "/M (D:20260601", "/M (D:20250601"), "content-changed"},
			{"cross-reference of the seal's revision", replaced(t, file, "/Prev", "/Prew"), "read"},
			{"delimiter before the value", changed(file, from, 1), "read"},
			{"delimiter after the value", changed(file, to-1, 1), "read"},
			{"first digit", slices.Concat(file[:from+1], []byte("4"), file[from+2:]), ""},
			{"last digit of the value", slices.Concat(file[:from+2*length], []byte{file[from+2*length] ^ 1}, file[from+2*length+1:]), ""},
			{"no digit in the value", slices.Concat(file[:from+100], []byte(" "), file[from+101:]), "contents-not-hex"},
			{"padding", slices.Concat(file[:to-5], []byte("4"), file[to-4:]), "padding-not-zero"},
			{"first byte of padding", slices.Concat(file[:from+1+2*length], []byte("01"), file[from+3+2*length:]), "padding-not-zero"},
			{"space in the padding", slices.Concat(file[:to-5], []byte(" "), file[to-4:]), "contents-not-hex"},
			{"empty value", slices.Concat(file[:from+1], bytes.Repeat([]byte("0"), to-from-2), file[to-1:]), "empty-value"},
			{"end", changed(file, len(file)-3, 1), ""},
			{"after the end", append(bytes.Clone(file), ' '), "later-bytes"},
			{"a byte less", file[:len(file)-1], "byterange-outside"},
			{"a byte before", append([]byte{'\n'}, file...), ""},
		} {
			t.Run(string(f)+"/"+x.name, func(t *testing.T) { flagged(t, w, x.file, x.code) })
		}
	}
}

// Every byte of an SES_Signature is bound by something.
func TestTamperEveryByteOfSES(t *testing.T) {
	w := theWorld()
	file := sealFile(t, page(), w.stamp(t, sign.SES, noon), visible)
	from, to := gap(t, file)
	value, _ := hex.DecodeString(string(file[from+1 : to-1]))
	n := len(bytes.TrimRight(value, "\x00"))
	for i := 0; i < n; i += 3 + i%5 {
		bad := bytes.Clone(file)
		hex.Encode(bad[from+1+2*i:], []byte{value[i] ^ 1<<(i%8)})
		r, err := Document(context.Background(), bytes.NewReader(bad), int64(len(bad)), Options{Roots: w.roots, At: noon})
		if err != nil || r.Verdict == Valid {
			t.Fatalf("byte %d of the value: %v\n%s", i, err, r)
		}
	}
}

// Every field of a seal, changed by a holder who then seals with it.
func TestTamperSeal(t *testing.T) {
	w := theWorld()
	raw := w.seal.Raw
	next := func(s string) string { b := []byte(s); b[len(b)-1] ^= 1; return string(b) }
	stranger := w.sm2CA.Issue(testpki.SM2, "别人", nil)
	day := func(t time.Time) string { return t.Format("20060102150405Z") }
	for name, change := range map[string][2]string{
		"esID":            {"11010600000001", "11010600000002"},
		"vid":             {w.seal.Vid, next(w.seal.Vid)},
		"name":            {w.seal.Name, next(w.seal.Name)},
		"holders":         {string(w.rsa.Chain()[0]), next(string(w.rsa.Chain()[0]))},
		"created":         {day(w.seal.Created), next(day(w.seal.Created)[:14]) + "Z"},
		"end":             {day(w.seal.NotAfter), "2099" + day(w.seal.NotAfter)[4:]},
		"picture":         {string(w.seal.Picture.Data), next(string(w.seal.Picture.Data))},
		"size":            {"\x02\x01\x2d\x02\x01\x2d", "\x02\x01\x2d\x02\x01\x2e"},
		"type of picture": {"\x16\x03PNG", "\x16\x03BMP"},
		"value":           {string(w.seal.Value), next(string(w.seal.Value))},
	} {
		t.Run(name, func(t *testing.T) {
			bad := strings.Replace(string(raw), change[0], change[1], 1)
			if bad == string(raw) {
				t.Fatalf("%q is not in the seal", change[0])
			}
			forged, err := seal.Parse([]byte(bad))
			if err != nil {
				t.Fatal(err)
			}
			flagged(t, w, sealFile(t, page(), rawSES{forged, w.sm2}, pdfx.Options{}), "seal-value-wrong")
			flagged(t, w, sealFile(t, page(), bindSeal{forged, w}, pdfx.Options{}), "seal-value-wrong")
		})
	}
	t.Run("maker", func(t *testing.T) {
		bad := strings.Replace(string(raw), string(w.maker.Chain()[0]), string(stranger.Chain()[0]), 1)
		if forged, err := seal.Parse([]byte(bad)); err == nil { // of another length, as it may be: no seal at all
			flagged(t, w, sealFile(t, page(), rawSES{forged, w.sm2}, pdfx.Options{}), "seal-value-wrong")
		}
	})
	t.Run("made by nobody known", func(t *testing.T) {
		o := *w
		o.maker = testpki.NewCA(testpki.SM2, "SM2 Root").Issue(testpki.SM2, "制章者", nil)
		flagged(t, w, sealFile(t, page(), rawSES{o.make(nil), w.sm2}, pdfx.Options{}), "untrusted")
	})
	t.Run("used by another", func(t *testing.T) {
		flagged(t, w, sealFile(t, page(), rawSES{w.seal, stranger}, pdfx.Options{}), "not-holder")
		o := *w
		o.sm2 = stranger
		flagged(t, w, sealFile(t, page(), bindSeal{w.seal, &o}, pdfx.Options{}), "not-holder")
	})
}

// A seal signature whose parts do not fit each other, made by a holder.
func TestTamperSealSignature(t *testing.T) {
	w := theWorld()
	make := func(version int64, userID string, mod func(*sign.Act)) sign.Signer {
		return sesFunc{w, func(a *sign.Act) []byte {
			if mod != nil {
				b := *a
				b.Content = sign.Sums{sign.SM3: bytes.Clone(a.Content[sign.SM3])}
				b.Parts = slices.Clone(a.Parts)
				mod(&b)
				a = &b
			}
			return sesValueOf(w.seal.Raw, version, a, w.sm2, userID)
		}}
	}
	for _, x := range []struct {
		name, code string
		signer     sign.Signer
	}{
		{"wrong user ID", "ses-value-wrong", make(4, "someone else", nil)},
		{"shorter user ID", "ses-value-wrong", make(4, "123456781234567", nil)},
		{"version of another seal", "ses-version", make(5, "1234567812345678", nil)},
		{"another document", "content-changed", make(4, "1234567812345678", func(a *sign.Act) { a.Content[sign.SM3][7] ^= 1 })},
		{"another range", "property-differs", make(4, "1234567812345678", func(a *sign.Act) { a.Parts[0].Property = "ByteRange=[0 1 2 3]" })},
		{"before the seal", "outside-seal-period", make(4, "1234567812345678", func(a *sign.Act) { a.Time = noon.AddDate(-2, 0, 0) })},
		{"dated back behind the certificate", "outside-validity", make(4, "1234567812345678", func(a *sign.Act) { a.Time = testpki.NotBefore.AddDate(-1, 0, 0) })},
	} {
		t.Run(x.name, func(t *testing.T) { flagged(t, w, sealFile(t, page(), x.signer, visible), x.code) })
	}
	r := verifyFile(t, w, sealFile(t, page(), make(4, "1234567812345678", func(a *sign.Act) { a.Parts[0].Property = "of somebody else" }), visible), nil)
	want(t, r, 0, Valid, "ses-property", "property-other")
}

type sesFunc struct {
	w *world
	f func(*sign.Act) []byte
}

func (s sesFunc) Profile() sign.Profile { return rawSES{s.w.seal, s.w.sm2}.Profile() }
func (s sesFunc) Sign(_ context.Context, a *sign.Act) ([]sign.Value, error) {
	return []sign.Value{{Bytes: s.f(a)}}, nil
}

// A CMS whose parts do not fit each other, made with the signer's own key.
func TestTamperCMS(t *testing.T) {
	w := theWorld()
	attributes := func(f func(list [][]byte) [][]byte) func(*cmsParts) { // 0 contentType, 1 messageDigest, 2 signing-certificate-v2
		return func(p *cmsParts) { p.attributes = f }
	}
	without := func(i int) func(*cmsParts) {
		return attributes(func(list [][]byte) [][]byte { return slices.Delete(list, i, i+1) })
	}
	twice := func(i int) func(*cmsParts) {
		return attributes(func(list [][]byte) [][]byte { return append(list, list[i]) })
	}
	values := func(i int, change func(value []byte) [][]byte) func(*cmsParts) {
		return attributes(func(list [][]byte) [][]byte {
			a := children(t, list[i])
			list[i] = element(0x30, a[0], element(0x31, change(children(t, a[1])[0])...))
			return list
		})
	}
	octets := func(b ...byte) []byte { return element(0x04, b) }
	again := w.rsaCA.Certify(w.rsa.Public(), "别的法院", func(c *gm.Certificate) { // of the same number
		own, _ := gm.ParseCertificate(w.rsa.Chain()[0])
		c.SerialNumber = own.SerialNumber
	})
	for _, x := range []struct {
		name, code string
		mod        func(*cmsParts)
	}{
		{"no contentType", "attribute-wrong", without(0)},
		{"no messageDigest", "attribute-wrong", without(1)},
		{"contentType twice", "attribute-wrong", twice(0)},
		{"messageDigest twice", "attribute-wrong", twice(1)},
		{"messageDigest twice, another first", "attribute-wrong", attributes(func(list [][]byte) [][]byte {
			a := children(t, list[1])
			return append([][]byte{element(0x30, a[0], element(0x31, octets(make([]byte, 32)...)))}, list...)
		})},
		{"signing-certificate-v2 twice", "attribute-wrong", twice(2)},
		{"contentType of two values", "attribute-wrong", values(0, func(v []byte) [][]byte { return [][]byte{v, v} })},
		{"messageDigest of two values", "content-unknown", values(1, func(v []byte) [][]byte { return [][]byte{v, v} })},
		{"messageDigest of no value", "content-unknown", values(1, func([]byte) [][]byte { return nil })},
		{"messageDigest that is none", "content-unknown", values(1, func([]byte) [][]byte { return [][]byte{{0x05, 0}} })},
		{"messageDigest cut short", "content-changed", values(1, func(v []byte) [][]byte { return [][]byte{octets(v[2:18]...)} })},
		{"empty messageDigest", "content-changed", values(1, func([]byte) [][]byte { return [][]byte{octets()} })},
		{"signing-certificate-v2 that names none", "attribute-wrong", values(2, func([]byte) [][]byte { return [][]byte{{0x30, 2, 0x30, 0}} })},
		{"signing-certificate-v2 of another number", "other-certificate", values(2, func(v []byte) [][]byte {
			id := children(t, children(t, children(t, v)[0])[0])
			number := element(0x30, element(0x30), element(0x02, []byte{7}))
			return [][]byte{element(0x30, element(0x30, element(0x30, append(id, number)...)))}
		})},
		{"signing-certificate-v2 of another first", "other-certificate", values(2, func(v []byte) [][]byte {
			id := children(t, children(t, v)[0])[0]
			return [][]byte{element(0x30, element(0x30, element(0x30, octets(make([]byte, 32)...)), id))}
		})},
		{"two certificates of one number", "other-certificate", func(p *cmsParts) { p.certs = [][]byte{again, w.rsa.Chain()[0]} }},
		{"two certificates of one number, none named", "several-certificates", func(p *cmsParts) { p.certs, p.certHash = [][]byte{w.rsa.Chain()[0], again}, nil }},
		{"two certificates of one number, none named, the other first", "several-certificates", func(p *cmsParts) { p.certs, p.certHash = [][]byte{again, w.rsa.Chain()[0]}, nil }},
		{"another content type inside and out", "content-type", func(p *cmsParts) { p.eContent, p.contentType = oidMessageDigest, []byte(oidMessageDigest) }},
		{"one zero and something after it", "padding-not-zero", func(p *cmsParts) { p.padding = []byte{0, 1} }},
		{"content inside", "content-inside", func(p *cmsParts) { p.content = []byte("hello") }},
		{"empty content inside", "content-inside", func(p *cmsParts) { p.content = []byte{} }},
		{"two signers", "signers", func(p *cmsParts) { p.signers = 2 }},
		{"no signer", "signers", func(p *cmsParts) { p.signers = 0 }},
		{"another document", "content-changed", func(p *cmsParts) { p.digest = bytes.Repeat([]byte{7}, 32) }},
		{"another type of content", "content-type-differs", func(p *cmsParts) { p.contentType = []byte(oidTSTInfo) }},
		{"another certificate named", "other-certificate", func(p *cmsParts) { p.certHash = bytes.Repeat([]byte{7}, 32) }},
		{"no certificate named", "certificate-not-bound", func(p *cmsParts) { p.certHash = nil }},
		{"no certificate", "no-certificate", func(p *cmsParts) { p.certs = [][]byte{w.rsaCA.Cert.Raw} }},
		{"no signed attributes", "no-signed-attributes", func(p *cmsParts) { p.noAttrs = true }},
		{"something after it", "padding-not-zero", func(p *cmsParts) { p.padding = []byte("<< /Type /Sig >>") }},
	} {
		t.Run(x.name, func(t *testing.T) {
			flagged(t, w, sealFile(t, page(), rawCMS{w.rsa, sign.SHA256, x.mod}, pdfx.Options{}), x.code)
		})
	}
	r := verifyFile(t, w, sealFile(t, page(), rawCMS{w.rsa, sign.SHA256, nil}, pdfx.Options{}), nil)
	want(t, r, 0, Valid, "cms-attributes", "ok")
	r = verifyFile(t, w, sealFile(t, page(), rawCMS{w.rsa, sign.SHA256, func(p *cmsParts) { p.certHash = nil }}, pdfx.Options{SubFilter: "adbe.pkcs7.detached"}), nil)
	want(t, r, 0, Valid, "cms-attributes", "no-signing-certificate")
	r = verifyFile(t, w, sealFile(t, page(), rawCMS{w.rsa, sign.SHA256, nil}, pdfx.Options{SubFilter: "Somebody.Else"}), nil)
	if len(r.Signatures[0].Notes) == 0 || r.Signatures[0].Notes[0].Code != "unknown-subfilter" || r.Verdict != Valid {
		t.Errorf("%s", r)
	}
}

// Values that are none, or hardly.
func TestTamperValue(t *testing.T) {
	w := theWorld()
	signer := rawCMS{w.rsa, sign.SHA256, nil}
	name := element(0x06, []byte("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02")) // signedData
	for _, x := range []struct {
		name        string
		change      func(v []byte) []byte
		verdict     Verdict
		check, code string
	}{
		{"as it should be", func(v []byte) []byte { return v }, Valid, "value-format", "ok"},
		{"longer than its room", func(v []byte) []byte { return append([]byte{0x30, 0x83, 0x7f}, v...) }, Invalid, "value-format", "malformed-value"},
		{"no length", func([]byte) []byte { return []byte{0x30, 0x85, 1, 1, 1, 1, 1} }, Invalid, "value-format", "malformed-value"},
		{"a string", func([]byte) []byte { return text(0x0c, "signed by the court") }, Indeterminate, "value-format", "unknown-value"},
		{"a key", func([]byte) []byte { return element(0x30, element(0x02, []byte{1}), element(0x02, []byte{3})) }, Indeterminate, "value-format", "unknown-value"},
		{"the name of a CMS alone", func([]byte) []byte { return element(0x30, name) }, Invalid, "cms-format", "malformed-cms"},
		{"an element behind the CMS", func(v []byte) []byte { return element(0x30, append(children(t, v), []byte{5, 0})...) }, Invalid, "cms-format", "malformed-cms"},
		{"last bit of the value", func(v []byte) []byte { return changed(v, len(v)-1, 1) }, Invalid, "cms-value", "cms-value-wrong"},
	} {
		t.Run(x.name, func(t *testing.T) {
			want(t, verifyFile(t, w, sealFile(t, page(), remade{signer, x.change}, pdfx.Options{}), nil), 0, x.verdict, x.check, x.code)
		})
	}
}

// The signature dictionary, changed by the signer or after them: USF, SWA and relatives.
func TestTamperDictionary(t *testing.T) {
	w := theWorld()
	forge := func(mod func([]byte) []byte) []byte {
		r := second(10, pdftest.Objects{
			1: "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [11 0 R] /SigFlags 3 >> >>",
			3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << >> /Annots [11 0 R] >>",
		})
		r.Edit = mod
		return byHand(t, page(), rawCMS{w.rsa, sign.SHA256, nil}, r)
	}
	plain := forge(nil)
	want(t, verifyFile(t, w, plain, nil), 0, Valid, "pdf-byterange", "ok")
	i := bytes.Index(plain, []byte("/ByteRange [")) + len("/ByteRange [")
	var b [4]int
	if _, err := fmt.Sscanf(string(plain[i:]), "%d %d %d %d", &b[0], &b[1], &b[2], &b[3]); err != nil {
		t.Fatal(err)
	}
	end := i + bytes.IndexByte(plain[i:], ']')
	byteRange := func(s string) []byte {
		return slices.Concat(plain[:i], []byte(fmt.Sprintf("%-*s", end-i, s)), plain[end:])
	}
	key := func(from, to string) []byte {
		if len(from) != len(to) {
			panic(from)
		}
		return replaced(t, plain, from, to)
	}
	for _, x := range []struct {
		name, code string
		file       []byte
	}{
		{"no ByteRange", "byterange-missing", key("/ByteRange [", "/BiteRange [")},
		{"empty ByteRange", "byterange-missing", byteRange("")},
		{"ByteRange of words", "malformed-signature", byteRange("/a /b")},
		{"ByteRange of two", "byterange-shape", byteRange(fmt.Sprint(b[0], b[1]))},
		{"ByteRange of six", "byterange-shape", byteRange(fmt.Sprint(b[0], b[1], b[2], 1, b[2]+1, 1))},
		{"zeros", "byterange-shape", byteRange("0 0 0 0")},
		{"from one", "byterange-shape", byteRange(fmt.Sprint(1, b[1]-1, b[2], b[3]))},
		{"negative", "byterange-shape", byteRange(fmt.Sprint(0, -b[1], b[2], b[3]))},
		{"negative end", "byterange-shape", byteRange(fmt.Sprint(0, b[1], b[2], -b[3]))},
		{"overlapping", "byterange-shape", byteRange(fmt.Sprint(0, b[2]+10, b[2], b[3]))},
		{"too long", "byterange-outside", byteRange(fmt.Sprint(0, b[1], b[2], b[3]+1))},
		{"overflowing", "byterange-outside", byteRange(fmt.Sprint(0, b[1], b[2], int64(999999999999999999)))},
		{"gap begins early", "gap-differs", byteRange(fmt.Sprint(0, b[1]-1, b[2], b[3]))},
		{"gap begins late", "gap-differs", byteRange(fmt.Sprint(0, b[1]+1, b[2], b[3]))},
		{"gap ends late", "gap-differs", byteRange(fmt.Sprint(0, b[1], b[2]+9, b[3]-9))},
		{"ends early", "revision-incomplete", byteRange(fmt.Sprint(0, b[1], b[2], b[3]-20))},
		{"no Contents", "malformed-signature", key("/Contents <", "/Kontents <")},
		{"no value in the field", "", key("/V 10 0 R", "/W 10 0 R")},
		{"value twice in the field", "duplicate-key", forge(func(f []byte) []byte { return replaced(t, f, "/V 10 0 R", "/V 9 0 R /V 10 0 R") })},
		{"key twice in the dictionary", "duplicate-key", forge(func(f []byte) []byte { return replaced(t, f, "/Filter", "/SubFilter /X /Filter") })},
		{"key twice in the catalog", "duplicate-key", forge(func(f []byte) []byte {
			return replaced(t, f, "/Pages 2 0 R /AcroForm", "/Pages 9 0 R /Pages 2 0 R /AcroForm")
		})},
		{"key twice in the form", "duplicate-key", forge(func(f []byte) []byte { return replaced(t, f, "/SigFlags 3", "/SigFlags 3 /SigFlags 0") })},
		{"key twice in the page", "duplicate-key", forge(func(f []byte) []byte { return replaced(t, f, "/Contents 4 0 R", "/Contents 9 0 R /Contents 4 0 R") })},
	} {
		t.Run(x.name, func(t *testing.T) { flagged(t, w, x.file, x.code) })
	}
	// What is signed by a range that leaves out more than the value cannot be said, so that no hash of it is right.
	want(t, verifyFile(t, w, byteRange(fmt.Sprint(0, b[1]-1, b[2], b[3])), nil), 0, Invalid, "content-hash", "content-unknown")
	t.Run("copied into an update", func(t *testing.T) { // ISA: the signature again, in a revision that it does not sign
		object := string(plain[bytes.LastIndex(plain, []byte("10 0 obj"))+9:])
		object = object[:strings.Index(object, "\nendobj")]
		flagged(t, w, pdftest.Revision{Objects: pdftest.Objects{10: object, 4: pdftest.Stream("", "1 0 0 rg")}}.Append(plain), "gap-differs")
	})
}

// bindSeal makes an SM2 CMS that binds any seal.
type bindSeal struct {
	seal *seal.Seal
	w    *world
}

func (b bindSeal) Profile() sign.Profile {
	return sign.Profile{Format: sign.CMS, Specs: map[sign.Format]sign.Spec{sign.CMS: {Hashes: []sign.Hash{sign.SM3}, MaxSize: 16 << 10}}}
}

func (b bindSeal) Sign(ctx context.Context, a *sign.Act) ([]sign.Value, error) {
	v, err := signCMS(ctx, b.w.sm2, a.Content[sign.SM3], sign.AttributeSeal, b.seal.Raw)
	return []sign.Value{{Bytes: v}}, err
}

// What binds a seal stands once, and is one.
func TestTamperBinding(t *testing.T) {
	w := theWorld()
	for name, x := range map[string]struct {
		code  string
		attrs []cms.Attribute
	}{
		"two seals":                {"seal-binding-twice", []cms.Attribute{{Type: sign.AttributeSeal, Values: [][]byte{w.seal.Raw, w.make(nil).Raw}}}},
		"seal and seal signature":  {"seal-binding-twice", []cms.Attribute{{Type: sign.AttributeSeal, Values: [][]byte{w.seal.Raw}}, {Type: sign.AttributeSignature, Values: [][]byte{w.seal.Raw}}}},
		"no seal":                  {"malformed-binding", []cms.Attribute{{Type: sign.AttributeSeal, Values: [][]byte{{0x30, 0}}}}},
		"a seal as seal signature": {"malformed-ses", []cms.Attribute{{Type: sign.AttributeSignature, Values: [][]byte{w.seal.Raw}}}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := cms.New(w.sm2, cms.Options{Attributes: x.attrs})
			if err != nil {
				t.Fatal(err)
			}
			flagged(t, w, sealFile(t, page(), s, pdfx.Options{}), x.code)
		})
	}
}

// A signed revision that others would read by another cross-reference, or that nobody can read as it is.
func TestTamperRevision(t *testing.T) {
	w := theWorld()
	honest := second(10, pdftest.Objects{
		1: "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [11 0 R] /SigFlags 3 >> >>",
		3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << >> /Annots [11 0 R] >>",
	})
	astray := honest // its signed startxref leads to the first revision; bytes after it lead back
	var right string
	astray.Edit = func(f []byte) []byte {
		i := bytes.LastIndex(f, []byte("startxref\n")) + len("startxref\n")
		right = string(f[i:])
		old := bytes.Index(f, []byte("startxref\n")) + len("startxref\n")
		n := bytes.IndexByte(f[old:], '\n')
		m := bytes.IndexByte(f[i:], '\n')
		return slices.Concat(f[:i], fmt.Appendf(nil, "%0*s", m, f[old:old+n]), f[i+m:])
	}
	file := byHand(t, page(), rawCMS{w.rsa, sign.SHA256, nil}, astray)
	flagged(t, w, append(file, "startxref\n"+right...), "revision-startxref")

	open := honest // the signed revision ends in a string of the signature dictionary, which an update closes
	open.Objects = pdftest.Objects{10: strings.TrimSuffix(pdftest.Dict(pdftest.Dated, 4096), ">>") + "/Reason ("}.With(honest.Objects)
	file = byHand(t, page(), rawCMS{w.rsa, sign.SHA256, nil}, open)
	file = pdftest.Revision{Before: ") >>\nendobj\n", Objects: pdftest.Objects{4: pdftest.Stream("", "1 0 0 rg")}}.Append(file)
	flagged(t, w, file, "signature-outside")

	lost := honest
	lost.Edit = func(f []byte) []byte { return replaced(t, f, "startxref\n", "startxref\n9") }
	flagged(t, w, byHand(t, page(), rawCMS{w.rsa, sign.SHA256, nil}, lost), "rebuilt")
}

// Dual: the seal signature inside is bound, and over the same bytes.
func TestTamperDual(t *testing.T) {
	w := theWorld()
	for _, x := range []struct {
		name, code string
		inner      func(a *sign.Act) []byte
	}{
		{"as it should be", "", func(a *sign.Act) []byte { return sesValueOf(w.seal.Raw, 4, a, w.sm2, "1234567812345678") }},
		{"over another document", "content-changed", func(a *sign.Act) []byte {
			b := *a
			b.Content = sign.Sums{sign.SM3: bytes.Repeat([]byte{1}, 32)}
			return sesValueOf(w.seal.Raw, 4, &b, w.sm2, "1234567812345678")
		}},
		{"not signed", "ses-value-wrong", func(a *sign.Act) []byte { return sesValueOf(w.seal.Raw, 4, a, w.sm2, "0") }},
		{"no seal signature", "malformed-ses", func(a *sign.Act) []byte { return []byte{0x30, 3, 2, 1, 4} }},
		{"by no holder", "not-holder", func(a *sign.Act) []byte {
			return sesValueOf(w.seal.Raw, 4, a, w.sm2CA.Issue(testpki.SM2, "x", nil), "1234567812345678")
		}},
	} {
		t.Run(x.name, func(t *testing.T) {
			file := sealFile(t, page(), dualFunc{w, x.inner}, pdfx.Options{})
			if x.code == "" {
				want(t, verifyFile(t, w, file, nil), 0, Valid, "inner-content-hash", "ok")
				return
			}
			flagged(t, w, file, x.code)
		})
	}
}

type dualFunc struct {
	w     *world
	inner func(*sign.Act) []byte
}

func (d dualFunc) Profile() sign.Profile {
	return sign.Profile{Format: sign.Dual, Specs: map[sign.Format]sign.Spec{sign.Dual: {Hashes: []sign.Hash{sign.SM3, sign.SHA256}, MaxSize: 32 << 10}}}
}

func (d dualFunc) Sign(ctx context.Context, a *sign.Act) ([]sign.Value, error) {
	v, err := signCMS(ctx, d.w.rsa, a.Content[sign.SHA256], sign.AttributeSignature, d.inner(a))
	return []sign.Value{{Bytes: v}}, err
}
