package cms_test

import (
	"context"
	"fmt"

	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

// A SignedData is made of a digest, wherever the content is, and read back with the digests it may need.
func Example() {
	key := testpki.NewCA(testpki.SM2, "Root").Issue(testpki.SM2, "Clerk", nil) // any sign.Key
	digest := sign.SM3.Sum([]byte("本院认为"))

	value, err := cms.Sign(context.Background(), key, digest, cms.Options{})
	if err != nil {
		panic(err)
	}
	signed, err := cms.Parse(value.Bytes)
	if err != nil {
		panic(err)
	}
	fmt.Println(signed.Signers[0].Scheme)
	fmt.Println(signed.Verify(sign.Sums{sign.SM3: digest}))
	fmt.Println(signed.Verify(sign.Sums{sign.SM3: sign.SM3.Sum([]byte("别的内容"))}) == nil)
	// Output:
	// SM2 with SM3
	// <nil>
	// false
}
