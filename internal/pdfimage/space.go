package pdfimage

import (
	"fmt"
	"math"

	"github.com/courtseal/courtseal/internal/pdf"
)

// A space is a colour space, as near as is needed.
type space struct {
	n       int                             // components
	to      func(v []float64, p []byte)     // colour
	limit   func(i int) (low, high float64) // of components, where not 0 and 1
	indexed bool
}

func (s *space) colour(v []float64, p []byte) { s.to(v, p) }

// limits are what samples 0 and most stand for.
func (s *space) limits(i int, most float64) (low, high float64) {
	switch {
	case s.indexed:
		return 0, most
	case s.limit != nil:
		return s.limit(i)
	}
	return 0, 1
}

func octet(v float64) byte { return byte(math.Round(255 * min(1, max(0, v)))) }

var (
	deviceGray = &space{n: 1, to: func(v []float64, p []byte) { p[0], p[1], p[2] = octet(v[0]), octet(v[0]), octet(v[0]) }}
	deviceRGB  = &space{n: 3, to: func(v []float64, p []byte) { p[0], p[1], p[2] = octet(v[0]), octet(v[1]), octet(v[2]) }}
	deviceCMYK = &space{n: 4, to: func(v []float64, p []byte) {
		for i := range 3 {
			p[i] = octet((1 - v[i]) * (1 - v[3]))
		}
	}}
)

// inks is a Separation or DeviceN space: all that is known is how much ink there is.
func inks(n int) *space {
	return &space{n: n, to: func(v []float64, p []byte) {
		most := 0.0
		for _, x := range v {
			most = max(most, x)
		}
		p[0], p[1], p[2] = octet(1-most), octet(1-most), octet(1-most)
	}}
}

// lab is CIE 1976 L*a*b* (ISO 32000-2, 8.6.5.4), by the white point D50 and the primaries of sRGB.
var lab = &space{n: 3,
	limit: func(i int) (float64, float64) {
		if i == 0 {
			return 0, 100
		}
		return -100, 100
	},
	to: func(v []float64, p []byte) {
		g := func(x float64) float64 {
			if x >= 6.0/29 {
				return x * x * x
			}
			return 108.0 / 841 * (x - 4.0/29)
		}
		m := (v[0] + 16) / 116
		x, y, z := 0.9642*g(m+v[1]/500), g(m), 0.8249*g(m-v[2]/200)
		for i, c := range [3]float64{3.1339*x - 1.6169*y - 0.4906*z, -0.9788*x + 1.9161*y + 0.0335*z, 0.0719*x - 0.2290*y + 1.4052*z} {
			p[i] = octet(math.Pow(max(0, c), 1/2.2))
		}
	},
}

const (
	maxSpaces = 4  // of spaces in spaces
	maxInks   = 32 // of a DeviceN space
)

// space reads a colour space.
func (src *source) space(o pdf.Object, depth int) (*space, error) {
	if depth > maxSpaces {
		return nil, fmt.Errorf("%w: colour spaces in colour spaces", pdf.ErrSyntax)
	}
	o, err := src.f.Resolve(o)
	if err != nil {
		return nil, err
	}
	switch v := o.(type) {
	case pdf.Name:
		switch v {
		case "DeviceGray", "G", "CalGray":
			return deviceGray, nil
		case "DeviceRGB", "RGB", "CalRGB":
			return deviceRGB, nil
		case "DeviceCMYK", "CMYK":
			return deviceCMYK, nil
		}
		if named := src.spaces.Get(v); named != nil {
			return src.space(named, depth+1)
		}
	case *pdf.Array:
		if len(v.Items) == 0 {
			break
		}
		kind, err := src.f.Resolve(v.Items[0])
		if err != nil {
			return nil, err
		}
		name, _ := kind.(pdf.Name)
		return src.family(name, v.Items[1:], depth)
	}
	return nil, fmt.Errorf("%w: an image without a colour space that is known", pdf.ErrSyntax)
}

// family reads a colour space by the name of its kind and what follows.
func (src *source) family(name pdf.Name, items []pdf.Object, depth int) (*space, error) {
	first := pdf.Object(nil)
	if len(items) > 0 {
		var err error
		if first, err = src.f.Resolve(items[0]); err != nil {
			return nil, err
		}
	}
	switch name {
	case "ICCBased":
		profile, _ := first.(*pdf.Stream)
		if profile == nil {
			break
		}
		switch src.get(profile.Dict, "N") {
		case int64(1):
			return deviceGray, nil
		case int64(3):
			return deviceRGB, nil
		case int64(4):
			return deviceCMYK, nil
		}
	case "Lab":
		return lab, nil
	case "Separation":
		return inks(1), nil
	case "DeviceN":
		if names, ok := first.(*pdf.Array); ok && len(names.Items) > 0 && len(names.Items) <= maxInks {
			return inks(len(names.Items)), nil
		}
	case "Indexed", "I":
		return src.indexed(items, depth)
	default:
		return src.space(name, depth+1)
	}
	return nil, fmt.Errorf("%w: a colour space %s", pdf.ErrSyntax, name)
}

// indexed reads a palette.
func (src *source) indexed(items []pdf.Object, depth int) (*space, error) {
	if len(items) != 3 {
		return nil, fmt.Errorf("%w: an Indexed colour space of %d", pdf.ErrSyntax, len(items))
	}
	base, err := src.space(items[0], depth+1)
	if err != nil {
		return nil, err
	}
	o, err := src.f.Resolve(items[2])
	if err != nil {
		return nil, err
	}
	var table []byte
	switch v := o.(type) {
	case *pdf.String:
		table = v.Value
	case *pdf.Stream:
		if table, _, err = src.f.Samples(v, nil, 256*maxInks); err != nil {
			return nil, err
		}
	}
	colours := make([][4]byte, min(256, len(table)/base.n))
	if len(colours) == 0 || base.indexed {
		return nil, fmt.Errorf("%w: an Indexed colour space without colours", pdf.ErrSyntax)
	}
	v := make([]float64, base.n)
	for i := range colours {
		for j := range v {
			low, high := base.limits(j, 255)
			v[j] = low + float64(table[i*base.n+j])/255*(high-low)
		}
		base.colour(v, colours[i][:])
	}
	return &space{n: 1, indexed: true, to: func(v []float64, p []byte) {
		c := colours[min(len(colours)-1, max(0, int(v[0]+0.5)))]
		p[0], p[1], p[2] = c[0], c[1], c[2]
	}}, nil
}
