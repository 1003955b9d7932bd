// Package tail follows a log file through rotation. It is the project's own, because the libraries for it hand each line
// through a channel, and go over to the new file as soon as there is one: a line that the application writes to the old
// file after that is lost, and an application does so until it is told to open its log anew.
//
// What happens to the file, and what is done:
//
//   - renamed, and a new one made: the old one is read on beside the new one, until it has been quiet for a while
//   - removed: read on all the same, since whoever has it open still writes to it
//   - truncated (copytruncate): read from the start; noticed by the size, or, when it has grown past the old place
//     already, by other bytes before that place
//
// A file that is there at the start is read from its end: its lines were counted before, or are nobody's. One that
// comes later is read from its start. Files are checked ten times a second or more: no notification by the kernel is
// needed, and there is none on some volumes. A file that comes and is renamed again between two checks is not seen.
package tail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
)

const (
	// MaxLine is the longest line that is read; a longer one is skipped and reported.
	MaxLine = 64 << 10
	// quiet is how long an old file must have got no line before it is given up.
	quiet = 30 * time.Second
	// maxOld is how many old files are read on at once.
	maxOld = 8
	// chunks is how much is read at once of a file that never ends, before the others and the path are checked.
	chunks = 16

	shortestWait = 5 * time.Millisecond
	longestWait  = 100 * time.Millisecond
)

// Tail follows one path.
type Tail struct {
	// Dir is the directory that nothing outside of is read, by symbolic links neither.
	Dir string
	// Path is relative to it.
	Path string
	// Line takes a line without its end. It must not keep it.
	Line func(string)
	// Skipped is called for a line that is too long.
	Skipped func()
	// State is called with what keeps the path from being read, or nil, when that changes.
	State func(error)

	root   *os.Root
	files  []*file // the last one is the path's, unless that is gone
	buffer []byte
	state  error
	told   bool
}

// Run follows the path until the context ends.
func (t *Tail) Run(ctx context.Context) {
	defer t.close()
	t.buffer = make([]byte, MaxLine)
	t.check(true)
	wait := shortestWait
	for ctx.Err() == nil {
		if t.read() {
			wait = shortestWait
		} else {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			wait = min(2*wait, longestWait)
		}
		t.check(false)
	}
}

func (t *Tail) close() {
	for _, f := range t.files {
		f.close()
	}
	if t.root != nil {
		_ = t.root.Close()
	}
}

// read reads what there is and tells whether there was anything.
func (t *Tail) read() bool {
	any := false
	for _, f := range t.files {
		if f.read(t) {
			any = true
		}
	}
	return any
}

// check finds out whether the path is another file now, and gives up old ones.
func (t *Tail) check(first bool) {
	err := t.find(first)
	if !t.told || (err == nil) != (t.state == nil) {
		t.State(err)
	}
	t.told, t.state = true, err
	kept := t.files[:0]
	for i, f := range t.files {
		old := i < len(t.files)-1
		if old && (time.Since(f.grown) > quiet || len(t.files)-i > maxOld+1) {
			f.finish(t)
			f.close()
			continue
		}
		kept = append(kept, f)
	}
	t.files = kept
}

func (t *Tail) find(first bool) error {
	if t.root == nil {
		root, err := os.OpenRoot(t.Dir)
		if err != nil {
			return err
		}
		t.root = root
	}
	info, err := t.root.Stat(t.Path)
	if err != nil {
		return err
	}
	for i, f := range t.files {
		if os.SameFile(f.info, info) {
			// Renamed back, perhaps.
			t.files = append(append(t.files[:i:i], t.files[i+1:]...), f)
			return nil
		}
	}
	// A pipe would block whoever opens it.
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: not a regular file", t.Path)
	}
	opened, err := t.root.OpenFile(t.Path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	f, err := newFile(opened, first)
	if err != nil {
		return errors.Join(err, opened.Close())
	}
	t.files = append(t.files, f)
	return nil
}

// file is an open file and how far it is read.
type file struct {
	*os.File
	info   fs.FileInfo
	offset int64
	// mark is what stands before the offset; if that changes, the file was written anew.
	mark     []byte
	partial  []byte // the beginning of a line whose end isn't written yet
	skipping bool   // until the end of the line
	grown    time.Time
}

const markLength = 64

func newFile(opened *os.File, atEnd bool) (*file, error) {
	info, err := opened.Stat()
	if err != nil {
		return nil, err
	}
	f := &file{File: opened, info: info, grown: time.Now()}
	if atEnd && info.Size() > 0 {
		f.offset = info.Size()
		f.mark = f.before()
		f.skipping = !bytes.HasSuffix(f.mark, []byte("\n"))
	}
	return f, nil
}

func (f *file) close() { _ = f.File.Close() }

// before reads what stands before the offset.
func (f *file) before() []byte {
	mark := make([]byte, min(markLength, f.offset))
	n, _ := f.ReadAt(mark, f.offset-int64(len(mark)))
	return mark[:n]
}

// read takes the lines that are there and tells whether there was anything.
func (f *file) read(t *Tail) bool {
	info, err := f.Stat()
	if err != nil || info.Size() == f.offset {
		return false
	}
	if info.Size() < f.offset || !bytes.Equal(f.before(), f.mark) {
		f.offset, f.partial, f.skipping = 0, f.partial[:0], false
	}
	any := false
	for range chunks {
		have := copy(t.buffer, f.partial)
		n, _ := f.ReadAt(t.buffer[have:], f.offset)
		if n == 0 {
			break
		}
		any = true
		f.offset += int64(n)
		f.take(t, t.buffer[:have+n])
	}
	if any {
		f.grown = time.Now()
		f.mark = f.before()
	}
	return any
}

func (f *file) take(t *Tail, data []byte) {
	if len(f.partial) == 0 && !f.skipping {
		// A writer that goes on at its old place after a truncation leaves a hole before it.
		data = bytes.TrimLeft(data, "\x00")
	}
	end := bytes.LastIndexByte(data, '\n') + 1
	f.partial = append(f.partial[:0], data[end:]...)
	lines := string(data[:end])
	for lines != "" {
		line, rest, _ := strings.Cut(lines, "\n")
		lines = rest
		if f.skipping {
			f.skipping = false
			continue
		}
		t.Line(strings.TrimSuffix(line, "\r"))
	}
	if f.skipping {
		f.partial = f.partial[:0]
	} else if len(f.partial) == MaxLine {
		f.partial, f.skipping = f.partial[:0], true
		t.Skipped()
	}
}

// finish takes a last line that has no end.
func (f *file) finish(t *Tail) {
	if len(f.partial) > 0 {
		t.Line(string(f.partial))
	}
}
