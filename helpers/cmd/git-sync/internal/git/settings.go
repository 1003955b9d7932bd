package git

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"podpatterns.dev/helpers/cmd/git-sync/internal/credential"
	"podpatterns.dev/helpers/cmd/git-sync/internal/remote"
	"podpatterns.dev/helpers/cmd/git-sync/internal/trust"
)

// Settings is what git's and ssh's configuration depend on.
type Settings struct {
	// Program is the path of git-sync itself, git's credential helper.
	Program        string
	Repository     remote.Repository
	SSHUser        string // "": git
	SSHKeyFiles    []string
	KnownHostsFile string
	CAFile         string
	LFS            bool
}

// Configure writes the files that git finds its configuration in. What they are made of may have changed since the last sync.
func (g *Git) Configure() error {
	if err := g.own(); err != nil {
		return err
	}
	bundle, err := trust.Bundle(g.Settings.CAFile)
	if err != nil {
		return err
	}
	if g.Settings.Repository.IsSSH() {
		for _, file := range append(slices.Clone(g.Settings.SSHKeyFiles), g.Settings.KnownHostsFile) {
			if _, err := os.Stat(file); err != nil {
				return fmt.Errorf("reading --ssh-key-file or --ssh-known-hosts-file: %w", err)
			}
		}
	}
	return errors.Join(
		g.write("config", []byte(g.Settings.git())),
		g.write("ssh_config", []byte(g.Settings.ssh())),
		g.write("passwd", fmt.Appendf(nil, "git-sync:x:%d:%d:git-sync:%s:/bin/false\n", os.Getuid(), os.Getgid(), g.Dir)),
		g.write("group", fmt.Appendf(nil, "git-sync:x:%d:\n", os.Getgid())),
		g.write("ca.pem", bundle),
	)
}

// own makes the directory ours alone. Another container may have put one in its place, and the kubelet may have opened it to
// the group of fsGroup.
func (g *Git) own() error {
	if info, err := os.Lstat(g.Dir); err == nil {
		stat, ok := info.Sys().(*syscall.Stat_t)
		if !ok || !info.IsDir() || int(stat.Uid) != os.Geteuid() {
			if err := os.RemoveAll(g.Dir); err != nil {
				return fmt.Errorf("%s belongs to another user and must not: %w", g.Dir, err)
			}
		}
	}
	if err := os.MkdirAll(g.Dir, 0o700); err != nil {
		return err
	}
	return os.Chmod(g.Dir, 0o700)
}

// write leaves a file alone that is right already. Nil content is no file.
func (g *Git) write(name string, content []byte) error {
	path := g.file(name)
	if content == nil {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	if present, err := os.ReadFile(path); err == nil && bytes.Equal(present, content) {
		return nil
	}
	if err := os.WriteFile(path+".next", content, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".next", path)
}

// git returns git's configuration. It takes the place of the system's and the user's.
func (s Settings) git() string {
	var b strings.Builder
	b.WriteString(`[core]
	hooksPath = /dev/null
	attributesFile = /dev/null
	excludesFile = /dev/null
	fsmonitor = false
	protectHFS = true
	protectNTFS = true
	symlinks = true
	bigFileThreshold = 16m
[credential]
	useHttpPath = true
	helper =
`)
	fmt.Fprintf(&b, "\thelper = %s\n", quoted("!"+shellQuoted(s.Program)+" "+credential.Verb))
	b.WriteString("[protocol]\n\tversion = 2\n\tallow = never\n")
	protocols := []string{"https", "ssh", s.Repository.Protocol()}
	slices.Sort(protocols)
	for _, protocol := range slices.Compact(protocols) {
		fmt.Fprintf(&b, "[protocol %s]\n\tallow = always\n", quoted(protocol))
	}
	b.WriteString(`[safe]
	directory = *
[fetch]
	unpackLimit = 1
[gc]
	auto = 0
[maintenance]
	auto = false
[pack]
	threads = 1
	windowMemory = 32m
	deltaCacheSize = 16m
[submodule]
	recurse = false
`)
	if s.LFS {
		b.WriteString(`[filter "lfs"]
	process = git-lfs filter-process
	smudge = git-lfs smudge -- %f
	clean = git-lfs clean -- %f
	required = true
`)
	}
	return b.String()
}

// ssh returns ssh's configuration. A user in the URL goes before the one here.
func (s Settings) ssh() string {
	name := s.SSHUser
	if name == "" {
		name = "git"
	}
	var b strings.Builder
	fmt.Fprintf(&b, `BatchMode yes
CheckHostIP no
ClearAllForwardings yes
GlobalKnownHostsFile /dev/null
IdentitiesOnly yes
IdentityAgent none
StrictHostKeyChecking yes
UpdateHostKeys no
User %s
UserKnownHostsFile %s
`, quoted(name), sshPath(s.KnownHostsFile))
	for _, file := range s.SSHKeyFiles {
		fmt.Fprintf(&b, "IdentityFile %s\n", sshPath(file))
	}
	return b.String()
}

// sshCommand is a line of shell. ssh ends at once if its user has no name: a user that no passwd file has gets one by
// nss_wrapper.
func (g *Git) sshCommand() string {
	command := "ssh -F " + shellQuoted(g.file("ssh_config"))
	if _, err := user.LookupId(strconv.Itoa(os.Getuid())); err == nil {
		return command
	}
	return fmt.Sprintf("LD_PRELOAD=libnss_wrapper.so NSS_WRAPPER_PASSWD=%s NSS_WRAPPER_GROUP=%s %s",
		shellQuoted(g.file("passwd")), shellQuoted(g.file("group")), command)
}

// quoted is for a value of git's or ssh's configuration.
func quoted(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

func sshPath(path string) string { return quoted(strings.ReplaceAll(path, "%", "%%")) }

func shellQuoted(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }
