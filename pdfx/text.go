package pdfx

import (
	"context"
	"io"

	"github.com/courtseal/courtseal/internal/appearance"
	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/pdftext"
)

// A Found is a piece of text on a page: millimetres from the top left corner of the page as it is seen (as for [At]) to the top
// left corner of the box of its characters, and the size of the box.
type Found struct {
	Page                int    // 1 the first
	Text                string // as the page has it, without white space
	X, Y, Width, Height float64
}

// FindText tells where a text stands on the pages, in reading order; nothing found is no error. White space makes no
// difference, nor do full and half width forms; pieces in which the page's maker drew the text make none either, but a
// text that goes on in the next line is not found. Of the options it takes Password, Repair and Limits.
func FindText(ctx context.Context, src io.ReaderAt, size int64, text string, o Options) ([]Found, error) {
	f, err := open(src, size, o)
	if err != nil {
		return nil, err
	}
	var found []Found
	for m, err := range pdftext.New(f).Find(ctx, text) {
		if err != nil {
			return nil, err
		}
		found = append(found, asFound(m))
	}
	return found, nil
}

// FindDate finds the dates of signature blocks on the last page that has any, in reading order: dates such as
// 二〇二六年十一月二十四日 or 2026年11月24日 (2026-11-24 where there is no other) that have a line to themselves. The last of them
// is the one courts seal. Nothing found is no error. Of the options it takes Password, Repair and Limits.
func FindDate(ctx context.Context, src io.ReaderAt, size int64, o Options) ([]Found, error) {
	f, err := open(src, size, o)
	if err != nil {
		return nil, err
	}
	dates, err := pdftext.New(f).Dates(ctx)
	if err != nil {
		return nil, err
	}
	var found []Found
	for _, m := range dates {
		found = append(found, asFound(m))
	}
	return found, nil
}

func asFound(m pdftext.Match) Found {
	left, top, right, bottom := asSeen(m.On, rect(m.Box))
	return Found{Page: m.Page, Text: m.Text, X: left, Y: top, Width: right - left, Height: bottom - top}
}

// asSeen turns a rectangle of the page's own coordinates into millimetres on the page as it is seen: the inverse of place.
func asSeen(p *pdf.Page, r rect) (left, top, right, bottom float64) {
	box := rect(p.CropBox)
	switch p.Rotate {
	case 90:
		left, top, right, bottom = r[1]-box[1], r[0]-box[0], r[3]-box[1], r[2]-box[0]
	case 180:
		left, top, right, bottom = box[2]-r[2], r[1]-box[1], box[2]-r[0], r[3]-box[1]
	case 270:
		left, top, right, bottom = box[3]-r[3], box[2]-r[2], box[3]-r[1], box[2]-r[0]
	default:
		left, top, right, bottom = r[0]-box[0], box[3]-r[3], r[2]-box[0], box[3]-r[1]
	}
	unit := p.UserUnit
	if !(unit > 0) {
		unit = 1
	}
	mm := unit / appearance.MM
	return left * mm, top * mm, right * mm, bottom * mm
}
