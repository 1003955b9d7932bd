package promtext

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// differences are lines that are taken because OpenMetrics has them: with a time below 0, or with a fraction.
var differences = strings.NewReplacer("decoy -1 -2\n", "decoy -1 2\n", "3.14 2.72\n", "3.14 2\n")

// The pages of expfmt's own tests, good and bad, and a real one of Prometheus's: of each line we have what Prometheus has.
func TestCorpusOfExpfmt(t *testing.T) {
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/prometheus/common/expfmt").Output()
	if err != nil {
		t.Fatal(err)
	}
	expfmt := strings.TrimSpace(string(dir))
	pages, err := filepath.Glob(filepath.Join(expfmt, "fuzz", "corpus", "*"))
	if err != nil || len(pages) < 20 {
		t.Fatalf("%d pages: %v", len(pages), err)
	}
	for _, path := range append(pages, filepath.Join(expfmt, "testdata", "text")) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			got, _ := ours(string(text))
			same(t, string(text), got, lineByLine(differences.Replace(string(text))))
		})
	}
}
