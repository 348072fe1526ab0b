package pdfx

import (
	"errors"
	"io"

	"github.com/courtseal/courtseal/internal/pdf"
)

// ShownOn tells for each signature that Signatures lists, in the same order, the pages on which a reader finds it, 1 the
// first; none: it is invisible. It says where something stands, not that it is the seal: that is for package verify. Of the
// options it takes Password, Repair and Limits.
func ShownOn(src io.ReaderAt, size int64, o Options) ([][]int, error) {
	f, err := open(src, size, o)
	if err != nil {
		return nil, err
	}
	sigs, err := f.Signatures()
	if err != nil {
		return nil, err
	}
	pages := make([][]int, len(sigs))
	of := map[uint32][]int{} // signatures by their widgets
	for i, s := range sigs {
		for _, ref := range s.Widgets {
			shows, err := showsSomething(f, ref)
			if errors.Is(err, ErrLimit) {
				return nil, err
			}
			if shows {
				of[ref.Num] = append(of[ref.Num], i)
			}
		}
	}
	if len(of) == 0 {
		return pages, nil
	}
	err = f.EachPage(func(n int, p *pdf.Page) error {
		annots, _, err := f.ArrayIn(p.Indirect, p.Dict().Get("Annots"))
		if err != nil || annots == nil {
			return err
		}
		for _, item := range annots.Items {
			ref, _ := item.(pdf.Ref)
			for _, i := range of[ref.Num] {
				if k := len(pages[i]); k == 0 || pages[i][k-1] != n {
					pages[i] = append(pages[i], n)
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return pages, nil
}

// showsSomething: the widget has an area and is not hidden.
func showsSomething(f *pdf.File, ref pdf.Ref) (bool, error) {
	w, err := f.Load(ref)
	if err != nil || w.Dict() == nil {
		return false, err
	}
	_, ok, err := f.Rectangle(w.Dict().Get("Rect"))
	if err != nil || !ok {
		return false, err
	}
	o, err := f.Resolve(w.Dict().Get("F"))
	flags, _ := o.(int64)
	return flags&pdf.AnnotHidden == 0, err
}
