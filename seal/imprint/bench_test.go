package imprint

import "testing"

func BenchmarkDraw(b *testing.B) {
	for _, c := range []struct {
		name string
		dpi  int
	}{{"300dpi", 300}, {"400dpi", 400}, {"600dpi", 600}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var size int
			for b.Loop() {
				p, err := Draw(Options{Name: "示例省示例市示例区人民法院", DPI: c.dpi})
				if err != nil {
					b.Fatal(err)
				}
				size = len(p.Data)
			}
			b.ReportMetric(float64(size), "PNG-bytes")
		})
	}
}
