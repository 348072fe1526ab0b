package verify

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

var cmsFormatRule = &rule{
	name:   "cms-format",
	clause: "RFC 5652 5; GB/T 35275; ETSI EN 319 142-1 (PAdES); ISO 32000-2 12.8.3.3",
	stops:  "a CMS that carries its own content, or several signers of whom a reader shows one; a document time stamp taken for a signature",
	codes: []outcome{
		{codeOK, Valid, "CMS 格式正确，一个签名人，原文在外", "the CMS is well formed, with one signer and no content of its own"},
		{"malformed-cms", Invalid, "CMS 格式错误：%[1]s", "the CMS is malformed: %[1]s"},
		{"document-timestamp", Valid, "这是文档时间戳，证明此前的全部内容在其时间已存在", "this is a document time stamp, which proves of everything before it that it existed"},
		{"content-inside", Invalid, "CMS 自带原文", "the CMS carries content of its own"},
		{"content-type", Invalid, "CMS 原文类型不是 data：%[1]s", "the content type of the CMS is not data: %[1]s"},
		{"signers", Invalid, "CMS 有 %[1]d 个签名人，应为一个", "the CMS has %[1]d signers where one is due"},
	},
}

var cmsAttributesRule = &rule{
	name:   "cms-attributes",
	clause: "RFC 5652 5.3, 11; RFC 5035 (signing-certificate-v2); ETSI EN 319 122-1",
	stops:  "a signature re-used for content of another type, or shown under another certificate of the same key",
	codes: []outcome{
		{codeOK, Valid, "签名属性齐全，签名证书一致", "the signed attributes are there and name the signer's certificate"},
		{"no-signing-certificate", Valid, "签名属性齐全；没有 signing-certificate 属性（adbe.pkcs7.detached 不要求）", "the signed attributes are there; there is no signing-certificate attribute, which adbe.pkcs7.detached does not ask for"},
		{"no-signed-attributes", Invalid, "没有签名属性", "there are no signed attributes"},
		{"attribute-wrong", Invalid, "签名属性缺失、重复或有误：%[1]s", "a signed attribute is missing, stands twice or is malformed: %[1]s"},
		{"content-type-differs", Invalid, "contentType 属性与原文类型不符", "the contentType attribute is not the type of the content"},
		{"other-certificate", Invalid, "signing-certificate 属性指向另一证书", "the signing-certificate attribute names another certificate"},
		{"several-certificates", Invalid, "CMS 中有多个证书符合签名人标识，而签名属性未指明是哪一个", "several certificates in the CMS fit what names the signer, and no signed attribute says which"},
		{"certificate-not-bound", Invalid, "CAdES 要求的 signing-certificate-v2 属性缺失", "the signing-certificate-v2 attribute that CAdES asks for is missing"},
	},
}

var cmsValueRule = &rule{
	name:   "cms-value",
	clause: "RFC 5652 5.4, 5.6; GB/T 35275; GM/T 0009 (Z)",
	stops:  "a signature that the certificate's key did not make; another user ID",
	codes: []outcome{
		{codeOK, Valid, "CMS 签名值正确", "the signature value of the CMS is right"},
		{"cms-value-wrong", Invalid, "CMS 签名值错误", "the signature value of the CMS is wrong"},
		{"cms-algorithm", Indeterminate, "不支持的 CMS 算法：%[1]s", "the algorithms of the CMS are not supported: %[1]s"},
		{"key-mismatch", Invalid, "签名算法与证书公钥不符：%[1]s", "the signature algorithm does not fit the certificate's key: %[1]s"},
	},
}

var sealBindingRule = &rule{
	name:   "seal-binding",
	clause: "sign/FORMAT.md (.1, .2)",
	stops:  "a seal or seal signature put beside a signature that does not bind it",
	codes: []outcome{
		{codeOK, Valid, "CMS 的签名属性绑定了电子印章或电子签章", "a signed attribute of the CMS binds the seal or the seal signature"},
		{"seal-in-part", Valid, "签名签署了电子印章所在的部件", "the signature signs the part in which the seal stands"},
		{"seal-binding-twice", Invalid, "绑定印章的签名属性重复或互相冲突", "the signed attribute that binds the seal stands twice, or two of them contradict each other"},
		{"malformed-binding", Invalid, "绑定的电子印章格式错误：%[1]s", "the seal that is bound is malformed: %[1]s"},
	},
}

