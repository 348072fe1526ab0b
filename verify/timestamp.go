package verify

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
	"github.com/courtseal/courtseal/sign/tsp"
)

var stampRule = &rule{
	name:   "timestamp",
	clause: "RFC 3161; ETSI EN 319 102-1 5.5.4",
	seals:  clauses{seal.V1: "GM/T 0031-2014 6.1 (timeInfo)", seal.V4: "GB/T 38540-2020 7.3", seal.V5: "GM/T 0031-2025 (time stamp; seal f)"},
	stops:  "a seal or seal signature with a wrong time stamp, or one dated after its time stamp; any wrong time stamp taken as proof",
	codes: []outcome{
		{codeOK, Valid, "时间戳有效，证明其所签之值在 %[1]s 已存在", "the time stamp is good and proves that what it is over existed at %[1]s"},
		{"timestamp-beside", Valid, "时间戳有效，证明其所签之值在 %[1]s 已存在；另有时间戳不成立，不予考虑：%[2]s", "a time stamp is good and proves that what it is over existed at %[1]s; another does not hold, and counts for nothing: %[3]s"},
		{"no-timestamp", NotAsked, "无时间戳", "there is no time stamp"},
		{"timestamp-inside", Valid, "timeInfo 为有效时间戳：签章不早于 %[1]s；它在签章数据之内，不能证明签章不晚于何时", "timeInfo is a good time stamp: the signature is not older than %[1]s; standing inside what is signed, it does not prove that it is not younger"},
		{"timestamp-no-proof", NotAsked, "时间戳不成立，不作为时间证明：%[1]s", "the time stamp does not hold and is no proof of time: %[2]s"},
		{"timestamp-unknown", Indeterminate, "无法确定时间戳是否有效：%[1]s", "whether the time stamp is good cannot be told: %[2]s"},
		{"timestamp-wrong", Invalid, "时间戳无效：%[1]s", "the time stamp is wrong: %[2]s"},
		{"claimed-after-stamp", Invalid, "签章时间 %[1]s 晚于时间戳时间 %[2]s", "the time of signing, %[1]s, is after the time stamp, %[2]s"},
		{"made-after-stamp", Invalid, "印章制作时间 %[1]s 晚于时间戳时间 %[2]s", "the seal was made at %[1]s, after its time stamp, %[2]s"},
	},
}

// The rules below are asked of one time stamp; their answers stand in its Stamp.

var tokenFormatRule = &rule{
	name:   "token-format",
	clause: "RFC 3161 2.4.2; GM/T 0033; GB/T 20520",
	stops:  "bytes that are no time stamp",
	codes: []outcome{
		{codeOK, Valid, "时间戳令牌格式正确", "the time-stamp token is well formed"},
		{"malformed-token", Invalid, "时间戳令牌格式错误：%[1]s", "the time-stamp token is malformed: %[1]s"},
	},
}

var tokenImprintRule = &rule{
	name:   "token-imprint",
	clause: "RFC 3161 2.4.2 (messageImprint); GM/T 0031-2025",
	stops:  "a time stamp taken from somewhere else; an imprint that can be forged",
	codes: []outcome{
		{codeOK, Valid, "时间戳的 %[1]s 杂凑值与所签之值一致", "the time stamp is over the %[1]s of what it should be over"},
		{"imprint-wrong", Invalid, "时间戳所签的是其他内容", "the time stamp is over something else"},
		{"imprint-weak-then-good", Valid, "时间戳的 %[1]s 杂凑值与所签之值一致，其安全期到 %[2]s 为止，时间戳经证明在 %[3]s 已存在", "the time stamp is over the %[1]s of what it should be over, which protected until %[2]s, and is proven to have existed by %[3]s"},
		{"imprint-weak", Invalid, "时间戳的杂凑算法 %[1]s 自 %[2]s 之后不再安全，且不能证明时间戳早于该时间", "the hash %[1]s of the time stamp protected until %[2]s, and nothing proves that the time stamp is older"},
		{"imprint-unsupported", Indeterminate, "不支持时间戳的杂凑算法 %[1]s", "the hash %[1]s of the time stamp is not supported"},
		{"imprint-unspecified", Indeterminate, "timeInfo 中的时间戳不是对原文杂凑值的；标准未规定其对象", "the time stamp in timeInfo is not over the hash of the original, and the standard does not say what it should be over"},
	},
}

