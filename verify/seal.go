package verify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

var sealFormatRule = &rule{
	name:  "seal-format",
	seals: clauses{seal.V1: "GM/T 0031-2014 6.1.2 a", seal.V4: "GB/T 38540-2020 6.3 a", seal.V5: "GM/T 0031-2025 (seal) a"},
	stops: "bytes that are no seal",
	codes: []outcome{
		{codeOK, Valid, "电子印章格式正确，版本 %[1]d", "the seal is well formed, version %[1]d"},
		{"version-by-example", Valid, "电子印章格式正确；印章头版本为 %[1]d，该代标准未规定其值", "the seal is well formed; its header says version %[1]d, of which its standard only gives an example"},
		{"seal-version", Invalid, "印章头版本 %[1]d 与印章结构（版本 %[2]d）不符", "the seal's header says version %[1]d and its shape is of version %[2]d"},
	},
}

var sealExtensionsRule = &rule{
	name:  "seal-extensions",
	seals: clauses{seal.V1: "GM/T 0031-2014 5.1 (extDatas)", seal.V4: "GB/T 38540-2020 6.1 (extDatas)", seal.V5: "GM/T 0031-2025 (extDatas)"},
	stops: "under strict-2020: a seal whose critical extension nobody here understands",
	codes: []outcome{
		{codeOK, Valid, "没有未知的关键扩展", "no unknown critical extension"},
		{"critical-extension", NotAsked, "印章有未知的关键扩展 %[1]s", "the seal has a critical extension that is not known here, %[1]s"},
		{"critical-extension-refused", Invalid, "印章有未知的关键扩展 %[1]s", "the seal has a critical extension that is not known here, %[1]s"},
	},
}

var sealValueRule = &rule{
	name:  "seal-value",
	seals: clauses{seal.V1: "GM/T 0031-2014 6.1.2 b", seal.V4: "GB/T 38540-2020 6.3 b", seal.V5: "GM/T 0031-2025 (seal) b"},
	stops: "a seal in which a name, a picture, a holder or a date was changed, or that nobody made",
	codes: []outcome{
		{codeOK, Valid, "制章者签名值正确", "the maker's signature value is right"},
		{"seal-value-wrong", Invalid, "制章者签名值错误", "the maker's signature value is wrong"},
		{"seal-algorithm", Invalid, "印章的签名算法与制章者证书不符或不支持：%[1]s", "the seal's signature algorithm does not fit the maker's certificate, or is not known: %[1]s"},
	},
}

var sealMadeRule = &rule{
	name:   "seal-made",
	clause: "GM/T 0031-2025 (seal) c",
	stops:  "a seal made after its own end, or used before it was made",
	codes: []outcome{
		{codeOK, Valid, "印章制作于 %[1]s", "the seal was made at %[1]s"},
		{"made-after-end", Invalid, "印章制作时间 %[1]s 晚于其有效期结束 %[2]s", "the seal was made at %[1]s, after its own end, %[2]s"},
		{"used-before-made", Invalid, "签章时间 %[2]s 早于印章制作时间 %[1]s", "the time of signing, %[2]s, is before the seal was made, %[1]s"},
	},
}

var sealPeriodRule = &rule{
	name:  "seal-period",
	seals: clauses{seal.V1: "GM/T 0031-2014 6.1.2 d, 6.2.3 f", seal.V4: "GB/T 38540-2020 6.3 d", seal.V5: "GM/T 0031-2025 (seal) e"},
	stops: "a seal used before or after its time",
	codes: []outcome{
		{codeOK, Valid, "印章在签章时和验证时均在有效期 %[1]s - %[2]s 内", "the seal is valid when signing and when verifying, %[1]s - %[2]s"},
		{"seal-expired-since", Valid, "印章在签章时有效，已于 %[2]s 到期", "the seal was valid when signing and has ended since, at %[2]s"},
		{"seal-expired-now", Invalid, "印章已于 %[2]s 到期，按标准字面要求无效", "the seal ended at %[2]s, which the standard taken literally refuses"},
		{"outside-seal-period", Invalid, "%[3]s 不在印章有效期 %[1]s - %[2]s 内", "%[3]s is outside the seal's period, %[1]s - %[2]s"},
	},
}

