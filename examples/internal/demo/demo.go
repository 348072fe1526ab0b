// Package demo makes what a demonstration needs and a court has: roots that are trusted, a seal, and the keys of its
// holders. Nothing made here is secret, and nothing real should trust it.
package demo

import (
	"bytes"
	"context"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/keydev"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/seal/imprint"
)

const (
	PIN       = "123456"     // of every key
	HolderSM2 = "holder-sm2" // names of the keys in Keys: of the seal's holders,
	HolderRSA = "holder-rsa"
	TSASM2    = "tsa-sm2" // and of time-stamping authorities
	TSARSA    = "tsa-rsa"

	Court = "示例省示例市示例区人民法院"
)

// A Demo names the files of a demonstration.
type Demo struct {
	Roots string // PEM: the RSA root, then the SM2 root
	Seal  string // a seal of GB/T 38540-2020, 45 mm round, whose holders are HolderSM2 and HolderRSA
	Keys  string // directory of the keys, as soft:DIR has it
	Made  bool   // they are new
}

// Key is the URI of a key.
func (d *Demo) Key(name string) string { return "soft:" + d.Keys + "#" + name }

func (d *Demo) files() []string {
	files := []string{d.Seal, d.Roots}
	for _, name := range []string{HolderSM2, HolderRSA, TSASM2, TSARSA} {
		files = append(files, filepath.Join(d.Keys, name+".key"), filepath.Join(d.Keys, name+".crt"))
	}
	return files
}

// Make makes DIR/roots.pem, DIR/court.esl and DIR/keys, or keeps them where they are there. They belong together, so a
// directory that has only some of them is an error (fs.ErrExist). The seal is valid for ten years from the day before
// now. No certificate names a source of revocation.
func Make(ctx context.Context, dir string, now time.Time) (*Demo, error) {
	d := &Demo{
		Roots: filepath.Join(dir, "roots.pem"),
		Seal:  filepath.Join(dir, "court.esl"),
		Keys:  filepath.Join(dir, "keys"),
	}
	var there, missing []string
	for _, f := range d.files() {
		switch _, err := os.Lstat(f); {
		case err == nil:
			there = append(there, f)
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, f)
		default:
			return nil, err
		}
	}
	if len(missing) == 0 {
		return d, nil
	}
	if len(there) > 0 {
		return nil, fmt.Errorf("demo: %w: %s, without %s: they belong together; remove them or take another directory",
			fs.ErrExist, strings.Join(there, ", "), strings.Join(missing, ", "))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	d.Made = true
	if err := d.make(ctx, now); err != nil {
		for _, f := range d.files() { // none of them was there before
			os.Remove(f)
		}
		return nil, err
	}
	return d, nil
}

func (d *Demo) make(ctx context.Context, now time.Time) error {
	roots := map[testpki.Kind]*testpki.CA{}
	holders := map[testpki.Kind][]byte{}
	type made struct {
		kind testpki.Kind
		root *testpki.CA
		cert []byte
		err  error
	}
	results := make(chan made, 2)
	for kind, names := range map[testpki.Kind][2]string{testpki.SM2: {HolderSM2, TSASM2}, testpki.RSA: {HolderRSA, TSARSA}} {
		go func() { // the RSA keys and the encryption take their time
			root := testpki.NewCA(kind, "Courtseal Demo Root "+string(kind))
			key, chain := root.IssueSigner(kind, "", Subject(Court, "电子印章 "+string(kind)))
			err := keydev.WriteSoftKey(ctx, d.Keys, names[0], key, chain, []byte(PIN))
			clock, stamps := root.IssueSigner(kind, "", func(c *gm.Certificate) {
				Subject("示例时间戳中心", "时间戳 "+string(kind))(c)
				testpki.TimeStamping(c)
			})
			err = errors.Join(err, keydev.WriteSoftKey(ctx, d.Keys, names[1], clock, stamps, []byte(PIN)))
			results <- made{kind, root, chain[0], err}
		}()
	}
	var errs error
	for range 2 {
		r := <-results
		roots[r.kind], holders[r.kind] = r.root, r.cert
		errs = errors.Join(errs, r.err)
	}
	if errs != nil {
		return errs
	}

	picture, err := imprint.Draw(imprint.Options{Name: Court, Diameter: imprint.Basic})
	if err != nil {
		return err
	}
	maker := roots[testpki.SM2].Issue(testpki.SM2, "", Subject("示例印章制作中心", "制章者"))
	from := now.UTC().AddDate(0, 0, -1)
	s, err := seal.Make(ctx, &seal.Seal{
		ID:        "3299990000000001",
		Name:      Court,
		Certs:     [][]byte{holders[testpki.SM2], holders[testpki.RSA]},
		NotBefore: from,
		NotAfter:  from.AddDate(10, 0, 0),
		Picture:   picture,
	}, maker)
	if err != nil {
		return err
	}
	if err := create(d.Seal, s.Raw); err != nil {
		return err
	}
	return create(d.Roots, bytes.Join([][]byte{roots[testpki.RSA].PEM(), roots[testpki.SM2].PEM()}, nil))
}

// Subject names a certificate.
func Subject(org, cn string) func(*gm.Certificate) {
	return func(c *gm.Certificate) {
		c.Subject = pkix.Name{Country: []string{"CN"}, Organization: []string{org}, CommonName: cn}
	}
}

func create(name string, b []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}

// Quicken has OpenSSL, where it is installed, encrypt the keys of a directory again with less work, for tests: under the
// race detector to open keys is most of their time.
func Quicken(dir string) {
	keys, _ := filepath.Glob(filepath.Join(dir, "*.key"))
	for _, key := range keys {
		quick := key + ".quick"
		err := exec.Command("openssl", "pkcs8", "-topk8", "-in", key, "-out", quick, "-v2", "aes-256-cbc", "-iter", "2048",
			"-passin", "pass:"+PIN, "-passout", "pass:"+PIN).Run()
		if err == nil {
			err = os.Rename(quick, key)
		}
		if err != nil {
			os.Remove(quick)
		}
	}
}
