// Package keydevtest is the conformance suite that every driver of keydev passes.
package keydevtest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/keydev"
)

// A Setup is a device in its first state, with at least one key that signs.
type Setup struct {
	Device keydev.Device
	PIN    string // of every key; empty: none is needed
	Wrong  string // a PIN of acceptable shape that is not right
}

// Run checks the device that open makes anew for every test. Every key in its list must be usable.
func Run(t *testing.T, open func(t *testing.T) Setup) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, *suite)
	}{
		{"Keys", testKeys},
		{"SignEveryDigest", testSign},
		{"DigestRefused", testDigestRefused},
		{"WrongPIN", testWrongPIN},
		{"NoAuth", testNoAuth},
		{"AuthError", testAuthError},
		{"UnknownName", testUnknownName},
		{"Cancelled", testCancelled},
		{"AskedUntilCancelled", testAskedUntilCancelled},
		{"Concurrent", testConcurrent},
		{"Closed", testClosed},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &suite{Setup: open(t)}
			t.Cleanup(func() {
				if err := s.Device.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			infos, err := s.Device.Keys(t.Context())
			if err != nil {
				t.Fatalf("Keys: %v", err)
			}
			if len(infos) == 0 {
				t.Fatal("the device lists no key")
			}
			s.infos = infos
			test.run(t, s)
			s.checkWiped(t)
		})
	}
}

type suite struct {
	Setup
	infos []keydev.KeyInfo

	mu   sync.Mutex
	pins [][]byte // every slice that was given to the device
}

// auth answers with the PIN and keeps the slice, to see it wiped.
func (s *suite) auth(pin string) keydev.Auth {
	return func(ctx context.Context, p keydev.Prompt) (keydev.Reply, error) {
		b := []byte(pin)
		s.mu.Lock()
		s.pins = append(s.pins, b)
		s.mu.Unlock()
		return keydev.Reply{PIN: b}, nil
	}
}

func (s *suite) checkWiped(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.pins {
		if slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) {
			t.Error("a PIN was not wiped after use")
		}
	}
}

func (s *suite) key(t *testing.T, name string) keydev.Key {
	t.Helper()
	k, err := s.Device.Key(t.Context(), name, s.auth(s.PIN))
	if err != nil {
		t.Fatalf("Key(%q): %v", name, err)
	}
	return k
}

func testKeys(t *testing.T, s *suite) {
	seen := map[string]bool{}
	for _, info := range s.infos {
		if info.Err != nil {
			t.Errorf("%s: %v", info.Name, info.Err)
		}
		if info.Name == "" || seen[info.Name] {
			t.Errorf("%q: names must be given, and once", info.Name)
		}
		seen[info.Name] = true
		k := s.key(t, info.Name)
		if len(k.Chain()) == 0 {
			t.Fatalf("%s: no certificate", info.Name)
		}
		c, err := gm.ParseCertificate(k.Chain()[0])
		if err != nil {
			t.Fatalf("%s: %v", info.Name, err)
		}
		if !c.PublicKey.(interface{ Equal(crypto.PublicKey) bool }).Equal(k.Public()) {
			t.Errorf("%s: the certificate is of another key", info.Name)
		}
		if info.Cert == nil {
			continue // locked up with the key
		}
		if !bytes.Equal(info.Cert, k.Chain()[0]) || info.Subject != c.Subject.String() || info.Kind == "" ||
			info.Serial != c.SerialNumber.Text(16) || !info.Sign && !info.Encrypt {
			t.Errorf("%s: %+v does not describe the certificate", info.Name, info)
		}
	}
}

type digest struct {
	name string
	sum  []byte
	opts crypto.SignerOpts
}