var (
	oidData          = der.MustOID("1.2.840.113549.1.7.1")
	oidGMData        = der.MustOID("1.2.156.10197.6.1.4.2.1")
	oidTSTInfo       = der.MustOID("1.2.840.113549.1.9.16.1.4")
	oidMessageDigest = der.MustOID("1.2.840.113549.1.9.4")
)

// A cmsSignature is a CMS that has the shape to be judged.
type cmsSignature struct {
	*cms.SignedData
	cms.SignerInfo
	certDER []byte
	seal    *seal.Seal     // cms: bound as attribute .1
	inner   *sealSignature // dual: bound as attribute .2
}

// parseCMS reads a CMS with whatever of a seal it binds. stamp: it is a document time stamp, and no signature.
func (j *judge) parseCMS(b []byte) (c *cmsSignature, stamp bool) {
	sd, err := cms.Parse(b)
	if err != nil {
		j.add(cmsFormatRule.check("malformed-cms", err.Error()))
		return nil, false
	}
	if sd.EContentType == oidTSTInfo {
		j.add(cmsFormatRule.check("document-timestamp"))
		return nil, true
	}
	j.parserNotes(sd.Notes)
	switch {
	case len(sd.Signers) != 1:
		j.add(cmsFormatRule.check("signers", len(sd.Signers)))
		return nil, false
	case sd.EContent != nil:
		j.add(cmsFormatRule.check("content-inside"))
	case sd.EContentType != oidData && sd.EContentType != oidGMData:
		j.add(cmsFormatRule.check("content-type", sd.EContentType.String()))
	default:
		j.add(cmsFormatRule.check(codeOK))
	}
	c = &cmsSignature{SignedData: sd, SignerInfo: sd.Signers[0]}
	c.certDER = c.SignerInfo.Certificate(sd.Certificates)
	j.bring(sd.Certificates...)
	for _, b := range sd.CRLs[:min(len(sd.CRLs), 16)] {
		if l, err := parseCRL(b); err == nil {
			j.brought = append(j.brought, l)
		}
	}
	j.bound(c)
	return c, false
}

// bound reads what sign/FORMAT.md binds: a seal (.1) or a seal signature (.2), never both.
func (j *judge) bound(c *cmsSignature) {
	one := func(t der.OID) (value []byte, there, ok bool) {
		n := 0
		for _, a := range c.Attributes {
			if a.Type == t {
				n++
				if len(a.Values) == 1 {
					value = a.Values[0]
				}
			}
		}
		return value, n > 0, n == 0 || n == 1 && value != nil
	}
	sealDER, hasSeal, ok1 := one(sign.AttributeSeal)
	sesDER, hasSES, ok2 := one(sign.AttributeSignature)
	switch {
	case !ok1 || !ok2 || hasSeal && hasSES:
		j.add(sealBindingRule.check("seal-binding-twice"))
	case hasSeal:
		e, err := seal.Parse(sealDER)
		if err != nil {
			j.add(sealBindingRule.check("malformed-binding", err.Error()))
			return
		}
		c.seal = e
		j.add(sealBindingRule.check(codeOK))
	case hasSES:
		if c.inner = j.parseSES(sesDER, innerRole); c.inner != nil {
			j.add(sealBindingRule.check(codeOK))
		}
	}
}

// hashes says which hashes of the content are needed.
func (c *cmsSignature) hashes() []sign.Hash {
	out := []sign.Hash{c.digestHash()}
	if c.inner != nil {
		out = append(out, c.inner.hash())
	}
	return out
}

// digestHash is the hash of the content.
func (c *cmsSignature) digestHash() sign.Hash { return sign.HashOf(c.DigestOID) }

