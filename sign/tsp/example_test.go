package tsp_test

import (
	"context"
	"fmt"
	"time"

	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
	"github.com/courtseal/courtseal/sign/tsp"
)

// newAuthority has a key of a test authority's, and a clock that stands still.
func newAuthority() *tsp.Authority {
	key := testpki.NewCA(testpki.SM2, "Root").Issue(testpki.SM2, "TSA", testpki.TimeStamping) // any sign.Key
	policy, err := sign.ParseOID("1.2.3.4.9")
	if err != nil {
		panic(err)
	}
	authority, err := tsp.NewAuthority(key, tsp.AuthorityOptions{
		Policy: policy,
		Now:    func() time.Time { return time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC) },
	})
	if err != nil {
		panic(err)
	}
	return authority
}

// A signature takes a stamp with it; whoever reads it asks whether the stamp is over its value.
func Example() {
	ctx := context.Background()
	key := testpki.NewCA(testpki.SM2, "Root").Issue(testpki.SM2, "Clerk", nil)
	value, err := cms.Sign(ctx, key, sign.SM3.Sum([]byte("本院认为")), cms.Options{TSA: newAuthority()})
	if err != nil {
		panic(err)
	}
	fmt.Println("notes:", value.Notes)

	signed, err := cms.Parse(value.Bytes)
	if err != nil {
		panic(err)
	}
	signer := signed.Signers[0]
	for _, der := range signer.TimeStamps() {
		token, err := tsp.Parse(der)
		if err != nil {
			panic(err)
		}
		fmt.Println(token.Time, "within", token.Accuracy, "by", token.Hash)
		fmt.Println(token.CheckImprint(signer.Signature), token.CheckValue(token.Certificate()))
	}
	// Output:
	// notes: []
	// 2026-03-09 12:00:00 +0000 UTC within 1s by SM3
	// <nil> <nil>
}

// A request travels by any way there is; Accept takes only what answers it.
func ExampleRequest() {
	request, err := tsp.NewRequest(sign.SM3, sign.SM3.Sum([]byte("本院认为")))
	if err != nil {
		panic(err)
	}
	response, err := newAuthority().Respond(context.Background(), request.Bytes())
	if err != nil {
		panic(err)
	}
	token, err := request.Accept(response)
	if err != nil {
		panic(err)
	}
	fmt.Println(token.Policy, token.CheckImprint([]byte("本院认为")))
	// Output: 1.2.3.4.9 <nil>
}
