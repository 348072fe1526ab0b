package seal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
	"github.com/courtseal/courtseal/sign/xmldsig"
)

// ErrAct: an Act without time, or with a Property that is too long or not ASCII.
var ErrAct = errors.New("seal: act cannot be sealed")

// MaxProperty is the longest Part.Property, in octets, that a Stamp takes. MaxSize reckons with it.
const MaxProperty = 100

// StampOptions say how a seal is used.
type StampOptions struct {
	Format sign.Format      // what Profile offers; zero: sign.Dual with Outer, else sign.CMS
	Outer  sign.Key         // RSA or ECDSA key of sign.Dual, a holder too; nil: no dual
	Now    func() time.Time // the clock that validity is judged by; nil: time.Now

	// Who stamps the signature value with a time; nil: nobody. TSA stamps that of Stamp's key: in an SES_Signature as
	// timeStamp [0], in a CMS as unsigned attribute. OuterTSA stamps that of Outer.
	TSA, OuterTSA sign.Timestamper
}

// Stamp returns a Signer that seals with this seal and the key of one of its holders. It makes every format that the
// keys allow: [sign.CMS] always; [sign.SES] with an SM2 key; [sign.Dual] with an SM2 key and Outer; [sign.XML], for Word, with
// Outer, or else with a key that is not SM2. The package documentation says what each holds.
//
// Stamp checks what GB/T 38540-2020 7.2 wants checked before a seal is used, trust and revocation aside, which take
// roots: the seal's own signature value and, in a seal of GM/T 0031-2025, its time stamp (ErrTimeStamp), that each key
// belongs to its certificate (sign.ErrKeyMismatch), may sign (sign.ErrEncryptionCert, sign.ErrWeakKey,
// sign.ErrUnsupportedKey) and is a holder's (ErrNotHolder), that seal and certificates are valid now (an *ExpiredError,
// ErrExpired). A seal that is neither of GB/T 38540-2020 nor of GM/T 0031-2025 is ErrUnsupportedVersion, a format that
// does not go with the keys sign.ErrFormat.
//
// The Signer asks the clock again in each Sign, and wants Act.Time inside the same periods. It is safe for concurrent
// use, as are its keys, and shares the bytes of the seal. Its Profile has always the same Picture pointer for the same
// *Seal. MaxSize holds for any Property of up to MaxProperty octets and no Evidence: whoever adds Evidence adds what
// [sign.Format.EvidenceSize] says. A dual has the Evidence in both its signatures.
//
// Time stamps are asked for over SM3 or the hash of the key, and looked at before they are written: a token that is
// malformed, over something else or too long is not. A stamp that cannot be had costs the level and never the signature,
// and is a note of the Value: timestamp-not-had or timestamp-too-large, as [cms.TimeStamp] has them.
func (s *Seal) Stamp(key sign.Key, o StampOptions) (sign.Signer, error) {
	if s.generation != V4 && s.generation != V5 || s.Version != s.generation || s.c0119 {
		return nil, fmt.Errorf("%w: a seal of version %d; only parsed seals of 4 (GB/T 38540-2020) and 5 (GM/T 0031-2025) stamp",
			ErrUnsupportedVersion, s.Version)
	}
	if err := s.VerifyValue(); err != nil {
		return nil, err
	}
	if s.generation == V5 && s.TimeStamp != nil {
		if err := s.checkToken(s.TimeStamp); err != nil {
			return nil, err
		}
	}
	st := &stamp{seal: s, now: o.Now, tsa: o.TSA, outerTSA: o.OuterTSA}
	if st.now == nil {
		st.now = time.Now
	}
	var err error
	if st.key, err = s.holder(key, "certificate"); err != nil {
		return nil, err
	}
	if o.Outer != nil {
		if st.outer, err = s.holder(o.Outer, "outer certificate"); err != nil {
			return nil, err
		}
	}
	if err := st.setProfile(o.Format); err != nil {
		return nil, err
	}
	if err := st.validAt(st.now()); err != nil {
		return nil, err
	}
	return st, nil
}

func (s *Seal) holder(key sign.Key, what string) (*keyholder, error) {
	h, err := newKeyholder(key, what)
	if err != nil {
		return nil, err
	}
	if !s.Holds(h.cert.Raw) {
		return nil, fmt.Errorf("%w: %s %q is not in certList of seal %s; a renewed certificate needs the seal made anew", ErrNotHolder, what, h.cert.Subject, s.ID)
	}
	return h, nil
}

type stamp struct {
	seal       *Seal
	key, outer *keyholder      // outer: nil without dual
	cms        sign.Signer     // of sign.CMS: all but digest and evidence is ready
	xml        *xmldsig.Signer // of sign.XML; nil: there is no key for it
	now        func() time.Time
	profile    sign.Profile

	tsa, outerTSA sign.Timestamper
}

// Profile implements sign.Signer. Of a dual, Chain is that of the outer key.
func (s *stamp) Profile() sign.Profile { return s.profile }