var tokenValueRule = &rule{
	name:   "token-value",
	clause: "RFC 3161 2.4.1; RFC 5816; RFC 5652 5.4",
	stops:  "a time stamp that the authority did not make",
	codes: []outcome{
		{codeOK, Valid, "时间戳机构的签名值正确", "the authority's signature value is right"},
		{"token-value-wrong", Invalid, "时间戳机构的签名值或签名属性错误：%[1]s", "the authority's signature value or a signed attribute is wrong: %[1]s"},
		{"token-algorithm", Indeterminate, "不支持时间戳的签名算法：%[1]s", "the algorithms of the time stamp are not supported: %[1]s"},
		{"no-authority-certificate", Indeterminate, "时间戳中没有签发机构的证书，也未另外提供", "the time stamp does not hold its authority's certificate, and none was given"},
	},
}

var tsaPurposeRule = &rule{
	name:   "tsa-purpose",
	clause: "RFC 3161 2.3; GM/T 0031-2025 (id-kp-timeStamping)",
	stops:  "a time stamp made with a certificate for something else",
	codes: []outcome{
		{codeOK, Valid, "证书仅用于时间戳", "the certificate is for time stamps alone"},
		{"purpose-not-critical", Valid, "证书仅用于时间戳，但扩展密钥用法未标为关键", "the certificate is for time stamps alone, though its extended key usage is not marked critical"},
		{"purpose-shared", Invalid, "证书除时间戳外另有用途", "the certificate is for other things than time stamps too"},
		{"purpose-other", Invalid, "证书的扩展密钥用法不含 id-kp-timeStamping", "the certificate's extended key usage does not have id-kp-timeStamping"},
	},
}

var tokenTimeRule = &rule{
	name:   "token-time",
	clause: "RFC 3161 2.4.2 (genTime); ETSI EN 319 102-1 5.5.4",
	stops:  "a time stamp of the future; one that anybody may have made since its authority's certificate ended",
	codes: []outcome{
		{codeOK, Valid, "时间戳时间为 %[1]s", "the time stamp says %[1]s"},
		{"stamp-future", Indeterminate, "时间戳时间 %[1]s 晚于验证时间 %[2]s", "the time stamp says %[1]s, after the time of verification, %[2]s"},
		{"stamp-not-proven", Indeterminate, "不能证明时间戳早于下列情形：%[2]s", "nothing proves that the time stamp is older than this: %[3]s"},
	},
}

// maxStamps bounds the time stamps of one value.
const maxStamps = 4

// What a time stamp is over: Stamp.Over.
const (
	overCMS      = "cms"       // the signature value of the CMS
	overSES      = "ses"       // that of the SES_Signature
	overXML      = "xml"       // the SignatureValue of an XML signature
	overSeal     = "seal"      // that of the seal
	overOriginal = "time-info" // GM/T 0031-2014: the original, inside timeInfo
	overDocument = "document"  // all that stands in the file before it: a document time stamp
)

// A stampedValue is what time stamps are over.
type stampedValue struct {
	over    string
	tokens  [][]byte
	value   []byte    // what the imprint is of
	hash    []byte    // overOriginal: the hash of the original, which the imprint may be itself
	claimed time.Time // when the value says it was made; zero: it does not say
	proven  time.Time // by when the tokens themselves are proven to exist; zero: not proven
	binding bool      // the standard of seals holds: a wrong stamp makes the value wrong
	after   string    // the code for a claim later than the stamp
	rule    *rule     // timestamp, inner-timestamp, seal-timestamp
}

// stamps is what the time stamps of one value are worth.
type stamps struct {
	rule *rule
	code string
	args []any
	by   time.Time // by when the value is proven to exist; zero: not proven
	at   time.Time // what the earliest stamp says

	books bool // it is the books that prove it, and no stamp
}

func (j *judge) sayStamps(s *stamps) {
	if s != nil {
		j.say(s.rule, s.code, s.args...)
	}
}

// judgeStamps judges every time stamp over a value. Where the standard wants them right, the worst decides; where anybody can put them
// there, one that is good is proof enough, whatever stands beside it.
func (j *judge) judgeStamps(v stampedValue) *stamps {
	out := &stamps{rule: v.rule, code: "no-timestamp"}
	if len(v.tokens) == 0 {
		return out
	}
	if len(v.tokens) > maxStamps {
		j.note("many-timestamps", "时间戳过多，仅判断一部分", "there are too many time stamps; only some were judged")
		v.tokens = v.tokens[:maxStamps]
	}
	var bad *Stamp
	var late bool
	for _, token := range v.tokens {
		s, by := j.judgeStamp(v, token)
		j.sig.Stamps = append(j.sig.Stamps, *s)
		if s.Verdict != Valid && (bad == nil || worse(s.Verdict, bad.Verdict) != bad.Verdict) {
			bad = s
		}
		if s.Verdict == Valid && (out.by.IsZero() || by.Before(out.by)) {
			out.by, out.at = by, s.Time
		}
	}
	late = v.binding && !out.by.IsZero() && v.claimed.After(out.by.Add(clockSlip))
	switch {
	case bad != nil && !v.binding && !out.by.IsZero():
		why := bad.reason()
		out.code, out.args = "timestamp-beside", []any{clock(out.at), why.ZH, why.EN}
	case bad != nil:
		out.by = time.Time{}
		why := bad.reason()
		switch {
		case !v.binding:
			out.code = "timestamp-no-proof"
		case bad.Verdict == Invalid:
			out.code = "timestamp-wrong"
		default:
			out.code = "timestamp-unknown"
		}
		out.args = []any{why.ZH, why.EN}
	case late && v.after != "":
		out.code, out.args = v.after, []any{clock(v.claimed), clock(out.at)}
		out.by = time.Time{}
	case v.over == overOriginal:
		out.code, out.args = "timestamp-inside", []any{clock(out.at)}
		out.by = time.Time{}
	default:
		out.code, out.args = codeOK, []any{clock(out.at)}
	}
	return out
}

