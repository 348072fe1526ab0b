package seal_test

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
	"github.com/courtseal/courtseal/sign/xmldsig"
)

func clock() time.Time { return now }

var content = sign.Sums{
	sign.SM3: sign.SM3.Sum([]byte("content")), sign.SHA256: sign.SHA256.Sum([]byte("content")), sign.SHA384: sign.SHA384.Sum([]byte("content")),
}

// stampOne seals the content once and returns the value.
func stampOne(t testing.TB, s *seal.Seal, key sign.Key, o seal.StampOptions, change func(*sign.Act)) []byte {
	t.Helper()
	o.Now = clock
	st, err := s.Stamp(key, o)
	if err != nil {
		t.Fatal(err)
	}
	p := st.Profile()
	act := &sign.Act{Time: now, Content: content, Parts: []sign.Part{{Format: p.Format, Property: "ByteRange=[0 840 17226 501]"}}}
	if change != nil {
		change(act)
	}
	v, err := st.Sign(context.Background(), act)
	if err != nil {
		t.Fatal(err)
	}
	if len(v) != len(act.Parts) {
		t.Fatalf("%d values for %d parts", len(v), len(act.Parts))
	}
	for i, v := range v {
		f := act.Parts[i].Format
		room := p.Specs[f].MaxSize
		if n := len(act.Evidence); n > 0 {
			room += f.EvidenceSize(n)
		}
		if len(v.Bytes) > room {
			t.Fatalf("%s of %d octets, MaxSize says %d", act.Parts[i].Format, len(v.Bytes), room)
		}
	}
	return v[0].Bytes
}

// checkSES checks all that an SES_Signature made here must hold.
func checkSES(t *testing.T, s *seal.Seal, b []byte, key sign.Key, property, evidence string) {
	t.Helper()
	v, err := seal.ParseSignature(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Notes) > 0 || v.Version != s.Version || !bytes.Equal(v.Seal.Raw, s.Raw) || !v.Time.Equal(now.Truncate(time.Second)) || v.Property != property ||
		!bytes.Equal(v.DataHash, content[sign.SM3]) || !bytes.Equal(v.Cert, key.Chain()[0]) || v.TimeStamp != nil {
		t.Errorf("%+v", v)
	}
	if err := v.VerifyValue(); err != nil {
		t.Error(err)
	}
	if !v.Seal.Holds(v.Cert) {
		t.Error("not a holder")
	}
	switch {
	case evidence == "" && len(v.Extensions) == 0:
	case len(v.Extensions) == 1 && v.Extensions[0].ID == sign.AttributeEvidence && string(v.Extensions[0].Value) == evidence && !v.Extensions[0].Critical:
	default:
		t.Errorf("extensions %+v", v.Extensions)
	}
	if err := der.Check(b, der.Limits{}); err != nil {
		t.Error(err)
	}
}

// checkCMS checks a CMS and returns the one value of its attribute.
func checkCMS(t *testing.T, b []byte, typ sign.OID, evidence string) []byte {
	t.Helper()
	sd, err := cms.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := sd.Verify(content); err != nil {
		t.Error(err)
	}
	if err := sd.Verify(sign.Sums{sign.SM3: testHash, sign.SHA256: testHash, sign.SHA384: append(testHash, testHash[:16]...)}); err == nil {
		t.Error("another content passed")
	}
	ev, ok := sd.Signers[0].Attribute(sign.AttributeEvidence)
	if ok != (evidence != "") || ok && !bytes.Equal(ev[0], octets([]byte(evidence))) {
		t.Errorf("evidence %x", ev)
	}
	v, ok := sd.Signers[0].Attribute(typ)
	if !ok || len(v) != 1 {
		t.Fatalf("attribute %s: %d values", typ, len(v))
	}
	return v[0]
}

func TestFormats(t *testing.T) {
	for _, version := range []seal.Version{seal.V4, seal.V5} {
		testFormats(t, makeSeal(t, func(t *seal.Seal) { t.Version = version }))
	}
}

