package sign_test

import (
	"context"
	"fmt"
	"time"

	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

// A container asks a Signer what it will make, hashes the document as that says, and hands over one Act. pdfx does so
// for PDF; this is the same for a file with its signature beside it.
func Example() {
	key := testpki.Shared(testpki.SM2).Issue(testpki.SM2, "法官", nil) // or of a device, by package keydev
	signer, err := cms.New(key, cms.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	document := []byte("本院认为……")
	profile := signer.Profile()
	sums := sign.Sums{}
	for _, h := range profile.Specs[profile.Format].Hashes {
		sums[h] = h.Sum(document)
	}
	values, err := signer.Sign(context.Background(), &sign.Act{
		Document: "judgment.txt",
		Time:     time.Date(2026, 3, 9, 8, 0, 0, 0, time.UTC),
		Source:   sums,
		Content:  sums,
		Parts:    []sign.Part{{Format: profile.Format}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	signed, err := cms.Parse(values[0].Bytes)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(signed.Signers[0].Scheme, signed.Verify(sums))
	// Output: SM2 with SM3 <nil>
}
