package verify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// handmade writes seals and seal signatures of every generation itself.
type handmade struct {
	gen        seal.Version
	c0119      bool
	number     int64 // header.version; 0: that of the generation
	tbsVersion int64 // 0: number

	maker, key               sign.Key // nil: those of the world
	scheme                   sign.Scheme
	makerOf                  sign.Scheme
	created, from, to        time.Time                 // zero: a year before noon, the same, five years after it
	timeInfo                 func(sum []byte) []byte   // content of the BIT STRING of GM/T 0031-2014, given the hash of the original
	sealToken, signatureUsed func(value []byte) []byte // time stamps
	extension                func(*cryptobyte.Builder) // ExtData of the seal
	more                     []byte                    // ExtDatas of the signature
	picture                  []byte                    // of the seal; nil: that of the world's
}

func (h handmade) normal() handmade {
	w := theWorld()
	if h.number == 0 {
		h.number = int64(h.gen)
	}
	if h.tbsVersion == 0 {
		h.tbsVersion = h.number
	}
	if h.maker == nil {
		h.maker = w.maker
	}
	if h.key == nil {
		h.key = w.sm2
	}
	sm2 := sign.Scheme{Kind: sign.SM2, Hash: sign.SM3}
	if h.scheme == (sign.Scheme{}) {
		h.scheme = sm2
	}
	if h.makerOf == (sign.Scheme{}) {
		h.makerOf = sm2
	}
	if h.created.IsZero() {
		h.created = noon.AddDate(-1, 0, 0)
	}
	if h.from.IsZero() {
		h.from = noon.AddDate(-1, 0, 0)
	}
	if h.to.IsZero() {
		h.to = noon.AddDate(5, 0, 0)
	}
	return h
}

var schemeOIDs = map[sign.Scheme]string{
	{Kind: sign.SM2, Hash: sign.SM3}:    "1.2.156.10197.1.501",
	{Kind: sign.RSA, Hash: sign.SHA256}: "1.2.840.113549.1.1.11",
	{Kind: sign.RSA, Hash: sign.SHA1}:   "1.2.840.113549.1.1.5",
}

func written(f func(*cryptobyte.Builder)) []byte {
	var b cryptobyte.Builder
	f(&b)
	return b.BytesOrPanic()
}

func text(tag asn1.Tag, s string) []byte { return element(tag, []byte(s)) }

func bitString(b []byte) []byte { return element(asn1.BIT_STRING, []byte{0}, b) }

func oidOf(s sign.Scheme) []byte {
	return element(asn1.OBJECT_IDENTIFIER, []byte(der.MustOID(schemeOIDs[s])))
}

func signedWith(s sign.Scheme, key sign.Key, message []byte) []byte {
	v, err := s.Sign(context.Background(), key, message)
	if err != nil {
		panic(err)
	}
	return v
}

func (h handmade) sealDER() []byte {
	when := func(t time.Time) []byte {
		if h.gen == seal.V1 || h.c0119 {
			return text(asn1.UTCTime, t.UTC().Format("060102150405Z"))
		}
		return text(asn1.GeneralizedTime, t.UTC().Format("20060102150405Z"))
	}
	num := func(n int64) []byte { return written(func(b *cryptobyte.Builder) { b.AddASN1Int64(n) }) }
	pic := theWorld().seal.Picture.Data
	if h.picture != nil {
		pic = h.picture
	}
	property := [][]byte{num(1), text(asn1.UTF8String, "示例市中级人民法院")}
	if h.gen != seal.V1 {
		property = append(property, num(1))
	}
	property = append(property, element(asn1.SEQUENCE, element(asn1.OCTET_STRING, h.key.Chain()[0])), when(h.created), when(h.from), when(h.to))
	parts := [][]byte{
		element(asn1.SEQUENCE, text(asn1.IA5String, "ES"), num(h.number), text(asn1.IA5String, "HAND")),
		text(asn1.IA5String, "11010600000001"),
		element(asn1.SEQUENCE, property...),
		element(asn1.SEQUENCE, text(asn1.IA5String, "PNG"), element(asn1.OCTET_STRING, pic), num(45), num(45)),
	}
	if h.extension != nil {
		parts = append(parts, element(asn1.SEQUENCE, written(h.extension)))
	}
	info := element(asn1.SEQUENCE, parts...)
	cert, alg := element(asn1.OCTET_STRING, h.maker.Chain()[0]), oidOf(h.makerOf)
	long := element(asn1.SEQUENCE, info, cert, alg)
	switch {
	case h.gen == seal.V1:
		return element(asn1.SEQUENCE, info, element(asn1.SEQUENCE, cert, alg, bitString(signedWith(h.makerOf, h.maker, long))))
	case h.c0119:
		return element(asn1.SEQUENCE, info, cert, alg, bitString(signedWith(h.makerOf, h.maker, long)))
	}
	value := signedWith(h.makerOf, h.maker, info)
	out := [][]byte{info, cert, alg, bitString(value)}
	if h.sealToken != nil {
		out = append(out, underStamp(h.sealToken(value)))
	}
	return element(asn1.SEQUENCE, out...)
}

