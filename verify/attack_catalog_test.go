package verify

import (
	"fmt"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
)

// What hangs on the catalog and the trailer: actions, names, outlines, encryption, another catalog.

// trailed is an update of nothing but the trailer.
func trailed(entries map[string]string, objects pdftest.Objects) func(testing.TB, *victim) []byte {
	return saved(objects, func(_ *victim, r *pdftest.Revision) { r.Trailer = entries })
}

const script = "<< /S /JavaScript /JS (app.alert\\(1\\)) >>"

var catalogAttacks = map[level][]attack{approval: {
	{"an action", "later-changed", widened(catalogNum, "/OpenAction "+script)},
	{"a destination to open", "later-changed", widened(catalogNum, "/OpenAction [8 0 R /Fit]")},
	{"actions", "later-changed", widened(catalogNum, "/AA << /WP "+script+" >>")},
	{"scripts", "later-changed", widened(catalogNum, "/Names << /JavaScript << /Names [(x) "+script+"] >> >>")},
	{"attachments", "later-changed", widened(catalogNum, "/Names << /EmbeddedFiles << /Names [(x) << /Type /Filespec /F (x) /EF << /F 9 0 R >> >>] >> >>")},
	{"associated files", "later-changed", widened(catalogNum, "/AF [<< /Type /Filespec /F (x) /EF << /F 9 0 R >> >>]")},
	{"a portfolio", "later-changed", widened(catalogNum, "/Collection << /View /D >>")},
	{"destinations", "later-changed", widened(catalogNum, "/Dests << /x [8 0 R /Fit] >>")},
	{"labels of pages", "later-changed", widened(catalogNum, "/PageLabels << /Nums [0 << /P (Annex ) >>] >>")},
	{"preferences of a viewer", "later-changed", widened(catalogNum, "/ViewerPreferences << /HideToolbar true /ViewArea /ArtBox >>")},
	{"a mode of pages", "later-changed", widened(catalogNum, "/PageMode /UseOutlines")},
	{"a layout of pages", "later-changed", widened(catalogNum, "/PageLayout /TwoColumnLeft")},
	{"a base of addresses", "later-changed", widened(catalogNum, "/URI << /Base (http://example.org) >>")},
	{"articles", "later-changed", widened(catalogNum, "/Threads [<< /F 9 0 R >>]")},
	{"requirements", "later-changed", widened(catalogNum, "/Requirements [<< /S /EnableJavaScripts >>]")},
	{"permissions", "later-changed", widened(catalogNum, "/Perms << /UR3 20 0 R >>")},
	{"a legal attestation", "later-changed", widened(catalogNum, "/Legal << /JavaScriptActions 0 >>")},
	{"an output intent", "later-changed", widened(catalogNum, "/OutputIntents [<< /S /GTS_PDFX >>]")},
	{"a key nobody knows", "later-changed", widened(catalogNum, "/X_Unknown 9 0 R")},
	{"other pages", "later-changed", switched(catalogNum, "/Pages 2 0 R", "/Pages << /Type /Pages /Kids [22 0 R] /Count 1 >>")},
	{"no layers", "later-changed", switched(catalogNum, "/OCProperties", "/Properties")},
	{"a key twice", "duplicate-key", widened(catalogNum, "/Pages 2 0 R")},
	{"a key in another spelling", "duplicate-key", widened(catalogNum, "/P#61ges 22 0 R")},
	{"no outline", "later-changed", switched(catalogNum, "/Outlines 16 0 R", "")},
	{"an outline that leads elsewhere", "later-changed", switched(outlineNum, "[3 0 R", "[8 0 R")},
	{"an outline that acts", "later-changed", switched(outlineNum, "/Dest [3 0 R /Fit]", "/A "+script)},
	{"an outline of another title", "later-changed", switched(outlineNum, "(Judgment)", "(Acquittal)")},
	{"an outline more", "later-changed", widened(outlineNum, "/First 60 0 R")},
	{"structure", "later-changed", widened(catalogNum, "/StructTreeRoot << /Type /StructTreeRoot >> /MarkInfo << /Marked true >>")},

	{"another catalog", "later-changed", func(t testing.TB, v *victim) []byte {
		return trailed(map[string]string{"Root": "60 0 R"}, pdftest.Objects{60: v.with(t, catalogNum, "/OpenAction "+script)})(t, v)
	}},
	{"the same catalog as another object", "later-changed", func(t testing.TB, v *victim) []byte {
		return trailed(map[string]string{"Root": "60 0 R"}, pdftest.Objects{60: v.body(t, catalogNum)})(t, v)
	}},
	{"the catalog of another generation", isUnreadable, trailed(map[string]string{"Root": "1 1 R"}, nil)},
	{"a catalog that is not there", isUnreadable, trailed(map[string]string{"Root": "99 0 R"}, nil)},
	{"a catalog twice", "later-changed", trailed(map[string]string{"Root": "1 0 R /Root 1 0 R"}, nil)},
	{"no catalog", "rebuilt", trailed(map[string]string{"Root": ""}, nil)},
	{"encryption", isUnreadable, func(_ testing.TB, v *victim) []byte {
		r := v.saving(pdftest.Objects{60: "<< /Filter /Standard /V 1 /R 2 /O <" + strings.Repeat("00", 32) + "> /U <" + strings.Repeat("00", 32) + "> /P -4 >>"})
		r.Packed, r.Trailer = nil, map[string]string{"Encrypt": "60 0 R"}
		return r.Append(v.file)
	}},
	{"encryption by nobody", isUnreadable, trailed(map[string]string{"Encrypt": "<< /Filter /Unknown >>"}, nil)},
	{"another identifier", "later-changed", trailed(map[string]string{"ID": "[<00> <11>]"}, nil)},
	{"the first revision before it", isUnsigned, func(_ testing.TB, v *victim) []byte { // the seal's is passed over
		r := v.saving(pdftest.Objects{60: "null"})
		r.Trailer = map[string]string{"Prev": fmt.Sprint(firstXRef(v.file))}
		return r.Append(v.file)
	}},
	{"no revision before it", isUnsigned, func(_ testing.TB, v *victim) []byte {
		r := v.saving(judgment())
		r.Trailer = map[string]string{"Prev": ""}
		return r.Append(v.file)
	}},
}}

// firstXRef is where the first startxref of a file leads.
func firstXRef(file []byte) (at int) {
	_, rest, _ := strings.Cut(string(file), "startxref")
	fmt.Sscan(rest, &at)
	return at
}
