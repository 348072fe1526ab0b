package officex_test

import (
	"bytes"
	"context"
	"fmt"

	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/seal"
)

// Seals a document in memory in both forms, with the seal on the date line, lists the two signatures, and takes both off again. With
// files on disk, SignFile and RemoveFile do the same.
func Example() {
	ctx := context.Background()
	in := judgment().bytes()
	stamp, err := courtSeal().Stamp(holders().sm2, seal.StampOptions{Outer: holders().rsa, Now: clock})
	if err != nil {
		fmt.Println(err)
		return
	}
	var out bytes.Buffer
	result, err := officex.Sign(ctx, &out, bytes.NewReader(in), int64(len(in)), stamp, officex.Options{
		DateLine: true,
		Document: "judgment.docx",
		Reason:   "判决书用印",
		Now:      clock,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("shown in", result.Shown)

	sealed, size := bytes.NewReader(out.Bytes()), int64(out.Len())
	found, err := officex.Signatures(sealed, size, officex.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range found {
		fmt.Println(e.Name, e.Format, e.Err)
	}

	var back bytes.Buffer
	err = officex.Remove(&back, sealed, size, officex.Options{})
	fmt.Println(err, bytes.Equal(back.Bytes(), in))
	// Output:
	// shown in /word/document.xml
	// /_seals/seal1/Signature.xml ses <nil>
	// /_xmlsignatures/sig1.xml xml <nil>
	// <nil> true
}

// Two people seal one document, each on a line that was reserved for them, so that neither breaks the other's seal.
func ExampleReserve() {
	ctx := context.Background()
	in := judgment().bytes()
	var reserved bytes.Buffer
	slots := []officex.Slot{
		{At: officex.Options{Keyword: &officex.Keyword{Text: "审判长"}}, Signer: "审判长"},
		{Signer: "书记员"}, // at the end
	}
	err := officex.Reserve(&reserved, bytes.NewReader(in), int64(len(in)), slots, officex.Options{})
	file := reserved.Bytes()
	for range slots {
		stamp, err := courtSeal().Stamp(holders().sm2, seal.StampOptions{Outer: holders().p256, Now: clock})
		if err != nil {
			fmt.Println(err)
			return
		}
		var out bytes.Buffer
		if _, err := officex.Sign(ctx, &out, bytes.NewReader(file), int64(len(file)), stamp, officex.Options{Line: "1", Now: clock}); err != nil {
			fmt.Println(err)
			return
		}
		file = out.Bytes()
	}
	lines, err2 := officex.Lines(bytes.NewReader(file), int64(len(file)), officex.Options{})
	for _, l := range lines {
		fmt.Println(l.Signer, l.Filled)
	}
	fmt.Println(err, err2)
	// Output:
	// 审判长 true
	// 书记员 true
	// <nil> <nil>
}