func (h handmade) Profile() sign.Profile {
	h = h.normal()
	return sign.Profile{Format: sign.SES, Specs: map[sign.Format]sign.Spec{sign.SES: {Hashes: []sign.Hash{h.scheme.Hash}, MaxSize: 32 << 10}}}
}

func (h handmade) Sign(_ context.Context, act *sign.Act) ([]sign.Value, error) {
	h = h.normal()
	sum := act.Content[h.scheme.Hash]
	old := h.gen == seal.V1 || h.c0119
	at := text(asn1.GeneralizedTime, act.Time.Format("20060102150405Z"))
	if old {
		at = bitString([]byte(act.Time.Format(time.RFC3339)))
	}
	if h.timeInfo != nil {
		at = bitString(h.timeInfo(sum))
	}
	cert, alg := element(asn1.OCTET_STRING, h.key.Chain()[0]), oidOf(h.scheme)
	tbs := [][]byte{written(func(b *cryptobyte.Builder) { b.AddASN1Int64(h.tbsVersion) }), h.sealDER(), at, bitString(sum), text(asn1.IA5String, act.Parts[0].Property)}
	if h.more != nil {
		tbs = append(tbs, element(asn1.Tag(0).ContextSpecific().Constructed(), h.more))
	}
	if old {
		tbs = append(tbs, cert, alg)
	}
	signed := element(asn1.SEQUENCE, tbs...)
	value := signedWith(h.scheme, h.key, signed)
	if old {
		return []sign.Value{{Bytes: element(asn1.SEQUENCE, signed, bitString(value))}}, nil
	}
	out := [][]byte{signed, cert, alg, bitString(value)}
	if h.signatureUsed != nil {
		out = append(out, underStamp(h.signatureUsed(value)))
	}
	return []sign.Value{{Bytes: element(asn1.SEQUENCE, out...)}}, nil
}

// sealed seals the page with it at noon.
func (h handmade) sealed(t testing.TB) []byte {
	t.Helper()
	return sealFile(t, page(), h, pdfx.Options{})
}

var (
	rsa256 = sign.Scheme{Kind: sign.RSA, Hash: sign.SHA256}
	rsa1   = sign.Scheme{Kind: sign.RSA, Hash: sign.SHA1}
)

