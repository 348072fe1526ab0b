package pdfx_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/courtseal/courtseal/pdfx"
)

// Seals a file in memory, lists the signature, and takes the seal off again. The signer is any sign.Signer: a seal's Stamp, or
// sign/cms with a key. With files on disk, SignFile and RemoveFile do the same.
func Example() {
	ctx := context.Background()
	in := onePage(table, a4)
	var out bytes.Buffer
	result, err := pdfx.Sign(ctx, &out, bytes.NewReader(in), int64(len(in)), sm2Signer(), pdfx.Options{
		At:       []pdfx.At{{Page: -1, X: 140, Y: 220}}, // mm from the top left of the last page
		Document: "judgment.pdf",
		Reason:   "判决书用印",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Field, len(result.Notes), "notes")

	sealed, size := bytes.NewReader(out.Bytes()), int64(out.Len())
	found, err := pdfx.Signatures(sealed, size, pdfx.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range found {
		fmt.Println(e.Name, e.Format, e.Err)
	}

	var back bytes.Buffer
	err = pdfx.Remove(&back, sealed, size, pdfx.Options{})
	fmt.Println(err, bytes.Equal(back.Bytes(), in))
	// Output:
	// Seal1 0 notes
	// Seal1 cms <nil>
	// <nil> true
}
