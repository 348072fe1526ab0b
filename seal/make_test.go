package seal_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

func TestMake(t *testing.T) {
	s := makeSeal(t, nil)
	if s.Version != seal.V4 || s.Generation() != seal.V4 || s.Vid != "Courtseal" || s.Type != 1 || s.CertListType != seal.Certificates || !s.Created.Equal(start) {
		t.Errorf("defaults: %+v", s)
	}
	if len(s.Notes) > 0 {
		t.Errorf("notes: %v", s.Notes)
	}
	// The octets by hand, from the standard.
	want := kit{vid: ia5("Courtseal"), list: func() []byte {
		var l [][]byte
		for _, c := range template().Certs {
			l = append(l, octets(c))
		}
		return seq(l...)
	}()}
	if !bytes.Equal(s.Raw, seq(want.info(), octets(people().maker.Chain()[0]), oid(sm2OID), bits(s.Value))) {
		t.Errorf("%x", s.Raw)
	}
	want.number = 5
	if s := makeSeal(t, func(t *seal.Seal) { t.Version = seal.V5 }); s.Generation() != seal.V5 || len(s.Notes) > 0 ||
		!bytes.Equal(s.Raw, seq(want.info(), octets(people().maker.Chain()[0]), oid(sm2OID), bits(s.Value))) {
		t.Errorf("V5: %x", s.Raw)
	}
	for _, k := range []sign.Key{people().sm2, people().rsa, people().p256} {
		if !s.Holds(k.Chain()[0]) {
			t.Error("a holder is missing")
		}
	}

	all := func(t *seal.Seal) {
		t.Vid, t.Type, t.Created = "MAKER", 7, start.Add(-time.Hour)
		t.NotBefore = start.In(time.FixedZone("", 8*3600)).Add(999 * time.Millisecond)
		t.CertListType = seal.Digests
		t.Extensions = []seal.Extension{
			{ID: der.MustOID("1.3.6.1.4.1.1740623164284604419"), Critical: true, Value: []byte("{}")},
			{ID: der.MustOID("1.2.3"), Value: []byte{}}}
	}
	s = makeSeal(t, all)
	again := *s // a parsed seal is a template
	again.ID = "44010000000018"
	for _, s := range []*seal.Seal{s, makeSeal(t, func(t *seal.Seal) { *t = again })} {
		if s.Vid != "MAKER" || s.Type != 7 || !s.Created.Equal(start.Add(-time.Hour)) || !s.NotBefore.Equal(start) || len(s.Notes) > 0 {
			t.Errorf("%+v", s)
		}
		if len(s.Certs) != 0 || len(s.CertDigests) != 3 || s.CertDigests[0].Type != "1.2.156.10197.1.401" || !s.Holds(people().rsa.Chain()[0]) || s.Holds(people().stranger.Chain()[0]) {
			t.Errorf("digests %+v", s.CertDigests)
		}
		if len(s.Extensions) != 2 || !s.Extensions[0].Critical || s.Extensions[1].Critical || s.Extensions[0].ID.String() != "1.3.6.1.4.1.1740623164284604419" {
			t.Errorf("extensions %+v", s.Extensions)
		}
	}
}

