package pdfx_test

import (
	"bytes"
	"context"
	"reflect"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/pdfx"
)

func TestShownOn(t *testing.T) {
	file := manyPages(pdftest.Table, 5, a4, nil)
	for _, o := range []pdfx.Options{
		{At: []pdfx.At{{Page: 4, X: 60, Y: 60}, {Page: 2, X: 60, Y: 60}, {Page: 2, X: 120, Y: 60}}},
		{},
		{Straddle: &pdfx.Straddle{}},
		{At: []pdfx.At{{Page: -1, X: 60, Y: 160}}},
	} {
		o.Now = clock
		var out bytes.Buffer
		if _, err := pdfx.Sign(context.Background(), &out, bytes.NewReader(file), int64(len(file)), sm2Signer(), o); err != nil {
			t.Fatal(err)
		}
		file = out.Bytes()
	}
	got, err := pdfx.ShownOn(bytes.NewReader(file), int64(len(file)), pdfx.Options{})
	if want := [][]int{{2, 4}, nil, {1, 2, 3, 4, 5}, {5}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, not %v (%v)", got, want, err)
	}
	if _, err := pdfx.ShownOn(bytes.NewReader(nil), 0, pdfx.Options{}); err == nil {
		t.Error("nothing was read")
	}
}