func (s *stamp) setProfile(format sign.Format) error {
	sm2 := s.key.scheme.Kind == sign.SM2
	switch {
	case s.outer != nil && !sm2:
		return fmt.Errorf("%w: dual takes an SM2 key, and RSA or ECDSA as Outer; the key is %s", sign.ErrFormat, s.key.scheme)
	case s.outer == nil && s.outerTSA != nil:
		return fmt.Errorf("%w: OuterTSA is for %q, and there is no Outer", sign.ErrFormat, sign.Dual)
	case s.outer != nil && s.outer.scheme.Kind == sign.SM2:
		return fmt.Errorf("%w: dual takes an RSA or ECDSA key as Outer, not SM2", sign.ErrFormat)
	case format == "" && s.outer != nil:
		format = sign.Dual
	case format == "":
		format = sign.CMS
	}

	var err error
	if s.cms, err = cms.New(s.key, attribute(sign.AttributeSeal, s.seal.Raw, s.tsa)); err != nil {
		return err
	}
	specs := map[sign.Format]sign.Spec{sign.CMS: s.cms.Profile().Specs[sign.CMS]}
	if sm2 {
		ses := s.layout(MaxProperty, 0)
		specs[sign.SES] = sign.Spec{Hashes: []sign.Hash{sign.SM3}, MaxSize: elementSize(ses.body), Chain: s.key.Chain()}
		if s.outer != nil {
			longest := append(appendHeader(nil, asn1.OCTET_STRING, ses.body), make([]byte, ses.body)...)
			size, err := cms.MaxSize(s.outer, attribute(sign.AttributeSignature, longest, s.outerTSA))
			if err != nil {
				return err
			}
			specs[sign.Dual] = sign.Spec{Hashes: []sign.Hash{sign.SM3, s.outer.scheme.Hash}, MaxSize: size, Chain: s.outer.Chain()}
		}
	}
	if err := s.setXML(specs); err != nil {
		return err
	}
	if _, ok := specs[format]; !ok || format == sign.XML {
		return fmt.Errorf("%w: %q with a key of %s, Outer given: %t", sign.ErrFormat, format, s.key.scheme, s.outer != nil)
	}
	if s.outer != nil && format != sign.Dual {
		return fmt.Errorf("%w: Outer is for %q, not %q", sign.ErrFormat, sign.Dual, format)
	}
	s.profile = sign.Profile{Format: format, Specs: specs, Seal: s.seal.ID, SESeal: s.seal.Raw, Picture: &s.seal.Picture}
	return nil
}

// setXML offers the signature of Office programs with the key that is not SM2, if there is one.
func (s *stamp) setXML(specs map[sign.Format]sign.Spec) (err error) {
	key, tsa := s.key, s.tsa
	if s.outer != nil {
		key, tsa = s.outer, s.outerTSA
	}
	if key.scheme.Kind == sign.SM2 {
		return nil
	}
	if s.xml, err = xmldsig.New(key, tsa); err != nil {
		return err
	}
	specs[sign.XML] = s.xml.Profile().Specs[sign.XML]
	return nil
}

func (s *stamp) validAt(t time.Time) error {
	if err := period("seal", t, s.seal.NotBefore, s.seal.NotAfter); err != nil {
		return err
	}
	if err := s.key.validAt(t); err != nil {
		return err
	}
	if s.outer != nil {
		return s.outer.validAt(t)
	}
	return nil
}

