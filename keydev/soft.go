package keydev

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/keydev/internal/soft"
)

// WriteSoftKey writes a private key and its certificates, its own first, where soft:DIR finds them: DIR/NAME.key,
// encrypted with pin (PBES2 with PBKDF2-HMAC-SHA256 and AES-256-CBC, mode 0600), and DIR/NAME.crt. It makes the
// directory if need be and overwrites nothing (fs.ErrExist). The caller wipes pin.
func WriteSoftKey(ctx context.Context, dir, name string, key crypto.Signer, chain [][]byte, pin []byte) error {
	return failed("soft:"+dir+"#"+name, soft.Write(ctx, dir, name, key, chain, pin))
}

type softDevice struct {
	dir    string
	closed atomic.Bool
}

func openSoft(dir string) (Device, error) {
	if dir == "" {
		return nil, fmt.Errorf("%w: the directory is missing; it reads soft:DIR", ErrURI)
	}
	st, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if !st.IsDir() {
		return nil, fmt.Errorf("%w: not a directory; it reads soft:DIR, and soft:DIR#NAME for a key", ErrURI)
	}
	return &softDevice{dir: dir}, nil
}

func (d *softDevice) ready(ctx context.Context) error {
	if d.closed.Load() {
		return ErrClosed
	}
	return ctx.Err()
}

func (d *softDevice) Close() error {
	d.closed.Store(true)
	return nil
}

func (d *softDevice) Keys(ctx context.Context) ([]KeyInfo, error) {
	uri := "soft:" + d.dir
	if err := d.ready(ctx); err != nil {
		return nil, failed(uri, err)
	}
	entries, err := soft.List(d.dir)
	if err != nil {
		return nil, failed(uri, err)
	}
	infos := make([]KeyInfo, 0, len(entries))
	for i, e := range entries {
		if i > 0 && entries[i-1].Name == e.Name {
			last := &infos[len(infos)-1]
			*last = KeyInfo{Name: e.Name, Err: failed(uri+"#"+e.Name, fmt.Errorf("%w: several files have this name", ErrAmbiguous))}
			continue
		}
		info, err := describe(e)
		info.Err = failed(uri+"#"+e.Name, err)
		infos = append(infos, info)
		if err := ctx.Err(); err != nil {
			return nil, failed(uri, err)
		}
	}
	return infos, nil
}

func describe(e soft.Entry) (KeyInfo, error) {
	info := KeyInfo{Name: e.Name}
	chain, err := e.Chain()
	if err == nil && chain != nil {
		var c *gm.Certificate
		if c, err = gm.ParseCertificate(chain[0]); err == nil {
			info = infoOf(e.Name, c)
		}
	}
	if err == nil {
		err = e.Check()
	}
	return info, err
}

type softKey struct {
	device *softDevice
	entry  soft.Entry
	uri    string
	auth   Auth
	pub    crypto.PublicKey
	chain  [][]byte

	gate   chan struct{} // holds one token; whoever has it may open the key
	signer atomic.Pointer[crypto.Signer]
}

func (d *softDevice) Key(ctx context.Context, name string, auth Auth) (Key, error) {
	uri := "soft:" + d.dir + "#" + name
	if err := d.ready(ctx); err != nil {
		return nil, failed(uri, err)
	}
	e, err := soft.Find(d.dir, name)
	if err != nil {
		return nil, failed(uri, err)
	}
	k := &softKey{device: d, entry: e, uri: uri, auth: auth, gate: make(chan struct{}, 1)}
	k.gate <- struct{}{}
	if err := e.Check(); err != nil {
		return nil, failed(uri, err)
	}
	if k.chain, err = e.Chain(); err != nil {
		return nil, failed(uri, err)
	}
	if k.chain == nil { // PKCS #12: the certificates come out with the key
		if _, err := k.open(ctx); err != nil {
			return nil, failed(uri, err)
		}
		return k, nil
	}
	c, err := gm.ParseCertificate(k.chain[0])
	if err != nil {
		return nil, failed(uri, fmt.Errorf("%w: %v", ErrMalformed, err))
	}
	k.pub = c.PublicKey
	if soft.Kind(k.pub) == "" {
		return nil, failed(uri, fmt.Errorf("%w: certificate with a key of type %T", ErrUnsupported, k.pub))
	}
	return k, nil
}

func (k *softKey) Public() crypto.PublicKey { return k.pub }
func (k *softKey) Chain() [][]byte          { return k.chain }

func (k *softKey) SignDigest(ctx context.Context, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if err := k.device.ready(ctx); err != nil {
		return nil, failed(k.uri, err)
	}
	if err := checkDigest(k.pub, digest, opts); err != nil {
		return nil, failed(k.uri, err)
	}
	signer, err := k.open(ctx)
	if err != nil {
		return nil, failed(k.uri, err)
	}
	sig, err := signer.Sign(rand.Reader, digest, opts)
	return sig, failed(k.uri, err)
}

// open reads the private key once. Callers that come meanwhile wait for the one that asks.
func (k *softKey) open(ctx context.Context) (crypto.Signer, error) {
	if s := k.signer.Load(); s != nil {
		return *s, nil
	}
	select {
	case <-k.gate:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { k.gate <- struct{}{} }()
	if s := k.signer.Load(); s != nil {
		return *s, nil
	}
	var pin []byte
	if k.entry.NeedsPIN() {
		if k.auth == nil {
			return nil, ErrNoAuth
		}
		reply, err := k.auth(ctx, Prompt{Key: k.uri, TriesLeft: -1})
		defer clear(reply.PIN)
		if err != nil {
			return nil, err
		}
		pin = reply.PIN
	}
	signer, chain, err := k.entry.Open(ctx, pin, k.chain)
	if err != nil {
		return nil, err
	}
	if k.chain == nil { // inside Key, before anyone else has k
		k.chain, k.pub = chain, signer.Public()
	}
	k.signer.Store(&signer)
	return signer, nil
}

// infoOf reads what a certificate says of its key.
func infoOf(name string, c *gm.Certificate) KeyInfo {
	const (
		signs    = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
		encrypts = x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment | x509.KeyUsageKeyAgreement
	)
	usage := x509.KeyUsage(c.KeyUsage)
	return KeyInfo{
		Name:    name,
		Kind:    soft.Kind(c.PublicKey),
		Subject: c.Subject.String(),
		Serial:  c.SerialNumber.Text(16),
		Sign:    usage == 0 || usage&signs != 0,
		Encrypt: usage == 0 || usage&encrypts != 0,
		Cert:    c.Raw,
	}
}
