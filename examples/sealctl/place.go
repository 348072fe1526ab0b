package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/courtseal/courtseal/pdfx"
)

// usual is where the date of a judgment on A4 stands.
var usual = pdfx.At{Page: -1, X: 150, Y: 240}

// placeFlags say where the seal goes and what stands beside it. They are part of what a batch is known by, see runBatch.
type placeFlags struct {
	At        []string
	Invisible bool
}

func (m *Main) placeFlags(flags *pflag.FlagSet, f *placeFlags) {
	flags.StringArrayVar(&f.At, "at", nil, fmt.Sprintf(m.say("PAGE,X,Y：页码（-1 为末页）和印章中心到页面左上角的毫米数，可多次给出；不给则为 %d,%g,%g",
		"PAGE,X,Y: the page (-1 the last) and the millimetres from its top left corner\nto the centre of the seal; may be repeated; without it %d,%g,%g"), usual.Page, usual.X, usual.Y))
	flags.BoolVar(&f.Invisible, "invisible", false, m.say("不显示印章", "show no seal"))
}

// place turns the flags into options.
func (m *Main) place(f placeFlags, o *pdfx.Options) error {
	switch {
	case f.Invisible && len(f.At) > 0:
		return errors.New(m.say("--at 与 --invisible 只能用一个", "--at and --invisible exclude each other"))
	case f.Invisible:
		return nil
	case len(f.At) == 0:
		o.At = []pdfx.At{usual}
		return nil
	}
	for _, text := range f.At {
		at, ok := parseAt(text)
		if !ok {
			return fmt.Errorf(m.say("--at %q 应为 PAGE,X,Y，如 1,105,240", "--at %q is not PAGE,X,Y, such as 1,105,240"), text)
		}
		o.At = append(o.At, at)
	}
	return nil
}

func parseAt(text string) (at pdfx.At, ok bool) {
	parts := strings.Split(text, ",")
	if len(parts) != 3 {
		return at, false
	}
	var err error
	if at.Page, err = strconv.Atoi(strings.TrimSpace(parts[0])); err != nil || at.Page == 0 {
		return at, false
	}
	for i, v := range []*float64{&at.X, &at.Y} {
		if *v, err = strconv.ParseFloat(strings.TrimSpace(parts[i+1]), 64); err != nil {
			return at, false
		}
	}
	return at, true
}
