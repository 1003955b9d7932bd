// Package pgbouncer runs PgBouncer, one process for each port: it listens at no more than one, and the password and the
// servers of an upstream are its own.
package pgbouncer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const (
	iniFile, usersFile = "pgbouncer.ini", "users.txt"

	// ServerPort is the port in the name of the socket that PgBouncer takes for the server's.
	ServerPort = 5432
	// connectSeconds is longer than a relay waits for a server and connects with it.
	connectSeconds = 20
	// waitSeconds is how long a client waits for a connection of the pool.
	waitSeconds = 30

	startTime = 20 * time.Second
	// stopTime is how long it may take to end.
	stopTime = 5 * time.Second
)

// Socket returns the name of the socket in a directory that PostgreSQL's clients look for.
func Socket(directory string) string {
	return filepath.Join(directory, ".s.PGSQL."+strconv.Itoa(ServerPort))
}

// Process is one PgBouncer.
type Process struct {
	directory, server string
	port              int
	settings          Settings // in effect
	command           *exec.Cmd
	output            *output
	// Done is closed when it has ended; Err says why.
	Done chan struct{}
	Err  error
}

// Start runs the program in a directory of its own, for the server whose socket is in another, and returns when it
// listens. It ends with the thread of the caller.
func Start(ctx context.Context, program, directory, server string, settings Settings) (*Process, error) {
	p := &Process{directory: directory, server: server, port: settings.Port, settings: settings, output: newOutput(os.Stderr), Done: make(chan struct{})}
	if err := p.write(settings); err != nil {
		return nil, err
	}
	p.command = exec.Command(program, filepath.Join(directory, iniFile))
	p.command.Stdout, p.command.Stderr = p.output, p.output
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	p.command.WaitDelay = time.Second
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		err := p.command.Wait()
		p.Err = errors.Join(err, errors.New(p.output.reason()))
		close(p.Done)
	}()
	select {
	case <-p.output.up:
		if why := p.output.notListening(); why != "" {
			p.Stop()
			return nil, fmt.Errorf("pgbouncer: %s", why)
		}
		return p, nil
	case <-p.Done:
		return nil, fmt.Errorf("pgbouncer: %w", p.Err)
	case <-ctx.Done():
		p.Stop()
		return nil, ctx.Err()
	case <-time.After(startTime):
		p.Stop()
		return nil, fmt.Errorf("pgbouncer does not start: %s", p.output.reason())
	}
}

// Configure exchanges the settings. No client loses its connection.
func (p *Process) Configure(ctx context.Context, settings Settings) error {
	if settings == p.settings {
		return nil
	}
	if err := p.write(settings); err != nil {
		return err
	}
	if err := p.execute(ctx, "RELOAD"); err != nil {
		return err
	}
	p.settings = settings
	return nil
}

func (p *Process) write(settings Settings) error {
	for name, text := range map[string]string{iniFile: settings.ini(p.directory, p.server), usersFile: settings.users()} {
		path := filepath.Join(p.directory, name)
		if err := os.WriteFile(path+".next", []byte(text), 0o600); err != nil {
			return err
		}
		if err := os.Rename(path+".next", path); err != nil {
			return err
		}
	}
	return nil
}

// Stop ends it, with the connections that there are.
func (p *Process) Stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.Done:
	case <-time.After(stopTime):
		_ = p.command.Process.Kill()
		<-p.Done
	}
}
