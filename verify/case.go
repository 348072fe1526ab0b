package verify

import (
	"time"

	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// A signatureCase is one signature on its way through the checks that do not ask what kind of file it stands in.
type signatureCase struct {
	*judge
	cms     *cmsSignature
	ses     *sealSignature
	native  *nativeSignature
	apart   bool        // the signatures of one act sign different things
	others  []sign.Sums // apart: of what the other signatures of the file sign
	raw     []byte      // the value, as it is embedded
	sources []sign.Sums // of the file as it may have been before this signature
}

// seals is the seal signature of the case, bare or inside a CMS; nil: none.
func (c *signatureCase) seals() *sealSignature {
	if c.cms != nil {
		return c.cms.inner
	}
	return c.ses
}

// sealUsed is the seal that the signature says it uses; nil: none.
func (c *signatureCase) sealUsed() *seal.Seal {
	switch s := c.seals(); {
	case s != nil:
		return s.Seal
	case c.cms != nil:
		return c.cms.seal
	case c.native != nil:
		return c.native.seal
	}
	return nil
}

// A claim is a time that some place says the signature was made at; zero: it says nothing.
type claim struct {
	place string
	at    time.Time
}

// claims takes the claimed time, and notes what says another.
func (c *signatureCase) claims(t time.Time, others ...claim) {
	c.claim(t)
	for _, x := range others {
		if !x.at.IsZero() && !t.IsZero() && !x.at.Equal(t) {
			c.note("times-differ", x.place+" 为 "+clock(x.at)+"，与签章时间不同", x.place+" says "+clock(x.at)+", which is not the time of signing")
		}
	}
}

// judgeValue makes the checks of a value over sums, and those that lead from it out of the document. property is what a seal signature
// should say that it protects. The answer is the seal that was used; nil: none.
func (c *signatureCase) judgeValue(sums sign.Sums, property, subFilter string) *seal.Seal {
	enquiry := c.enquire(sums)
	var e *seal.Seal
	switch {
	case c.cms != nil:
		c.judgeCMS(c.cms, sums, property, subFilter)
		e = c.cms.seal
	case c.native != nil:
		c.judgeNative(c.native)
		e = c.native.seal
	default:
		c.proven = earlier(nil, c.archived).by
		stamps := c.sesStamps(c.ses)
		proof := earlier(stamps, c.archived)
		c.prove(proof)
		c.proven, c.whole = proof.by, earlier(nil, c.archived).by
		c.judgeSES(c.ses, sums, property, stamps)
		if c.ses.cert != nil {
			c.sig.Signer = describe(c.ses.cert)
		}
	}
	if s := c.seals(); s != nil {
		e = s.Seal
	}
	c.entry(enquiry)
	return e
}

// conclude answers for the claimed time, after every other check, and for the whole.
func (c *signatureCase) conclude() {
	switch s := c.seals(); {
	case s != nil:
		c.standard = s.Seal.Generation()
	case c.native != nil && c.native.seal != nil:
		c.standard = c.native.seal.Generation()
	}
	c.claimedTime()
	c.sig.Verdict = worst(c.sig.Checks)
}