// digests makes one of every kind that fits the key.
func digests(t *testing.T, pub crypto.PublicKey, msg string) []digest {
	t.Helper()
	if gm.IsSM2(pub) {
		e, err := gm.Digest(pub, []byte(msg))
		if err != nil {
			t.Fatal(err)
		}
		return []digest{{"SM2", e, crypto.Hash(0)}}
	}
	var list []digest
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		sum := h.New()
		sum.Write([]byte(msg))
		list = append(list, digest{h.String(), sum.Sum(nil), h})
		if _, ok := pub.(*rsa.PublicKey); ok {
			list = append(list, digest{"PSS " + h.String(), sum.Sum(nil), &rsa.PSSOptions{Hash: h, SaltLength: rsa.PSSSaltLengthEqualsHash}})
		}
	}
	return list
}

func (d digest) verify(pub crypto.PublicKey, sig []byte) bool {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		if o, ok := d.opts.(*rsa.PSSOptions); ok {
			return rsa.VerifyPSS(k, o.Hash, d.sum, sig, o) == nil
		}
		return rsa.VerifyPKCS1v15(k, d.opts.HashFunc(), d.sum, sig) == nil
	case *ecdsa.PublicKey:
		if gm.IsSM2(k) {
			return gm.VerifyDigest(k, d.sum, sig)
		}
		return ecdsa.VerifyASN1(k, d.sum, sig)
	}
	return false
}

func testSign(t *testing.T, s *suite) {
	for _, info := range s.infos {
		k := s.key(t, info.Name)
		for _, d := range digests(t, k.Public(), "one message") {
			before := bytes.Clone(d.sum)
			sig, err := k.SignDigest(t.Context(), d.sum, d.opts)
			if _, pss := d.opts.(*rsa.PSSOptions); pss && errors.Is(err, keydev.ErrUnsupported) {
				continue
			}
			if err != nil {
				t.Errorf("%s, %s: %v", info.Name, d.name, err)
				continue
			}
			if !bytes.Equal(before, d.sum) {
				t.Errorf("%s, %s: the digest was changed", info.Name, d.name)
			}
			if !d.verify(k.Public(), sig) {
				t.Errorf("%s, %s: the signature is wrong", info.Name, d.name)
			}
			other := d
			other.sum = bytes.Clone(d.sum)
			other.sum[0] ^= 1
			if other.verify(k.Public(), sig) {
				t.Errorf("%s, %s: the signature passes for another digest", info.Name, d.name)
			}
		}
	}
	if s.PIN != "" && len(s.pins) == 0 {
		t.Error("no PIN was asked for")
	}
}

func testDigestRefused(t *testing.T, s *suite) {
	for _, info := range s.infos {
		k := s.key(t, info.Name)
		for _, d := range digests(t, k.Public(), "m") {
			for _, wrong := range []digest{
				{"a digest cut short", d.sum[:len(d.sum)-1], d.opts},
				{"a digest too long", append(bytes.Clone(d.sum), 0), d.opts},
				{"no digest", nil, d.opts},
				{"no options", d.sum, nil},
				{"SHA-1", make([]byte, 20), crypto.SHA1},
				{"MD5", make([]byte, 16), crypto.MD5},
				{"nil PSS options", d.sum, (*rsa.PSSOptions)(nil)},
			} {
				if _, err := k.SignDigest(t.Context(), wrong.sum, wrong.opts); !errors.Is(err, keydev.ErrDigest) {
					t.Errorf("%s, %s with %s: %v, not ErrDigest", info.Name, d.name, wrong.name, err)
				}
			}
		}
		wrongOpts := crypto.SignerOpts(crypto.Hash(0))
		if gm.IsSM2(k.Public()) {
			wrongOpts = crypto.SHA256
		}
		if _, err := k.SignDigest(t.Context(), make([]byte, 32), wrongOpts); !errors.Is(err, keydev.ErrDigest) {
			t.Errorf("%s with the options of another kind of key: %v, not ErrDigest", info.Name, err)
		}
		if _, ok := k.Public().(*rsa.PublicKey); !ok {
			opts := &rsa.PSSOptions{Hash: crypto.SHA256}
			if _, err := k.SignDigest(t.Context(), make([]byte, 32), opts); !errors.Is(err, keydev.ErrDigest) {
				t.Errorf("%s with PSS: %v, not ErrDigest", info.Name, err)
			}
		}
	}
}

