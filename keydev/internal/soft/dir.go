// Package soft reads private keys from files: PKCS #8 and PKCS #12, with their certificates. It asks nobody for a PIN
// and keeps nothing; package keydev makes a device of it.
package soft

import (
	"bytes"
	"context"
	"crypto"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/keydev/internal/fault"
)

const (
	maxFile  = 1 << 20 // bytes of a key or certificate file
	maxChain = 16      // certificates beside a key
)

// The suffixes of key files. Certificates stand beside them in NAME.crt.
const (
	pkcs8    = ".key"
	insecure = ".key.insecure"
	pfx      = ".pfx"
	pkcs12   = ".p12"
)

// An Entry is a key file.
type Entry struct {
	Name string
	dir  string
	form string // its suffix
}

// File is the path of the key file.
func (e Entry) File() string { return filepath.Join(e.dir, e.Name+e.form) }

func (e Entry) certFile() string { return filepath.Join(e.dir, e.Name+".crt") }

// NeedsPIN reports whether Open needs one.
func (e Entry) NeedsPIN() bool { return e.form != insecure }

// List finds the key files of a directory, sorted by name.
func List(dir string) ([]Entry, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []Entry
	for _, f := range files {
		for _, form := range []string{pkcs8, insecure, pkcs12, pfx} {
			if name, ok := strings.CutSuffix(f.Name(), form); ok && name != "" && !f.IsDir() {
				list = append(list, Entry{name, dir, form})
			}
		}
	}
	slices.SortFunc(list, func(a, b Entry) int { return strings.Compare(a.Name+a.form, b.Name+b.form) })
	return list, nil
}

// Find finds one key file by its name.
func Find(dir, name string) (Entry, error) {
	list, err := List(dir)
	if err != nil {
		return Entry{}, err
	}
	var names, files []string
	var found Entry
	for _, e := range list {
		names = append(names, e.Name)
		if e.Name == name {
			found = e
			files = append(files, filepath.Base(e.File()))
		}
	}
	switch {
	case len(files) > 1:
		return Entry{}, fmt.Errorf("%w: %s", fault.ErrAmbiguous, strings.Join(files, ", "))
	case len(files) == 0 && len(names) == 0:
		return Entry{}, fmt.Errorf("%w: no .key, .p12 or .pfx file there", fault.ErrNoKey)
	case len(files) == 0:
		const most = 10
		more := ""
		if len(names) > most {
			names, more = names[:most], ", …"
		}
		return Entry{}, fmt.Errorf("%w; there are: %s%s", fault.ErrNoKey, strings.Join(names, ", "), more)
	}
	return found, nil
}

