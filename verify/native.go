package verify

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/opcsig"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/xmldsig"
)

var xmlFormRule = &rule{
	name:   "xml-signature",
	clause: "ECMA-376-2 (M6.15 - M6.35); MS-OFFCRYPTO 2.5.2; XML Signature 4",
	stops: "a signature of something else put into the document, an element of which two programs take two, references that lead out of " +
		"the signature, transforms that hash something else than what is shown",
	codes: []outcome{
		{codeOK, Valid, "XML 签名结构正确", "the XML signature is well formed"},
		{opcsig.CodeMCE, Invalid, "签名部件使用了标记兼容性（mc）：%[1]s", "the signature uses markup compatibility: %[1]s"},
		{opcsig.CodeStructure, Invalid, "签名元素缺失、重复或位置错误：%[1]s", "an element of the signature is missing, stands twice or in the wrong place: %[1]s"},
		{opcsig.CodeDuplicateID, Invalid, "Id 重复：%[1]s", "two elements have one Id: %[1]s"},
		{opcsig.CodeUnresolved, Invalid, "引用不指向签名部件中的任何元素：%[1]s", "a reference names no element of the part: %[1]s"},
		{opcsig.CodeTarget, Invalid, "引用指向签名不应签署的元素：%[1]s", "a reference names what such a signature does not sign: %[1]s"},
		{opcsig.CodeNotSigned, Invalid, "软件会显示的对象未被签署：%[1]s", "an object that programs show is not signed: %[1]s"},
		{opcsig.CodeLoose, Valid, "XML 签名结构正确；有未签署且不显示的对象：%[1]s", "the XML signature is well formed; an object in it is neither signed nor shown: %[1]s"},
		{opcsig.CodeNoPackage, Invalid, "SignedInfo 没有恰好一次引用 idPackageObject：文件内容未被签署：%[1]s", "SignedInfo does not reference idPackageObject just once, so that the document is not signed: %[1]s"},
		{opcsig.CodeType, Invalid, "引用的类型不符：%[1]s", "a reference has the type of something else: %[1]s"},
		{opcsig.CodeExternal, Invalid, "SignedInfo 引用了签名部件之外的内容（签名移植）：%[1]s", "SignedInfo references what is not in the part, as of a signature taken from elsewhere: %[1]s"},
		{opcsig.CodeRepeated, Invalid, "两项引用指向同一元素：%[1]s", "two references name one element: %[1]s"},
		{opcsig.CodeMany, Invalid, "引用过多：%[1]s", "there are too many references: %[1]s"},
		{opcsig.CodeAlgorithm, Invalid, "规范化、摘要或签名算法不在允许之列：%[1]s", "a method of canonicalisation, digest or signature is not among those allowed: %[1]s"},
		{opcsig.CodeTransform, Invalid, "变换不在允许之列：%[1]s", "a transform is not among those allowed: %[1]s"},
		{opcsig.CodeSHA1, Valid, "XML 签名结构正确；使用了 SHA-1（旧版 Office 的签名），是否仍安全见 signer-algorithm：%[1]s", "the XML signature is well formed; SHA-1 is used, as by old versions of Office, and signer-algorithm says what it is worth: %[1]s"},
		{opcsig.CodeDigest, Invalid, "摘要值有误：%[1]s", "a digest is none of its method: %[1]s"},
		{opcsig.CodeManifestURI, Invalid, "清单引用有误：%[1]s", "a reference of the manifest is malformed: %[1]s"},
		{opcsig.CodeManifestTwo, Invalid, "清单两次引用同一部件：%[1]s", "the manifest names a part twice: %[1]s"},
		{opcsig.CodeManifest, Invalid, "清单引用的变换不是 Office 所用的：%[1]s", "a reference of the manifest has transforms that Office does not make: %[1]s"},
		{opcsig.CodeValue, Invalid, "签名值编码错误：%[1]s", "the signature value is not well encoded: %[1]s"},
		{opcsig.CodeCertificate, Invalid, "签名中的证书缺失或编码错误：%[1]s", "the certificate in the signature is missing or not well encoded: %[1]s"},
		{opcsig.CodeTime, Valid, "XML 签名结构正确；没有可读的签名时间：%[1]s", "the XML signature is well formed; it has no time of signing that can be read: %[1]s"},
		{opcsig.CodeOfficeInfo, Valid, "XML 签名结构正确；Office 的签名信息不全：%[1]s", "the XML signature is well formed; what Office says of a signature is not complete: %[1]s"},
		{opcsig.CodeXAdES, Valid, "XML 签名结构正确；XAdES 属性不全：%[1]s", "the XML signature is well formed; its XAdES properties are not complete: %[1]s"},
		{opcsig.CodeTimeStamp, Valid, "XML 签名结构正确；有无法读取的时间戳：%[1]s", "the XML signature is well formed; a time stamp in it cannot be read: %[1]s"},
		{opcsig.CodeMoreFindings, Invalid, "还有更多问题：%[1]s", "there is more: %[1]s"},
	},
}