// Each generation is judged in the order of its own standard and cites it.
func TestGenerations(t *testing.T) {
	w := theWorld()
	rsaMaker := w.rsaCA.Issue(testpki.RSA, "制章者 RSA", nil)
	v4 := "ses-format ses-value seal-holder seal-format seal-extensions seal-value maker-certificate seal-made maker-algorithm maker-chain maker-validity " +
		"maker-revocation maker-key-usage seal-period seal-state signer-certificate signer-algorithm signer-chain signer-validity signer-revocation " +
		"signer-key-usage timestamp content-hash ses-property"
	v1 := "ses-format ses-value signer-certificate signer-algorithm signer-chain signer-validity signer-revocation signer-key-usage timestamp content-hash ses-property " +
		"seal-holder seal-format seal-extensions seal-value maker-certificate seal-made maker-algorithm maker-chain maker-validity maker-revocation " +
		"maker-key-usage seal-period seal-state"
	v5 := strings.Replace(v4, "seal-period seal-state", "seal-period seal-timestamp seal-state", 1)
	clauses := map[seal.Version]map[string]string{
		seal.V1: {"ses-format": "GM/T 0031-2014 6.2.3 a", "seal-value": "GM/T 0031-2014 6.1.2 b", "maker-chain": "GM/T 0031-2014 6.1.2 c",
			"seal-period": "GM/T 0031-2014 6.1.2 d, 6.2.3 f", "signer-validity": "GM/T 0031-2014 6.2.3 c, d", "content-hash": "GM/T 0031-2014 6.2.3 e", "time": "GM/T 0031-2014 6.2.3 d"},
		seal.V4: {"seal-value": "GB/T 38540-2020 6.3 b", "maker-validity": "GB/T 38540-2020 6.3 c", "signer-chain": "GB/T 38540-2020 7.3"},
		seal.V5: {"seal-value": "GM/T 0031-2025 (seal) b", "maker-validity": "GM/T 0031-2025 (seal) d", "seal-period": "GM/T 0031-2025 (seal) e"},
	}
	ours := []string{"value-format", "ledger", "withdrawn", "picture", "time"} // what the standards do not ask in their order
	for _, x := range []struct {
		name        string
		h           handmade
		verdict     Verdict
		check, code string
		order       string
	}{
		{"V1", handmade{gen: seal.V1}, Valid, "seal-format", "ok", v1},
		{"V1, RSA and SHA-256", handmade{gen: seal.V1, maker: rsaMaker, key: w.rsa, scheme: rsa256, makerOf: rsa256}, Valid, "maker-algorithm", "ok", v1},
		{"V1, RSA and SHA-1", handmade{gen: seal.V1, maker: rsaMaker, key: w.rsa, scheme: rsa1, makerOf: rsa1}, Invalid, "signer-algorithm", "weak-hash", v1},
		{"V1, RSA and SHA-1 by the maker", handmade{gen: seal.V1, maker: rsaMaker, makerOf: rsa1}, Invalid, "maker-algorithm", "weak-hash", v1},
		{"V1, numbered 11", handmade{gen: seal.V1, number: 11}, Valid, "seal-format", "version-by-example", v1},
		{"V1, two numbers", handmade{gen: seal.V1, tbsVersion: 2}, Valid, "ses-format", "version-by-example", v1},
		{"V1, UTCTime", handmade{gen: seal.V1, timeInfo: func([]byte) []byte { return text(asn1.UTCTime, "260601120000Z") }}, Valid, "time", "time-claimed", v1},
		{"C0119", handmade{gen: seal.V4, c0119: true}, Valid, "seal-value", "ok", v4},
		{"C0119, numbered 3", handmade{gen: seal.V4, c0119: true, number: 3}, Valid, "seal-format", "version-by-example", v4},
		{"V4", handmade{gen: seal.V4}, Valid, "seal-format", "ok", v4},
		{"V4, numbered 3", handmade{gen: seal.V4, number: 3}, Invalid, "seal-format", "seal-version", v4},
		{"V4, two numbers", handmade{gen: seal.V4, tbsVersion: 5}, Invalid, "ses-format", "ses-version", v4},
		{"V5", handmade{gen: seal.V5}, Valid, "seal-format", "ok", v4},
		{"V5, stamped", handmade{gen: seal.V5, sealToken: tsa(noon.AddDate(0, -1, 0)).token, signatureUsed: tsa(noon).token}, Valid, "seal-timestamp", "ok", v5},
	} {
		t.Run(x.name, func(t *testing.T) {
			r := verifyFile(t, w, x.h.sealed(t), nil)
			want(t, r, 0, x.verdict, x.check, x.code)
			var order []string
			for _, c := range r.Signatures[0].Checks {
				if clause := clauses[x.h.gen][c.Name]; clause != "" && c.Clause != clause {
					t.Errorf("%s cites %s, not %s", c.Name, c.Clause, clause)
				}
				if !strings.HasPrefix(c.Name, "pdf-") && !slices.Contains(ours, c.Name) {
					order = append(order, c.Name)
				}
			}
			if got := strings.Join(order, " "); got != x.order {
				t.Errorf("order\n%s\nnot\n%s", got, x.order)
			}
		})
	}
}

