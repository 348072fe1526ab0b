package officex_test

import (
	"archive/zip"
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

var noon = time.Date(2026, 3, 2, 4, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

type people struct{ sm2, rsa, p256, p384 sign.Key }

// holders are the keys of the seal, with certificates that hold around noon.
var holders = sync.OnceValue(func() people {
	of := func(k testpki.Kind) sign.Key { return testpki.Shared(k).Issue(k, "审判长", nil) }
	return people{of(testpki.SM2), of(testpki.RSA), of(testpki.P256), of(testpki.P384)}
})

// courtSeal is a seal of 45 mm, a red ring.
var courtSeal = sync.OnceValue(func() *seal.Seal {
	const size, width = 240, 16
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			dx, dy := x-size/2, y-size/2
			if r := dx*dx + dy*dy; r < size*size/4 && r > (size/2-width)*(size/2-width) {
				img.SetNRGBA(x, y, color.NRGBA{200, 0, 0, 255})
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	p := holders()
	template := &seal.Seal{Vid: "TEST", ID: "3299990000000001", Type: 1, Name: "示例市中级人民法院", Created: noon.AddDate(0, -1, 0), NotBefore: noon.AddDate(0, -1, 0),
		NotAfter: noon.AddDate(1, 0, 0), Picture: sign.Picture{Type: "PNG", Data: b.Bytes(), Width: 45, Height: 45}}
	for _, k := range []sign.Key{p.sm2, p.rsa, p.p256, p.p384} {
		template.Certs = append(template.Certs, k.Chain()[0])
	}
	s, err := seal.Make(context.Background(), template, testpki.Shared(testpki.SM2).Issue(testpki.SM2, "制章者", nil))
	if err != nil {
		panic(err)
	}
	return s
})

// stamp uses the seal; outer nil: no dual.
func stamp(t testing.TB, key, outer sign.Key, format sign.Format) sign.Signer {
	t.Helper()
	s, err := courtSeal().Stamp(key, seal.StampOptions{Outer: outer, Format: format, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A docx is a Word document to be made.
type docx struct {
	body  string // in w:body
	parts map[string]string
	rels  string // of the main document
	types string
}

const (
	wordNS = `xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"`
	header = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	relsNS = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`
	offRel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
)

func para(text string) string {
	return `<w:p><w:r><w:t xml:space="preserve">` + text + `</w:t></w:r></w:p>`
}

// judgment is a short judgment with a date line.
func judgment() docx {
	return docx{body: para("示例市中级人民法院民事判决书") + para("（2026）示民终1号") + para("本院认为，上诉人的请求不能成立。") +
		para("审判长　某某某") + para("二〇二六年三月二日") + `<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1440" w:right="1800" w:bottom="1440" w:left="1800" w:header="851" w:footer="992" w:gutter="0"/></w:sectPr>`}
}

// bytes makes the file.
func (d docx) bytes() []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	put := func(name, text string) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			panic(err) // into memory nothing fails
		}
	}
	put("[Content_Types].xml", header+`<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>`+
		`<Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>`+
		`<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>`+d.types+`</Types>`)
	put("_rels/.rels", header+relsNS+`<Relationship Id="rId1" Type="`+offRel+`officeDocument" Target="word/document.xml"/>`+
		`<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/></Relationships>`)
	put("word/document.xml", header+`<w:document `+wordNS+`><w:body>`+d.body+`</w:body></w:document>`)
	if d.rels != "" {
		put("word/_rels/document.xml.rels", header+relsNS+d.rels+`</Relationships>`)
	}
	put("docProps/core.xml", header+`<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"></cp:coreProperties>`)
	for name, text := range d.parts {
		put(name, text)
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// vectors are the Word documents of other makers; the test is skipped where they are missing.
func vectors(t testing.TB) map[string][]byte {
	t.Helper()
	files := findVectors(t)
	if files == nil {
		t.Skip("the Word documents of other makers are not here")
	}
	return files
}

func findVectors(t testing.TB) map[string][]byte {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		names, _ := filepath.Glob(filepath.Join(dir, "shared", "vectors", "docx", "*.docx"))
		if len(names) == 0 {
			continue
		}
		files := map[string][]byte{}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files[strings.TrimSuffix(filepath.Base(name), ".docx")] = b
		}
		return files
	}
	return nil
}
