package seal_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

func TestOf(t *testing.T) {
	p, s := people(), makeSeal(t, nil)
	for name, value := range map[string][]byte{
		"ses":  stampOne(t, s, p.sm2, seal.StampOptions{Format: sign.SES}, nil),
		"cms":  stampOne(t, s, p.rsa, seal.StampOptions{}, nil),
		"dual": stampOne(t, s, p.sm2, seal.StampOptions{Outer: p.p256}, nil),
		"v1":   kit{v1: true, pic: seq(ia5("PNG"), octets([]byte("x")), num(1), num(1))}.signature(),
	} {
		got, err := seal.Of(value)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if name != "v1" && !bytes.Equal(got.Raw, s.Raw) || got.Generation() == seal.V1 != (name == "v1") {
			t.Errorf("%s: another seal", name)
		}
		if _, err := seal.Of(value[:len(value)-1]); err == nil {
			t.Errorf("%s: cut short and read", name)
		}
	}
	plain, err := cms.Sign(t.Context(), p.rsa, content[sign.SHA256], cms.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := seal.Of(plain.Bytes); !errors.Is(err, seal.ErrNoSeal) {
		t.Error(err)
	}
	for _, bad := range [][]byte{nil, {0x30}, s.Raw, seq(oid("1.2.3"))} {
		if _, err := seal.Of(bad); err == nil {
			t.Errorf("%x: read", bad)
		}
	}
}

func FuzzOf(f *testing.F) {
	p, s := people(), makeSeal(f, nil)
	f.Add(stampOne(f, s, p.sm2, seal.StampOptions{Format: sign.SES}, nil))
	f.Add(stampOne(f, s, p.p256, seal.StampOptions{}, nil))
	f.Add(stampOne(f, s, p.sm2, seal.StampOptions{Outer: p.p256}, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := seal.Of(b); err == nil && got.Raw == nil {
			t.Error("a seal without bytes")
		}
	})
}