// An algorithm that is none of the certificate's key.
func TestAlgorithmOfAnotherKey(t *testing.T) {
	w := theWorld()
	maker := w.rsaCA.Issue(testpki.RSA, "制章者 RSA", nil)
	for _, gen := range []seal.Version{seal.V1, seal.V4, seal.V5} {
		h := handmade{gen: gen, key: keyWith(w.rsa, w.sm2.Chain()...), scheme: rsa256}
		want(t, verifyFile(t, w, h.sealed(t), nil), 0, Invalid, "ses-value", "ses-algorithm")
		h = handmade{gen: gen, maker: keyWith(maker, w.maker.Chain()...), makerOf: rsa256}
		want(t, verifyFile(t, w, h.sealed(t), nil), 0, Invalid, "seal-value", "seal-algorithm")
	}
}

// A seal signature has extensions of its own.
func TestSignatureExtensions(t *testing.T) {
	w := theWorld()
	list := func(critical bool) []byte {
		return written(func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte("\x2a\x03\x04")) })
					if critical {
						b.AddASN1Boolean(true)
					}
					b.AddASN1OctetString([]byte("{}"))
				})
			})
		})
	}
	strict := func(o *Options) { o.Policy = Strict2020 }
	for _, gen := range []seal.Version{seal.V4, seal.V5} {
		plain, critical := handmade{gen: gen, more: list(false)}.sealed(t), handmade{gen: gen, more: list(true)}.sealed(t)
		want(t, verifyFile(t, w, plain, strict), 0, Valid, "ses-extensions", "ok")
		want(t, verifyFile(t, w, critical, nil), 0, Valid, "ses-extensions", "critical-extension")
		want(t, verifyFile(t, w, critical, strict), 0, Invalid, "ses-extensions", "critical-extension-refused")
	}
}

