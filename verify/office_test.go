package verify

import (
	"testing"

	"github.com/courtseal/courtseal/sign"
)

var officeFiles = map[string]func(testing.TB) []byte{"DOCX": docx, "XLSX": xlsx, "PPTX": pptx}

func TestOffice(t *testing.T) {
	w := theWorld()
	for name, file := range officeFiles {
		for _, f := range formats {
			t.Run(name+"/"+string(f), func(t *testing.T) {
				s := w.stamp(t, f, noon)
				if f == sign.CMS {
					s = w.officeStamp(t)
				}
				r := verifyFile(t, w, officeSign(t, file(t), s, officeAct{}), nil)
				if r.Verdict != Valid || r.Format != name {
					t.Errorf("%s", r)
				}
			})
		}
	}
}
