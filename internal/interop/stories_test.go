package interop

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The stories, the rights, the uses and a few random lives of package registry, on PostgreSQL: its own tests, with a file laid over
// them that opens another database.
func TestRegistryStoriesPostgres(t *testing.T) {
	c := newCluster(t)
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	laid, err := json.Marshal(map[string]map[string]string{"Replace": {
		filepath.Join(dir, "seal", "registry", "postgres_test.go"): filepath.Join(dir, "internal", "interop", "testdata", "postgres_test.go.txt"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(overlay, laid, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "test", "-short", "-count=1", "-overlay", overlay, "-parallel", "4", "./seal/registry", "-rapid.checks=5")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "COURTSEAL_POSTGRES="+c.url("%s"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