var sealHolderRule = &rule{
	name:  "seal-holder",
	seals: clauses{seal.V1: "GM/T 0031-2014 6.2.2 c", seal.V4: "GB/T 38540-2020 7.3 (签章者证书与电子印章的匹配性)", seal.V5: "GM/T 0031-2025"},
	stops: "a seal used by somebody it was not given to",
	codes: []outcome{
		{codeOK, Valid, "签章者证书在印章的签章者证书列表中", "the signer's certificate is in the seal's certList"},
		{"not-holder", Invalid, "签章者证书不在印章的签章者证书列表中", "the signer's certificate is not in the seal's certList"},
	},
}

var sealStateRule = &rule{
	name:   "seal-state",
	clause: "电子印章管理办法（国办发〔2025〕33号）",
	stops:  "a seal used after it was suspended, cancelled or declared void",
	codes: []outcome{
		{codeOK, Valid, "印章在签章时状态有效", "the seal was active when signing"},
		{"no-state", NotAsked, "未提供印章状态来源", "no source of seal states was given"},
		{"state-unknown", Indeterminate, "无法得知印章状态：%[1]s", "the state of the seal cannot be known: %[1]s"},
		{"not-active-since", Valid, "印章在签章时状态有效，现为 %[1]s", "the seal was active when signing and is now %[1]s"},
		{"not-active", Invalid, "印章在签章时状态为 %[1]s", "when signing, the seal was %[1]s"},
	},
}

// A StateSource tells the state of a seal at a time, by the books of who made it. It may be asked concurrently. An error
// means that it cannot tell; a seal it does not know is seal.StatusUnknown.
type StateSource interface {
	State(ctx context.Context, esID string, at time.Time) (seal.Status, error)
}

// judgeSeal makes the checks of the seal itself, in the order of the standard it follows: format, value, make time,
// maker's certificate, period and time stamp of GM/T 0031-2025, of which GB/T 38540-2020 6.3 and GM/T 0031-2014 6.1.2 have
// neither the third nor the last. The state in the books comes after them.
func (j *judge) judgeSeal(e *seal.Seal) {
	defer j.follow(e)()
	strict := j.opts.Policy == Strict2020 && e.Generation() != seal.V5
	j.parserNotes(e.Notes)
	j.sealFormat(e)
	j.extensions(sealExtensionsRule, e.Extensions, sign.AttributePolicy)
	scheme, right := j.sealValue(e)
	maker := j.parse(makerRole, e.MakerCert)
	own := j.sealStamps(e)
	proven := earlier(own, &stamps{by: j.proven}).by // the seal is inside what is proven
	j.sig.Seal = describeSeal(e, maker)
	j.sealMade(e)
	if maker != nil {
		when := e.Created
		if when.IsZero() {
			when = j.claimed
		}
		if strict {
			when = j.at
		}
		if right {
			j.strength(makerRole, maker, proven, scheme.Hash)
		}
		s := subject{role: makerRole, cert: maker, purpose: ForMaker, when: when, settled: true, strict: strict, proven: j.proven}
		if e.Generation() == seal.V1 { // whose value is over the certificate too
			s.proven = proven
		}
		j.judgeCertificate(s)
	}
	j.sealPeriod(e)
	if e.TimeStamp != nil {
		j.sayStamps(own)
	}
	j.sealState(e)
}

// follow lets the checks cite the standard of the seal, until the function it returns is called.
func (j *judge) follow(e *seal.Seal) (back func()) {
	before := j.standard
	j.standard = e.Generation()
	return func() { j.standard = before }
}

// sealFormat asks whether the header goes with the shape. GM/T 0031-2014 only gives an example of the number, and nobody
// can read any more which one C0119 wants.
func (j *judge) sealFormat(e *seal.Seal) {
	switch {
	case e.Version == e.Generation():
		j.say(sealFormatRule, codeOK, int(e.Version))
	case e.Generation() == seal.V1 || e.C0119():
		j.say(sealFormatRule, "version-by-example", int(e.Version))
	default:
		j.say(sealFormatRule, "seal-version", int(e.Version), int(e.Generation()))
	}
}

// extensions answers for those of a seal and those of a signature. known is the one that another check reads.
func (j *judge) extensions(r *rule, list []seal.Extension, known sign.OID) {
	for _, x := range list {
		if !x.Critical || x.ID == known {
			continue
		}
		code := "critical-extension" // real seals mark private data critical
		if j.opts.Policy == Strict2020 {
			code = "critical-extension-refused"
		}
		j.say(r, code, x.ID.String())
		return
	}
	j.say(r, codeOK)
}