func TestMakeRefuses(t *testing.T) {
	p := people()
	encryption := testpki.Shared(testpki.SM2).Issue(testpki.SM2, "encryption", func(c *gm.Certificate) { c.KeyUsage = 4 | 8 })
	old := testpki.Shared(testpki.SM2).Issue(testpki.SM2, "old maker", func(c *gm.Certificate) { c.NotAfter = start.Add(-time.Second) })
	for name, c := range map[string]struct {
		change func(*seal.Seal)
		maker  sign.Key
		want   error
	}{
		"V1":          {func(s *seal.Seal) { s.Version = seal.V1 }, p.maker, seal.ErrUnsupportedVersion},
		"V3":          {func(s *seal.Seal) { s.Version = 3 }, p.maker, seal.ErrUnsupportedVersion},
		"no ID":       {func(s *seal.Seal) { s.ID = "" }, p.maker, seal.ErrTemplate},
		"Chinese ID":  {func(s *seal.Seal) { s.ID = "一" }, p.maker, seal.ErrTemplate},
		"Chinese Vid": {func(s *seal.Seal) { s.Vid = "一" }, p.maker, seal.ErrTemplate},
		"no name":     {func(s *seal.Seal) { s.Name = "" }, p.maker, seal.ErrTemplate},
		"name in GBK": {func(s *seal.Seal) { s.Name = "\xb7\xa8" }, p.maker, seal.ErrTemplate},
		"no holders":  {func(s *seal.Seal) { s.Certs = nil }, p.maker, seal.ErrTemplate},
		"no digests":  {func(s *seal.Seal) { s.Certs, s.CertListType = nil, seal.Digests }, p.maker, seal.ErrTemplate},
		"digests for certs": {func(s *seal.Seal) {
			s.CertDigests, s.CertListType = []seal.CertDigest{{"SM3", testHash}}, seal.Certificates
		}, p.maker, seal.ErrTemplate},
		"digest too short":    {func(s *seal.Seal) { s.CertDigests = []seal.CertDigest{{"SM3", testHash[1:]}} }, p.maker, seal.ErrTemplate},
		"digest of no type":   {func(s *seal.Seal) { s.CertDigests = []seal.CertDigest{{"", testHash}} }, p.maker, seal.ErrTemplate},
		"digest type *":       {func(s *seal.Seal) { s.CertDigests = []seal.CertDigest{{"*", testHash}} }, p.maker, seal.ErrTemplate},
		"list type 3":         {func(s *seal.Seal) { s.CertListType = 3 }, p.maker, seal.ErrTemplate},
		"no certificate":      {func(s *seal.Seal) { s.Certs = [][]byte{{1}} }, p.maker, seal.ErrTemplate},
		"encryption holder":   {func(s *seal.Seal) { s.Certs = certsOf(encryption) }, p.maker, sign.ErrEncryptionCert},
		"no time":             {func(s *seal.Seal) { s.NotAfter = time.Time{} }, p.maker, seal.ErrTemplate},
		"year 10000":          {func(s *seal.Seal) { s.NotAfter = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, p.maker, seal.ErrTemplate},
		"ends as it starts":   {func(s *seal.Seal) { s.NotAfter = s.NotBefore.Add(time.Millisecond) }, p.maker, seal.ErrTemplate},
		"created after start": {func(s *seal.Seal) { s.Created = s.NotBefore.Add(time.Second) }, p.maker, seal.ErrTemplate},
		"no picture":          {func(s *seal.Seal) { s.Picture.Data = nil }, p.maker, seal.ErrTemplate},
		"no PNG":              {func(s *seal.Seal) { s.Picture.Data = []byte("GIF89a") }, p.maker, seal.ErrTemplate},
		"another type":        {func(s *seal.Seal) { s.Picture.Type = "JPG" }, p.maker, seal.ErrTemplate},
		"no width":            {func(s *seal.Seal) { s.Picture.Width = 0 }, p.maker, seal.ErrTemplate},
		"negative height":     {func(s *seal.Seal) { s.Picture.Height = -1 }, p.maker, seal.ErrTemplate},
		"wide beyond reason":  {func(s *seal.Seal) { s.Picture.Width = 1 << 40 }, p.maker, seal.ErrTemplate},
		"extension of no OID": {func(s *seal.Seal) { s.Extensions = []seal.Extension{{}} }, p.maker, seal.ErrTemplate},
		"too many extensions": {func(s *seal.Seal) { s.Extensions = slices.Repeat([]seal.Extension{{ID: der.MustOID("1.2.3")}}, 4097) }, p.maker, seal.ErrTemplate},
		"RSA maker":           {nil, p.rsa, sign.ErrUnsupportedKey},
		"encryption maker":    {nil, encryption, sign.ErrEncryptionCert},
		"expired maker":       {nil, old, seal.ErrExpired},
		"no maker":            {nil, nil, sign.ErrKeyMismatch},
		"maker, no cert":      {nil, sign.NewKey(testpki.NewKey(testpki.SM2)), sign.ErrKeyMismatch},
		"another's cert":      {nil, sign.NewKey(testpki.NewKey(testpki.SM2), p.maker.Chain()...), sign.ErrKeyMismatch},
		"unreadable cert":     {nil, sign.NewKey(testpki.NewKey(testpki.SM2), []byte{1}), sign.ErrKeyMismatch},
		"a key that lies":     {nil, brokenKey{p.maker, func([]byte) []byte { return seq(num(1), num(2)) }}, sign.ErrSignature},
	} {
		tmpl := template()
		if c.change != nil {
			c.change(tmpl)
		}
		if s, err := seal.Make(context.Background(), tmpl, c.maker); !errors.Is(err, c.want) || s != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := seal.Make(ctx, template(), p.maker); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// openssl checks an SM2 value with OpenSSL, given the certificate, the message and the user ID.
func openssl(t *testing.T, cert, message, value []byte, id string) error {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("openssl is not installed")
		}
		t.Skip("openssl is not installed")
	}
	c, err := gm.ParseCertificate(cert)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := gm.MarshalPKIXPublicKey(c.PublicKey.(*ecdsa.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, b := range map[string][]byte{"key": pub, "msg": message, "sig": value} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key", "-rawin", "-digest", "sm3",
		"-pkeyopt", "distid:"+id, "-in", "msg", "-sigfile", "sig")
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return errors.New(string(out))
	}
	if !strings.Contains(string(out), "Verified Successfully") {
		t.Fatalf("openssl: %s", out)
	}
	return nil
}

// first is the first element inside a SEQUENCE, whole.
func first(t *testing.T, b []byte) []byte {
	t.Helper()
	length := func(b []byte) (head, n int) {
		if b[1] < 128 {
			return 2, int(b[1])
		}
		head = 2 + int(b[1]&0x7f)
		for _, c := range b[2:head] {
			n = n<<8 | int(c)
		}
		return head, n
	}
	head, _ := length(b)
	b = b[head:]
	head, n := length(b)
	return b[:head+n]
}

func TestOpenSSL(t *testing.T) {
	const id = "1234567812345678"
	s := makeSeal(t, nil)
	if err := openssl(t, s.MakerCert, first(t, s.Raw), s.Value, id); err != nil {
		t.Error(err)
	}
	if err := openssl(t, s.MakerCert, first(t, s.Raw), s.Value, "8765432187654321"); err == nil {
		t.Error("another user ID passed")
	}
	v := stampOne(t, s, people().sm2, seal.StampOptions{Format: sign.SES}, nil)
	sig, err := seal.ParseSignature(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := openssl(t, sig.Cert, first(t, v), sig.Value, id); err != nil {
		t.Error(err)
	}
}
