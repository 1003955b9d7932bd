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

func write(content string) func(*os.Root) error {
	return func(dir *os.Root) error { return dir.WriteFile("file", []byte(content), 0o644) }
}

func publish(t *testing.T, v *Volume, hash string) {
	t.Helper()
	if err := errors.Join(v.Create(hash, write(hash)), v.Publish(hash)); err != nil {
		t.Fatal(err)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestFailedTreeHasNoName(t *testing.T) {
	v := open(t, t.TempDir())
	broken := errors.New("broken")
	err := v.Create("one", func(dir *os.Root) error { return errors.Join(write("half")(dir), broken) })
	if !errors.Is(err, broken) || exists(v.Worktree("one")) || exists(v.Worktree("one")+partialSuffix) {
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