// judgeStamp judges one token. by is the latest moment at which it may have been made.
func (j *judge) judgeStamp(v stampedValue, token []byte) (s *Stamp, by time.Time) {
	sub := &judge{job: j.job, sig: new(Signature), pool: j.pool, brought: j.brought, proven: v.proven, whole: v.proven}
	s = &Stamp{Over: v.over}
	defer func() {
		s.Checks, s.Notes, s.Verdict = sub.sig.Checks, sub.sig.Notes, worst(sub.sig.Checks)
	}()
	t, err := tsp.Parse(token)
	if err != nil {
		sub.say(tokenFormatRule, "malformed-token", err.Error())
		return s, by
	}
	sub.parserNotes(t.Notes)
	sub.say(tokenFormatRule, codeOK)
	s.Time, s.Accuracy, s.Policy, s.Serial = t.Time, t.Accuracy, t.Policy.String(), fmt.Sprintf("%X", t.Serial)
	sub.imprint(v, t)
	sub.bring(t.SignedData.Certificates...)
	if cert := sub.authority(t); cert != nil {
		s.Authority = describe(cert)
		signer := &t.SignedData.Signers[0]
		sub.strength(tsaRole, cert, v.proven, signer.Scheme.Hash, sign.HashOf(signer.DigestOID))
		who := subject{role: tsaRole, cert: cert, purpose: ForTSA, when: t.Time}
		if signer.CheckCertificate(cert.Raw) == nil {
			who.proven = v.proven
		}
		sub.judgeCertificate(who)
		sub.tsaPurpose(cert)
	}
	sub.tokenTime(t.Time)
	return s, t.Time.Add(t.Accuracy)
}

func (j *judge) imprint(v stampedValue, t *tsp.Token) {
	right := v.hash != nil && bytes.Equal(t.Digest, v.hash)
	if v.over != overDocument {
		right = right || t.CheckImprint(v.value) == nil
	}
	l := j.lapseOf(v.proven, hashReliance(t.Hash))
	switch args := []any{string(t.Hash), clock(l.until), clock(l.proven)}; {
	case t.Hash == "":
		j.say(tokenImprintRule, "imprint-unsupported", t.HashOID.String())
	case l.standing == weak:
		j.say(tokenImprintRule, "imprint-weak", args...)
	case right && l.standing == thenGood:
		j.say(tokenImprintRule, "imprint-weak-then-good", args...)
	case right:
		j.say(tokenImprintRule, codeOK, string(t.Hash))
	case v.over == overOriginal:
		j.say(tokenImprintRule, "imprint-unspecified")
	default:
		j.say(tokenImprintRule, "imprint-wrong")
	}
}

// authority finds the certificate of who made the stamp, in it or among those at hand, and checks the value with it.
func (j *judge) authority(t *tsp.Token) *gm.Certificate {
	der := t.Certificate()
	if der == nil {
		pool := make([][]byte, len(j.pool))
		for i, c := range j.pool {
			pool[i] = c.Raw
		}
		der = t.SignedData.Signers[0].Certificate(pool)
	}
	if der == nil {
		j.say(tokenValueRule, "no-authority-certificate")
		return nil
	}
	err := t.CheckValue(der)
	switch {
	case err == nil:
		j.say(tokenValueRule, codeOK)
	case errors.Is(err, cms.ErrUnsupported):
		j.say(tokenValueRule, "token-algorithm", err.Error())
	default:
		j.say(tokenValueRule, "token-value-wrong", err.Error())
	}
	return j.parse(tsaRole, der)
}

const oidExtKeyUsage = "2.5.29.37"

