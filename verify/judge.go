package verify

import (
	"context"
	"fmt"
	"time"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// A job is one verification: what was asked and what was given to answer it with.
type job struct {
	ctx   context.Context
	opts  Options
	at    time.Time // the moment asked for
	given []*gm.Certificate
	crls  []*crl
	ocsps []*ocspResponse
	dates []Algorithm
	known []knownTree
	seals []*seal.Seal // whose pictures are known
	notes []Note       // on what was given
}

func newJob(ctx context.Context, o Options) (*job, error) {
	dates, err := datesOf(o.Algorithms)
	if err != nil {
		return nil, err
	}
	j := &job{ctx: ctx, opts: o, at: o.At, dates: dates}
	if j.at.IsZero() {
		now := o.Now
		if now == nil {
			now = time.Now
		}
		j.at = now()
	}
	j.at = j.at.UTC().Truncate(time.Second)
	for i, b := range o.CRLs {
		if l, err := parseCRL(b); err != nil {
			j.unusable(" CRL", "CRL", i, err)
		} else {
			j.crls = append(j.crls, l)
		}
	}
	for i, b := range o.OCSPs {
		if r, err := parseOCSP(b); err != nil {
			j.unusable(" OCSP 响应", "OCSP response", i, err)
		} else {
			j.ocsps = append(j.ocsps, r)
		}
	}
	for i, b := range o.Certificates {
		if c, err := gm.ParseCertificate(b); err != nil {
			j.unusable("证书", "certificate", i, err)
		} else {
			j.given = append(j.given, c)
		}
	}
	for i, b := range o.Seals {
		if e, err := seal.Parse(b); err != nil {
			j.unusable("印章", "seal", i, err)
		} else {
			j.seals = append(j.seals, e)
		}
	}
	j.trees()
	j.tellDates()
	return j, nil
}

// unusable notes that something given cannot be read.
func (j *job) unusable(zh, en string, i int, err error) {
	j.notes = append(j.notes, Note{"unusable-input", Text{fmt.Sprintf("所给%s %d 无法读取：%v", zh, i+1, err), fmt.Sprintf("%s %d given cannot be read: %v", en, i+1, err)}})
}

// A judge answers for one signature.
type judge struct {
	*job
	sig       *Signature
	entryTime time.Time // of the entry that good evidence names; zero: there is none
	claimed   time.Time // of signing; where nobody claims one, the moment of a time stamp, else the moment asked for
	pool      []*gm.Certificate
	brought   []*crl // CRLs that the value carries
	doubts    []Text // why the claimed time would have to be proven

	standard seal.Version // whose clauses are followed; 0: no seal is judged
	proven   time.Time    // by when what is judged existed, by a time stamp or the books; zero: not proven
	archived *stamps      // what document time stamps around the whole signature prove, or the books that have its value; nil: nothing
	byBooks  bool         // it is the books that prove the time
	whole    time.Time    // by when all that the value carries existed, signed or not; zero: not proven
}

func (j *job) judge(s *Signature) *judge { return &judge{job: j, sig: s, pool: j.given} }

func (j *judge) add(c Check) { j.sig.Checks = append(j.sig.Checks, c) }

// say adds the answer of a rule as the standard that is followed asks it.
func (j *judge) say(r *rule, code string, args ...any) {
	j.add(r.under(j.standard).check(code, args...))
}

func (j *judge) note(code, zh, en string) {
	j.sig.Notes = append(j.sig.Notes, Note{code, Text{zh, en}})
}

// notes passes on what a parser found out of the standard and read all the same.
func (j *judge) parserNotes(notes []sign.Note) {
	for _, n := range notes {
		zh, ok := noteZH[n.Code]
		if !ok {
			zh = n.Detail
		}
		j.sig.Notes = append(j.sig.Notes, Note{n.Code, Text{zh, n.Detail}})
	}
}

// doubt: the judgement rests on the claimed time, since something was well until a moment and is not any more. A time
// stamp, or the books, that prove that the value is not younger settles it.
func (j *judge) doubt(until time.Time, zh, en string) {
	if j.proven.IsZero() || j.proven.After(until) {
		j.doubts = append(j.doubts, Text{zh, en})
	}
}

// maxPool bounds the certificates of one value among which a chain is looked for.
const maxPool = 64

// bring adds certificates that a value carries, to build chains with; they are not trusted.
func (j *judge) bring(certs ...[]byte) {
	pool := append([]*gm.Certificate(nil), j.pool...)
	for _, b := range certs {
		if len(pool) >= len(j.given)+maxPool {
			j.note("many-certificates", "签名携带的证书过多，仅使用一部分", "the signature carries too many certificates; only some were used")
			break
		}
		if c, err := gm.ParseCertificate(b); err == nil {
			pool = append(pool, c)
		}
	}
	j.pool = pool
}
