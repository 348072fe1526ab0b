package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/internal/ziptest"
	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// A sealedSet has one document, sealed by package officex in every way.
type sealedSet struct {
	*world
	p256  sign.Key
	files map[string][]byte
}

// The ways, in the order in which tests go through them.
const (
	wayES   = "ses"
	wayRSA  = "cms RSA"
	wayECC  = "cms P-256"
	wayDual = "dual"
	wayLine = "line" // dual, shown in a signature line
	wayTwo  = "two"  // dual, then cms P-256
)

var ways = []string{wayES, wayRSA, wayECC, wayDual, wayLine, wayTwo}

var sealed = sync.OnceValue(func() *sealedSet {
	base := theWorld()
	s := &sealedSet{p256: base.rsaCA.Issue(testpki.P256, "示例市中级人民法院 P-256", nil), files: map[string][]byte{}}
	w := *base
	w.seal = base.make(func(e *seal.Seal) { e.Certs = append(e.Certs, s.p256.Chain()[0]) })
	s.world = &w
	return s
})

// signer is the seal with the key of a way.
func (s *sealedSet) signer(t testing.TB, way string) sign.Signer {
	t.Helper()
	key, o := s.sm2, seal.StampOptions{Format: sign.SES, Now: at(noon)}
	switch way {
	case wayRSA:
		key, o.Format = s.rsa, sign.CMS
	case wayECC:
		key, o.Format = s.p256, sign.CMS
	case wayDual, wayLine:
		o.Format, o.Outer = sign.Dual, s.rsa
	}
	out, err := s.seal.Stamp(key, o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// seal seals a document in a way; two goes on from dual.
func (s *sealedSet) sealed(t testing.TB, file []byte, way string) []byte {
	t.Helper()
	o := officex.Options{AsLine: way == wayLine}
	if way == wayTwo {
		file = s.sealed(t, file, wayDual)
		way, o.Invisible = wayECC, true
	}
	return officeSeal(t, file, s.signer(t, way), o)
}

func officeSeal(t testing.TB, file []byte, by sign.Signer, o officex.Options) []byte {
	t.Helper()
	o.Now, o.ID = at(noon), "1"
	var out bytes.Buffer
	if _, err := officex.Sign(context.Background(), &out, bytes.NewReader(file), int64(len(file)), by, o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// file is the document of docx, sealed in a way, once.
func (s *sealedSet) file(t testing.TB, way string) []byte {
	t.Helper()
	if s.files[way] == nil {
		s.files[way] = s.sealed(t, docx(t), way)
	}
	return s.files[way]
}

func (s *sealedSet) verify(file []byte) (*Report, error) {
	return Document(context.Background(), bytes.NewReader(file), int64(len(file)), Options{Roots: s.roots, At: noon.Add(time.Hour)})
}

// What is sealed and not attacked is valid in every way: no test below can pass because everything is refused.
func TestOfficeSealed(t *testing.T) {
	s := sealed()
	for _, way := range ways {
		r, err := s.verify(s.file(t, way))
		if n := map[string]int{wayDual: 2, wayLine: 2, wayTwo: 3}[way]; err != nil || r.Verdict != Valid || len(r.Signatures) != max(n, 1) {
			t.Errorf("%s: %v\n%s", way, err, r)
		}
		r, err = s.verify(ziptest.Read(t, s.file(t, way)).Bytes())
		if err != nil || r.Verdict != Valid {
			t.Errorf("%s, zipped anew: %v\n%s", way, err, r)
		}
	}
}

// An officeAttack is a change to a sealed document, and what it must lead to.
type officeAttack struct {
	name string
	ways []string // nil: every one
	// what must be said: "rule/code", or "rule/code native" and "rule/code seal" of one kind of signature only; without, of each.
	// "unsigned": there is no signature any more; "error": it cannot be judged at all.
	want   []string
	change func(t testing.TB, a *ziptest.Archive)
}

// try makes the attack on documents of every way it is meant for.
func (x officeAttack) try(t *testing.T) {
	s := sealed()
	list := x.ways
	if list == nil {
		list = ways
	}
	for _, way := range list {
		a := ziptest.Read(t, s.file(t, way))
		x.change(t, a)
		r, err := s.verify(a.Bytes())
		x.judge(t, way, r, err)
	}
}

func (x officeAttack) judge(t *testing.T, way string, r *Report, err error) {
	t.Helper()
	for _, want := range x.want {
		switch {
		case want == "unsigned" && errors.Is(err, ErrUnsigned), want == "error" && err != nil && r == nil:
			continue
		case err != nil:
			t.Errorf("%s, %s: %v; want %s", x.name, way, err, want)
			continue
		}
		check, kind, _ := strings.Cut(want, " ")
		name, code, _ := strings.Cut(check, "/")
		asked := 0
		for i := range r.Signatures {
			sig := &r.Signatures[i]
			if kind == "native" && sig.Format != sign.XML || kind == "seal" && sig.Format != sign.SES {
				continue
			}
			asked++
			if sig.Verdict != Invalid || !slices.ContainsFunc(sig.Checks, func(c Check) bool { return c.Name == name && c.Code == code && c.Verdict == Invalid }) {
				t.Errorf("%s, %s: %s is %s, and nothing says %s\n%s", x.name, way, sig.Name, sig.Verdict, want, inShort(r))
			}
		}
		if asked == 0 && kind == "" {
			t.Errorf("%s, %s: no signature to say %s\n%s", x.name, way, want, inShort(r))
		}
	}
	if err == nil && r.Verdict == Valid {
		t.Errorf("%s, %s: valid\n%s", x.name, way, inShort(r))
	}
}

// inShort is what a report has against the signatures.
func inShort(r *Report) string {
	var b strings.Builder
	for _, s := range r.Signatures {
		fmt.Fprintf(&b, "%s (%s): %s\n", s.Name, s.Format, s.Verdict)
		for _, c := range s.Checks {
			if c.Verdict == Invalid || c.Verdict == Indeterminate {
				fmt.Fprintf(&b, "    %s/%s: %s\n", c.Name, c.Code, c.Detail.EN)
			}
		}
	}
	return b.String()
}
