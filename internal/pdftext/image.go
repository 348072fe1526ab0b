package pdftext

import "github.com/courtseal/courtseal/internal/pdf"

// imageLength says how many bytes of data an inline image has, as far as its dictionary tells: where it states the length
// (PDF 2.0), or where no filter is used. Otherwise -1.
func imageLength(operands []pdf.Token) int {
	var width, height float64
	bits, colours, filtered, mask := 8.0, 0.0, false, false
	for i := 0; i+1 < len(operands); i++ {
		k, v := operands[i], operands[i+1]
		if k.Kind != pdf.NameToken {
			continue
		}
		switch string(k.Bytes) {
		case "L", "Length":
			if v.Kind == pdf.Numeral && v.Number >= 0 && v.Number < 1<<30 {
				return int(v.Number)
			}
		case "W", "Width":
			width = v.Number
		case "H", "Height":
			height = v.Number
		case "BPC", "BitsPerComponent":
			bits = v.Number
		case "F", "Filter":
			filtered = true
		case "IM", "ImageMask":
			mask = string(v.Bytes) == "true"
		case "CS", "ColorSpace":
			colours = map[string]float64{"G": 1, "DeviceGray": 1, "RGB": 3, "DeviceRGB": 3, "CMYK": 4, "DeviceCMYK": 4}[string(v.Bytes)]
			if v.Kind == pdf.ArrayOpen { // [/Indexed base high table]
				colours = 1
			}
		default:
			continue
		}
		i++
	}
	if mask {
		bits, colours = 1, 1
	}
	row := int64(0)
	if width > 0 && width < 1<<20 && bits > 0 && bits <= 16 {
		row = (int64(width)*int64(bits)*int64(colours) + 7) / 8
	}
	if filtered || row == 0 || height <= 0 || height > 1<<20 || row*int64(height) > 1<<30 {
		return -1
	}
	return int(row * int64(height))
}
