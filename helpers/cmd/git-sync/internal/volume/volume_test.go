package volume

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func open(t *testing.T, root string) *Volume {
	t.Helper()
	v, err := Open(root, filepath.Join(root, "current"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	return v
}

func write(content string) func(string) error {
	return func(dir string) error { return os.WriteFile(filepath.Join(dir, "file"), []byte(content), 0o644) }
}

func publish(t *testing.T, v *Volume, hash string) {
	t.Helper()
	if err := errors.Join(v.Create(hash, "form", write(hash)), v.Publish(hash)); err != nil {
		t.Fatal(err)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, entry := range entries {
		all = append(all, entry.Name())
	}
	return all
}

func TestFailedTreeHasNoName(t *testing.T) {
	v := open(t, t.TempDir())
	broken := errors.New("broken")
	err := v.Create("one", "form", func(dir string) error { return errors.Join(write("half")(dir), broken) })
	if !errors.Is(err, broken) || len(names(t, v.Worktree(""))) > 0 {
		t.Errorf("%v, something is left", err)
	}
	publish(t, v, "one")
}

func TestRetiredTreeComesBackIfItIsWantedAgain(t *testing.T) {
	v := open(t, t.TempDir())
	publish(t, v, "one")
	publish(t, v, "two")
	publish(t, v, "one")
	if err := v.RemoveRetired(0); err != nil {
		t.Fatal(err)
	}
	if v.Published() != "one" || exists(v.Worktree("two")) {
		t.Errorf("published %q, the other exists: %t", v.Published(), exists(v.Worktree("two")))
	}
}

func TestRetiredTreeStaysForItsTime(t *testing.T) {
	v := open(t, t.TempDir())
	publish(t, v, "one")
	publish(t, v, "two")
	if err := v.RemoveRetired(time.Hour); err != nil || !exists(v.Worktree("one")) {
		t.Errorf("gone before its time, %v", err)
	}
}

func TestExchange(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		if err := os.MkdirAll(filepath.Join(dir, name, "of-"+name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := exchange(filepath.Join(dir, "a"), filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	if !exists(filepath.Join(dir, "a", "of-b")) || !exists(filepath.Join(dir, "b", "of-a")) || len(names(t, dir)) != 2 {
		t.Errorf("left: %q", names(t, dir))
	}
}

// A removal that was interrupted has left files without the commit's name, so that they can't be published.
func TestInterruptedRemoval(t *testing.T) {
	root := t.TempDir()
	v := open(t, root)
	publish(t, v, "one")
	if err := os.MkdirAll(v.Worktree("two"+doomedSuffix)+"/sub", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	v = open(t, root)
	publish(t, v, "two")
	if err := v.RemoveRetired(0); err != nil {
		t.Fatal(err)
	}
	if v.Published() != "two" || exists(v.Worktree("two"+doomedSuffix)) {
		t.Errorf("published %q, leftover exists: %t", v.Published(), exists(v.Worktree("two"+doomedSuffix)))
	}
}

func TestForeignLinkIsReplacedAndNotCountedAsPublished(t *testing.T) {
	root := t.TempDir()
	if err := os.Symlink("/etc", filepath.Join(root, "current")); err != nil {
		t.Fatal(err)
	}
	v := open(t, root)
	if got := v.Published(); got != "" {
		t.Errorf("published %q", got)
	}
	publish(t, v, "one")
	if got := v.Published(); got != "one" {
		t.Errorf("published %q", got)
	}
}