var xmlReferencesRule = &rule{
	name:   "xml-references",
	clause: "XML Signature 3.2.1 (Reference Validation); MS-OFFCRYPTO 2.5.2",
	stops:  "what the signature says of itself, or the picture of a signature line, changed after it was signed",
	codes: []outcome{
		{codeOK, Valid, "SignedInfo 引用的 %[1]d 个对象的杂凑值均一致", "the digests of all %[1]d objects that SignedInfo references are right"},
		{"xml-object-changed", Invalid, "SignedInfo 引用的对象的杂凑值不一致：%[1]s", "the digest of an object that SignedInfo references is not the one signed: %[1]s"},
	},
}

var xmlValueRule = &rule{
	name:   "xml-value",
	clause: "XML Signature 3.2.2 (Signature Validation); RFC 9231; PKCS #1 v1.5",
	stops:  "a signature that the certificate's key did not make",
	codes: []outcome{
		{codeOK, Valid, "XML 签名值正确", "the signature value of the XML signature is right"},
		{"xml-value-wrong", Invalid, "XML 签名值错误", "the signature value of the XML signature is wrong"},
		{"xml-algorithm", Indeterminate, "不支持的 XML 签名算法：%[1]s", "the algorithm of the XML signature is not supported: %[1]s"},
		{"key-mismatch", Invalid, "签名算法与证书公钥不符：%[1]s", "the signature algorithm does not fit the certificate's key: %[1]s"},
	},
}

var xmlCertificateRule = &rule{
	name:   "xml-certificate",
	clause: "XAdES (ETSI EN 319 132-1) 5.2.2; MS-OFFCRYPTO 2.5.2.6",
	stops:  "a signature shown under another certificate of the same key",
	codes: []outcome{
		{codeOK, Valid, "SigningCertificate 指明的正是签名证书", "SigningCertificate names the certificate that signed"},
		{"certificate-not-bound", Invalid, "没有 SigningCertificate：签名没有指明签名证书", "there is no SigningCertificate: the signature does not say which certificate signed"},
		{"other-certificate", Invalid, "SigningCertificate 指向另一证书", "SigningCertificate names another certificate"},
		{"second-certificate", Invalid, "KeyInfo 中有同一密钥的另一证书：其他软件可能显示另一签名人", "KeyInfo has another certificate of the same key too, so that a program may show another signer"},
	},
}

// A nativeSignature is a signature that Office programs make and show, with what was found of it elsewhere in the package.
type nativeSignature struct {
	*opcsig.Signature
	certDER  []byte         // that signed; nil: none
	seal     *seal.Seal     // that it binds in a part of its own; nil: none
	partner  *sealSignature // the seal signature of the same act, by their evidence; nil: none
	unsealed *finding       // of sealBindingRule: why the seal cannot be read; nil: it can, or there is none
	evidence []byte         // of a ledger, that SignatureComments names; nil: none
	apart    bool           // it stands in a part of its own
	lost     *finding       // why there is no evidence; nil: it names none
}

// judgeNative makes the checks of the signature itself.
func (j *judge) judgeNative(n *nativeSignature) {
	stamps := j.nativeStamps(n)
	proof := earlier(stamps, j.archived)
	j.prove(proof)
	j.proven = proof.by
	j.xmlReferences(n)
	cert := j.parse(signerRole, n.certDER)
	j.xmlCertificate(n)
	j.xmlValue(n, cert)
	if n.unsealed != nil {
		j.add(sealBindingRule.check(n.unsealed.code, n.unsealed.args...))
	}
	if n.seal != nil {
		j.add(sealBindingRule.check("seal-in-part"))
		back := j.follow(n.seal)
		j.holder(n.seal, n.certDER)
		back()
		j.bring(n.seal.MakerCert)
		j.judgeSeal(n.seal)
	}
	if cert != nil {
		j.sig.Signer = describe(cert)
		j.strength(signerRole, cert, j.proven, n.hashes()...)
		s := subject{role: signerRole, cert: cert, purpose: ForSigner, when: j.claimed}
		if n.names(n.certDER) { // the others of KeyInfo nobody signs, nor do the books have them
			s.proven = j.proven
		}
		j.judgeCertificate(s)
	}
	j.sayStamps(stamps)
}

// xmlForm says what is wrong with the form of the part: one answer for each kind of finding.
func (j *judge) xmlForm(n *nativeSignature) {
	var codes []string
	details := map[string][]string{}
	for _, f := range n.Findings {
		if details[f.Code] == nil {
			codes = append(codes, f.Code)
		}
		details[f.Code] = append(details[f.Code], clipName(f.Detail))
	}
	if codes == nil {
		j.add(xmlFormRule.check(codeOK))
	}
	for _, code := range codes {
		j.add(xmlFormRule.check(code, brief(details[code], "; ")))
	}
}