func testFormats(t *testing.T, s *seal.Seal) {
	p := people()
	for _, evidence := range []string{"", "x", strings.Repeat("e", 500), strings.Repeat("e", 70000)} {
		change := func(a *sign.Act) {
			if evidence != "" {
				a.Evidence = []byte(evidence)
			}
		}
		property := "ByteRange=[0 840 17226 501]"
		checkSES(t, s, stampOne(t, s, p.sm2, seal.StampOptions{Format: sign.SES}, change), p.sm2, property, evidence)
		for _, key := range []sign.Key{p.sm2, p.rsa, p.p256} {
			b := stampOne(t, s, key, seal.StampOptions{}, change)
			if got := checkCMS(t, b, sign.AttributeSeal, evidence); !bytes.Equal(got, s.Raw) {
				t.Error("another seal in the CMS")
			}
		}
		for _, outer := range []sign.Key{p.rsa, p.p256} {
			b := stampOne(t, s, p.sm2, seal.StampOptions{Outer: outer}, change)
			checkSES(t, s, checkCMS(t, b, sign.AttributeSignature, evidence), p.sm2, property, evidence)
		}
	}
	// the longest property; parts of several formats
	longest := strings.Repeat("p", seal.MaxProperty)
	stampOne(t, s, p.sm2, seal.StampOptions{Outer: p.rsa}, func(a *sign.Act) {
		a.Time = now.Add(999 * time.Millisecond)
		a.Parts = []sign.Part{{Format: sign.Dual, Property: longest}, {Format: sign.SES, Property: longest}, {Format: sign.CMS}}
	})
}

