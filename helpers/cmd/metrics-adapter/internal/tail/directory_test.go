package tail

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

func rename(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}

// The application has the volume mounted elsewhere, and writes links as it sees it.
func TestAnAbsoluteLinkInsideTheVolumeIsFollowed(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "app", "2026"), 0o755); err != nil {
		t.Fatal(err)
	}
	link(t, "/var/log/app/current/app.log", filepath.Join(dir, "app.log"))
	link(t, "/var/log/app/2026", filepath.Join(dir, "current"))
	link(t, "/srv/x/app/2026", filepath.Join(dir, "2026"))
	r := followFile(t, filepath.Join(dir, "app.log"))
	appendTo(t, filepath.Join(dir, "app", "2026", "app.log"), "one\n")
	r.wants("one")
}

func TestLinksInACircleEnd(t *testing.T) {
	dir := t.TempDir()
	link(t, "/x/b", filepath.Join(dir, "app.log"))
	link(t, "/x/app.log", filepath.Join(dir, "b"))
	if r := followFile(t, filepath.Join(dir, "app.log")); r.up {
		t.Error("it counts as readable")
	}
}

func TestAnotherVolumeInThePlaceOfTheOldOneIsReadFromItsStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "volume")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r := followFile(t, filepath.Join(dir, "app.log"))
	appendTo(t, r.path, "one\n")
	r.wants("one")
	rename(t, dir, dir+".old")
	r.eventually("the path is reported gone", func() bool { return !r.up })
	if err := os.Mkdir(dir+".new", 0o755); err != nil {
		t.Fatal(err)
	}
	appendTo(t, filepath.Join(dir+".new", "app.log"), "two\n")
	rename(t, dir+".new", dir)
	r.wants("one", "two")
}

// Its lines from before the start were counted then, or are nobody's; those since are ours.
func TestALogThatCannotBeReadAtFirstIsReadFromWhereItEndedThen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "app.log")
	appendTo(t, path, "old\n")
	for of, mode := range map[string]os.FileMode{filepath.Dir(dir): 0o755, dir: 0o755, path: 0} {
		if err := os.Chmod(of, mode); err != nil {
			t.Fatal(err)
		}
	}
	r := followAs(t, path, false, func() {
		runtime.LockOSThread() // for good: the thread ends with the tail
		if os.Geteuid() == 0 {
			_ = syscall.Setfsuid(65534) // to root all can be read
		}
	})
	r.eventually("it cannot be read", func() bool { return !r.up })
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	appendTo(t, path, "new\n")
	r.wants("new")
}

// Refilled beyond the old place, with the same lines before it: only its beginning tells.
func TestAFileThatWasRefilledIsReadFromItsStart(t *testing.T) {
	r := follow(t)
	appendTo(t, r.path, "first of old\nsame\n")
	r.wants("first of old", "same")
	f, err := os.OpenFile(r.path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	// In one step, so that nothing in between is seen; just as long as before.
	if _, err := f.WriteAt([]byte("first of new\nsame\n"), 0); err != nil {
		t.Fatal(err)
	}
	r.wants("first of old", "same", "first of new", "same")
}

func TestAPatternIsItsNewestFile(t *testing.T) {
	dir := t.TempDir()
	name := func(day int) string { return filepath.Join(dir, fmt.Sprintf("access-2026-01-%02d.log", day)) }
	appendTo(t, name(1), "old\n")
	appendTo(t, filepath.Join(dir, "error.log"), "")
	r := followAs(t, filepath.Join(dir, "access-*.log"), false, func() {})
	today := open(t, name(1))
	defer today.Close()
	fmt.Fprintln(today, "one")
	r.wants("one")
	appendTo(t, name(2), "two\n")
	r.wants("one", "two")
	fmt.Fprintln(today, "late")
	r.wants("one", "two", "late")
}

func TestAllFilesOfAPattern(t *testing.T) {
	dir := t.TempDir()
	a, b, c := filepath.Join(dir, "a.log"), filepath.Join(dir, "b.log"), filepath.Join(dir, "c.log")
	appendTo(t, a, "old\n")
	appendTo(t, b, "old\n")
	if err := os.Chtimes(a, time.Time{}, time.Unix(1000, 0)); err != nil {
		t.Fatal(err)
	}
	r := followAs(t, filepath.Join(dir, "*.log"), true, func() {})
	appendTo(t, b, "b1\n")
	r.wants("b1")
	appendTo(t, a, "a1\n")
	r.wants("b1", "a1")
	appendTo(t, c, "c1\n")
	r.wants("b1", "a1", "c1")
}

func TestAPatternThatNothingFitsIsTold(t *testing.T) {
	dir := t.TempDir()
	appendTo(t, filepath.Join(dir, "error.log"), "")
	r := followAs(t, filepath.Join(dir, "access-*.log"), true, func() {})
	r.eventually("it is told", func() bool { return !r.up })
	appendTo(t, filepath.Join(dir, "access-1.log"), "one\n")
	r.wants("one")
	r.eventually("and that it fits now", func() bool { return r.up })
}