// tsaPurpose: id-kp-timeStamping, critical and alone.
func (j *judge) tsaPurpose(c *gm.Certificate) {
	const timeStamping = 8 // x509.ExtKeyUsageTimeStamping
	named := false
	for _, u := range c.ExtKeyUsage {
		named = named || int(u) == timeStamping
	}
	critical := false
	for _, e := range c.Extensions {
		critical = critical || e.Id.String() == oidExtKeyUsage && e.Critical
	}
	switch {
	case !named:
		j.say(tsaPurposeRule, "purpose-other")
	case len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) > 1:
		j.say(tsaPurposeRule, "purpose-shared")
	case !critical:
		j.say(tsaPurposeRule, "purpose-not-critical")
	default:
		j.say(tsaPurposeRule, codeOK)
	}
}

// tokenTime comes last: what has ended since the stamp leaves a doubt, for the key may be in other hands by now.
func (j *judge) tokenTime(at time.Time) {
	switch {
	case at.After(j.at.Add(clockSlip)):
		j.say(tokenTimeRule, "stamp-future", clock(at), clock(j.at))
	case len(j.doubts) > 0:
		zh, en := j.allDoubts()
		j.say(tokenTimeRule, "stamp-not-proven", clock(at), zh, en)
	default:
		j.say(tokenTimeRule, codeOK, clock(at))
	}
}

// cmsStamps judges the time stamps over the value of a CMS (RFC 3161 Appendix A). They are unsigned: whoever holds the
// file can take them away or put others there, so that a wrong one is no more than no proof (ETSI EN 319 102-1 5.5.4).
func (j *judge) cmsStamps(c *cmsSignature) *stamps {
	return j.judgeStamps(stampedValue{over: overCMS, rule: stampRule, tokens: c.TimeStamps(), value: c.SignerInfo.Signature,
		proven: earlier(nil, j.archived).by})
}

// sesStamps judges the time stamp of a seal signature, which its standard wants right.
func (j *judge) sesStamps(s *sealSignature) *stamps {
	r := stampRule
	if s.role == innerRole {
		r = stampRule.of(innerRole)
	}
	v := stampedValue{over: overSES, rule: r, value: s.Value, claimed: s.Time, proven: j.proven, binding: true, after: "claimed-after-stamp"}
	if s.TimeStamp != nil {
		v.tokens = [][]byte{s.TimeStamp}
	}
	out := j.judgeStamps(v)
	if s.TimeToken == nil {
		return out
	}
	inside := j.judgeStamps(stampedValue{over: overOriginal, rule: r, tokens: [][]byte{s.TimeToken}, value: s.DataHash, hash: s.DataHash,
		proven: j.proven, binding: true})
	if out.code == "timestamp-wrong" { // the worse of the two is told
		return out
	}
	if inside.code != "timestamp-inside" || out.code == "no-timestamp" {
		inside.by, inside.at = out.by, out.at
		return inside
	}
	return out
}

// sealStamps judges the time stamp of a seal. What proves the signature to exist proves the seal inside it, and its stamp.
func (j *judge) sealStamps(e *seal.Seal) *stamps {
	v := stampedValue{over: overSeal, rule: stampRule.of(sealRole), value: e.Value,
		claimed: e.Created, proven: j.proven, binding: true, after: "made-after-stamp"}
	if e.TimeStamp != nil {
		v.tokens = [][]byte{e.TimeStamp}
	}
	return j.judgeStamps(v)
}

// documentStamp judges a document time stamp over the hash of what stands before it.
func (j *judge) documentStamp(token []byte, sums sign.Sums) *stamps {
	v := stampedValue{over: overDocument, rule: stampRule, tokens: [][]byte{token}, proven: earlier(nil, j.archived).by, binding: true}
	if h := stampHash(token); h != "" {
		v.hash, _ = sums.Get(h) // where there is none, nothing is right
	}
	return j.judgeStamps(v)
}

// stampHash is the hash of which a token has the imprint; empty: not to be had.
func stampHash(token []byte) sign.Hash {
	t, err := tsp.Parse(token)
	if err != nil {
		return ""
	}
	return t.Hash
}

// earlier is the one that proves more, and never nil.
func earlier(a, b *stamps) *stamps {
	switch {
	case a == nil && b == nil:
		return new(stamps)
	case a == nil, b != nil && !b.by.IsZero() && (a.by.IsZero() || b.by.Before(a.by)):
		return b
	}
	return a
}

// timeOf is the claimed time of a seal signature.
func (s *sealSignature) timeOf() time.Time {
	if s.Time.IsZero() && s.TimeToken != nil {
		if t, err := tsp.Parse(s.TimeToken); err == nil {
			return t.Time
		}
	}
	return s.Time
}