// TestStampOffice: a Word document gets an SES by the SM2 key and an XML signature by the other one, which leaves the evidence to the SES.
func TestStampOffice(t *testing.T) {
	p := people()
	s := makeSeal(t, nil)
	office := &sign.Office{Comments: "盖章", Object: [2]string{"<Object>", "</Object>"}, Properties: sign.SHA256.Sum(nil)}
	for _, c := range []struct {
		key    sign.Key
		outer  sign.Key
		parts  []sign.Part
		inside bool // the evidence is in the XMLValue
	}{
		{p.sm2, p.rsa, []sign.Part{{Format: sign.SES, Property: "/_seals/seal1/Signature.xml"}, {Format: sign.XML, Office: office}}, false},
		{p.sm2, p.p256, []sign.Part{{Format: sign.XML, Office: office}}, true},
		{p.rsa, nil, []sign.Part{{Format: sign.XML, Office: office}}, true},
	} {
		st, err := s.Stamp(c.key, seal.StampOptions{Outer: c.outer, Now: clock})
		if err != nil {
			t.Fatal(err)
		}
		signer := c.outer
		if signer == nil {
			signer = c.key
		}
		profile := st.Profile()
		spec, ok := profile.Specs[sign.XML]
		if !ok || !bytes.Equal(spec.Chain[0], signer.Chain()[0]) || !bytes.Equal(profile.SESeal, s.Raw) {
			t.Fatalf("%+v", profile)
		}
		act := &sign.Act{ID: "1", Time: now, Content: content, Evidence: []byte("evidence"), Reference: "court.example/sm3#AAAA", Parts: c.parts}
		values, err := st.Sign(context.Background(), act)
		if err != nil || len(values) != len(c.parts) {
			t.Fatal(values, err)
		}
		last := len(values) - 1
		v, err := sign.ParseXMLValue(values[last].Bytes)
		if err != nil || v.Reference != act.Reference || (v.Evidence != nil) != c.inside || len(values[last].Bytes) > spec.MaxSize+sign.XML.EvidenceSize(len(act.Evidence)) {
			t.Errorf("%+v, %v", v, err)
		}
		scheme, _ := sign.SchemeFor(signer.Public())
		info, err := xmldsig.ToSign(act, c.parts[last], scheme)
		if err != nil {
			t.Fatal(err)
		}
		if err := xmldsig.Check(signer.Public(), scheme, info, v.Value); err != nil {
			t.Error(err)
		}
		if last > 0 {
			checkSES(t, s, values[0].Bytes, p.sm2, c.parts[0].Property, "evidence")
		}
	}
	st, err := s.Stamp(p.sm2, seal.StampOptions{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := st.Profile().Specs[sign.XML]; ok {
		t.Error("an SM2 key offers an XML signature")
	}
	act := &sign.Act{Time: now, Content: content, Parts: []sign.Part{{Format: sign.XML, Office: office}}}
	if _, err := st.Sign(context.Background(), act); !errors.Is(err, sign.ErrFormat) {
		t.Errorf("an SM2 key: %v", err)
	}
}

func TestProfile(t *testing.T) {
	p := people()
	s := makeSeal(t, nil)
	for _, c := range []struct {
		key    sign.Key
		o      seal.StampOptions
		format sign.Format
		hashes map[sign.Format][]sign.Hash
		chain  sign.Key
	}{
		{p.sm2, seal.StampOptions{}, sign.CMS, map[sign.Format][]sign.Hash{sign.CMS: {sign.SM3}, sign.SES: {sign.SM3}}, p.sm2},
		{p.sm2, seal.StampOptions{Format: sign.SES}, sign.SES, map[sign.Format][]sign.Hash{sign.CMS: {sign.SM3}, sign.SES: {sign.SM3}}, p.sm2},
		{p.rsa, seal.StampOptions{Format: sign.CMS}, sign.CMS, map[sign.Format][]sign.Hash{sign.CMS: {sign.SHA256}, sign.XML: {sign.SHA256}}, p.rsa},
		{p.sm2, seal.StampOptions{Outer: p.rsa}, sign.Dual, map[sign.Format][]sign.Hash{sign.CMS: {sign.SM3}, sign.SES: {sign.SM3}, sign.Dual: {sign.SM3, sign.SHA256}, sign.XML: {sign.SHA256}}, p.rsa},
	} {
		c.o.Now = clock
		st, err := s.Stamp(c.key, c.o)
		if err != nil {
			t.Fatal(err)
		}
		got := st.Profile()
		if got.Format != c.format || got.Seal != s.ID || got.Picture != &s.Picture || len(got.Specs) != len(c.hashes) {
			t.Errorf("%+v", got)
		}
		for f, h := range c.hashes {
			if !reflect.DeepEqual(got.Specs[f].Hashes, h) {
				t.Errorf("%s: hashes %v", f, got.Specs[f].Hashes)
			}
		}
		if !bytes.Equal(got.Specs[c.format].Chain[0], c.chain.Chain()[0]) {
			t.Errorf("%s: chain of another key", c.format)
		}
	}
}

func TestStampRefuses(t *testing.T) {
	p := people()
	ca := testpki.Shared(testpki.SM2)
	signer, chain := ca.IssueSigner(testpki.SM2, "pair", nil)
	encryption := sign.NewKey(signer, ca.Certify(signer.Public(), "pair", func(c *gm.Certificate) { c.KeyUsage = 4 | 8 }))
	renewed := sign.NewKey(signer, ca.Certify(signer.Public(), "pair", nil))
	short := ca.Issue(testpki.SM2, "short", func(c *gm.Certificate) { c.NotAfter = now.Add(-time.Hour) })
	shortRSA := testpki.Shared(testpki.RSA).Issue(testpki.RSA, "short", func(c *gm.Certificate) { c.NotBefore = now.Add(time.Hour) })
	weak := testpki.Shared(testpki.RSA).Issue(testpki.RSA1024, "weak", nil)
	free := ca.Issue(testpki.SM2, "no KeyUsage", func(c *gm.Certificate) { c.KeyUsage = 0 })
	both := ca.Issue(testpki.SM2, "all KeyUsage", func(c *gm.Certificate) { c.KeyUsage = 1 | 2 | 4 | 8 | 16 })
	s := makeSeal(t, func(t *seal.Seal) {
		t.Certs = append(t.Certs, certsOf(sign.NewKey(signer, chain...), short, shortRSA, weak, free, both)...)
	})
	tampered := bytes.Clone(s.Raw)
	tampered[bytes.Index(tampered, []byte("44010000000017"))+13]++
	forged, err := seal.Parse(tampered)
	if err != nil {
		t.Fatal(err)
	}
	parse := func(k kit) *seal.Seal {
		s, err := seal.Parse(k.seal())
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for name, c := range map[string]struct {
		seal *seal.Seal
		key  sign.Key
		o    seal.StampOptions
		want error
		what string
	}{
		"stranger":             {s, p.stranger, seal.StampOptions{}, seal.ErrNotHolder, ""},
		"renewed certificate":  {s, renewed, seal.StampOptions{}, seal.ErrNotHolder, ""},
		"strange outer":        {s, p.sm2, seal.StampOptions{Outer: p.rsaMaker}, seal.ErrNotHolder, ""},
		"encryption cert":      {s, encryption, seal.StampOptions{}, sign.ErrEncryptionCert, ""},
		"another's cert":       {s, sign.NewKey(testpki.NewKey(testpki.SM2), p.sm2.Chain()...), seal.StampOptions{}, sign.ErrKeyMismatch, ""},
		"no cert":              {s, sign.NewKey(signer), seal.StampOptions{}, sign.ErrKeyMismatch, ""},
		"no key":               {s, nil, seal.StampOptions{}, sign.ErrKeyMismatch, ""},
		"weak key":             {s, weak, seal.StampOptions{}, sign.ErrWeakKey, ""},
		"expired cert":         {s, short, seal.StampOptions{}, seal.ErrExpired, "certificate"},
		"outer not yet valid":  {s, p.sm2, seal.StampOptions{Outer: shortRSA}, seal.ErrExpired, "outer certificate"},
		"seal expired":         {s, p.sm2, seal.StampOptions{Now: func() time.Time { return end.Add(time.Second) }}, seal.ErrExpired, "seal"},
		"seal not yet valid":   {s, p.sm2, seal.StampOptions{Now: func() time.Time { return start.Add(-time.Nanosecond) }}, seal.ErrExpired, "seal"},
		"ses with RSA":         {s, p.rsa, seal.StampOptions{Format: sign.SES}, sign.ErrFormat, ""},
		"dual without outer":   {s, p.sm2, seal.StampOptions{Format: sign.Dual}, sign.ErrFormat, ""},
		"dual swapped":         {s, p.rsa, seal.StampOptions{Outer: p.sm2}, sign.ErrFormat, ""},
		"dual of SM2":          {s, p.sm2, seal.StampOptions{Outer: both}, sign.ErrFormat, ""},
		"outer for ses":        {s, p.sm2, seal.StampOptions{Format: sign.SES, Outer: p.rsa}, sign.ErrFormat, ""},
		"no such format":       {s, p.sm2, seal.StampOptions{Format: "xml"}, sign.ErrFormat, ""},
		"V1":                   {parse(kit{v1: true}), p.sm2, seal.StampOptions{}, seal.ErrUnsupportedVersion, ""},
		"V1 numbered 4":        {parse(kit{v1: true, number: 4}), p.sm2, seal.StampOptions{}, seal.ErrUnsupportedVersion, ""},
		"V4 numbered 3":        {parse(kit{number: 3}), p.sm2, seal.StampOptions{}, seal.ErrUnsupportedVersion, ""},
		"V5 of another":        {parse(kit{number: 5}), p.sm2, seal.StampOptions{}, nil, ""},
		"V5, stamp of another": {parse(kit{number: 5, sealStamp: el(0xa0, bits(seq()))}), p.sm2, seal.StampOptions{}, seal.ErrTimeStamp, ""},
		"C0119":                {parse(kit{c0119: true}), p.sm2, seal.StampOptions{}, seal.ErrUnsupportedVersion, ""},
		"template":             {template(), p.sm2, seal.StampOptions{}, seal.ErrUnsupportedVersion, ""},
		"tampered seal":        {forged, p.sm2, seal.StampOptions{}, sign.ErrSignature, ""},
		"empty list":           {parse(kit{list: seq()}), p.sm2, seal.StampOptions{}, seal.ErrNotHolder, ""},
		"no KeyUsage":          {s, free, seal.StampOptions{}, nil, ""},
		"every KeyUsage":       {s, both, seal.StampOptions{}, nil, ""},
		"last second":          {s, p.sm2, seal.StampOptions{Now: func() time.Time { return end.Add(999 * time.Millisecond) }}, nil, ""},
	} {
		if c.o.Now == nil {
			c.o.Now = clock
		}
		st, err := c.seal.Stamp(c.key, c.o)
		if !errors.Is(err, c.want) || (err != nil) == (st != nil) {
			t.Errorf("%s: %v", name, err)
		}
		var expired *seal.ExpiredError
		if got := errors.As(err, &expired); got != (c.what != "") || got && expired.What != c.what {
			t.Errorf("%s: %+v", name, expired)
		}
	}
}

func TestSignRefuses(t *testing.T) {
	p := people()
	s := makeSeal(t, nil)
	at := now
	st, err := s.Stamp(p.sm2, seal.StampOptions{Outer: p.rsa, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	good := sign.Act{Time: now, Content: content, Parts: []sign.Part{{Format: sign.Dual, Property: "p"}}}
	for name, c := range map[string]struct {
		change func(*sign.Act)
		want   error
	}{
		"no time":           {func(a *sign.Act) { a.Time = time.Time{} }, seal.ErrAct},
		"long property":     {func(a *sign.Act) { a.Parts[0].Property = strings.Repeat("p", seal.MaxProperty+1) }, seal.ErrAct},
		"Chinese property":  {func(a *sign.Act) { a.Parts[0].Property = "判决书" }, seal.ErrAct},
		"claimed too early": {func(a *sign.Act) { a.Time = start.Add(-time.Second) }, seal.ErrExpired},
		"claimed too late":  {func(a *sign.Act) { a.Time = end.Add(time.Second) }, seal.ErrExpired},
		"clock too late":    {func(a *sign.Act) { at = end.Add(time.Second) }, seal.ErrExpired},
		"no SM3":            {func(a *sign.Act) { a.Content = sign.Sums{sign.SHA256: content[sign.SHA256]} }, sign.ErrMissingSum},
		"no SHA-256":        {func(a *sign.Act) { a.Content = sign.Sums{sign.SM3: content[sign.SM3]} }, sign.ErrMissingSum},
		"another format":    {func(a *sign.Act) { a.Parts[0].Format = "ofd" }, sign.ErrFormat},
		"no office":         {func(a *sign.Act) { a.Parts[0].Format = sign.XML }, xmldsig.ErrOffice},
	} {
		at = now
		act := good
		act.Parts = []sign.Part{good.Parts[0]}
		c.change(&act)
		if v, err := st.Sign(context.Background(), &act); !errors.Is(err, c.want) || v != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	at = now
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := st.Sign(ctx, &good); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	raw := brokenKey{p.sm2, func([]byte) []byte { return make([]byte, 64) }}
	st, err = s.Stamp(raw, seal.StampOptions{Format: sign.SES, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := st.Sign(context.Background(), &sign.Act{Time: now, Content: content, Parts: []sign.Part{{Format: sign.SES}}}); !errors.Is(err, sign.ErrSignature) {
		t.Errorf("a key that gives r and s side by side: %v", err)
	}
}

func TestConcurrent(t *testing.T) {
	p := people()
	s := makeSeal(t, nil)
	st, err := s.Stamp(p.sm2, seal.StampOptions{Outer: p.p256, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			act := &sign.Act{Time: now, Content: content, Evidence: []byte("e"), Parts: []sign.Part{{Format: sign.Dual}, {Format: sign.SES}, {Format: sign.CMS}}}
			v, err := st.Sign(context.Background(), act)
			if err != nil {
				t.Error(err)
				return
			}
			checkSES(t, s, v[1].Bytes, p.sm2, "", "e")
		})
	}
	wg.Wait()
}