// Sign implements sign.Signer.
func (s *stamp) Sign(ctx context.Context, act *sign.Act) ([]sign.Value, error) {
	if act.Time.IsZero() {
		return nil, fmt.Errorf("%w: it has no Time", ErrAct)
	}
	for _, t := range []time.Time{s.now(), act.Time} {
		if err := s.validAt(t); err != nil {
			return nil, err
		}
	}
	values := make([]sign.Value, 0, len(act.Parts))
	for i, part := range act.Parts {
		if _, ok := s.profile.Specs[part.Format]; !ok {
			return nil, fmt.Errorf("%w: Parts[%d] asks for %q, which is not in the Profile", sign.ErrFormat, i, part.Format)
		}
		value, err := s.value(ctx, act, part)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

func (s *stamp) value(ctx context.Context, act *sign.Act, part sign.Part) (sign.Value, error) {
	content := act.Content
	switch part.Format {
	case sign.XML:
		return s.xml.Value(ctx, act, part)
	case sign.SES:
		return s.ses(ctx, act.Time, part.Property, content, act.Evidence)
	case sign.CMS:
		values, err := s.cms.Sign(ctx, &sign.Act{Content: content, Evidence: act.Evidence, Parts: []sign.Part{{Format: sign.CMS}}})
		if err != nil {
			return sign.Value{}, err
		}
		return values[0], nil
	}
	digest, err := content.Get(s.outer.scheme.Hash)
	if err != nil {
		return sign.Value{}, err
	}
	inner, err := s.ses(ctx, act.Time, part.Property, content, act.Evidence)
	if err != nil {
		return inner, err
	}
	o := attribute(sign.AttributeSignature, inner.Bytes, s.outerTSA)
	if len(act.Evidence) > 0 {
		o.Attributes = append(o.Attributes, cms.Evidence(act.Evidence))
	}
	v, err := cms.Sign(ctx, s.outer, digest, o)
	v.Notes = append(inner.Notes, v.Notes...)
	return v, err
}

// attribute is what makes the CMS a seal's, see sign/FORMAT.md.
func attribute(t sign.OID, value []byte, tsa sign.Timestamper) cms.Options {
	return cms.Options{Attributes: []cms.Attribute{{Type: t, Values: [][]byte{value}}}, TSA: tsa}
}

// A layout measures an SES_Signature before it is written, so that one buffer holds the message that is hashed and the
// value that is returned, and the seal's bytes are copied once. In content octets:
type layout struct {
	ext  int // of the one ExtData with evidence; 0: none
	tbs  int // of TBS_Sign
	body int // of SES_Signature, with the longest signature value and time stamp
}

func elementSize(n int) int { return der.HeaderSize(n) + n }

const (
	timeSize = len("20060102150405Z")
	hashSize = 32
)

func (s *stamp) layout(property, evidence int) (l layout) {
	l.tbs = 3 + len(s.seal.Raw) + elementSize(timeSize) + elementSize(1+hashSize) + elementSize(property)
	if evidence > 0 {
		l.ext = elementSize(len(sign.AttributeEvidence)) + elementSize(evidence)
		l.tbs += elementSize(elementSize(elementSize(l.ext)))
	}
	l.body = elementSize(l.tbs) + elementSize(len(s.key.cert.Raw)) + elementSize(len(oidSM2WithSM3)) +
		elementSize(1+s.key.scheme.MaxSize(s.key.Public()))
	if s.tsa != nil {
		l.body += elementSize(elementSize(1 + sign.StampSize(s.tsa)))
	}
	return l
}

// ses makes an SES_Signature (GB/T 38540-2020 7.1 and 7.2; GM/T 0031-2025 has the same with its own version).
func (s *stamp) ses(ctx context.Context, at time.Time, property string, content sign.Sums, evidence []byte) (v sign.Value, err error) {
	if len(property) > MaxProperty || !isASCII(property) {
		return v, fmt.Errorf("%w: Property %.120q; at most %d octets of ASCII are written", ErrAct, property, MaxProperty)
	}
	hash, err := content.Get(sign.SM3)
	if err != nil {
		return v, err
	}
	const front = 6 // room for the outermost header; the length of the value decides about it
	l := s.layout(len(property), len(evidence))
	b := make([]byte, front, front+l.body)

	b = appendHeader(b, asn1.SEQUENCE, l.tbs)
	b = append(b, byte(asn1.INTEGER), 1, byte(s.seal.Version))
	b = append(b, s.seal.Raw...)
	b = appendHeader(b, asn1.GeneralizedTime, timeSize)
	b = at.UTC().AppendFormat(b, "20060102150405Z")
	b = appendBits(b, hash)
	b = append(appendHeader(b, asn1.IA5String, len(property)), property...)
	if len(evidence) > 0 {
		b = appendHeader(b, asn1.Tag(0).ContextSpecific().Constructed(), elementSize(elementSize(l.ext)))
		b = appendHeader(b, asn1.SEQUENCE, elementSize(l.ext))
		b = appendHeader(b, asn1.SEQUENCE, l.ext)
		b = append(appendHeader(b, asn1.OBJECT_IDENTIFIER, len(sign.AttributeEvidence)), sign.AttributeEvidence...)
		b = append(appendHeader(b, asn1.OCTET_STRING, len(evidence)), evidence...)
	}
	value, err := s.key.scheme.Sign(ctx, s.key, b[front:])
	if err != nil {
		return v, err
	}
	if !gm.IsSignatureDER(value) || len(value) > s.key.scheme.MaxSize(s.key.Public()) {
		return v, fmt.Errorf("%w: the key gave %d octets that are no SM2 value in DER", sign.ErrSignature, len(value))
	}
	b = append(appendHeader(b, asn1.OCTET_STRING, len(s.key.cert.Raw)), s.key.cert.Raw...)
	b = append(appendHeader(b, asn1.OBJECT_IDENTIFIER, len(oidSM2WithSM3)), oidSM2WithSM3...)
	b = appendBits(b, value)
	token, notes := cms.TimeStamp(ctx, s.tsa, sign.SM3, value)
	if token != nil {
		b = appendHeader(b, asn1.Tag(0).ContextSpecific().Constructed(), elementSize(1+len(token)))
		b = appendBits(b, token)
	}

	n := len(b) - front
	start := front - der.HeaderSize(n)
	appendHeader(b[start:start], asn1.SEQUENCE, n)
	return sign.Value{Bytes: b[start:], Notes: notes}, nil
}

func appendBits(b, content []byte) []byte {
	b = append(appendHeader(b, asn1.BIT_STRING, 1+len(content)), 0)
	return append(b, content...)
}
