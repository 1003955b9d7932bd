// Package haproxy runs HAProxy in master-worker mode: it checks configurations, starts, reloads without closing
// a connection, and lets the last ones end.
//
// Of its master we know by the protocol of systemd (man 3 sd_notify) that it is done with loading a configuration, and
// that it stops. Whether it took the configuration, the worker tells: each one gets a page at the admin socket that
// says its hash.
package haproxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	checkTime = 20 * time.Second
	// loadTime is the most that HAProxy may take from a signal until it serves a configuration.
	loadTime = 20 * time.Second
	// hearTime is how long the master may take to say that it stops before it is told again.
	hearTime = 500 * time.Millisecond
	// endTime is how long workers may go on writing after their master has ended.
	endTime = time.Second

	configFile, adminFile, stateFile = "haproxy.cfg", "admin.cfg", "servers.state"
	candidatePrefix                  = "candidate-"

	adminSocket, commandSocket, masterSocket = "admin.sock", "commands.sock", "master.sock"

	adminFrontend = "_admin"
)

// HAProxy is one master process and its workers.
type HAProxy struct {
	program string
	run     string
	notify  *net.UnixConn
	master  *exec.Cmd
	alerts  alerts
	// Done is closed when the master has ended; Err says how.
	Done chan struct{}
	Err  error
}

// New prepares the directory run, which HAProxy and this package alone write to.
func New(program, run string) (*HAProxy, error) {
	if err := os.MkdirAll(run, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(run, "notify.sock")
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	return &HAProxy{program: program, run: run, notify: notify, Done: make(chan struct{})}, nil
}

// Running says whether a master was started.
func (h *HAProxy) Running() bool {
	return h.master != nil
}

// Check gives an error with HAProxy's own words if it would refuse the text.
func (h *HAProxy) Check(ctx context.Context, text, hash string) error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	candidate, admin := h.path(candidatePrefix+configFile), h.path(candidatePrefix+adminFile)
	if err := os.WriteFile(candidate, []byte(text), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(admin, []byte(h.admin(hash)), 0o600); err != nil {
		return err
	}
	output, err := exec.CommandContext(ctx, h.program, "-c", "-f", candidate, "-f", admin).CombinedOutput()
	if err != nil {
		return fmt.Errorf("haproxy -c: %w: %s", err, brief(output))
	}
	return nil
}

// Serve makes HAProxy serve what was checked last, starting it if need be; it returns when it does.
//
// After an error the former configuration goes on being served, if there was one.
func (h *HAProxy) Serve(ctx context.Context, hash string) error {
	for _, name := range []string{configFile, adminFile} {
		if err := os.Rename(h.path(candidatePrefix+name), h.path(name)); err != nil {
			return err
		}
	}
	if err := h.keepDown(ctx); err != nil {
		return err
	}
	deadline := time.Now().Add(loadTime)
	h.alerts.forget()
	var err error
	if h.Running() {
		err = h.master.Process.Signal(syscall.SIGUSR2)
	} else {
		err = h.start()
	}
	if err != nil {
		return err
	}
	if err := h.said("READY=1", deadline); err != nil {
		return fmt.Errorf("haproxy did not finish loading: %w: %s", err, &h.alerts)
	}
	serving, err := h.Serving(ctx)
	if err != nil {
		return fmt.Errorf("haproxy does not serve: %w", err)
	}
	if serving != hash {
		return fmt.Errorf("haproxy could not load the configuration that it had found good: %s", &h.alerts)
	}
	return nil
}

// Stop lets the connections end that there are, and HAProxy with the last of them. The master of 2.6 can miss the
// signal when it has only just loaded a configuration, so it is told until it says that it stops.
func (h *HAProxy) Stop() error {
	for {
		if err := h.master.Process.Signal(syscall.SIGUSR1); err != nil {
			return err
		}
		err := h.said("STOPPING=1", time.Now().Add(hearTime))
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
}

// Kill ends HAProxy with the connections that there are.
func (h *HAProxy) Kill() error {
	return h.master.Process.Signal(syscall.SIGTERM)
}

func (h *HAProxy) start() error {
	// No -D: the master stays this process's child. -W is master-worker, and s that it notifies.
	master := exec.Command(h.program, "-Ws", "-S", "unix@"+h.path(masterSocket)+",mode,600", "-f", h.path(configFile), "-f", h.path(adminFile))
	master.Stdout, master.Stderr = os.Stdout, io.MultiWriter(os.Stderr, &h.alerts)
	master.WaitDelay = endTime
	master.Env = append(os.Environ(), "NOTIFY_SOCKET="+h.path("notify.sock"))
	// It must not outlive us and hold on to our ports. A signal to our whole process group, as by Ctrl-C, is not for
	// it: together with ours to let the connections end it leaves the master of 2.6 waiting for ever.
	master.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	if err := master.Start(); err != nil {
		return err
	}
	h.master = master
	go func() {
		if err := master.Wait(); err != nil {
			h.Err = fmt.Errorf("%w: %s", err, &h.alerts)
		}
		h.notify.Close() // nobody is left to say anything
		close(h.Done)
	}()
	return nil
}

// said waits until the master says something.
func (h *HAProxy) said(what string, deadline time.Time) error {
	message := make([]byte, 4096)
	for {
		if err := h.notify.SetReadDeadline(deadline); err != nil {
			return err
		}
		n, err := h.notify.Read(message)
		if err != nil {
			return err
		}
		if bytes.Contains(message[:n], []byte(what)) {
			return nil
		}
	}
}

func (h *HAProxy) path(name string) string {
	return filepath.Join(h.run, name)
}

// brief leaves the lines that say what is wrong.
func brief(output []byte) string {
	var all alerts
	_, _ = all.Write(append(output, '\n'))
	return all.String()
}
