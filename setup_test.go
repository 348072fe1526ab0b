package courtseal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/keydev"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/seal/imprint"
)

// TestMain runs the example in a directory of its own, where testdata holds what a court has. It is made anew each time: keys
// that anyone can read would be refused, and certificates expire.
func TestMain(m *testing.M) {
	judgment, err := os.ReadFile("examples/quickstart/judgment.pdf")
	if errors.Is(err, os.ErrNotExist) {
		fmt.Println("skipped: examples/quickstart/judgment.pdf is only in the repository, not in the module")
		return
	}
	dir, err := os.MkdirTemp("", "courtseal")
	if err != nil {
		panic(err)
	}
	if err := setUp(dir, judgment); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func setUp(dir string, judgment []byte) error {
	if err := os.Chdir(dir); err != nil {
		return err
	}
	ctx, now := context.Background(), time.Now()
	root := testpki.NewCA(testpki.SM2, "Courtseal Example Root")
	judge, chain := root.IssueSigner(testpki.SM2, "审判长", nil)
	if err := keydev.WriteSoftKey(ctx, "testdata/keys", "presiding-judge", judge, chain, []byte("123456")); err != nil {
		return err
	}
	picture, err := imprint.Draw(imprint.Options{Name: "示例省示例市示例区人民法院"})
	if err != nil {
		return err
	}
	court, err := seal.Make(ctx, &seal.Seal{
		ID:        "example",
		Name:      "示例省示例市示例区人民法院",
		Certs:     chain[:1],
		NotBefore: now.AddDate(0, 0, -1),
		NotAfter:  now.AddDate(1, 0, 0),
		Picture:   picture,
	}, root.Issue(testpki.SM2, "制章者", nil))
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(filepath.Join("testdata", "court.esl"), court.Raw, 0o644),
		os.WriteFile(filepath.Join("testdata", "roots.pem"), root.PEM(), 0o644),
		os.WriteFile(filepath.Join("testdata", "judgment.pdf"), judgment, 0o644),
	)
}
