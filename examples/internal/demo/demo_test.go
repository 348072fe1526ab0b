package demo

import (
	"bytes"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/keydev"
	"github.com/courtseal/courtseal/seal"
)

func TestMake(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	d, err := Make(t.Context(), dir, now)
	if err != nil || !d.Made {
		t.Fatal(d, err)
	}

	s, err := seal.ReadFile(d.Seal)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.VerifyValue(); err != nil {
		t.Error(err)
	}
	b, err := os.ReadFile(d.Roots)
	if err != nil {
		t.Fatal(err)
	}
	var roots []*gm.Certificate
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		c, err := gm.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, c)
	}
	if len(roots) != 2 || gm.IsSM2(roots[0].PublicKey) || !gm.IsSM2(roots[1].PublicKey) {
		t.Fatal("roots.pem is not the RSA root and the SM2 root")
	}
	maker, err := gm.ParseCertificate(s.MakerCert)
	if err != nil {
		t.Fatal(err)
	}
	if err := maker.CheckSignatureFrom(roots[1]); err != nil {
		t.Error(err)
	}
	for i, name := range []string{HolderRSA, HolderSM2} {
		k, dev, err := keydev.OpenKey(t.Context(), d.Key(name), keydev.PIN([]byte(PIN)))
		if err != nil {
			t.Fatal(err)
		}
		if !s.Holds(k.Chain()[0]) {
			t.Errorf("%s is not a holder", name)
		}
		c, err := gm.ParseCertificate(k.Chain()[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := c.CheckSignatureFrom(roots[i]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(c.CRLDistributionPoints)+len(c.OCSPServer) != 0 {
			t.Errorf("%s names a source of revocation", name)
		}
		st, err := s.Stamp(k, seal.StampOptions{Now: func() time.Time { return now }})
		if err != nil || st.Profile().Picture == nil {
			t.Errorf("%s: %v", name, err)
		}
		dev.Close()
	}

	before := read(t, d)
	again, err := Make(t.Context(), dir, now)
	if err != nil || again.Made || !bytes.Equal(before, read(t, again)) {
		t.Errorf("what was there was not kept: %v", err)
	}
	os.Remove(d.Seal)
	if _, err := Make(t.Context(), dir, now); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a part of a demo: %v", err)
	}
}

func TestMakeLeavesNothingHalfDone(t *testing.T) {
	dir := t.TempDir()
	far := time.Date(9995, 1, 1, 0, 0, 0, 0, time.UTC) // the keys are written before the seal turns out to be impossible
	if _, err := Make(t.Context(), dir, far); err == nil {
		t.Fatal("no error")
	}
	if files, err := os.ReadDir(filepath.Join(dir, "keys")); err != nil || len(files) != 0 {
		t.Errorf("%v, %v", files, err)
	}
	if _, err := Make(t.Context(), dir, time.Now()); err != nil {
		t.Errorf("after a failure: %v", err)
	}
}

func read(t *testing.T, d *Demo) []byte {
	t.Helper()
	var all []byte
	for _, f := range d.files() {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}
