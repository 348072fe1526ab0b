package pdfx_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/pdfx"
)

// Seals a file in memory, lists the signature, and takes the seal off again. The signer is any sign.Signer: a seal's Stamp, or
// sign/cms with a key. With files on disk, SignFile and RemoveFile do the same.
func Example() {
	ctx := context.Background()
	in := onePage(pdftest.Table, a4)
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

// One signature shows the seal on the date of the signature block and over the edges of all pages, with a line below it. FindDate
// tells the place beforehand.
func ExampleSign_places() {
	ctx := context.Background()
	in := textPages([]string{"30 40 Judgment"}, []string{"30 40 Decision", "120 200 2026-06-01"})
	src, size := bytes.NewReader(in), int64(len(in))

	dates, err := pdfx.FindDate(ctx, src, size, pdfx.Options{})
	if err != nil || len(dates) == 0 {
		fmt.Println("no date", err)
		return
	}
	fmt.Printf("%s on page %d\n", dates[0].Text, dates[0].Page)

	var out bytes.Buffer
	result, err := pdfx.Sign(ctx, &out, src, size, sm2Signer(), pdfx.Options{
		DateLine: true,
		Straddle: &pdfx.Straddle{}, // the right edge, all pages
		Name:     "张三",
		Text:     true,
		Now:      clock,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, at := range result.Shown {
		fmt.Printf("page %d at (%.0f, %.0f) mm\n", at.Page, at.X, at.Y)
	}
	// Output:
	// 2026-06-01 on page 2
	// page 2 at (131, 187) mm
	// page 1 at (200, 149) mm
	// page 2 at (200, 149) mm
}

// The key is somewhere else: one process prepares the file and keeps a small state, another one embeds the value.
func ExamplePending() {
	ctx := context.Background()
	in := onePage(pdftest.Table, a4)
	src, size := bytes.NewReader(in), int64(len(in))
	signer := sm2Signer()

	prepared, err := pdfx.Prepare(src, size, signer.Profile(), pdfx.Options{Document: "judgment.pdf"})
	if err != nil {
		fmt.Println(err)
		return
	}
	state, err := prepared.MarshalBinary()
	if err != nil {
		fmt.Println(err)
		return
	}

	var again pdfx.Pending
	if err := again.UnmarshalBinary(state); err != nil {
		fmt.Println(err)
		return
	}
	values, err := signer.Sign(ctx, again.Act()) // where the key is
	if err != nil {
		fmt.Println(err)
		return
	}
	var out bytes.Buffer
	result, err := again.Commit(&out, src, size, values)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(result.Field, result.Act.Document)

	_, err = again.Commit(&out, bytes.NewReader(append(in, ' ')), size+1, values)
	fmt.Println(errors.Is(err, pdfx.ErrOtherFile))
	// Output:
	// Seal1 judgment.pdf
	// true
}
