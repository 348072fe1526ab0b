package pdftext

import (
	"bytes"
	"context"
	"strconv"

	"github.com/courtseal/courtseal/internal/pdf"
)

// An Image is what a Picture paints.
type Image struct {
	Stream *pdf.Stream // of an inline image nothing but its dictionary, by its long names
	Inline []byte      // data of an inline image; nil: it is none
	Spaces *pdf.Dict   // colour spaces that an inline image may name
	Matrix [6]float64  // puts the unit square on the page
}

// Pictures is Paint for pictures alone, of a page that is given: neither fonts nor paths are read, and no content that can have no picture.
// Clipping, but for the boxes of forms, is not looked at.
func (r *Reader) Pictures(ctx context.Context, p *pdf.Page, to func(*Ink) error) (damage, err error) {
	in := &interpreter{r: r, ctx: ctx, page: p, work: min(maxPageWork, r.work)}
	in.ink = &ink{only: true, to: func(k *Ink) error {
		if k.Kind != Picture {
			return nil
		}
		return to(k)
	}}
	given := in.work
	err = in.run()
	r.work -= given - in.work
	return in.damage, err
}

// Appearance is Paint for the appearance of one annotation of page p.
func (r *Reader) Appearance(ctx context.Context, p *pdf.Page, annotation *pdf.Dict, to func(*Ink) error) (damage, err error) {
	in := &interpreter{r: r, ctx: ctx, page: p, work: min(maxPageWork, r.work), ink: &ink{to: to}}
	given := in.work
	err = in.annotation(annotation)
	r.work -= given - in.work
	return in.damage, err
}

// only says that nothing but pictures is wanted.
func (in *interpreter) only() bool { return in.ink != nil && in.ink.only }

// maybe says whether content has to be run: not where only pictures are wanted and it draws no XObject and has no image in it.
func (in *interpreter) maybe(content []byte, res *resources) bool {
	return !in.only() || res.forms != nil && len(res.forms.Entries) > 0 || bytes.Contains(content, []byte("BI"))
}

// inline paints an image that stands in the content.
func (in *interpreter) inline(operands []pdf.Token, data []byte, res *resources) error {
	if in.ink == nil {
		return nil
	}
	d := inlineDict(operands)
	spaces, err := in.dict(res.all.Get("ColorSpace"))
	if err != nil {
		return err
	}
	if data == nil {
		data = []byte{}
	}
	return in.picture(d.Get("ImageMask") == true, Image{Stream: &pdf.Stream{Dict: d, Length: int64(len(data))}, Inline: data, Spaces: spaces})
}

// inlineKeys are the short names of the keys of inline images (ISO 32000-2, table 91).
var inlineKeys = map[pdf.Name]pdf.Name{"BPC": "BitsPerComponent", "CS": "ColorSpace", "D": "Decode", "DP": "DecodeParms", "F": "Filter",
	"H": "Height", "IM": "ImageMask", "I": "Interpolate", "L": "Length", "W": "Width"}

// inlineDict makes a dictionary of the operands of ID, and of a key that stands twice one with the last value, as readers have it.
func inlineDict(operands []pdf.Token) *pdf.Dict {
	d := dictOf(&operands, 0)
	for i, e := range d.Entries {
		if long, ok := inlineKeys[e.Key]; ok {
			d.Entries[i].Key = long
		}
	}
	return d
}

const maxInlineDepth = 8

// dictOf reads keys and values up to the end of a dictionary.
func dictOf(list *[]pdf.Token, depth int) *pdf.Dict {
	d := &pdf.Dict{}
	for len(*list) > 0 {
		k := (*list)[0]
		*list = (*list)[1:]
		if k.Kind == pdf.DictClose {
			break
		}
		if k.Kind == pdf.NameToken {
			d.Entries = append(d.Entries, pdf.Entry{Key: pdf.Name(k.Bytes), Value: objectOf(list, depth+1)})
		}
	}
	return d
}

// objectOf reads one value.
func objectOf(list *[]pdf.Token, depth int) pdf.Object {
	if len(*list) == 0 {
		return nil
	}
	t := (*list)[0]
	*list = (*list)[1:]
	switch t.Kind {
	case pdf.NameToken:
		return pdf.Name(t.Bytes)
	case pdf.StringToken:
		return &pdf.String{Value: t.Bytes}
	case pdf.Numeral:
		if n := int64(t.Number); float64(n) == t.Number {
			return n
		}
		return pdf.Real(strconv.FormatFloat(t.Number, 'f', -1, 64))
	case pdf.Operator:
		if s := string(t.Bytes); s == "true" || s == "false" {
			return s == "true"
		}
	case pdf.DictOpen:
		if depth < maxInlineDepth {
			return dictOf(list, depth)
		}
	case pdf.ArrayOpen:
		a := &pdf.Array{}
		for depth < maxInlineDepth && len(*list) > 0 {
			if (*list)[0].Kind == pdf.ArrayClose {
				*list = (*list)[1:]
				break
			}
			a.Items = append(a.Items, objectOf(list, depth+1))
		}
		return a
	}
	return nil
}
