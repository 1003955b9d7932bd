package credential

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Verb is the argument that makes the program git's credential helper.
const Verb = "git-credential"

// descriptor is where the helper finds the credentials: git and what it runs leave it open on the way.
const descriptor = 3

// Share returns a file in memory with the credentials, which is to be the first of a command's extra files. Whoever may not
// read git-sync's memory can't read it.
func Share(all []Credential) (*os.File, error) {
	fd, err := unix.MemfdCreate("credentials", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("making a file in memory: %w", err)
	}
	file := os.NewFile(uintptr(fd), "credentials")
	if err := json.NewEncoder(file).Encode(all); err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// Serve answers one question of git's. A server without a credential gets none.
func Serve(arguments []string, question io.Reader, answer io.Writer) error {
	if len(arguments) != 1 || arguments[0] != "get" {
		return nil // git tells what was taken or refused; git-sync sees it by the outcome
	}
	asked := map[string]string{}
	for lines := bufio.NewScanner(question); lines.Scan(); {
		key, value, _ := strings.Cut(lines.Text(), "=")
		asked[key] = value
	}
	var all []Credential
	// ReadAt, since all helpers of one git share the file's offset.
	shared := io.NewSectionReader(os.NewFile(descriptor, "credentials"), 0, 1<<20)
	if err := json.NewDecoder(shared).Decode(&all); err != nil {
		return fmt.Errorf("reading the credentials: %w", err)
	}
	c, ok := choose(all, asked["protocol"], asked["host"], strings.Trim(asked["path"], "/"))
	if !ok {
		return nil
	}
	_, err := fmt.Fprintf(answer, "username=%s\npassword=%s\n", c.Username, c.Password)
	return err
}
