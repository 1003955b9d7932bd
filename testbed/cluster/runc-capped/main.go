// runc-capped is an OCI runtime: runc, asked for no more capabilities than this machine can give.
//
// "docker run --privileged" of Docker 20.10 asks for every capability the kernel knows. Where one of them is missing
// from the bounding set, as CAP_SYS_RESOURCE is in some virtual machines and CI runners, runc refuses to start the
// container ("unable to apply caps"). Capabilities out of reach are taken out of the request; all else is passed on.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "runc-capped:", err)
		os.Exit(1)
	}
}

// run edits what runc is about to read and becomes runc; it returns only when that failed.
func run(arguments []string) error {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	bounding, err := boundingSet(string(status))
	if err != nil {
		return err
	}
	for flag, trim := range map[string]func([]byte, capabilitySet) ([]byte, error){
		"--bundle":  trimContainer, // create, run: a directory that holds the container's config.json
		"--process": trimProcess,   // exec: the file that describes the process
	} {
		path, given := flagValue(arguments, flag)
		if !given {
			continue
		}
		if flag == "--bundle" {
			path = filepath.Join(path, "config.json")
		}
		if err := rewrite(path, func(content []byte) ([]byte, error) { return trim(content, bounding) }); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	runc, err := exec.LookPath("runc")
	if err != nil {
		return err
	}
	return syscall.Exec(runc, append([]string{"runc"}, arguments...), os.Environ())
}

// flagValue finds a flag in the long form, the only one that containerd's shim uses.
func flagValue(arguments []string, flag string) (string, bool) {
	for i, argument := range arguments {
		if value, found := strings.CutPrefix(argument, flag+"="); found {
			return value, true
		}
		if argument == flag && i+1 < len(arguments) {
			return arguments[i+1], true
		}
	}
	return "", false
}

func rewrite(path string, edit func([]byte) ([]byte, error)) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	edited, err := edit(content)
	if err != nil {
		return err
	}
	return os.WriteFile(path, edited, 0o600)
}
