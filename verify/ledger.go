package verify

import (
	"bytes"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

var ledgerRule = &rule{
	name:   "ledger",
	clause: "sign/FORMAT.md (.3, .4); audit/FORMAT.md; 电子印章管理办法（国办发〔2025〕33号）",
	stops:  "a seal used by its holder with no entry in its ledger; evidence of another use; a ledger that shows one history here and another there",
	codes: []outcome{
		{codeOK, Valid, "签章前已记入账本 %[1]s 第 %[2]d 条，时间 %[3]s", "entered before it was signed, at %[3]s, as entry %[2]d of the ledger %[1]s"},
		{"same-history", Valid, "签章前已记入账本 %[1]s 第 %[2]d 条，时间 %[3]s；已知的账本（%[4]d 条）与其同源", "entered before it was signed, at %[3]s, as entry %[2]d of the ledger %[1]s; what is known of it, %[4]d entries, is the same history"},
		{"entry-refused", Invalid, "账本 %[1]s 第 %[2]d 条不算数：%[3]s", "entry %[2]d of the ledger %[1]s does not count: %[3]s"},
		{"no-evidence", NotAsked, "没有账本证据，印章也不要求", "there is no evidence of a ledger, and the seal does not ask for any"},
		{"no-ledger-entry", Invalid, "制章者要求每次用印先记入账本，此签章没有记入的证据", "the maker of the seal wants every use of it entered in a ledger first, and nothing says that this one was"},
		{"malformed-ledger-policy", Indeterminate, "无法读取印章的账本要求：%[1]s", "what the seal asks of its ledger cannot be read: %[1]s"},
		{"evidence-twice", Invalid, "一个签名中有两份账本证据", "one signature has evidence of a ledger twice"},
		{"evidence-differs", Invalid, "内外两层签名的账本证据不同", "the two layers of the signature have different evidence of a ledger"},
		{"evidence-missing", Indeterminate, "签名所指的账本条目 %[1]s 的证据不在文件中", "the evidence of the entry that the signature names, %[1]s, is not in the file"},
		{"evidence-part-missing", Indeterminate, "账本条目还包括另一签名（其 %[1]s 杂凑值），文件中没有该签名", "the entry is of another signature too, of which it has the %[1]s and the file nothing"},
		{"malformed-evidence", Invalid, "账本证据格式错误：%[1]s", "the evidence of a ledger is malformed: %[1]s"},
		{"evidence-no-use", Invalid, "账本证据的条目不是用印：%[1]s", "the entry that is the evidence is not a use of a seal: %[1]s"},
		{"evidence-other-document", Invalid, "账本证据属于另一文件：条目中的 %[1]s 杂凑值不是本文件的", "the evidence is of another document: the %[1]s in the entry is not that of this one"},
		{"evidence-no-digest", Invalid, "账本证据的条目没有可与本文件比较的杂凑值", "the entry that is the evidence has no digest that this document could have"},
		{"evidence-other-source", Invalid, "账本证据的条目所列盖章前的文件不是本文件盖章前的版本", "the entry that is the evidence names another file as the one that was sealed than this document was before"},
		{"evidence-other-seal", Invalid, "账本证据属于另一印章：%[1]q，本签章为 %[2]q", "the evidence is of another seal, %[1]q, and this signature of %[2]q"},
		{"evidence-other-key", Invalid, "账本证据未列出签名证书：%[1]s", "the entry that is the evidence does not name a certificate that signed: %[1]s"},
		{"signed-before-entry", Invalid, "签章时间 %[1]s 早于记入账本的时间 %[2]s", "the time of signing, %[1]s, is before the entry in the ledger, %[2]s"},
		{"signed-long-after-entry", Invalid, "签章时间 %[1]s 远晚于记入账本的时间 %[2]s", "the time of signing, %[1]s, is long after the entry in the ledger, %[2]s"},
		{"evidence-other-ledger", Invalid, "制章者要求记入指定的账本，证据属于另一账本 %[1]s", "the maker of the seal wants its uses in another ledger than the one of the evidence, %[1]s"},
		{"checkpoint-before-entry", Invalid, "证据的检查点（%[1]d 条）早于条目（第 %[2]d 条）", "the checkpoint of the evidence, of %[1]d entries, is older than the entry, number %[2]d"},
		{"evidence-proof-wrong", Invalid, "证据中的路径不能证明条目在账本中：%[1]s", "the proof does not lead from the entry to the checkpoint: %[1]s"},
		{"checkpoint-signature-wrong", Invalid, "检查点的签名错误：%[1]s", "a signature of the checkpoint is wrong: %[1]s"},
		{"log-unknown", Indeterminate, "没有账本 %[1]s 的可信公钥", "no trusted key of the ledger %[1]s is known"},
		{"log-forked", Invalid, "账本 %[1]s 已分叉：证据所在的 %[2]d 条与已知的 %[3]d 条不是同一历史", "the ledger %[1]s is forked: the %[2]d entries of the evidence and the %[3]d known are not one history"},
		{"offline-reconciled", Valid, "离线用印：离线授权 %[1]s 第 %[2]d 次（共 %[3]d 次），已于 %[4]s 核销入账", "made offline as use %[2]d of %[3]d of the grant %[1]s, and entered in the ledger at %[4]s"},
		{"offline-not-reconciled", Indeterminate, "离线用印：离线授权 %[1]s 第 %[2]d 次（共 %[3]d 次），尚未得知是否核销入账", "made offline as use %[2]d of %[3]d of the grant %[1]s; nothing says that the ledger has it"},
		{"offline-unknown", Indeterminate, "离线用印：离线授权 %[1]s 第 %[2]d 次（共 %[3]d 次），无法得知是否核销入账：%[4]s", "made offline as use %[2]d of %[3]d of the grant %[1]s; whether the ledger has it cannot be known: %[4]s"},
		{"offline-refused", Invalid, "离线用印：离线授权 %[1]s 第 %[2]d 次（共 %[3]d 次），核销时被拒：%[4]s", "made offline as use %[2]d of %[3]d of the grant %[1]s, which does not count: %[4]s"},
		{"grant-signature-wrong", Invalid, "离线授权的签名错误：%[1]s", "a signature of the offline grant is wrong: %[1]s"},
		{"grant-used-up", Invalid, "离线用印超出授权次数：%[1]s", "made offline beyond the number of uses granted: %[1]s"},
		{"grant-period", Invalid, "离线用印不在授权期内：%[1]s", "made offline outside the period granted: %[1]s"},
		{"grant-seal", Invalid, "离线授权属于另一印章：%[1]s", "made offline with another seal than the one granted: %[1]s"},
		{"grant-device", Invalid, "离线授权属于另一密钥设备：%[1]s", "made offline with another key device than the one granted: %[1]s"},
		{"grant-list", Invalid, "离线用印所依据的状态清单过旧：%[1]s", "made offline with an older state list than the grant wants: %[1]s"},
		{"grant-exceeded", Invalid, "离线用印超出授权范围：%[1]s", "made offline beyond what is granted: %[1]s"},
		{"tree-unreadable", Indeterminate, "无法与已知的账本 %[1]s 比较：%[2]s", "the evidence cannot be compared with what is known of the ledger %[1]s: %[2]s"},
	},
}

// longSigning is how long after its entry an act may be signed: a person has to find the key, not to keep the evidence.
const longSigning = 24 * time.Hour

// A finding is an answer of a rule before it is said.
type finding struct {
	code string
	args []any
}

func found(code string, args ...any) *finding { return &finding{code, args} }

// A use is what was found out about a signature without its evidence, to hold the evidence against.
type use struct {
	seal  *seal.Seal // nil: none
	certs [][]byte   // of the keys that signed
	sums  sign.Sums  // of what is signed, computed from the file

	sources []sign.Sums // of the file before it was signed: one of them is right; none: that cannot be told
	apart   bool        // the signatures of one act sign different things: one may be there without the other
	others  []sign.Sums // apart: of what the other signatures of the file sign
}

func (c *signatureCase) use(sums sign.Sums) use {
	u := use{sums: sums, sources: c.sources}
	if c.cms != nil {
		u.certs, u.seal = append(u.certs, c.cms.certDER), c.cms.seal
	}
	if s := c.seals(); s != nil {
		u.certs, u.seal = append(u.certs, s.Cert), s.Seal
	}
	if n := c.native; n != nil {
		u.certs, u.seal = append(u.certs, n.certDER), n.seal
		if n.partner != nil {
			u.seal = n.partner.Seal
		}
	}
	u.apart, u.others = c.apart, c.others
	return u
}

// What good evidence proves.
type proved struct {
	use     *audit.Use // nil: nothing is proved
	entry   *audit.Evidence
	offline *audit.OfflineEvidence // in place of entry
}

// ledger judges the evidence that a signature binds, and asks for it where the maker of the seal does. Of a use that was made
// offline the ledger has the last word: see reconciled.
func (c *signatureCase) ledger(u use) (proved, *finding) {
	policy, err := policyOf(u.seal)
	p, f := c.evidence(u, policy)
	if err != nil && ledgerRule.check(f.code, f.args...).Verdict != Invalid {
		return proved{}, found("malformed-ledger-policy", err.Error())
	}
	return p, f
}

// policyOf is what the maker of a seal asks of its ledger; zero: nothing.
func policyOf(e *seal.Seal) (p audit.Policy, err error) {
	if e == nil {
		return p, nil
	}
	n := 0
	for _, x := range e.Extensions {
		if x.ID != sign.AttributePolicy {
			continue
		}
		if n++; n > 1 {
			return audit.Policy{}, errors.New("it stands twice")
		}
		if p, err = audit.ParsePolicy(x.Value); err != nil {
			return audit.Policy{}, err
		}
	}
	return p, nil
}

// evidence looks for evidence and judges it, the cheap questions first: whose it is, when, whether the ledger said so.
func (c *signatureCase) evidence(u use, policy audit.Policy) (proved, *finding) {
	raw, f := c.carried()
	switch {
	case f != nil && f.code == "evidence-missing" && policy.Required:
		return proved{}, found("no-ledger-entry")
	case f != nil:
		return proved{}, f
	case raw == nil && policy.Required:
		return proved{}, found("no-ledger-entry")
	case raw == nil:
		return proved{}, found("no-evidence")
	}
	c.sig.Evidence = raw
	if audit.IsOfflineEvidence(raw) {
		return c.offline(raw, u, policy)
	}
	e, err := audit.ParseEvidence(raw)
	if err != nil {
		return proved{}, found("malformed-evidence", err.Error())
	}
	leaf, err := audit.ParseLeaf(e.Leaf)
	if err != nil {
		return proved{}, found("malformed-evidence", err.Error())
	}
	entry, err := audit.ParseUse(leaf)
	if err != nil {
		return proved{}, found("evidence-no-use", err.Error())
	}
	c.sig.Entry = &Entry{Log: e.Head.Origin, Index: e.Index, Time: entry.Time, Request: entry.Request}
	if f := c.belongs(u, entry, e.Head.Origin, policy); f != nil {
		return proved{}, f
	}
	if f := c.entered(e, policy.Keys); f != nil {
		return proved{}, f
	}
	f = c.history(e, policy.Keys, entry.Time)
	if ledgerRule.check(f.code, f.args...).Verdict != Valid {
		return proved{}, f
	}
	return proved{use: &entry, entry: e}, f
}

// belongs asks whether an entry is one of this signature, in time, and in a ledger that the maker of the seal wants.
func (c *signatureCase) belongs(u use, entry audit.Use, log string, policy audit.Policy) *finding {
	if f := u.is(entry); f != nil {
		return f
	}
	if f := c.inTime(entry.Time); f != nil {
		return f
	}
	if policy.Required && !slices.ContainsFunc(policy.Keys, func(v audit.Verifier) bool { return v.Name() == log }) {
		return found("evidence-other-ledger", log)
	}
	return nil
}

// offline judges the evidence of a use that was made where no ledger could be reached.
func (c *signatureCase) offline(raw []byte, u use, policy audit.Policy) (proved, *finding) {
	e, err := audit.ParseOfflineEvidence(raw)
	if err != nil {
		return proved{}, found("malformed-evidence", err.Error())
	}
	c.sig.Entry = &Entry{Log: e.Grant.Log, Time: e.Use.Use.Time, Request: e.Use.Use.Request, Grant: e.Grant.ID, Number: e.Use.Number}
	if f := c.belongs(u, e.Use.Use, e.Grant.Log, policy); f != nil {
		return proved{}, f
	}
	_, err = audit.OpenOfflineGrant(e.GrantNote, c.keys(policy.Keys)...)
	switch {
	case errors.Is(err, audit.ErrUnknownLog):
		return proved{}, found("log-unknown", e.Grant.Log)
	case err != nil:
		return proved{}, found("grant-signature-wrong", err.Error())
	}
	if err := e.Grant.CheckUse(e.Use); err != nil {
		return proved{}, exceeded(err)
	}
	return proved{use: &e.Use.Use, offline: e}, found("offline-not-reconciled")
}

// exceeded says what an offline grant does not give.
func exceeded(err error) *finding {
	for _, x := range []struct {
		err  error
		code string
	}{
		{audit.ErrGrantUsedUp, "grant-used-up"}, {audit.ErrGrantPeriod, "grant-period"}, {audit.ErrGrantSeal, "grant-seal"},
		{audit.ErrGrantDevice, "grant-device"}, {audit.ErrListOld, "grant-list"},
	} {
		if errors.Is(err, x.err) {
			return found(x.code, err.Error())
		}
	}
	return found("grant-exceeded", err.Error())
}

// named are the hashes by which the entry of the evidence names the document and its source. All are computed: an entry with the SM3
// of one document and the SHA-256 of another would be good for both.
func (c *signatureCase) named() []sign.Hash {
	raw, f := c.carried()
	if raw == nil || f != nil {
		return nil
	}
	entry, err := entryIn(raw)
	if err != nil {
		return nil // evidence says why
	}
	return slices.AppendSeq(slices.Collect(maps.Keys(entry.Content)), maps.Keys(entry.Source))
}

// entryIn reads the entry alone.
func entryIn(raw []byte) (audit.Use, error) {
	if audit.IsOfflineEvidence(raw) {
		e, err := audit.ParseOfflineEvidence(raw)
		if err != nil {
			return audit.Use{}, err
		}
		return e.Use.Use, nil
	}
	e, err := audit.ParseEvidence(raw)
	if err != nil {
		return audit.Use{}, err
	}
	leaf, err := audit.ParseLeaf(e.Leaf)
	if err != nil {
		return audit.Use{}, err
	}
	return audit.ParseUse(leaf)
}

// carried finds the evidence: a signed attribute of a CMS, an entry in the extDatas of a seal signature; in a dual it may stand
// in both, if it is the same. nil: there is none.
func (c *signatureCase) carried() ([]byte, *finding) {
	if c.native != nil {
		return c.native.evidence, c.native.lost
	}
	var outer, inner [][]byte
	if c.cms != nil {
		for _, a := range c.cms.Attributes {
			if a.Type != sign.AttributeEvidence {
				continue
			}
			b, ok := octets(a.Values)
			if !ok {
				return nil, found("malformed-evidence", "the attribute is not one OCTET STRING")
			}
			outer = append(outer, b)
		}
	}
	if s := c.seals(); s != nil {
		for _, x := range s.Extensions {
			if x.ID == sign.AttributeEvidence {
				inner = append(inner, x.Value)
			}
		}
	}
	switch {
	case len(outer) > 1 || len(inner) > 1:
		return nil, found("evidence-twice")
	case len(outer) == 1 && len(inner) == 1 && !bytes.Equal(outer[0], inner[0]):
		return nil, found("evidence-differs")
	case len(outer) == 1:
		return outer[0], nil
	case len(inner) == 1:
		return inner[0], nil
	}
	return nil, nil
}

// octets is the only value of an attribute, an OCTET STRING.
func octets(values [][]byte) (out []byte, ok bool) {
	if len(values) != 1 {
		return nil, false
	}
	in := cryptobyte.String(values[0])
	var b cryptobyte.String
	ok = in.ReadASN1(&b, asn1.OCTET_STRING) && in.Empty()
	return append([]byte{}, b...), ok
}

// is asks whether an entry is of this very use: document, seal and keys. A leaf hash alone could be anybody's.
func (u use) is(entry audit.Use) *finding {
	if h, same := compare(entry.Content, u.sums); !same && h != "" {
		return found("evidence-other-document", string(h))
	} else if !same {
		return found("evidence-no-digest")
	}
	isSource := func(sums sign.Sums) bool {
		h, same := compare(entry.Source, sums)
		return same || h == "" // where nothing can be compared, nothing differs
	}
	if len(u.sources) > 0 && !slices.ContainsFunc(u.sources, isSource) {
		return found("evidence-other-source")
	}
	for _, cert := range u.certs {
		d := sign.SM3.Sum(cert)
		if !slices.ContainsFunc(entry.Certs, func(named []byte) bool { return bytes.Equal(named, d) }) {
			return found("evidence-other-key", hex.EncodeToString(d))
		}
	}
	if h := u.alone(entry.Content); h != "" {
		return found("evidence-part-missing", string(h))
	}
	id, digest := "", []byte(nil)
	if u.seal != nil {
		id, digest = u.seal.ID, sign.SM3.Sum(u.seal.Raw)
	}
	if entry.Seal != id || entry.SealDigest != nil && !bytes.Equal(entry.SealDigest, digest) {
		return found("evidence-other-seal", entry.Seal, id)
	}
	return nil
}

// alone finds a digest in an entry that should be of another signature of the same act, and is of none in the file; empty: there is none
// such. An entry with one digest of one document and another of a second one would else be good for both.
func (u use) alone(content sign.Sums) sign.Hash {
	if !u.apart {
		return ""
	}
	for _, h := range slices.Sorted(maps.Keys(content)) {
		is := func(sums sign.Sums) bool { return bytes.Equal(sums[h], content[h]) }
		if !is(u.sums) && !slices.ContainsFunc(u.others, is) {
			return h
		}
	}
	return ""
}

// compare compares the digests that two have by the same hash. same: there are some, and all are alike. Else the answer is the hash
// that differs; empty: there is none in common.
func compare(said, computed sign.Sums) (differs sign.Hash, same bool) {
	for _, h := range slices.Sorted(maps.Keys(said)) {
		sum, err := computed.Get(h)
		if err != nil {
			continue
		}
		if !bytes.Equal(sum, said[h]) {
			return h, false
		}
		same = true
	}
	return "", same
}

// inTime asks whether the signature can have been made when its entry was: not before, and not long after. It is asked once with what is
// claimed, and once more when it is known what is proven.
func (c *signatureCase) inTime(entered time.Time) *finding {
	signed := c.sig.Claimed
	if p := c.sig.Proven; !p.IsZero() && (signed.IsZero() || p.Before(signed)) {
		signed = p
	}
	switch {
	case signed.IsZero():
		return nil
	case signed.Before(entered.Add(-clockSlip)):
		return found("signed-before-entry", clock(signed), clock(entered))
	case c.sig.Claimed.After(entered.Add(longSigning)):
		return found("signed-long-after-entry", clock(c.sig.Claimed), clock(entered))
	}
	return nil
}

// keys are those that may speak for the ledgers they are named after: what the caller trusts, and what the maker of the seal put
// into it.
func (j *judge) keys(named []audit.Verifier) []audit.Verifier {
	return slices.Concat(j.opts.Logs.Keys, named)
}

// entered asks whether the entry is in the tree of the checkpoint, and whether its ledger signed that.
func (j *judge) entered(e *audit.Evidence, named []audit.Verifier) *finding {
	if e.Index >= e.Head.Size {
		return found("checkpoint-before-entry", e.Head.Size, e.Index)
	}
	if err := e.Included(); err != nil {
		return found("evidence-proof-wrong", err.Error())
	}
	_, _, err := audit.OpenCheckpoint(e.Checkpoint, j.keys(named)...)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, audit.ErrUnknownLog):
		return found("log-unknown", e.Head.Origin)
	}
	return found("checkpoint-signature-wrong", err.Error())
}

