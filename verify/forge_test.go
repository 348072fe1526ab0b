package verify

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

// Signers that make what the packages under test refuse to make. They write their DER themselves.

var reader io.Reader = rand.Reader

// rawSES makes an SES_Signature with any seal and key.
type rawSES struct {
	seal *seal.Seal
	key  sign.Key
}

func (r rawSES) Profile() sign.Profile {
	return sign.Profile{Format: sign.SES, Specs: map[sign.Format]sign.Spec{sign.SES: {Hashes: []sign.Hash{sign.SM3}, MaxSize: 16 << 10}}, Picture: &r.seal.Picture}
}

func (r rawSES) Sign(ctx context.Context, act *sign.Act) ([]sign.Value, error) {
	v := sesValueOf(r.seal.Raw, 4, act, r.key, gm.UserID)
	return []sign.Value{{Bytes: v}}, nil
}

// sesValueOf writes an SES_Signature of version 4.
func sesValueOf(sealDER []byte, version int64, act *sign.Act, key sign.Key, userID string) []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(version)
		b.AddBytes(sealDER)
		b.AddASN1GeneralizedTime(act.Time)
		b.AddASN1BitString(act.Content[sign.SM3])
		b.AddASN1(asn1.IA5String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(act.Parts[0].Property)) })
	})
	tbs := b.BytesOrPanic()
	e, err := gm.DigestFor(key.Public(), userID, tbs)
	if err != nil {
		panic(err)
	}
	sig, err := key.SignDigest(context.Background(), e, crypto.Hash(0))
	if err != nil {
		panic(err)
	}
	var out cryptobyte.Builder
	out.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		b.AddASN1OctetString(key.Chain()[0])
		b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte("\x2a\x81\x1c\xcf\x55\x01\x83\x75")) })
		b.AddASN1BitString(sig)
	})
	return out.BytesOrPanic()
}

// rawCMS makes a CMS with RSA, any hash and any attributes.
type rawCMS struct {
	key  sign.Key
	hash sign.Hash
	mod  func(*cmsParts)
}

// A remade signer's values are changed before they come into the file.
type remade struct {
	sign.Signer
	change func(value []byte) []byte
}

func (r remade) Sign(ctx context.Context, act *sign.Act) ([]sign.Value, error) {
	values, err := r.Signer.Sign(ctx, act)
	for i := range values {
		values[i].Bytes = r.change(values[i].Bytes)
	}
	return values, err
}

// cmsParts are what rawCMS puts together.
type cmsParts struct {
	eContent    sign.OID // type of the content
	contentType []byte   // of the contentType attribute
	digest      []byte   // of the messageDigest attribute
	certHash    []byte   // of signing-certificate-v2; nil: no attribute
	content     []byte   // eContent; nil: detached
	signers     int      // copies of the SignerInfo
	certs       [][]byte // certificates
	crls        [][]byte
	padding     []byte // after the value
	noAttrs     bool
	attributes  func([][]byte) [][]byte // changes the signed ones, each whole
}

func (r rawCMS) Profile() sign.Profile {
	return sign.Profile{Format: sign.CMS, Specs: map[sign.Format]sign.Spec{sign.CMS: {Hashes: []sign.Hash{r.hash}, MaxSize: 16 << 10}}}
}

