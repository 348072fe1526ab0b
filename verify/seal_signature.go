package verify

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

var sesFormatRule = &rule{
	name:  "ses-format",
	seals: clauses{seal.V1: "GM/T 0031-2014 6.2.3 a", seal.V4: "GB/T 38540-2020 7.3", seal.V5: "GM/T 0031-2025"},
	stops: "bytes that are no seal signature; a signature of one version around a seal of another",
	codes: []outcome{
		{codeOK, Valid, "电子签章数据格式正确，版本 %[1]d", "the seal signature is well formed, version %[1]d"},
		{"malformed-ses", Invalid, "电子签章数据格式错误：%[1]s", "the seal signature is malformed: %[1]s"},
		{"version-by-example", Valid, "电子签章数据格式正确；签章版本 %[1]d，印章版本 %[2]d，该代标准未规定其值", "the seal signature is well formed; it is of version %[1]d, its seal of %[2]d, about which its standard says nothing"},
		{"ses-version", Invalid, "签章版本 %[1]d 与印章版本 %[2]d 不一致", "the signature is of version %[1]d and its seal of version %[2]d"},
	},
}

var sesExtensionsRule = &rule{
	name:  "ses-extensions",
	seals: clauses{seal.V4: "GB/T 38540-2020 7.1.2 (extDatas)", seal.V5: "GM/T 0031-2025 (extDatas)"},
	stops: "under strict-2020: a seal signature whose critical extension nobody here understands",
	codes: []outcome{
		{codeOK, Valid, "签章中没有未知的关键扩展", "no unknown critical extension in the seal signature"},
		{"critical-extension", NotAsked, "签章有未知的关键扩展 %[1]s", "the seal signature has a critical extension that is not known here, %[1]s"},
		{"critical-extension-refused", Invalid, "签章有未知的关键扩展 %[1]s", "the seal signature has a critical extension that is not known here, %[1]s"},
	},
}

var sesValueRule = &rule{
	name:  "ses-value",
	seals: clauses{seal.V1: "GM/T 0031-2014 6.2.3 b", seal.V4: "GB/T 38540-2020 7.3", seal.V5: "GM/T 0031-2025"},
	stops: "a seal signature in which seal, time, hash or protected range was changed; another user ID",
	codes: []outcome{
		{codeOK, Valid, "签章签名值正确", "the signature value is right"},
		{"ses-value-wrong", Invalid, "签章签名值错误", "the signature value is wrong"},
		{"ses-algorithm", Invalid, "签名算法与签章者证书不符或不支持：%[1]s", "the signature algorithm does not fit the signer's certificate, or is not known: %[1]s"},
	},
}

var sesPropertyRule = &rule{
	name:  "ses-property",
	seals: clauses{seal.V1: "GM/T 0031-2014 6.2.3 e", seal.V4: "GB/T 38540-2020 7.1.2 (propertyInfo: 签名保护范围)", seal.V5: "GM/T 0031-2025"},
	stops: "a seal signature moved into a document whose protected range is another",
	codes: []outcome{
		{codeOK, Valid, "propertyInfo 与文件的签名范围一致", "propertyInfo names the range that the file says is signed"},
		{"property-differs", Invalid, "propertyInfo 声明 %[1]s，文件声明 %[2]s", "propertyInfo says %[1]s, the file %[2]s"},
		{"property-other", NotAsked, "propertyInfo 为他人自定义格式，无法比较", "propertyInfo is in somebody else's form and cannot be compared"},
	},
}

// A sealSignature is the part of a judgement that is about one SES_Signature: bare (ses) or inside a CMS (dual).
type sealSignature struct {
	*seal.Signature
	role role
	cert *gm.Certificate
}

// parseSES reads an SES_Signature and says which hash of the content it needs.
func (j *judge) parseSES(der []byte, r role) *sealSignature {
	s, err := seal.ParseSignature(der)
	if err != nil {
		j.add(sesFormatRule.check("malformed-ses", err.Error()))
		return nil
	}
	return &sealSignature{Signature: s, role: r}
}

// hash is the hash of the content: SM3 with SM2, and with RSA what the length of the digest says.
func (s *sealSignature) hash() sign.Hash {
	if c, err := gm.ParseCertificate(s.Cert); err == nil && gm.IsSM2(c.PublicKey) {
		return sign.SM3
	}
	for _, h := range []sign.Hash{sign.SHA1, sign.SHA256, sign.SHA384, sign.SHA512} {
		if len(s.DataHash) == h.Size() {
			return h
		}
	}
	return sign.SM3
}

