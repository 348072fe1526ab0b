package verify

import (
	"bytes"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/pdfx"
)

// surveyed judges a file and says whether the survey of its bytes was enough to call what refers to later objects innocent.
func surveyed(t *testing.T, w *world, file []byte) (d *document, innocent bool) {
	t.Helper()
	j, err := newJob(t.Context(), Options{Roots: w.roots, At: noon})
	if err != nil {
		t.Fatal(err)
	}
	if d, err = j.document(bytes.NewReader(file), int64(len(file))); err != nil {
		return nil, false
	}
	if _, err := d.judgeAll(); err != nil {
		return d, false
	}
	d.budget = 1 << 20
	if innocent, err = d.referrersInnocent(); err != nil {
		t.Error(err)
	}
	return d, innocent && len(d.added)+len(d.redone) > 0
}

// walkAgrees: where the survey finds nothing, a walk finds nothing.
func walkAgrees(t *testing.T, w *world, file []byte) {
	t.Helper()
	d, innocent := surveyed(t, w, file)
	if !innocent {
		return
	}
	d.budget = 1 << 20
	k := &walk{document: d, silent: true, seen: map[uint32]bool{}}
	if err := k.places(); err != nil {
		t.Fatal(err)
	}
	if err := k.run(); err != nil || k.told > 0 {
		t.Errorf("the walk finds %d references, %v", k.told, err)
	}
}

// Of files as they are, of each kind, nothing is walked.
func TestSurveyIsEnough(t *testing.T) {
	w := theWorld()
	for _, k := range pdftest.Kinds {
		file := plainPage(k, pdftest.Objects{5: "<< /Kept [3 0 R 4 0 R] >>"})
		for range 3 {
			file = sealFile(t, file, cmsSigner(t, w.rsa), pdfx.Options{})
		}
		if _, innocent := surveyed(t, w, file); !innocent {
			t.Errorf("%s: the file is walked", k)
		}
		walkAgrees(t, w, file)
	}
}