// use takes a key and signs once: a device may ask for the PIN at either.
func use(ctx context.Context, t *testing.T, d keydev.Device, name string, auth keydev.Auth) error {
	t.Helper()
	k, err := d.Key(ctx, name, auth)
	if err != nil {
		return err
	}
	dig := digests(t, k.Public(), "m")[0]
	sig, err := k.SignDigest(ctx, dig.sum, dig.opts)
	if err == nil && !dig.verify(k.Public(), sig) {
		t.Errorf("%s: the signature is wrong", name)
	}
	return err
}

func testWrongPIN(t *testing.T, s *suite) {
	if s.PIN == "" {
		t.Skip("the device needs no PIN")
	}
	name := s.infos[0].Name
	for _, wrong := range []string{s.Wrong, ""} {
		asked := len(s.pins)
		err := use(t.Context(), t, s.Device, name, s.auth(wrong))
		var e *keydev.Error
		if !errors.Is(err, keydev.ErrPINIncorrect) || !errors.As(err, &e) {
			t.Fatalf("wrong PIN: %v, not an Error with ErrPINIncorrect", err)
		}
		if n := len(s.pins) - asked; n != 1 {
			t.Errorf("wrong PIN: asked %d times", n)
		}
		if wrong != "" && strings.Contains(err.Error(), wrong) {
			t.Error("the error quotes the PIN")
		}
	}
	if err := use(t.Context(), t, s.Device, name, s.auth(s.PIN)); err != nil {
		t.Errorf("right PIN after a wrong one: %v", err)
	}
	// One key, asked again after a wrong PIN.
	answers := []string{s.Wrong, s.PIN}
	auth := func(ctx context.Context, p keydev.Prompt) (keydev.Reply, error) {
		a := answers[0]
		answers = answers[1:]
		return s.auth(a)(ctx, p)
	}
	k, err := s.Device.Key(t.Context(), name, auth)
	if errors.Is(err, keydev.ErrPINIncorrect) {
		return // asked for by Key already
	}
	if err != nil {
		t.Fatal(err)
	}
	d := digests(t, k.Public(), "m")[0]
	if _, err := k.SignDigest(t.Context(), d.sum, d.opts); !errors.Is(err, keydev.ErrPINIncorrect) && !errors.Is(err, keydev.ErrPINLocked) {
		t.Errorf("wrong PIN: %v", err)
	}
	if _, err := k.SignDigest(t.Context(), d.sum, d.opts); err != nil {
		t.Errorf("the same key, right PIN after a wrong one: %v", err)
	}
}

func testNoAuth(t *testing.T, s *suite) {
	if s.PIN == "" {
		t.Skip("the device needs no PIN")
	}
	name := s.infos[0].Name
	if err := use(t.Context(), t, s.Device, name, nil); !errors.Is(err, keydev.ErrNoAuth) {
		t.Errorf("without Auth: %v, not ErrNoAuth", err)
	}
	once := keydev.PIN([]byte(s.PIN))
	if err := use(t.Context(), t, s.Device, name, once); err != nil {
		t.Errorf("with PIN: %v", err)
	}
	if err := use(t.Context(), t, s.Device, name, once); !errors.Is(err, keydev.ErrNoAuth) {
		t.Errorf("with a PIN that is used up: %v, not ErrNoAuth", err)
	}
}

func testAuthError(t *testing.T, s *suite) {
	if s.PIN == "" {
		t.Skip("the device needs no PIN")
	}
	left := errors.New("the person walked away")
	auth := func(context.Context, keydev.Prompt) (keydev.Reply, error) { return keydev.Reply{}, left }
	if err := use(t.Context(), t, s.Device, s.infos[0].Name, auth); !errors.Is(err, left) {
		t.Errorf("Auth's error is lost: %v", err)
	}
}

