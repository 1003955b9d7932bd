package tail

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// reader collects what a tail gives.
type reader struct {
	t    *testing.T
	path string

	mu      sync.Mutex
	lines   []string
	skipped int
	up      bool
}

func follow(t *testing.T) *reader {
	return followFile(t, filepath.Join(t.TempDir(), "app.log"))
}

func followFile(t *testing.T, path string) *reader { return followAs(t, path, false, func() {}) }

// followAs begins by something that is to be done in the tail's own thread.
func followAs(t *testing.T, path string, all bool, first func()) *reader {
	r := &reader{t: t, path: path}
	ctx, stop := context.WithCancel(context.Background())
	checked := make(chan struct{})
	var once sync.Once
	tail := Tail{
		Dir: filepath.Dir(path), Path: filepath.Base(path), All: all,
		Line: func(line string) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.lines = append(r.lines, line)
		},
		Skipped: func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.skipped++
		},
		State: func(err error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.up = err == nil
			once.Do(func() { close(checked) })
		},
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		first()
		tail.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	<-checked // otherwise a test's first lines might be taken for old ones
	return r
}

func (r *reader) eventually(what string, holds func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		r.mu.Lock()
		done := holds()
		r.mu.Unlock()
		if done {
			return
		}
		if time.Now().After(deadline) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.t.Fatalf("not within 20 s: %s; there are %d lines, the last ones %q", what, len(r.lines), r.lines[max(0, len(r.lines)-5):])
		}
	}
}

func (r *reader) wants(lines ...string) {
	r.t.Helper()
	r.eventually(fmt.Sprintf("%q", lines), func() bool { return len(r.lines) >= len(lines) })
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.lines, lines) {
		r.t.Fatalf("lines are %q, not %q", r.lines, lines)
	}
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f := open(t, path)
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestAFileThatComesLaterIsReadFromItsStart(t *testing.T) {
	r := follow(t)
	appendTo(t, r.path, "one\r\ntwo\nthr")
	r.wants("one", "two")
	appendTo(t, r.path, "ee\n")
	r.wants("one", "two", "three")
}

func TestAFileThatIsThereIsReadFromItsEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	appendTo(t, path, "old\nolder\n")
	r := followFile(t, path)
	appendTo(t, path, "new\n")
	r.wants("new")
}

func TestALineThatIsHalfThereAtTheStartIsNotTakenForOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.log")
	appendTo(t, path, "old\nha")
	r := followFile(t, path)
	appendTo(t, path, "lf\nnew\n")
	r.wants("new")
}

// An application writes to the renamed file until it is told to open the log anew.
func TestWhatIsWrittenToTheOldFileAfterRotationIsRead(t *testing.T) {
	r := follow(t)
	old := open(t, r.path)
	defer old.Close()
	fmt.Fprintln(old, "before")
	r.wants("before")
	if err := os.Rename(r.path, r.path+".1"); err != nil {
		t.Fatal(err)
	}
	appendTo(t, r.path, "new\n")
	r.wants("before", "new")
	fmt.Fprintln(old, "late")
	r.wants("before", "new", "late")
}

func TestARemovedFileIsReadOn(t *testing.T) {
	r := follow(t)
	old := open(t, r.path)
	defer old.Close()
	fmt.Fprintln(old, "before")
	r.wants("before")
	if err := os.Remove(r.path); err != nil {
		t.Fatal(err)
	}
	r.eventually("the path is reported gone", func() bool { return !r.up })
	fmt.Fprintln(old, "after")
	r.wants("before", "after")
	appendTo(t, r.path, "new\n")
	r.wants("before", "after", "new")
	r.eventually("the path is reported back", func() bool { return r.up })
}

func TestATruncatedFileIsReadFromItsStart(t *testing.T) {
	r := follow(t)
	appendTo(t, r.path, "a first line\nhalf a line")
	r.wants("a first line")
	if err := os.Truncate(r.path, 0); err != nil {
		t.Fatal(err)
	}
	appendTo(t, r.path, "second\n")
	r.wants("a first line", "second")
}