// judgeSES makes the checks of a seal signature in the order of the standard its seal follows. property is what
// propertyInfo should say, stamps what its time stamp is worth.
//
// GB/T 38540-2020 7.3: format, value, holder, seal, signer's certificate, time stamp, hash of the original. GM/T 0031-2025
// is taken to have the same. GM/T 0031-2014 6.2.3: format, value, signer's certificate and time of signing, hash of the
// original, seal; it asks about the holder only before signing, and is asked all the same.
func (j *judge) judgeSES(s *sealSignature, sums sign.Sums, property string, stamps *stamps) {
	defer j.follow(s.Seal)()
	j.parserNotes(s.Notes)
	j.sesFormat(s)
	if len(s.Extensions) > 0 {
		j.extensions(sesExtensionsRule, s.Extensions, sign.AttributeEvidence)
	}
	scheme, right := j.sesValue(s)
	j.bring(s.Cert, s.Seal.MakerCert)
	signer := func() {
		if s.cert = j.parse(s.role, s.Cert); s.cert == nil {
			return
		}
		hashes := []sign.Hash{s.hash()}
		if right {
			hashes = []sign.Hash{scheme.Hash, s.hash()}
		}
		j.strength(s.role, s.cert, j.proven, hashes...)
		who := subject{role: s.role, cert: s.cert, purpose: ForSigner, when: j.claimed}
		if s.Seal.Generation() == seal.V1 || s.Seal.Holds(s.Cert) { // signed: as it stands, or in the seal's list of holders
			who.proven = j.proven
		}
		j.judgeCertificate(who)
	}
	if s.Seal.Generation() == seal.V1 {
		signer()
		j.sayStamps(stamps)
		j.contentHash(s.role, s.hash(), s.DataHash, sums)
		j.property(s.Property, property)
		j.holder(s.Seal, s.Cert)
		j.judgeSeal(s.Seal)
		return
	}
	j.holder(s.Seal, s.Cert)
	j.judgeSeal(s.Seal)
	signer()
	j.sayStamps(stamps)
	j.contentHash(s.role, s.hash(), s.DataHash, sums)
	j.property(s.Property, property)
}

// sesFormat: from GB/T 38540-2020 on, a signature has the version of its seal.
func (j *judge) sesFormat(s *sealSignature) {
	switch {
	case s.Version == s.Seal.Version:
		j.say(sesFormatRule, codeOK, int(s.Version))
	case s.Seal.Generation() == seal.V1 || s.Seal.C0119():
		j.say(sesFormatRule, "version-by-example", int(s.Version), int(s.Seal.Version))
	default:
		j.say(sesFormatRule, "ses-version", int(s.Version), int(s.Seal.Version))
	}
}

func (j *judge) sesValue(s *sealSignature) (scheme sign.Scheme, right bool) {
	scheme, err := s.Scheme()
	switch {
	case err == nil:
		j.say(sesValueRule, codeOK)
	case errors.Is(err, seal.ErrAlgorithm), errors.Is(err, seal.ErrMalformed):
		j.say(sesValueRule, "ses-algorithm", err.Error())
	default:
		j.say(sesValueRule, "ses-value-wrong")
	}
	return scheme, err == nil
}

func (j *judge) property(got, want string) {
	switch {
	case got == want:
		j.say(sesPropertyRule, codeOK)
	case strings.HasPrefix(got, "ByteRange="), strings.HasPrefix(want, sealFolder):
		j.say(sesPropertyRule, "property-differs", fmt.Sprintf("%.80q", got), fmt.Sprintf("%q", want))
	default:
		j.say(sesPropertyRule, "property-other")
	}
}

var contentHashRule = &rule{
	name:   "content-hash",
	clause: "RFC 5652 5.4, 11.2",
	seals:  clauses{seal.V1: "GM/T 0031-2014 6.2.3 e", seal.V4: "GB/T 38540-2020 7.3 (原文杂凑)", seal.V5: "GM/T 0031-2025"},
	stops:  "a document that was changed after it was signed",
	codes: []outcome{
		{codeOK, Valid, "原文 %[1]s 杂凑值一致", "the %[1]s of the content is the one signed"},
		{"content-changed", Invalid, "原文 %[1]s 杂凑值不一致：文件在签署后被改动", "the %[1]s of the content is not the one signed: the file was changed"},
		{"content-unknown", Invalid, "无法计算原文杂凑值：%[1]s", "the hash of the content cannot be computed: %[1]s"},
	},
}

// contentHash compares what was signed with the bytes of the file.
func (j *judge) contentHash(r role, h sign.Hash, signed []byte, sums sign.Sums) {
	rule := contentHashRule
	if r == innerRole {
		rule = contentHashRule.of(r)
	}
	got, err := sums.Get(h)
	switch {
	case err != nil:
		j.say(rule, "content-unknown", err.Error())
	case bytes.Equal(got, signed):
		j.say(rule, codeOK, string(h))
	default:
		j.say(rule, "content-changed", string(h))
	}
}