func (r rawCMS) Sign(ctx context.Context, act *sign.Act) ([]sign.Value, error) {
	p := cmsParts{eContent: oidData, contentType: []byte(oidData), digest: act.Content[r.hash], certHash: sign.SHA256.Sum(r.key.Chain()[0]), signers: 1, certs: r.key.Chain()}
	if r.mod != nil {
		r.mod(&p)
	}
	oid := func(b *cryptobyte.Builder, o []byte) {
		b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(o) })
	}
	seq := func(b *cryptobyte.Builder, f func(*cryptobyte.Builder)) { b.AddASN1(asn1.SEQUENCE, f) }
	hashOID := []byte(r.hash.OID())
	var attrs cryptobyte.Builder
	attribute := func(t string, f func(*cryptobyte.Builder)) {
		seq(&attrs, func(b *cryptobyte.Builder) { oid(b, []byte(t)); b.AddASN1(asn1.SET, f) })
	}
	attribute("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03", func(b *cryptobyte.Builder) { oid(b, p.contentType) })
	attribute("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04", func(b *cryptobyte.Builder) { b.AddASN1OctetString(p.digest) })
	if p.certHash != nil {
		attribute("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f", func(b *cryptobyte.Builder) {
			seq(b, func(b *cryptobyte.Builder) {
				seq(b, func(b *cryptobyte.Builder) { seq(b, func(b *cryptobyte.Builder) { b.AddASN1OctetString(p.certHash) }) })
			})
		})
	}
	body := attrs.BytesOrPanic()
	if p.attributes != nil {
		body = slices.Concat(p.attributes(elements(body))...)
	}
	var set cryptobyte.Builder
	set.AddASN1(asn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(body) })
	digest := r.hash.Sum(set.BytesOrPanic())
	if p.noAttrs {
		digest = act.Content[r.hash]
	}
	sig, err := r.key.SignDigest(ctx, digest, r.hash.Crypto())
	if err != nil {
		return nil, err
	}
	cert, err := gm.ParseCertificate(r.key.Chain()[0])
	if err != nil {
		return nil, err
	}
	var out cryptobyte.Builder
	seq(&out, func(b *cryptobyte.Builder) {
		oid(b, []byte("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"))
		b.AddASN1(asn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			seq(b, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(1)
				b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) { seq(b, func(b *cryptobyte.Builder) { oid(b, hashOID) }) })
				seq(b, func(b *cryptobyte.Builder) {
					oid(b, []byte(p.eContent))
					if p.content != nil {
						b.AddASN1(asn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddASN1OctetString(p.content) })
					}
				})
				b.AddASN1(asn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
					for _, c := range p.certs {
						b.AddBytes(c)
					}
				})
				if len(p.crls) > 0 {
					b.AddASN1(asn1.Tag(1).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
						for _, l := range p.crls {
							b.AddBytes(l)
						}
					})
				}
				b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) {
					for range p.signers {
						seq(b, func(b *cryptobyte.Builder) {
							b.AddASN1Int64(1)
							seq(b, func(b *cryptobyte.Builder) { b.AddBytes(cert.RawIssuer); b.AddASN1BigInt(cert.SerialNumber) })
							seq(b, func(b *cryptobyte.Builder) { oid(b, hashOID) })
							if !p.noAttrs {
								b.AddASN1(asn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddBytes(body) })
							}
							seq(b, func(b *cryptobyte.Builder) { oid(b, []byte("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01")); b.AddASN1NULL() })
							b.AddASN1OctetString(sig)
						})
					}
				})
			})
		})
	})
	return []sign.Value{{Bytes: append(out.BytesOrPanic(), p.padding...)}}, nil
}

