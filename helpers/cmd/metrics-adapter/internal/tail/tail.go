// Package tail follows a log file through rotation. It is the project's own, because the libraries for it hand each line
// through a channel, and go over to the new file as soon as there is one: a line that the application writes to the old
// file after that is lost, and an application does so until it is told to open its log anew.
//
// What happens to the file, and what is done:
//
//   - renamed, and a new one made: the old one is read on beside the new one, until it has been quiet for a while
//   - removed: read on all the same, since whoever has it open still writes to it
//   - truncated (copytruncate): read from the start; noticed by the size, or by other bytes at its beginning or before the
//     old place, when it has grown past that already
//   - the whole volume replaced: the path is looked up in the new one
//
// A named pipe is read as long as it is there: what is written to it while nobody reads waits, or waits for a reader.
//
// A file that is there at the start is read from where it ended then: its lines were counted before, or are nobody's. One
// that comes later is read from its start. Files are checked ten times a second or more: no notification by the kernel is
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

// Tail follows one path, or those that fit a pattern.
type Tail struct {
	// Dir is the directory that nothing outside of is read, by symbolic links neither.
	Dir string
	// Path is relative to it, and may be a pattern such as access-*.log: the newest file that fits is followed.
	Path string
	// All follows each file that fits.
	All bool
	// Line takes a line without its end. It must not keep it.
	Line func(string)
	// Skipped is called for a line that is too long.
	Skipped func()
	// State is called with what keeps the path from being read, or nil, when that changes.
	State func(error)

	directory directory
	files     []*file
	current   map[*file]bool // the path's; the others are read until they are quiet
	buffer    []byte
	state     error
	told      bool
}

// Run follows the path until the context ends.
func (t *Tail) Run(ctx context.Context) {
	defer t.close()
	t.buffer = make([]byte, MaxLine)
	t.check()
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
		t.check()
	}
}

func (t *Tail) close() {
	for _, f := range t.files {
		f.close()
	}
	t.directory.close()
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

// check finds out which files are the path's now, and gives up old ones.
func (t *Tail) check() {
	err := t.find()
	if !t.told || (err == nil) != (t.state == nil) {
		t.State(err)
	}
	t.told, t.state = true, err
	kept, old := t.files[:0], len(t.files)-len(t.current)
	for _, f := range t.files {
		if !t.current[f] {
			if time.Since(f.grown) > quiet || old > maxOld {
				old--
				f.finish(t)
				f.close()
				continue
			}
		}
		kept = append(kept, f)
	}
	t.files = kept
}

// find opens what is new. A path that cannot be looked up leaves the files that there are the path's.
func (t *Tail) find() error {
	found, err := t.directory.find(t.Dir, t.Path, t.All)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		t.current = nil
		return err
	}
	current := map[*file]bool{}
	for _, one := range found {
		f, failure := t.follow(one)
		if failure != nil {
			err = failure
			continue
		}
		current[f] = true
	}
	t.current = current
	return err
}

// follow returns the file, open.
func (t *Tail) follow(one entry) (*file, error) {
	for _, f := range t.files {
		if os.SameFile(f.info, one.info) {
			return f, nil // renamed, perhaps
		}
	}
	if kind := one.info.Mode().Type(); kind != 0 && kind != fs.ModeNamedPipe {
		return nil, fmt.Errorf("%s: neither a file nor a pipe", one.path)
	}
	opened, err := t.directory.root.OpenFile(one.path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	f, err := newFile(opened, t.directory.early[identify(one.info)])
	delete(t.directory.early, identify(one.info)) // the number comes again with another file
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	t.files = append(t.files, f)
	return f, nil
}

// file is an open file and how far it is read.
type file struct {
	*os.File
	info   fs.FileInfo
	offset int64
	// head is what the file begins with, as far as it is read, mark what stands before the offset; if one of them changes,
	// the file was written anew.
	head, mark []byte
	changed    time.Time // when it was written to last
	partial    []byte    // the beginning of a line whose end isn't written yet
	skipping   bool      // until the end of the line
	grown      time.Time
}

const markLength, headLength = 64, 256

// newFile reads from an offset, or from the start if the file is shorter.
func newFile(opened *os.File, offset int64) (*file, error) {
	info, err := opened.Stat()
	if err != nil {
		return nil, err
	}
	f := &file{File: opened, info: info, grown: time.Now()}
	if offset > 0 && offset <= info.Size() {
		f.offset = offset
		f.head, f.mark = f.beginning(), f.before()
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

func (f *file) beginning() []byte {
	head := make([]byte, min(headLength, f.offset))
	n, _ := f.ReadAt(head, 0)
	return head[:n]
}

// anew tells whether the file was written anew since it was read.
func (f *file) anew(size int64) bool {
	return size < f.offset || !bytes.Equal(f.before(), f.mark) || !bytes.HasPrefix(f.beginning(), f.head)
}

// read takes the lines that are there and tells whether there was anything.
func (f *file) read(t *Tail) bool {
	if f.info.Mode().Type() == fs.ModeNamedPipe {
		return f.readPipe(t)
	}
	info, err := f.Stat()
	if err != nil || info.Size() == f.offset && info.ModTime().Equal(f.changed) {
		return false
	}
	f.changed = info.ModTime()
	if f.anew(info.Size()) {
		f.offset, f.head, f.partial, f.skipping = 0, nil, f.partial[:0], false
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
		if len(f.head) < headLength {
			f.head = f.beginning()
		}
	}
	return any
}

// readPipe takes what is in a pipe, and waits for nothing. Without a writer there is nothing in it.
func (f *file) readPipe(t *Tail) bool {
	raw, err := f.SyscallConn()
	if err != nil {
		return false
	}
	any := false
	for range chunks {
		have, n := copy(t.buffer, f.partial), 0
		err := raw.Read(func(fd uintptr) bool {
			n, _ = syscall.Read(int(fd), t.buffer[have:])
			return true
		})
		if err != nil || n <= 0 {
			break
		}
		any = true
		f.take(t, t.buffer[:have+n])
	}
	if any {
		f.grown = time.Now()
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
