package tsphttp_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
	"github.com/courtseal/courtseal/sign/tsp"
	"github.com/courtseal/courtseal/sign/tsp/tsphttp"
)

// An authority is served, and a signature stamped by it; then it is gone, and the signature is made all the same.
func Example() {
	root := testpki.NewCA(testpki.SM2, "Root")
	policy, err := sign.ParseOID("1.2.3.4.9")
	if err != nil {
		panic(err)
	}
	authority, err := tsp.NewAuthority(root.Issue(testpki.SM2, "TSA", testpki.TimeStamping), tsp.AuthorityOptions{Policy: policy})
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(tsphttp.Handler(authority, nil))

	key := root.Issue(testpki.SM2, "Clerk", nil)
	signer, err := cms.New(key, cms.Options{TSA: &tsphttp.Client{URL: server.URL, Policy: policy}})
	if err != nil {
		panic(err)
	}
	act := &sign.Act{Content: sign.Sums{sign.SM3: sign.SM3.Sum([]byte("本院认为"))}, Parts: []sign.Part{{Format: sign.CMS}}}
	for range 2 {
		values, err := signer.Sign(context.Background(), act)
		if err != nil {
			panic(err)
		}
		signed, err := cms.Parse(values[0].Bytes)
		if err != nil {
			panic(err)
		}
		fmt.Println("stamps:", len(signed.Signers[0].TimeStamps()))
		for _, n := range values[0].Notes {
			fmt.Println("note:", n.Code)
		}
		server.Close()
	}
	// Output:
	// stamps: 1
	// stamps: 0
	// note: timestamp-not-had
}