func (j *judge) sealValue(e *seal.Seal) (scheme sign.Scheme, right bool) {
	scheme, err := e.Scheme()
	switch {
	case err == nil:
		j.say(sealValueRule, codeOK)
	case errors.Is(err, seal.ErrAlgorithm), errors.Is(err, seal.ErrMalformed):
		j.say(sealValueRule, "seal-algorithm", err.Error())
	default:
		j.say(sealValueRule, "seal-value-wrong")
	}
	return scheme, err == nil
}

func (j *judge) sealMade(e *seal.Seal) {
	switch {
	case e.Created.After(e.NotAfter):
		j.say(sealMadeRule, "made-after-end", clock(e.Created), clock(e.NotAfter))
	case e.Created.After(j.claimed):
		j.say(sealMadeRule, "used-before-made", clock(e.Created), clock(j.claimed))
	default:
		j.say(sealMadeRule, codeOK, clock(e.Created))
	}
}

func (j *judge) sealPeriod(e *seal.Seal) {
	args := []any{clock(e.NotBefore), clock(e.NotAfter), clock(j.claimed)}
	switch {
	case j.claimed.Before(e.NotBefore) || j.claimed.After(e.NotAfter):
		j.say(sealPeriodRule, "outside-seal-period", args...)
	case j.at.After(e.NotAfter) && j.opts.Policy == Strict2020:
		j.say(sealPeriodRule, "seal-expired-now", args...)
	case j.at.After(e.NotAfter):
		j.say(sealPeriodRule, "seal-expired-since", args...)
		j.doubt(e.NotAfter, "印章已到期", "the seal has ended")
	default:
		j.say(sealPeriodRule, codeOK, args...)
	}
}

func (j *judge) sealState(e *seal.Seal) {
	if j.opts.States == nil {
		j.say(sealStateRule, "no-state")
		return
	}
	// Times of signing are of whole seconds. Where good evidence names the entry that was made then, its time is finer: a seal may be
	// received and used within a second.
	at := j.claimed
	if j.entryTime.Truncate(time.Second).Equal(at) {
		at = j.entryTime
	}
	then, err := j.opts.States.State(j.ctx, e.ID, at)
	if err == nil && then == seal.StatusUnknown {
		err = errors.New("unknown seal")
	}
	if err != nil {
		j.say(sealStateRule, "state-unknown", err.Error())
		return
	}
	if then != seal.StatusActive {
		j.say(sealStateRule, "not-active", string(then))
		return
	}
	now, err := j.opts.States.State(j.ctx, e.ID, j.at.Add(time.Second-time.Millisecond)) // at has whole seconds: its second counts whole
	if err != nil {
		j.say(sealStateRule, "state-unknown", err.Error())
		return
	}
	if now != seal.StatusActive {
		j.say(sealStateRule, "not-active-since", string(now))
		if then, err := j.stateWhenProven(e); err != nil || then != seal.StatusActive {
			j.doubt(time.Time{}, "印章现为 "+string(now), fmt.Sprintf("the seal is now %s", now))
		}
		return
	}
	j.say(sealStateRule, codeOK)
}

// stateWhenProven asks the books for the moment by which the signature is proven to exist.
func (j *judge) stateWhenProven(e *seal.Seal) (seal.Status, error) {
	if j.proven.IsZero() {
		return seal.StatusUnknown, nil
	}
	return j.opts.States.State(j.ctx, e.ID, j.proven)
}

// holder: the seal was given to the certificate that used it.
func (j *judge) holder(e *seal.Seal, cert []byte) {
	if !e.Holds(cert) {
		j.say(sealHolderRule, "not-holder")
		return
	}
	j.say(sealHolderRule, codeOK)
}

func describeSeal(e *seal.Seal, maker *gm.Certificate) *Seal {
	d := &Seal{
		ID: e.ID, Name: e.Name, Vid: e.Vid, Version: int(e.Version), Type: e.Type,
		Created: e.Created.UTC(), NotBefore: e.NotBefore.UTC(), NotAfter: e.NotAfter.UTC(),
		Width: e.Picture.Width, Height: e.Picture.Height,
	}
	if maker != nil {
		d.Maker = describe(maker)
	}
	return d
}