// encrypt encrypts a file with qpdf, AES 256.
func encrypt(t *testing.T, file []byte, password string) []byte {
	t.Helper()
	qpdf := peer(t, "qpdf")
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out.pdf")
	if err := os.WriteFile(in, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := exec.Command(qpdf, "--encrypt", password, "owner", "256", "--", in, out).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// peer finds another implementation; in CI it must be there.
func peer(t testing.TB, name string) string {
	t.Helper()
	p, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return p
}

// byHand signs a saving with a CMS signer, such as rawCMS.
func byHand(t testing.TB, file []byte, signer sign.Signer, s pdftest.Signing) []byte {
	t.Helper()
	s.Value = func(signed []byte) []byte {
		act := &sign.Act{Time: noon, Content: sign.Sums{}, Parts: []sign.Part{{Format: sign.CMS}}}
		for _, h := range signer.Profile().Specs[sign.CMS].Hashes {
			act.Content[h] = h.Sum(signed)
		}
		v, err := signer.Sign(context.Background(), act)
		if err != nil {
			t.Fatal(err)
		}
		return v[0].Bytes
	}
	return s.Append(t, file)
}

// signing is a saving that defines objects, with a signature dictionary that is object n.
func signing(n int, objects pdftest.Objects) pdftest.Signing {
	return pdftest.Signing{Num: n, Revision: pdftest.Revision{Objects: objects}}
}

// second is an honest second signature by hand on the file of page(): a field and widget, the page's /Annots, the catalog's form.
// more are objects of the same revision.
func second(n int, more pdftest.Objects) pdftest.Signing {
	return signing(n, pdftest.Objects{
		n + 1: fmt.Sprintf("<< /Type /Annot /Subtype /Widget /FT /Sig /T (Hand%d) /V %d 0 R /P 3 0 R /Rect [0 0 0 0] /F 132 >>", n, n),
	}.With(more))
}

// signCMS makes a CMS that binds one value.
func signCMS(ctx context.Context, key sign.Key, digest []byte, t sign.OID, value []byte) ([]byte, error) {
	v, err := cms.Sign(ctx, key, digest, cms.Options{Attributes: []cms.Attribute{{Type: t, Values: [][]byte{value}}}})
	return v.Bytes, err
}

// children are the elements inside one, whole.
func children(t testing.TB, b []byte) (out [][]byte) {
	t.Helper()
	s := cryptobyte.String(b)
	var in cryptobyte.String
	if !s.ReadAnyASN1(&in, nil) {
		t.Fatal("no DER")
	}
	return elements(in)
}

// elements are those that stand one behind the other.
func elements(b []byte) (out [][]byte) {
	in := cryptobyte.String(b)
	for !in.Empty() {
		var e cryptobyte.String
		if !in.ReadAnyASN1Element(&e, nil) {
			panic("no DER")
		}
		out = append(out, e)
	}
	return out
}

// element puts elements into one.
func element(tag asn1.Tag, parts ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(slices.Concat(parts...)) })
	return b.BytesOrPanic()
}

var (
	explicit0 = asn1.Tag(0).ContextSpecific().Constructed()
	implicit1 = asn1.Tag(1).ContextSpecific().Constructed()
)

// underStamp is element 5 of an SES_Signature or a seal.
func underStamp(token []byte) []byte {
	return element(explicit0, element(asn1.BIT_STRING, []byte{0}, token))
}

// restamped replaces the time stamps of the value in a file, of which none is signed. message is what they should be over.
func restamped(t testing.TB, file []byte, tokens func(message []byte) [][]byte) []byte {
	t.Helper()
	from, to := gap(t, file)
	room := file[from+1 : to-1]
	value := make([]byte, len(room)/2)
	if _, err := hex.Decode(value, room); err != nil {
		t.Fatal(err)
	}
	s := cryptobyte.String(value)
	var whole cryptobyte.String
	if !s.ReadAnyASN1Element(&whole, nil) {
		t.Fatal("no DER")
	}
	content := func(b []byte) []byte {
		s := cryptobyte.String(b)
		s.ReadAnyASN1(&s, nil)
		return s
	}
	top := children(t, whole)
	var out []byte
	if top[0][0] == 0x30 { // SES_Signature
		out = element(asn1.SEQUENCE, top[:4]...)
		if list := tokens(content(top[3])[1:]); len(list) > 0 {
			out = element(asn1.SEQUENCE, append(top[:4:4], underStamp(list[0]))...)
		}
	} else {
		data := children(t, content(top[1]))
		last := len(data) - 1
		info := children(t, children(t, data[last])[0])
		if info[len(info)-1][0] == byte(implicit1) {
			info = info[:len(info)-1]
		}
		list := tokens(content(info[len(info)-1]))
		if len(list) > 0 {
			oid := element(asn1.OBJECT_IDENTIFIER, []byte("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x0e"))
			info = append(info, element(implicit1, element(asn1.SEQUENCE, oid, element(asn1.SET, list...))))
		}
		data[last] = element(asn1.SET, element(asn1.SEQUENCE, info...))
		out = element(asn1.SEQUENCE, top[0], element(explicit0, element(asn1.SEQUENCE, data...)))
	}
	if 2*len(out) > len(room) {
		t.Fatalf("%d octets, room for %d", len(out), len(room)/2)
	}
	file = bytes.Clone(file)
	room = file[from+1 : to-1]
	for i := range room {
		room[i] = '0'
	}
	hex.Encode(room, out)
	return file
}