// By its size alone it would look as if it had only grown.
func TestAFileThatGrewAfterTruncationIsReadFromItsStart(t *testing.T) {
	r := follow(t)
	appendTo(t, r.path, "1 short\n")
	r.wants("1 short")
	whole := "2 a much longer line\n3 another\n"
	// In one step, so that nothing in between is seen.
	if err := os.WriteFile(r.path+".new", []byte(whole), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(r.path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(whole), 0); err != nil {
		t.Fatal(err)
	}
	r.wants("1 short", "2 a much longer line", "3 another")
}

func TestAHoleThatATruncationLeavesIsNoLine(t *testing.T) {
	r := follow(t)
	f, err := os.Create(r.path) // not O_APPEND: goes on at its old place
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fmt.Fprintln(f, strings.Repeat("x", 3*MaxLine/4))
	fmt.Fprintln(f, "end")
	r.eventually("both lines", func() bool { return len(r.lines) == 2 })
	if err := f.Truncate(0); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(f, "behind the hole")
	r.eventually("one more line", func() bool { return len(r.lines) == 3 && r.lines[2] == "behind the hole" })
}

func TestALineThatIsTooLongIsSkippedOnce(t *testing.T) {
	r := follow(t)
	appendTo(t, r.path, strings.Repeat("x", 5*MaxLine)+"\nshort\n"+strings.Repeat("y", MaxLine-1)+"\n")
	r.eventually("two lines", func() bool {
		return len(r.lines) == 2 && r.lines[0] == "short" && len(r.lines[1]) == MaxLine-1 && r.skipped == 1
	})
}

func TestOnlyFilesInsideTheDirectoryAreOpened(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "escape")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "directory"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"escape", "directory"} {
		r := followFile(t, filepath.Join(dir, name))
		r.mu.Lock()
		if r.up {
			t.Errorf("%s counts as readable", name)
		}
		r.mu.Unlock()
	}
}

// An application whose log has no file, its output as it is, can write to a named pipe: writers come and go.
func TestAPipeIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	if err := syscall.Mkfifo(path, 0o644); err != nil {
		t.Fatal(err)
	}
	r := followFile(t, path)
	appendTo(t, path, "one\ntwo\nthr")
	r.wants("one", "two")
	appendTo(t, path, "ee\n"+strings.Repeat("x", 2*MaxLine)+"\nfour\n")
	r.wants("one", "two", "three", "four")
}

// The promise that matters most: writers that never pause, a log that is renamed again and again, an application that
// takes its time to open the new one; each line comes once.
func TestNoLineIsLostOrDoubledUnderLoadWithRotation(t *testing.T) {
	r := follow(t)
	const lines, perFile = 200_000, 20_000
	file := open(t, r.path)
	for i := range lines {
		if i%perFile == perFile/2 {
			rotate(t, r.path)
			// For a while more the application writes to the file that it has open.
		}
		if i > 0 && i%perFile == 0 {
			file.Close()
			file = open(t, r.path)
		}
		if i%perFile == 1 { // one that comes and goes between two checks is not seen
			r.eventually("the new file is noticed", func() bool { return len(r.lines) == i })
		}
		fmt.Fprintf(file, "line %d\n", i)
	}
	file.Close()
	r.eventually("all lines", func() bool { return len(r.lines) >= lines })
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.lines) != lines {
		t.Fatalf("%d lines of %d", len(r.lines), lines)
	}
	for i, line := range r.lines {
		if line != fmt.Sprintf("line %d", i) {
			t.Fatalf("line %d is %q", i, line)
		}
	}
}

func rotate(t *testing.T, path string) {
	t.Helper()
	for n := 20; n > 0; n-- {
		_ = os.Rename(fmt.Sprintf("%s.%d", path, n-1), fmt.Sprintf("%s.%d", path, n)) // most aren't there
	}
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
}