// The made-by-test files and those of package seal agree.
func TestMadeV5(t *testing.T) {
	w := theWorld()
	v5 := w.make(func(s *seal.Seal) { s.Version = seal.V5 })
	dated, err := v5.AddTimeStamp(context.Background(), tsa(noon.AddDate(0, -1, 0)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range formats {
		for _, e := range []*seal.Seal{v5, dated} {
			r := verifyFile(t, w, sealFile(t, page(), stamped(t, e, w.sm2, f, noon, tsa(noon)), visible), nil)
			want(t, r, 0, Valid, "time", "time-proven")
			if e == dated {
				want(t, r, 0, Valid, "seal-timestamp", "ok")
			}
		}
	}
}

// The time stamp of a seal (GM/T 0031-2025, seal, f).
func TestSealStamp(t *testing.T) {
	w := theWorld()
	made := noon.AddDate(-1, 0, 0)
	old := clockwork{key: w.sm2CA.Issue(testpki.SM2, "TSA", func(c *gm.Certificate) {
		testpki.TimeStamping(c)
		c.NotAfter = noon.AddDate(0, 0, 1)
	}), at: made.Add(time.Hour)}
	stranger := clockwork{key: testpki.NewCA(testpki.SM2, "stranger").Issue(testpki.SM2, "TSA", testpki.TimeStamping), at: made}
	for _, x := range []struct {
		name    string
		h       handmade
		at      time.Time // of verifying; zero: an hour later
		verdict Verdict
		code    string
	}{
		{"good", handmade{gen: seal.V5, sealToken: tsa(made.Add(time.Hour)).token}, time.Time{}, Valid, "ok"},
		{"at once", handmade{gen: seal.V5, sealToken: tsa(made).token}, time.Time{}, Valid, "ok"},
		{"made after its stamp", handmade{gen: seal.V5, sealToken: tsa(made.Add(-time.Hour)).token}, time.Time{}, Invalid, "made-after-stamp"},
		{"over something else", handmade{gen: seal.V5, sealToken: func([]byte) []byte { return tsa(made).token([]byte("x")) }}, time.Time{}, Invalid, "timestamp-wrong"},
		{"no token", handmade{gen: seal.V5, sealToken: func([]byte) []byte { return []byte("x") }}, time.Time{}, Invalid, "timestamp-wrong"},
		{"of a stranger", handmade{gen: seal.V5, sealToken: stranger.token}, time.Time{}, Indeterminate, "timestamp-unknown"},
		{"in a seal of version 4", handmade{gen: seal.V4, sealToken: tsa(made.Add(-time.Hour)).token}, time.Time{}, Invalid, "made-after-stamp"},
		{"authority ended since", handmade{gen: seal.V5, sealToken: old.token}, noon.AddDate(0, 1, 0), Indeterminate, "timestamp-unknown"},
		{"ended since, the signature proves it older", handmade{gen: seal.V5, sealToken: old.token, signatureUsed: tsa(noon).token}, noon.AddDate(0, 1, 0), Valid, "ok"},
	} {
		t.Run(x.name, func(t *testing.T) {
			r := verifyFile(t, w, x.h.sealed(t), func(o *Options) {
				if !x.at.IsZero() {
					o.At = x.at
				}
			})
			want(t, r, 0, x.verdict, "seal-timestamp", x.code)
		})
	}
}

// Of a doubtful stamp in timeInfo and a wrong one beside the value, the wrong one is told.
func TestWrongStampBesideADoubtfulOne(t *testing.T) {
	other := func([]byte) []byte { return tsa(noon).token([]byte("another value")) }
	r := verifyFile(t, theWorld(), handmade{gen: seal.V4, timeInfo: other, signatureUsed: other}.sealed(t), nil)
	want(t, r, 0, Invalid, "timestamp", "timestamp-wrong")
}

// The time stamp that GM/T 0031-2014 lets stand in timeInfo: it is signed, so it says from when on, not until when.
func TestTokenInTimeInfo(t *testing.T) {
	w := theWorld()
	over := func(c clockwork) func([]byte) []byte { return func(sum []byte) []byte { return c.token(sum) } }
	itself := func(sum []byte) []byte {
		return clockwork{key: tsaKeys().sm2, at: noon, digest: sum}.token(nil)
	}
	short := w.sm2CA.Issue(testpki.SM2, "kurz", func(c *gm.Certificate) { c.NotAfter = noon.AddDate(0, 1, 0) })
	for _, x := range []struct {
		name        string
		timeInfo    func([]byte) []byte
		key         sign.Key
		at          time.Time
		verdict     Verdict
		check, code string
	}{
		{"over the hash", over(tsa(noon)), nil, time.Time{}, Valid, "timestamp", "timestamp-inside"},
		{"the hash itself", itself, nil, time.Time{}, Valid, "timestamp", "timestamp-inside"},
		{"over something else", func([]byte) []byte { return tsa(noon).token([]byte("x")) }, nil, time.Time{}, Indeterminate, "timestamp", "timestamp-unknown"},
		{"no token", func([]byte) []byte { return []byte{0x30, 0} }, nil, time.Time{}, Invalid, "timestamp", "timestamp-wrong"},
		{"proves no end", over(tsa(noon)), short, noon.AddDate(0, 2, 0), Indeterminate, "time", "time-not-proven"},
		{"judged for its time", over(tsa(noon.AddDate(0, 2, 0))), short, noon.AddDate(0, 3, 0), Invalid, "signer-validity", "outside-validity"},
	} {
		t.Run(x.name, func(t *testing.T) {
			r := verifyFile(t, w, handmade{gen: seal.V1, timeInfo: x.timeInfo, key: x.key}.sealed(t), func(o *Options) {
				if !x.at.IsZero() {
					o.At = x.at
				}
			})
			want(t, r, 0, x.verdict, x.check, x.code)
			if inside := (&Signature{Checks: r.Signatures[0].Stamps[0].Checks}); x.name == "over something else" && inside.Check("token-imprint").Code != "imprint-unspecified" {
				t.Errorf("%s", r)
			}
			if s := r.Signatures[0]; x.code == "timestamp-inside" && (!s.Claimed.Equal(noon) || !s.Proven.IsZero() || s.Stamps[0].Over != "time-info") {
				t.Errorf("%+v", s)
			}
		})
	}
}

// The time rules of each standard: when a seal was made and used, how long it, its maker's and its holder's certificates
// hold, when they were revoked, all judged under either policy. Months count from noon, when the signature was made.
func TestTimeRules(t *testing.T) {
	w := theWorld()
	month := func(n int) time.Time { return noon.AddDate(0, n, 0) }
	cert := func(from, to int) func(*gm.Certificate) {
		return func(c *gm.Certificate) { c.NotBefore, c.NotAfter = month(from), month(to) }
	}
	// seal of a year's age, verified three months later, unless said otherwise
	type times struct {
		maker, holder func(*gm.Certificate)
		from, to      int // of the seal; zero: -12, 60
		made          int // zero: as from
		revokedMaker  int // month; zero: never
		revokedHolder int
		stamp         *int
		critical      bool
	}
	before, after := 0, 2
	type expect struct {
		verdict Verdict
		code    string
	}
	ok := expect{Valid, ""}
	all := func(e expect) map[seal.Version]expect {
		return map[seal.Version]expect{seal.V1: e, seal.V4: e, seal.V5: e}
	}
	but5 := func(e, v5 expect) map[seal.Version]expect {
		return map[seal.Version]expect{seal.V1: e, seal.V4: e, seal.V5: v5}
	}
	stampless := func(e, v1 expect) map[seal.Version]expect {
		return map[seal.Version]expect{seal.V1: v1, seal.V4: e, seal.V5: e}
	}
	unproven := expect{Indeterminate, "time:time-not-proven"}
	for _, x := range []struct {
		name           string
		t              times
		normal, strict map[seal.Version]expect
	}{
		{"all in order", times{}, all(ok), all(ok)},
		{"maker expired since the seal was made", times{maker: cert(-24, -1)}, all(expect{Valid, "maker-validity:expired-since"}),
			but5(expect{Invalid, "maker-validity:outside-validity"}, expect{Valid, "maker-validity:expired-since"})},
		{"maker revoked since the seal was made", times{revokedMaker: -1}, all(expect{Valid, "maker-revocation:revoked-later"}),
			but5(expect{Invalid, "maker-revocation:revoked"}, expect{Valid, "maker-revocation:revoked-later"})},
		{"maker expired before the seal was made", times{maker: cert(-24, -13)}, all(expect{Invalid, "maker-validity:outside-validity"}), all(expect{Invalid, "maker-validity:outside-validity"})},
		{"maker revoked before the seal was made", times{revokedMaker: -13}, all(expect{Invalid, "maker-revocation:revoked"}), all(expect{Invalid, "maker-revocation:revoked"})},
		{"maker not yet valid when the seal was made", times{maker: cert(-6, 24)}, all(expect{Invalid, "maker-validity:outside-validity"}),
			but5(ok, expect{Invalid, "maker-validity:outside-validity"})}, // by the letter of 2020 only now counts
		{"seal ended since", times{to: 1}, all(unproven), all(expect{Invalid, "seal-period:seal-expired-now"})},
		{"seal ended since, stamped before", times{to: 1, stamp: &before}, stampless(expect{Valid, "seal-period:seal-expired-since"}, unproven), all(expect{Invalid, "seal-period:seal-expired-now"})},
		{"seal ended since, stamped after", times{to: 1, stamp: &after}, all(unproven), all(expect{Invalid, "seal-period:seal-expired-now"})},
		{"seal ended before it was used", times{to: -1}, all(expect{Invalid, "seal-period:outside-seal-period"}), all(expect{Invalid, "seal-period:outside-seal-period"})},
		{"seal not begun when used", times{from: 1, made: -12}, all(expect{Invalid, "seal-period:outside-seal-period"}), all(expect{Invalid, "seal-period:outside-seal-period"})},
		{"seal made after it was used", times{made: 1}, all(expect{Invalid, "seal-made:used-before-made"}), all(expect{Invalid, "seal-made:used-before-made"})},
		{"seal made after its end", times{made: 70}, all(expect{Invalid, "seal-made:made-after-end"}), all(expect{Invalid, "seal-made:made-after-end"})},
		{"holder expired since", times{holder: cert(-12, 1)}, all(unproven), all(unproven)},
		{"holder expired since, stamped before", times{holder: cert(-12, 1), stamp: &before}, stampless(expect{Valid, "signer-validity:expired-since"}, unproven), stampless(ok, unproven)},
		{"holder expired since, stamped after", times{holder: cert(-12, 1), stamp: &after}, all(unproven), all(unproven)},
		{"holder expired before", times{holder: cert(-12, -1)}, all(expect{Invalid, "signer-validity:outside-validity"}), all(expect{Invalid, "signer-validity:outside-validity"})},
		{"holder not yet valid", times{holder: cert(1, 12)}, all(expect{Invalid, "signer-validity:outside-validity"}), all(expect{Invalid, "signer-validity:outside-validity"})},
		{"holder revoked before", times{revokedHolder: -1}, all(expect{Invalid, "signer-revocation:revoked"}), all(expect{Invalid, "signer-revocation:revoked"})},
		{"holder revoked after", times{revokedHolder: 1}, all(unproven), all(unproven)},
		{"holder revoked after, stamped before", times{revokedHolder: 1, stamp: &before}, stampless(expect{Valid, "signer-revocation:revoked-later"}, unproven), stampless(ok, unproven)},
		{"holder revoked after, stamped after", times{revokedHolder: 1, stamp: &after}, all(unproven), all(unproven)},
		{"a critical extension", times{critical: true}, all(expect{Valid, "seal-extensions:critical-extension"}), all(expect{Invalid, "seal-extensions:critical-extension-refused"})},
	} {
		for _, gen := range []seal.Version{seal.V1, seal.V4, seal.V5} {
			h := handmade{gen: gen, maker: w.sm2CA.Issue(testpki.SM2, "制章者", x.t.maker), key: w.sm2CA.Issue(testpki.SM2, "持有人", x.t.holder)}
			if x.t.from != 0 {
				h.from, h.created = month(x.t.from), month(x.t.from)
			}
			if x.t.made != 0 {
				h.created = month(x.t.made)
			}
			if x.t.to != 0 {
				h.to = month(x.t.to)
			}
			if x.t.stamp != nil {
				c := tsa(month(*x.t.stamp))
				h.signatureUsed = c.token
			}
			if x.t.critical {
				h.extension = func(b *cryptobyte.Builder) {
					b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte("\x2a\x03")) })
						b.AddASN1Boolean(true)
						b.AddASN1OctetString(nil)
					})
				}
			}
			file := h.sealed(t)
			for policy, wants := range map[Policy]map[seal.Version]expect{Default: x.normal, Strict2020: x.strict} {
				t.Run(fmt.Sprintf("%s, V%d, %s", x.name, gen, policy), func(t *testing.T) {
					r := verifyFile(t, w, file, func(o *Options) {
						o.At, o.Policy = month(3), policy
						for key, m := range map[sign.Key]int{h.maker: x.t.revokedMaker, h.key: x.t.revokedHolder} {
							if m != 0 {
								o.CRLs = append(o.CRLs, crlOf(t, w.sm2CA, key, month(2), month(9), month(m), 1))
							}
						}
					})
					if r.Policy != policy || strings.Contains(r.String(), "(PDF, strict-2020)") != (policy == Strict2020) {
						t.Errorf("the report says %s", r.Policy)
					}
					e := wants[gen]
					check, code, _ := strings.Cut(e.code, ":")
					want(t, r, 0, e.verdict, check, code)
				})
			}
		}
	}
}

func TestPolicies(t *testing.T) {
	for _, p := range []Policy{Default, Strict2020} {
		b, err := p.MarshalText()
		var back Policy
		if err != nil || back.UnmarshalText(b) != nil || back != p {
			t.Errorf("%s: %v", p, back)
		}
	}
	if !slices.Equal([]string{Default.String(), Strict2020.String(), Policy(9).String()}, []string{"default", "strict-2020", "policy(9)"}) {
		t.Error("another name")
	}
	if new(Policy).UnmarshalText([]byte("lax")) == nil {
		t.Error("lax is no policy")
	}
}
