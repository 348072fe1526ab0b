package verify_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"time"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
	"github.com/courtseal/courtseal/sign/tsp"
	"github.com/courtseal/courtseal/verify"
)

var document = pdftest.Page()

// A time stamp proves that a signature was made before its certificate expired.
func Example_timeStamp() {
	ctx := context.Background()
	day := func(year int) func() time.Time {
		return func() time.Time { return time.Date(year, 6, 1, 12, 0, 0, 0, time.UTC) }
	}
	ca := testpki.NewCA(testpki.SM2, "Demo Root")
	key := ca.Issue(testpki.SM2, "示例市中级人民法院", func(c *gm.Certificate) { c.NotAfter = day(2027)() })
	policy, err := sign.ParseOID("1.2.3.4")
	if err != nil {
		log.Fatal(err)
	}
	authority, err := tsp.NewAuthority(ca.Issue(testpki.SM2, "TSA", testpki.TimeStamping), tsp.AuthorityOptions{Policy: policy, Now: day(2026)})
	if err != nil {
		log.Fatal(err)
	}
	roots, err := verify.NewRoots(ca.Cert.Raw)
	if err != nil {
		log.Fatal(err)
	}
	for _, tsa := range []sign.Timestamper{nil, authority} {
		signer, err := cms.New(key, cms.Options{TSA: tsa})
		if err != nil {
			log.Fatal(err)
		}
		var signed bytes.Buffer
		if _, err := pdfx.Sign(ctx, &signed, bytes.NewReader(document), int64(len(document)), signer, pdfx.Options{Now: day(2026)}); err != nil {
			log.Fatal(err)
		}
		src := bytes.NewReader(signed.Bytes())
		report, err := verify.Document(ctx, src, src.Size(), verify.Options{Roots: roots, Now: day(2030)})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(report.Verdict, report.Signatures[0].Check("time").Code)
	}
	// Output:
	// indeterminate time-not-proven
	// valid time-proven
}

func Example() {
	ctx := context.Background()
	noon := func() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }

	ca := testpki.NewCA(testpki.SM2, "Demo Root")
	signer, err := cms.New(ca.Issue(testpki.SM2, "示例市中级人民法院", nil), cms.Options{})
	if err != nil {
		log.Fatal(err)
	}
	var signed bytes.Buffer
	if _, err := pdfx.Sign(ctx, &signed, bytes.NewReader(document), int64(len(document)), signer, pdfx.Options{Now: noon}); err != nil {
		log.Fatal(err)
	}

	roots, err := verify.NewRoots(ca.Cert.Raw)
	if err != nil {
		log.Fatal(err)
	}
	src := bytes.NewReader(signed.Bytes())
	for _, o := range []verify.Options{{Roots: roots, Now: noon}, {Now: noon}} {
		report, err := verify.Document(ctx, src, src.Size(), o)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(report.Verdict.Text())
		fmt.Println(report.Signatures[0].Check("signer-chain").Detail.EN)
	}
	// Output:
	// 有效 / valid
	// the chain leads to a trusted root: CN=Demo Root,O=Courtseal Demo,C=CN
	// 无法确定 / indeterminate
	// no trusted root for this purpose was given
}
