package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/courtseal/courtseal/examples/internal/document"
	"github.com/courtseal/courtseal/examples/internal/secret"
	"github.com/courtseal/courtseal/keydev"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// A keyConfig names a device, or a key of it, and the file with its PIN.
type keyConfig struct {
	URI     string `json:"uri"` // "soft:DIR", or "soft:DIR#NAME"
	PINFile string `json:"pinFile"`
}

// in makes the names relative to a directory.
func (k keyConfig) in(dir string) keyConfig {
	k.PINFile = within(dir, k.PINFile)
	if name, ok := strings.CutPrefix(k.URI, "soft:"); ok {
		k.URI = "soft:" + within(dir, name)
	}
	return k
}

func (k keyConfig) auth(context.Context, keydev.Prompt) (keydev.Reply, error) {
	pin, err := secret.Read(k.PINFile)
	return keydev.Reply{PIN: pin}, err
}

// errNoKey: the server has no key of a holder of the seal.
var errNoKey = errors.New("the server has no key of this seal")

// A keyring has the keys of seals. It is safe for concurrent use.
type keyring struct {
	now     func() time.Time
	devices []keydev.Device
	keys    []sign.Key

	mu     sync.Mutex
	stamps map[string]sign.Signer // by esID and format: what is in the books under an esID stays the same
}

// openKeys opens every signing key of some devices. No PIN is asked for before a key is used.
func openKeys(ctx context.Context, now func() time.Time, configs ...keyConfig) (r *keyring, err error) {
	r = &keyring{now: now, stamps: map[string]sign.Signer{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	for _, c := range configs {
		device, err := keydev.Open(ctx, c.URI)
		if err != nil {
			return r, err
		}
		r.devices = append(r.devices, device)
		infos, err := device.Keys(ctx)
		if err != nil {
			return r, err
		}
		for _, info := range infos {
			if info.Err != nil || !info.Sign {
				continue
			}
			key, err := device.Key(ctx, info.Name, c.auth)
			if err != nil {
				return r, err
			}
			r.keys = append(r.keys, key)
		}
	}
	return r, nil
}

func (r *keyring) close() error {
	var err error
	for _, d := range r.devices {
		err = errors.Join(err, d.Close())
	}
	return err
}

// stamp puts a seal to use with the keys of its holders that are here. It reads the seal once.
func (r *keyring) stamp(id string, format sign.Format, k document.Kind, read func() ([]byte, error)) (sign.Signer, error) {
	word := k == document.Word && (format == "" || format == sign.CMS)
	name := fmt.Sprint(id, " ", format, " ", word)
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.stamps[name]; s != nil {
		return s, nil
	}
	der, err := read()
	if err != nil {
		return nil, err
	}
	s, err := seal.Parse(der)
	if err != nil {
		return nil, err
	}
	inner, outer := r.holders(s)
	switch { // Word itself has no SM2
	case word && format == sign.CMS && outer != nil:
		inner, outer = outer, nil
	case word && format == "" && outer == nil:
		format = sign.SES
	}
	if inner == nil {
		inner, outer = outer, nil
	}
	if inner == nil {
		return nil, fmt.Errorf("%w: %s", errNoKey, s.ID)
	}
	o := seal.StampOptions{Format: format, Now: r.now}
	if format == sign.Dual || format == "" {
		o.Outer = outer
	}
	stamp, err := s.Stamp(inner, o)
	if err == nil {
		r.stamps[name] = stamp
	}
	return stamp, err
}

// holders are an SM2 key and another of a seal's holders; nil where there is none.
func (r *keyring) holders(s *seal.Seal) (sm2, other sign.Key) {
	for _, k := range r.keys {
		scheme, err := sign.SchemeFor(k.Public())
		switch {
		case err != nil || !s.Holds(k.Chain()[0]):
		case scheme.Kind == sign.SM2 && sm2 == nil:
			sm2 = k
		case scheme.Kind != sign.SM2 && other == nil:
			other = k
		}
	}
	return sm2, other
}
