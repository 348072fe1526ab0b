package pdfx

import (
	"context"
	"errors"
	"fmt"
	"io"

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
// text that goes on in the next line is not found. Where a part of a page could not be read, what was found in the rest comes
// with ErrUnread. Of the options it takes Password, Repair and Limits.
func FindText(ctx context.Context, src io.ReaderAt, size int64, text string, o Options) ([]Found, error) {
	f, err := open(src, size, o)
	if err != nil {
		return nil, err
	}
	r := pdftext.New(f)
	var found []Found
	for t, err := range r.Pages(ctx) {
		if err != nil {
			return nil, err
		}
		found = appendFound(found, t.Find(text))
	}
	return found, unread(r)
}

// FindDate finds the dates of signature blocks on the last page that has any, in reading order: dates such as
// 二〇二六年十一月二十四日 or 2026年11月24日 (2026-11-24 where there is no other) that have a line to themselves. The last of them
// is the one courts seal. Nothing found is no error; ErrUnread is as of FindText. Of the options it takes Password, Repair and
// Limits.
func FindDate(ctx context.Context, src io.ReaderAt, size int64, o Options) ([]Found, error) {
	f, err := open(src, size, o)
	if err != nil {
		return nil, err
	}
	r := pdftext.New(f)
	_, dates, err := r.Dates(ctx)
	if err != nil {
		return nil, err
	}
	return appendFound(nil, dates), unread(r)
}

// ErrUnread: a part of a page's text could not be read. What was found in the rest comes along.
var ErrUnread = errors.New("pdfx: some text could not be read")

func unread(r *pdftext.Reader) error {
	if err := r.Unread(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnread, err)
	}
	return nil
}

func appendFound(list []Found, matches []pdftext.Match) []Found {
	for _, m := range matches {
		b := seen(m.On, rect(m.Box))
		list = append(list, Found{Page: m.Page, Text: m.Text, X: b.X, Y: b.Y, Width: b.W, Height: b.H})
	}
	return list
}
