package seal

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/sign"
)

// seal reads an SESeal. Two elements are GM/T 0031-2014: esealInfo, signInfo { cert, signatureAlgorithm, signData }.
// Four or five are GB/T 38540 and GM/T 0031-2025: eSealInfo, cert, signAlgID, signedValue, timeStamp [0] OPTIONAL.
func (p *parser) seal(in *cryptobyte.String) *Seal {
	if outer := *p; len(outer.raw) != len(*in) { // inside a signature: its own names and notes
		p.what, p.notes = outer.what+".toSign.eseal", nil
		defer func() { p.what, p.notes = outer.what, outer.notes }()
	}

	content, raw := p.one(in, asn1.SEQUENCE, "SEQUENCE")
	s := &Seal{Raw: raw}
	info, infoRaw := p.one(&content, asn1.SEQUENCE, "eSealInfo")
	s.info = infoRaw
	rest, v1 := content, false
	if _, _, second := p.any(&rest, "cert"); len(rest) == 0 && next(second, asn1.SEQUENCE) {
		v1 = true
		content = p.sequence(&content, "signInfo")
	}
	p.sealInfo(&info, s, v1)
	s.MakerCert, s.certRaw = p.cert(&content, "cert")
	s.Algorithm, s.algRaw = p.algorithm(&content, "signAlgID")
	s.Value = p.value(&content, s.Algorithm, "signedValue")
	if !v1 {
		s.TimeStamp = p.stamp(&content, "timeStamp")
	}
	p.end(content, "end")

	switch {
	case v1:
		s.generation = V1
	case s.Version == V5:
		s.generation = V5
	default:
		s.generation = V4
	}
	if s.Version != s.generation {
		p.note("header-version", "eSealInfo.header.version")
	}
	if s.generation == V4 && s.TimeStamp != nil {
		p.note("timestamp-in-v4", "timeStamp")
	}
	if a, ok := algorithms[s.Algorithm]; ok && a.kind != sign.SM2 && !v1 {
		p.note("algorithm-not-sm2", "signAlgID")
	}
	s.Notes = p.notes
	return s
}

func (p *parser) sealInfo(in *cryptobyte.String, s *Seal, v1 bool) {
	at := *in
	header := p.sequence(in, "eSealInfo.header")
	if id := p.text(&header, asn1.IA5String, "eSealInfo.header.ID"); p.err == nil && id != "ES" {
		p.fail(at, "eSealInfo.header.ID", "%.20q, not \"ES\"", id)
	}
	s.Version = Version(p.integer(&header, "eSealInfo.header.version"))
	s.Vid = p.text(&header, asn1.IA5String, "eSealInfo.header.Vid")
	p.end(header, "eSealInfo.header")
	s.ID = p.text(in, asn1.IA5String, "eSealInfo.esID")

	property := p.sequence(in, "eSealInfo.property")
	p.property(&property, s, v1)

	picture := p.sequence(in, "eSealInfo.picture")
	p.picture(&picture, &s.Picture)

	s.Extensions = p.extensions(in, false, v1)
	p.end(*in, "eSealInfo")
}

func (p *parser) property(in *cryptobyte.String, s *Seal, v1 bool) {
	s.Type = p.integer(in, "property.type")
	s.Name = p.text(in, asn1.UTF8String, "property.name")
	s.CertListType = Certificates
	if at := *in; !v1 || next(*in, asn1.INTEGER) {
		if v1 {
			p.note("cert-list-type-in-v1", "property.certListType")
		}
		s.CertListType = CertListType(p.integer(in, "property.certListType"))
		if p.err == nil && s.CertListType != Certificates && s.CertListType != Digests {
			p.fail(at, "property.certListType", "%d; 1 (certificates) and 2 (digests) are known", s.CertListType)
		}
	}
	list := p.sequence(in, "property.certList")
	for n := 0; len(list) > 0 && p.err == nil; n++ {
		if n == maxItems {
			p.fail(list, "property.certList", "%w: more than %d entries", der.ErrLimit, maxItems)
		} else if s.CertListType == Digests {
			entry := p.sequence(&list, "property.certList")
			var d CertDigest
			d.Type = p.text(&entry, asn1.PrintableString, "property.certList.type")
			d.Value = p.octets(&entry, "property.certList.value")
			p.end(entry, "property.certList")
			s.CertDigests = append(s.CertDigests, d)
		} else {
			c, _ := p.cert(&list, "property.certList")
			s.Certs = append(s.Certs, c)
		}
	}
	want := asn1.GeneralizedTime
	if v1 {
		want = asn1.UTCTime
	} else if next(*in, asn1.UTCTime) {
		s.c0119, want = true, asn1.UTCTime
		p.note("c0119", "property.createDate")
	}
	s.Created = p.time(in, want, "property.createDate")
	s.NotBefore = p.time(in, want, "property.validStart")
	s.NotAfter = p.time(in, want, "property.validEnd")
	p.end(*in, "property")
}

func (p *parser) picture(in *cryptobyte.String, pic *sign.Picture) {
	pic.Type = p.text(in, asn1.IA5String, "picture.type")
	pic.Data = p.octets(in, "picture.data")
	pic.Width = p.integer(in, "picture.width")
	pic.Height = p.integer(in, "picture.height")
	p.end(*in, "picture")
	if p.err == nil && (pic.Width <= 0 || pic.Height <= 0) {
		p.note("picture-size", "picture")
	}
}

// signature reads an SES_Signature. Two elements are GM/T 0031-2014 and C0119: toSign, with the signer's certificate
// and algorithm in it, and the value. Four or five are GB/T 38540 and GM/T 0031-2025, where these follow toSign.
func (p *parser) signature(in *cryptobyte.String) *Signature {
	content, raw := p.one(in, asn1.SEQUENCE, "SEQUENCE")
	s := &Signature{Raw: raw}
	toSign, tbs := p.one(&content, asn1.SEQUENCE, "toSign")
	s.tbs, s.tbsContent = tbs, toSign
	rest := content
	p.any(&rest, "signature")
	v1 := len(rest) == 0
	s.v1 = v1

	s.Version = Version(p.integer(&toSign, "toSign.version"))
	s.Seal = p.seal(&toSign)
	if p.err != nil {
		return nil
	}
	s.Time, s.TimeToken = p.timeInfo(&toSign, v1, "toSign.timeInfo")
	s.DataHash = p.bits(&toSign, "toSign.dataHash")
	s.Property = p.text(&toSign, asn1.IA5String, "toSign.propertyInfo")

	after := &content
	if v1 {
		after = &toSign
	} else {
		s.Extensions = p.extensions(&toSign, true, false)
	}
	s.Cert, s.certRaw = p.cert(after, "cert")
	s.Algorithm, s.algRaw = p.algorithm(after, "signatureAlgID")
	p.end(toSign, "toSign")
	s.Value = p.value(&content, s.Algorithm, "signature")
	if !v1 {
		s.TimeStamp = p.stamp(&content, "timeStamp")
	}
	p.end(content, "end")

	if v1 != (s.Seal.generation == V1 || s.Seal.c0119) {
		p.note("signature-form", "toSign")
	}
	if a, ok := algorithms[s.Algorithm]; ok && a.kind != sign.SM2 && !v1 {
		p.note("algorithm-not-sm2", "signatureAlgID")
	}
	s.Notes = p.notes
	return s
}
