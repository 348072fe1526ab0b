package wordml

import (
	"errors"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

func TestSignatureLines(t *testing.T) {
	d := open(t, document(&transitional, paraOf(runOf("在此盖章"))+sectA4))
	want := Line{GUID: someGUID, Provider: StampProvider, Signer: `"院" & <长>`, Title: "审判长", Email: "a@example.org", Instructions: "请盖章", Comments: true,
		RelID: "rIdSeal", Width: 42, Height: 41}
	list, _, err := d.PlaceLine(find(t, d, "盖章"), want, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	part := spliced(t, d, list)
	d = open(t, part)
	got := d.Lines()
	if len(got) != 1 {
		t.Fatalf("%d lines", len(got))
	}
	g := got[0]
	g.para, g.at, g.style = 0, 0, ""
	g.Width, g.Height = float64(int(g.Width*10+0.5))/10, float64(int(g.Height*10+0.5))/10
	if g != want {
		t.Errorf("%+v\nnot\n%+v", g, want)
	}
	if strings.Count(part, "<v:shapetype") != 1 {
		t.Error("no shape type")
	}
	if _, _, err := d.PlaceLine(d.End(), want, 0, 0); !errors.Is(err, ErrPlace) {
		t.Errorf("the same line again: %v", err)
	}
	want.GUID, want.Provider = otherGUID, ""
	if list, _, err = d.PlaceLine(d.End(), want, 0, 0); err != nil {
		t.Fatal(err)
	}
	part = spliced(t, d, list)
	if got := open(t, part).Lines(); len(got) != 2 || got[1].GUID != otherGUID || got[1].Provider != PlainProvider {
		t.Errorf("%+v", got)
	}
	if strings.Count(part, "<v:shapetype") != 1 {
		t.Error("the shape type is defined twice")
	}
	for _, bad := range []Line{{}, {GUID: someGUID, Width: 1, Height: 1}, {GUID: "{x}", RelID: "r", Width: 1, Height: 1}, {GUID: strings.ToLower(otherGUID), RelID: "r", Width: 1, Height: 1}} {
		if _, _, err := d.PlaceLine(d.End(), bad, 0, 0); !errors.Is(err, ErrPicture) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	d = open(t, document(&strict, paraOf(runOf("在此盖章"))+sectA4))
	want.GUID = someGUID
	if _, _, err := d.PlaceLine(d.End(), want, 0, 0); !errors.Is(err, ErrPlace) {
		t.Errorf("strict: %v", err)
	}
}

func TestLock(t *testing.T) {
	const protection = `<w:documentProtection xmlns:w="NS" w:edit="readOnly" w:enforcement="1"/>`
	for _, c := range []struct{ in, want string }{
		{`<w:settings xmlns:w="NS"></w:settings>`, `<w:settings xmlns:w="NS">` + protection + `</w:settings>`},
		{`<w:settings xmlns:w="NS"/>`, `<w:settings xmlns:w="NS">` + protection + `</w:settings>`},
		{`<w:settings xmlns:w="NS"><w:zoom/><w:proofState/><w:defaultTabStop/></w:settings>`, `<w:settings xmlns:w="NS"><w:zoom/><w:proofState/>` + protection + `<w:defaultTabStop/></w:settings>`},
		{`<w:settings xmlns:w="NS"><w:mailMerge><w:zoom/></w:mailMerge><w:compat><w:zoom/></w:compat></w:settings>`, `<w:settings xmlns:w="NS"><w:mailMerge><w:zoom/></w:mailMerge>` + protection + `<w:compat><w:zoom/></w:compat></w:settings>`},
		{`<w:settings xmlns:w="NS"><w:zoom/><w:documentProtection w:edit="forms" w:enforcement="0"></w:documentProtection><w:compat/></w:settings>`, `<w:settings xmlns:w="NS"><w:zoom/>` + protection + `<w:compat/></w:settings>`},
		{`<w:settings xmlns:w="NS"><w:documentProtection w:edit="readOnly" w:enforcement="true"/></w:settings>`, `<w:settings xmlns:w="NS"><w:documentProtection w:edit="readOnly" w:enforcement="true"/></w:settings>`},
	} {
		for _, ns := range []*family{&transitional, &strict} {
			in, want := strings.ReplaceAll(c.in, "NS", ns.w), strings.ReplaceAll(c.want, "NS", ns.w)
			got, err := Lock([]byte(in), xmldoc.Limits{})
			if err != nil || string(got) != want {
				t.Errorf("%s\n%s\n%v", in, got, err)
			}
			if again, err := Lock(got, xmldoc.Limits{}); err != nil || string(again) != string(got) {
				t.Errorf("a lock on a lock: %s, %v", again, err)
			}
		}
	}
	for in, want := range map[string]error{
		`<w:settings xmlns:w="` + transitional.w + `"><w:documentProtection w:edit="forms" w:enforcement="1"/></w:settings>`: ErrProtected,
		`<w:document xmlns:w="` + transitional.w + `"/>`:                                                                     ErrNotWord,
		`<settings/>`: ErrNotWord,
		`<w:settings xmlns:w="` + transitional.w + `">`: xmldoc.ErrSyntax,
	} {
		if _, err := Lock([]byte(in), xmldoc.Limits{}); !errors.Is(err, want) {
			t.Errorf("%s: %v", in, err)
		}
	}
	d := open(t, document(&strict, ""))
	if _, err := Lock(d.NewSettings(), xmldoc.Limits{}); err != nil {
		t.Error(err)
	}
}