// Chain reads the certificates beside a key, its own first. nil: the key is in PKCS #12 and its certificates with it.
func (e Entry) Chain() ([][]byte, error) {
	name := e.certFile()
	b, err := readFile(name, false)
	if errors.Is(err, fs.ErrNotExist) {
		if e.form == pkcs12 || e.form == pfx {
			return nil, nil
		}
		return nil, fmt.Errorf("%w: its certificate %s is missing", fault.ErrNoKey, name)
	}
	if err != nil {
		return nil, err
	}
	chain, err := parseChain(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return chain, nil
}

// parseChain reads one certificate in DER, or several in PEM.
func parseChain(b []byte) ([][]byte, error) {
	var chain [][]byte
	if len(b) > 0 && b[0] == 0x30 {
		chain, b = [][]byte{b}, nil
	}
	for {
		var block *pem.Block
		if block, b = pem.Decode(b); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		if chain = append(chain, block.Bytes); len(chain) > maxChain {
			return nil, fmt.Errorf("%w: more than %d certificates", fault.ErrMalformed, maxChain)
		}
	}
	if chain == nil {
		return nil, fmt.Errorf("%w: no certificate in DER or PEM", fault.ErrMalformed)
	}
	for i, c := range chain {
		if _, err := gm.ParseCertificate(c); err != nil {
			return nil, fmt.Errorf("%w: certificate %d: %v", fault.ErrMalformed, i+1, err)
		}
	}
	return chain, nil
}

// Open reads the private key. chain is what Chain gave; where that was nil, the certificates of PKCS #12 are returned.
func (e Entry) Open(ctx context.Context, pin []byte, chain [][]byte) (crypto.Signer, [][]byte, error) {
	b, err := readFile(e.File(), true)
	if err != nil {
		return nil, nil, err
	}
	defer clear(b)
	if e.NeedsPIN() && len(pin) == 0 {
		return nil, nil, fmt.Errorf("%w: it is empty", fault.ErrPINIncorrect)
	}
	m := &meter{ctx, MaxRounds}
	key, inside, err := e.read(m, b, pin)
	if chain == nil {
		chain = inside
	} else if key != nil {
		err = nil // the certificates inside could not be read and are not needed
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", e.File(), err)
	}
	return key, chain, checkPair(key, chain)
}

func (e Entry) read(m *meter, b, pin []byte) (crypto.Signer, [][]byte, error) {
	if e.form == pkcs12 || e.form == pfx {
		return m.openPKCS12(b, pin)
	}
	der, encrypted, err := privateKeyBytes(b)
	if err != nil {
		return nil, nil, err
	}
	defer clear(der)
	var key crypto.Signer
	switch {
	case encrypted && e.form == insecure:
		err = fmt.Errorf("%w: it is encrypted: name it %s", fault.ErrMalformed, e.Name+pkcs8)
	case encrypted:
		key, err = m.openPKCS8(der, pin)
	case e.form == insecure:
		key, err = parsePrivateKey(der)
	default:
		err = fmt.Errorf("%w: it is not encrypted; %s, or, where nothing depends on it, name it %s",
			fault.ErrUnsafe, mend, e.Name+insecure)
	}
	return key, nil, err
}

// checkPair checks that a private key and a certificate belong together.
func checkPair(key crypto.Signer, chain [][]byte) error {
	if len(chain) == 0 {
		return fmt.Errorf("%w: there is none in the file; put it beside the key in a .crt file", fault.ErrMismatch)
	}
	c, err := gm.ParseCertificate(chain[0])
	if err != nil {
		return fmt.Errorf("%w: certificate: %v", fault.ErrMalformed, err)
	}
	if !gm.SameKey(c.PublicKey, key.Public()) {
		return fmt.Errorf("%w: %s", fault.ErrMismatch, c.Subject)
	}
	return nil
}

// Check looks at the key file from outside: it is a file, and out of the reach of others.
func (e Entry) Check() error {
	st, err := os.Stat(e.File())
	if err != nil {
		return err
	}
	return checkFile(e.File(), st, true)
}

func checkFile(name string, st fs.FileInfo, secret bool) error {
	if !st.Mode().IsRegular() {
		return fmt.Errorf("%w: %s is not a file", fault.ErrMalformed, name)
	}
	if mode := st.Mode().Perm(); secret && mode&0o077 != 0 && runtime.GOOS != "windows" {
		return fmt.Errorf("%w: others have rights to %s (mode %04o); say `chmod 600 %s`", fault.ErrUnsafe, name, mode, name)
	}
	if st.Size() > maxFile {
		return fmt.Errorf("%w: %s has %d bytes, more than the %d that are read", fault.ErrMalformed, name, st.Size(), maxFile)
	}
	return nil
}

// readFile reads a small regular file; a secret one must be out of the reach of others.
func readFile(name string, secret bool) ([]byte, error) {
	if st, err := os.Stat(name); err != nil {
		return nil, err
	} else if err := checkFile(name, st, secret); err != nil { // asked before opening, which blocks on a pipe
		return nil, err
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := checkFile(name, st, secret); err != nil { // the file that was opened
		return nil, err
	}
	b := make([]byte, st.Size()) // in one piece, so that it can be wiped
	n, err := io.ReadFull(f, b)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	return b[:n], nil
}

// Write makes NAME.key and NAME.crt. It overwrites nothing.
func Write(ctx context.Context, dir, name string, key crypto.Signer, chain [][]byte, pin []byte) error {
	if name == "" || name[0] == '.' || strings.ContainsAny(name, `/\#`+"\x00") {
		return fmt.Errorf("%w: a key may not be named %q", fault.ErrMalformed, name)
	}
	if err := checkPair(key, chain); err != nil {
		return err
	}
	if list, err := List(dir); err == nil {
		for _, e := range list {
			if e.Name == name {
				return fmt.Errorf("%s: %w", e.File(), fs.ErrExist)
			}
		}
	}
	der, err := encryptPKCS8(ctx, key, pin)
	if err != nil {
		return err
	}
	var certs bytes.Buffer
	for _, c := range chain {
		pem.Encode(&certs, &pem.Block{Type: "CERTIFICATE", Bytes: c})
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	e := Entry{name, dir, pkcs8}
	if err := create(e.certFile(), certs.Bytes(), 0o644); err != nil {
		return err
	}
	err = create(e.File(), pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der}), 0o600)
	if err != nil {
		os.Remove(e.certFile())
	}
	return err
}

func create(name string, b []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		os.Remove(name)
	}
	return err
}
