package courtseal_test

import (
	"context"
	"fmt"

	"github.com/courtseal/courtseal/keydev"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/verify"
)

// Seals the last page of a judgment and verifies it. The files are those of a court: the keys of a holder, the seal, the
// roots to trust. Printing the whole report tells of every check.
func Example() {
	ctx := context.Background()
	dev := must(keydev.Open(ctx, "soft:testdata/keys"))
	key := must(dev.Key(ctx, "presiding-judge", keydev.PIN([]byte("123456"))))
	stamp := must(must(seal.ReadFile("testdata/court.esl")).Stamp(key, seal.StampOptions{}))
	must(pdfx.SignFile(ctx, "sealed.pdf", "testdata/judgment.pdf", stamp, pdfx.Options{At: []pdfx.At{{Page: -1, X: 138.6, Y: 211.6}}}))
	report := must(verify.File(ctx, "sealed.pdf", verify.Options{Roots: must(verify.ReadRoots("testdata/roots.pem"))}))
	fmt.Println(report.Verdict, report.Signatures[0].Seal.Name)
	// Output: valid 示例省示例市示例区人民法院
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