// judgeCMS makes the checks of the CMS, then of what it binds.
func (j *judge) judgeCMS(c *cmsSignature, sums sign.Sums, property, subFilter string) {
	outer, inner := j.cmsStamps(c), (*stamps)(nil)
	j.proven, j.whole = earlier(outer, j.archived).by, earlier(nil, j.archived).by
	if c.inner != nil { // the outer signature covers the inner one with its time stamp
		inner = j.sesStamps(c.inner)
	}
	j.prove(earlier(earlier(outer, inner), j.archived))
	j.cmsAttributes(c, subFilter)
	cert := j.parse(signerRole, c.certDER)
	j.cmsValue(c, cert, sums)
	if c.seal != nil {
		back := j.follow(c.seal)
		j.holder(c.seal, c.certDER)
		back()
		j.bring(c.seal.MakerCert)
		j.judgeSeal(c.seal)
	}
	if cert != nil {
		j.sig.Signer = describe(cert)
		j.strength(signerRole, cert, j.proven, c.Scheme.Hash, c.digestHash())
		s := subject{role: signerRole, cert: cert, purpose: ForSigner, when: j.claimed}
		if c.CheckCertificate(c.certDER) == nil {
			s.proven = j.proven
		}
		j.judgeCertificate(s)
	}
	j.sayStamps(outer)
	if c.SignedAttrs != nil { // without them the value itself is over the content
		j.cmsDigest(c, sums)
	}
	if c.inner != nil {
		j.proven, j.whole = earlier(earlier(outer, inner), j.archived).by, earlier(outer, j.archived).by // which has it all inside
		j.judgeSES(c.inner, sums, property, inner)
		if c.inner.cert != nil {
			j.sig.Inner = describe(c.inner.cert)
		}
		if c.certDER != nil && !c.inner.Seal.Holds(c.certDER) {
			j.note("outer-not-holder", "外层 CMS 的证书不在印章的签章者证书列表中", "the certificate of the outer CMS is not in the seal's certList")
		}
	}
}

// cmsDigest compares the messageDigest attribute with the bytes of the file.
func (j *judge) cmsDigest(c *cmsSignature, sums sign.Sums) {
	err := c.CheckDigest(sums)
	switch {
	case err == nil:
		j.add(contentHashRule.check(codeOK, string(c.digestHash())))
	case errors.Is(err, cms.ErrDigest):
		j.add(contentHashRule.check("content-changed", string(c.digestHash())))
	default:
		j.add(contentHashRule.check("content-unknown", err.Error()))
	}
}

func (j *judge) cmsAttributes(c *cmsSignature, subFilter string) {
	r := cmsAttributesRule
	if c.SignedAttrs == nil {
		j.add(r.check("no-signed-attributes"))
		return
	}
	if err := c.CheckContentType(); err != nil {
		code := "attribute-wrong"
		if errors.Is(err, cms.ErrContentType) {
			code = "content-type-differs"
		}
		j.add(r.check(code, err.Error()))
		return
	}
	if _, ok := c.Attribute(oidMessageDigest); !ok {
		j.add(r.check("attribute-wrong", "messageDigest"))
		return
	}
	if c.certDER == nil {
		j.add(r.check("other-certificate")) // no certificate is the one it names
		return
	}
	err := c.CheckCertificate(c.certDER)
	switch {
	case err == nil:
		j.add(r.check(codeOK))
	case errors.Is(err, cms.ErrAbsent) && c.second() != nil:
		j.add(r.check("several-certificates"))
	case errors.Is(err, cms.ErrAbsent) && subFilter == "ETSI.CAdES.detached":
		j.add(r.check("certificate-not-bound"))
	case errors.Is(err, cms.ErrAbsent):
		j.add(r.check("no-signing-certificate"))
	case errors.Is(err, cms.ErrCertificate):
		j.add(r.check("other-certificate"))
	default:
		j.add(r.check("attribute-wrong", err.Error()))
	}
}

// second is another certificate that fits what names the signer, which some program may take for the signer's; nil: there is none.
func (c *cmsSignature) second() []byte {
	return c.SignerInfo.Certificate(slices.DeleteFunc(slices.Clone(c.Certificates), func(b []byte) bool { return bytes.Equal(b, c.certDER) }))
}

func (j *judge) cmsValue(c *cmsSignature, cert *gm.Certificate, sums sign.Sums) {
	if cert == nil {
		return // said already
	}
	err := c.CheckValue(c.certDER, sums)
	switch {
	case err == nil:
		j.add(cmsValueRule.check(codeOK))
	case errors.Is(err, cms.ErrUnsupported):
		j.add(cmsValueRule.check("cms-algorithm", err.Error()))
	case errors.Is(err, sign.ErrUnsupportedKey):
		j.add(cmsValueRule.check("key-mismatch", fmt.Sprintf("%s, %s", c.Scheme, keyName(cert.PublicKey))))
	default:
		j.add(cmsValueRule.check("cms-value-wrong"))
	}
}

// signingTime is the signed attribute; zero: none. PAdES has none, and /M of the signature dictionary instead.
func (c *cmsSignature) signingTime() time.Time {
	t, _ := c.SigningTime()
	return t
}
