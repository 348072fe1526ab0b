package seal_test

import (
	"context"
	"testing"

	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

func BenchmarkParse(b *testing.B) {
	raw := makeSeal(b, nil).Raw
	b.ReportAllocs()
	for b.Loop() {
		if _, err := seal.Parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerifyValue(b *testing.B) {
	s := makeSeal(b, nil)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.VerifyValue(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSign stands beside its floor: the signatures over as many octets, and nothing else.
func BenchmarkSign(b *testing.B) {
	p := people()
	s := makeSeal(b, func(t *seal.Seal) { t.Picture.Data = append(picture(), make([]byte, 16000)...) })
	ctx := context.Background()
	for _, c := range []struct {
		name string
		key  sign.Key
		o    seal.StampOptions
	}{
		{"ses", p.sm2, seal.StampOptions{Format: sign.SES}},
		{"cms SM2", p.sm2, seal.StampOptions{}},
		{"cms RSA", p.rsa, seal.StampOptions{}},
		{"dual", p.sm2, seal.StampOptions{Outer: p.p256}},
	} {
		c.o.Now = clock
		st, err := s.Stamp(c.key, c.o)
		if err != nil {
			b.Fatal(err)
		}
		f := st.Profile().Format
		act := &sign.Act{Time: now, Content: content, Parts: []sign.Part{{Format: f, Property: "ByteRange=[0 840 17226 501]"}}}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := st.Sign(ctx, act); err != nil {
					b.Fatal(err)
				}
			}
		})
		keys := []sign.Key{c.key}
		if c.o.Outer != nil {
			keys = append(keys, c.o.Outer)
		}
		b.Run(c.name+" floor", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				for _, k := range keys {
					scheme, _ := sign.SchemeFor(k.Public())
					if _, err := scheme.Sign(ctx, k, s.Raw); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