func testUnknownName(t *testing.T, s *suite) {
	for _, name := range []string{"no-such-key", "", "../" + s.infos[0].Name, "./" + s.infos[0].Name, "a\x00b"} {
		if _, err := s.Device.Key(t.Context(), name, s.auth(s.PIN)); !errors.Is(err, keydev.ErrNoKey) {
			t.Errorf("%q: %v, not ErrNoKey", name, err)
		}
	}
}

func testCancelled(t *testing.T, s *suite) {
	k := s.key(t, s.infos[0].Name)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	asked := len(s.pins)
	if _, err := s.Device.Keys(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Keys: %v", err)
	}
	if _, err := s.Device.Key(ctx, s.infos[0].Name, s.auth(s.PIN)); !errors.Is(err, context.Canceled) {
		t.Errorf("Key: %v", err)
	}
	d := digests(t, k.Public(), "m")[0]
	if _, err := k.SignDigest(ctx, d.sum, d.opts); !errors.Is(err, context.Canceled) {
		t.Errorf("SignDigest: %v", err)
	}
	if len(s.pins) != asked {
		t.Error("a PIN was asked for after the context's end")
	}
	if _, err := k.SignDigest(t.Context(), d.sum, d.opts); err != nil {
		t.Errorf("after a cancelled call: %v", err)
	}
}

// testAskedUntilCancelled ends the context while a person is being asked, and while another call waits for the answer.
func testAskedUntilCancelled(t *testing.T, s *suite) {
	if s.PIN == "" {
		t.Skip("the device needs no PIN")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	auth := func(ctx context.Context, _ keydev.Prompt) (keydev.Reply, error) {
		<-ctx.Done()
		return keydev.Reply{}, ctx.Err()
	}
	k, err := s.Device.Key(ctx, s.infos[0].Name, auth)
	if err != nil {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Key: %v", err)
		}
		return
	}
	d := digests(t, k.Public(), "m")[0]
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, err := k.SignDigest(ctx, d.sum, d.opts); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("SignDigest: %v", err)
			}
		})
	}
	wg.Wait()
}

func testConcurrent(t *testing.T, s *suite) {
	var keys []keydev.Key
	for _, info := range s.infos {
		keys = append(keys, s.key(t, info.Name))
	}
	var wg sync.WaitGroup
	for i := range 16 {
		k := keys[i%len(keys)]
		wg.Go(func() {
			list := digests(t, k.Public(), strings.Repeat("m", i))
			d := list[i%len(list)]
			sig, err := k.SignDigest(t.Context(), d.sum, d.opts)
			if _, pss := d.opts.(*rsa.PSSOptions); pss && errors.Is(err, keydev.ErrUnsupported) {
				return
			}
			if err != nil {
				t.Error(err)
			} else if !d.verify(k.Public(), sig) {
				t.Error("the signature is wrong")
			}
		})
	}
	wg.Wait()
}

func testClosed(t *testing.T, s *suite) {
	k := s.key(t, s.infos[0].Name)
	d := digests(t, k.Public(), "m")[0]
	if _, err := k.SignDigest(t.Context(), d.sum, d.opts); err != nil {
		t.Fatal(err)
	}
	if err := s.Device.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if _, err := s.Device.Keys(t.Context()); !errors.Is(err, keydev.ErrClosed) {
		t.Errorf("Keys: %v, not ErrClosed", err)
	}
	if _, err := s.Device.Key(t.Context(), s.infos[0].Name, s.auth(s.PIN)); !errors.Is(err, keydev.ErrClosed) {
		t.Errorf("Key: %v, not ErrClosed", err)
	}
	if _, err := k.SignDigest(t.Context(), d.sum, d.opts); !errors.Is(err, keydev.ErrClosed) {
		t.Errorf("SignDigest: %v, not ErrClosed", err)
	}
}
