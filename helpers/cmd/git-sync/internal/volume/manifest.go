package volume

import (
	"bufio"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A manifest says how a tree was when it was whole. It is a line for the form, one for each file, link and directory, and a
// last one with the checksum of all before it:
//
//	d "path"
//	l "path" "target"
//	f "path" size mtime crc32

// errDamaged says in what a tree is not as its manifest has it.
var errDamaged = errors.New("not as it was made")

// What a check looks at, beside the manifest itself.
const (
	nothing = iota
	metadata
	content
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// summed counts all that is written into a checksum.
type summed struct {
	*bufio.Writer
	sum hash.Hash32
}

func (s summed) line(format string, values ...any) {
	_, _ = fmt.Fprintf(io.MultiWriter(s.Writer, s.sum), format+"\n", values...) // Flush has the error
}

// writeManifest reads the tree in dir and writes its manifest.
func writeManifest(path, dir, form string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	defer file.Close()
	out := summed{bufio.NewWriter(file), crc32.New(castagnoli)}
	out.line("%q", form)
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return out.entry(name, path, entry)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%08x\n", out.sum.Sum32())
	return errors.Join(out.Flush(), file.Close())
}

func (s summed) entry(name, path string, entry fs.DirEntry) error {
	switch entry.Type() {
	case fs.ModeDir:
		s.line("d %q", name)
	case fs.ModeSymlink:
		target, err := os.Readlink(path)
		if err != nil {
			return err
		}
		s.line("l %q %q", name, target)
	default:
		info, err := entry.Info()
		if err != nil {
			return err
		}
		sum, err := checksum(path)
		if err != nil {
			return err
		}
		s.line("f %q %d %d %08x", name, info.Size(), info.ModTime().UnixNano(), sum)
	}
	return nil
}

// checkManifest compares the tree in dir with its manifest.
func checkManifest(path, dir, form string, depth int) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	defer file.Close()
	sum := crc32.New(castagnoli)
	lines := bufio.NewScanner(file)
	for first := true; lines.Scan(); first = false {
		line := lines.Text()
		switch {
		case line == fmt.Sprintf("%08x", sum.Sum32()):
			return nil
		case first && line != strconv.Quote(form):
			return fmt.Errorf("%w: the options were others", errDamaged)
		case !first && depth > nothing:
			if err := checkEntry(line, dir, depth); err != nil {
				return err
			}
		}
		sum.Write([]byte(line + "\n"))
	}
	return fmt.Errorf("%w: the list of its files is cut off", errDamaged)
}

func checkEntry(line, dir string, depth int) error {
	kind, rest, _ := strings.Cut(line, " ")
	quoted, err := strconv.QuotedPrefix(rest)
	if err != nil {
		return fmt.Errorf("%w: the list of its files is broken", errDamaged)
	}
	name, _ := strconv.Unquote(quoted) // QuotedPrefix has checked it
	rest = strings.TrimPrefix(rest[len(quoted):], " ")
	path := filepath.Join(dir, name)
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	found := "d"
	switch info.Mode().Type() {
	case fs.ModeDir:
	case fs.ModeSymlink:
		found = "l"
	default:
		found = "f"
	}
	if found != kind {
		return fmt.Errorf("%w: %s is of another type", errDamaged, name)
	}
	switch kind {
	case "l":
		if target, err := os.Readlink(path); err != nil || strconv.Quote(target) != rest {
			return fmt.Errorf("%w: %s points elsewhere", errDamaged, name)
		}
	case "f":
		return checkFile(name, path, rest, info, depth)
	}
	return nil
}

func checkFile(name, path, recorded string, info fs.FileInfo, depth int) error {
	var size, mtime int64
	var sum uint32
	if _, err := fmt.Sscanf(recorded, "%d %d %x", &size, &mtime, &sum); err != nil {
		return fmt.Errorf("%w: the list of its files is broken", errDamaged)
	}
	if info.Size() != size || info.ModTime().UnixNano() != mtime {
		return fmt.Errorf("%w: %s has been written to", errDamaged, name)
	}
	if depth < content {
		return nil
	}
	if got, err := checksum(path); err != nil || got != sum {
		return fmt.Errorf("%w: %s has other content", errDamaged, name)
	}
	return nil
}

func checksum(path string) (uint32, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	sum := crc32.New(castagnoli)
	_, err = io.CopyBuffer(sum, struct{ io.Reader }{file}, make([]byte, 128<<10))
	return sum.Sum32(), err
}