// xmlReferences compares what SignedInfo names with what is there.
func (j *judge) xmlReferences(n *nativeSignature) {
	var wrong []string
	for _, s := range n.Signed {
		if !s.OK() {
			wrong = append(wrong, clipName(s.URI))
		}
	}
	if wrong != nil || len(n.Signed) == 0 {
		j.add(xmlReferencesRule.check("xml-object-changed", brief(wrong, ", ")))
		return
	}
	j.add(xmlReferencesRule.check(codeOK, len(n.Signed)))
}

// maxTried is how many certificates are tried where the signature names none.
const maxTried = 4

// findCertificate finds the certificate that signed: the one that the signature names, else the first whose key made the value.
func (n *nativeSignature) findCertificate() {
	for _, der := range n.Certificates {
		if n.names(der) {
			n.certDER = der
			return
		}
	}
	for _, der := range n.Certificates[:min(len(n.Certificates), maxTried)] {
		c, err := gm.ParseCertificate(der)
		if err == nil && n.Scheme.Kind != "" && xmldsig.Check(c.PublicKey, n.Scheme, n.SignedInfo, n.Value) == nil {
			n.certDER = der
			return
		}
	}
	if len(n.Certificates) > 0 {
		n.certDER = n.Certificates[0]
	}
}

// names: SigningCertificate names this certificate, first of all.
func (n *nativeSignature) names(der []byte) bool {
	if n.XAdES == nil || len(n.XAdES.Certificates) == 0 {
		return false
	}
	r := n.XAdES.Certificates[0]
	return r.Hash.Size() > 0 && bytes.Equal(r.Hash.Sum(der), r.Digest)
}

func (j *judge) xmlCertificate(n *nativeSignature) {
	switch {
	case n.XAdES == nil || len(n.XAdES.Certificates) == 0:
		j.add(xmlCertificateRule.check("certificate-not-bound"))
	case n.certDER == nil || !n.names(n.certDER):
		j.add(xmlCertificateRule.check("other-certificate"))
	case n.second():
		j.add(xmlCertificateRule.check("second-certificate"))
	default:
		j.add(xmlCertificateRule.check(codeOK))
	}
}

// second: KeyInfo has another certificate of the key that signed.
func (n *nativeSignature) second() bool {
	signed, err := gm.ParseCertificate(n.certDER)
	if err != nil {
		return false // said elsewhere
	}
	return slices.ContainsFunc(n.Certificates, func(der []byte) bool {
		c, err := gm.ParseCertificate(der)
		return err == nil && !bytes.Equal(der, n.certDER) && bytes.Equal(c.RawSubjectPublicKeyInfo, signed.RawSubjectPublicKeyInfo)
	})
}

func (j *judge) xmlValue(n *nativeSignature, cert *gm.Certificate) {
	if cert == nil {
		return // said already
	}
	if n.Scheme.Kind == "" || n.SignedInfo == nil {
		j.add(xmlValueRule.check("xml-algorithm", clipName(n.Method)))
		return
	}
	err := xmldsig.Check(cert.PublicKey, n.Scheme, n.SignedInfo, n.Value)
	switch {
	case err == nil:
		j.add(xmlValueRule.check(codeOK))
	case errors.Is(err, sign.ErrUnsupportedKey):
		j.add(xmlValueRule.check("key-mismatch", fmt.Sprintf("%s, %s", n.Scheme, keyName(cert.PublicKey))))
	default:
		j.add(xmlValueRule.check("xml-value-wrong"))
	}
}

// hashes are those that the document hangs on.
func (n *nativeSignature) hashes() []sign.Hash {
	list := []sign.Hash{n.Scheme.Hash}
	for _, s := range n.Signed {
		list = append(list, s.Hash)
	}
	for _, r := range n.Manifest {
		list = append(list, r.Hash)
	}
	if n.XAdES != nil && len(n.XAdES.Certificates) > 0 {
		list = append(list, n.XAdES.Certificates[0].Hash)
	}
	slices.Sort(list[1:])
	return slices.Compact(list)
}

// reference is that of the entry in a ledger, which SignatureComments ends with; empty: none.
func (n *nativeSignature) reference() string {
	if n.Info == nil {
		return ""
	}
	_, ref := xmldsig.SplitComments(n.Info.Comments)
	return ref
}

// value is what the ledger has the digest of.
func (n *nativeSignature) value() []byte {
	v := sign.XMLValue{Value: n.Value, Reference: n.reference()}
	if n.apart {
		v.Evidence = n.evidence
	}
	if len(n.TimeStamps) > 0 {
		v.TimeStamp = n.TimeStamps[0].Token
	}
	return v.Marshal()
}

// nativeStamps judges the time stamps over the value (XAdES-T). Like those of a CMS they are unsigned: a wrong one is no proof and no more.
func (j *judge) nativeStamps(n *nativeSignature) *stamps {
	v := stampedValue{over: overXML, rule: stampRule, proven: earlier(nil, j.archived).by}
	if len(n.TimeStamps) > 1 {
		v.proven = time.Time{} // the books have the first alone
	}
	for _, t := range n.TimeStamps {
		v.tokens, v.value = append(v.tokens, t.Token), t.Over
	}
	return j.judgeStamps(v)
}