// history holds the tree of the evidence against what is known of its ledger: one must begin with the other.
func (j *judge) history(e *audit.Evidence, named []audit.Verifier, at time.Time) *finding {
	args := []any{e.Head.Origin, e.Index, clock(at)}
	answer, unread := found(codeOK, args...), (*finding)(nil)
	for _, t := range j.known {
		if t.head.Origin != e.Head.Origin {
			continue
		}
		_, _, err := audit.OpenCheckpoint(t.Checkpoint, j.keys(named)...)
		relation := notCompared
		if err == nil {
			relation, err = j.compareTrees(e.Head, t)
		}
		switch {
		case relation == forked:
			return found("log-forked", e.Head.Origin, e.Head.Size, t.head.Size)
		case err != nil:
			unread = found("tree-unreadable", e.Head.Origin, err.Error())
		case relation == oneHistory:
			answer = found("same-history", append(args[:3:3], t.head.Size)...)
		}
	}
	if unread != nil {
		return unread
	}
	return answer
}

// How two states of a ledger go together.
type relation int

const (
	notCompared relation = iota
	oneHistory
	forked
)

var errNodes = errors.New("the nodes given do not lead to the root of its checkpoint")

// compareTrees compares the tree of evidence with a known one. Nodes prove nothing by themselves: both roots must follow from them.
func (j *judge) compareTrees(head audit.Checkpoint, t knownTree) (relation, error) {
	p := head.Profile()
	if head.Size == t.head.Size {
		if head.Root != t.head.Root {
			return forked, nil
		}
		return oneHistory, nil
	}
	if t.Nodes == nil {
		return notCompared, nil
	}
	root, err := audit.RootAt(j.ctx, p, t.Nodes, t.head.Size)
	if err != nil {
		return notCompared, err
	}
	if root != t.head.Root {
		return notCompared, errNodes
	}
	older, newer := head, t.head
	if older.Size > newer.Size {
		older, newer = newer, older
	}
	proof, err := audit.ProveConsistency(j.ctx, p, t.Nodes, older.Size, newer.Size)
	switch {
	case err != nil && newer == head:
		return notCompared, nil // the nodes do not reach as far as the evidence
	case err != nil:
		return notCompared, err
	case audit.CheckConsistency(p, older.Size, newer.Size, older.Root, newer.Root, proof) == nil:
		return oneHistory, nil
	case newer == head:
		return notCompared, errNodes // what lies behind the known checkpoint is nobody's word
	}
	// Nodes below those that make the root may be anything: only if they lead from an older root of their own to the known one
	// is the older root of the evidence refuted.
	own, err := audit.RootAt(j.ctx, p, t.Nodes, older.Size)
	switch {
	case err != nil:
		return notCompared, err
	case own == older.Root || audit.CheckConsistency(p, older.Size, newer.Size, own, newer.Root, proof) != nil:
		return notCompared, errNodes
	}
	return forked, nil
}
