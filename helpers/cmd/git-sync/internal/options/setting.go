package options

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"podpatterns.dev/helpers/cmd/git-sync/internal/credential"
	"podpatterns.dev/helpers/cmd/git-sync/internal/git"
	"podpatterns.dev/helpers/cmd/git-sync/internal/remote"
	"podpatterns.dev/helpers/cmd/git-sync/internal/syncer"
)

// setting is one option, given by flag or by environment variable.
type setting struct {
	name     string
	operand  string // what stands for the value in the help; empty for a switch
	fallback string
	help     string
	// separator joins the values of a flag that is given more than once; "" lets the last one win.
	separator string
	// set takes a value that is not empty. Its error says what is wrong and what to write instead, and does not
	// repeat the value, which may hold a secret.
	set func(o *Options, value string) error
}

func (s setting) variable() string {
	return "GITSYNC_" + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
}

var settings = []setting{
	{name: "repo", operand: "URL", help: "The repository: https://, http://, ssh://, git:// or file://, or user@host:path for SSH. Required.",
		set: func(o *Options, value string) (err error) {
			if o.Repository, err = remote.ParseRepository(value); err != nil {
				return fmt.Errorf("%w; write one such as https://git.example.com/team/site.git", err)
			}
			return nil
		}},
	{name: "ref", operand: "REF", fallback: "HEAD", help: "A branch, a tag, a full ref name such as refs/heads/main, or a commit's full hash.",
		set: func(o *Options, value string) error {
			if strings.ContainsAny(value, " \t\r\n\\:*?[^~") || strings.HasPrefix(value, "-") || strings.Contains(value, "..") {
				return errors.New("not a name that git has for a branch or tag; write one such as main, v1.2 or refs/heads/main")
			}
			o.Ref = value
			return nil
		}},
	{name: "depth", operand: "N", fallback: "1", help: "How many commits of history to fetch; 0 means all. Only the ref's own commit is published, so more than 1 has no use but to spare servers that make shallow packs slowly.",
		set: integer(0, func(o *Options) *int { return &o.Depth })},
	{name: "filter", operand: "SPEC", help: "A filter for a partial clone, such as blob:none: what is checked out is fetched as it is needed. With --sparse-checkout-file it saves what isn't checked out.",
		set: text(func(o *Options) *string { return &o.Filter })},
	{name: "sparse-checkout-file", operand: "FILE", help: "A file with git's patterns for a sparse checkout: of what to check out. It is read for each sync. By default everything is checked out.",
		set: text(func(o *Options) *string { return &o.SparseFile })},
	{name: "submodules", operand: "MODE", fallback: git.SubmodulesRecursive, help: "Which submodules to check out: recursive, shallow (not those of submodules) or off.",
		set: func(o *Options, value string) error {
			if value != git.SubmodulesRecursive && value != git.SubmodulesShallow && value != git.SubmodulesOff {
				return errors.New("none of recursive, shallow and off; write one of them")
			}
			o.Submodules = value
			return nil
		}},
	{name: "lfs", fallback: "false", help: "Fetch the files that are in Git LFS. Without it they stay pointers, and the log says so.",
		set: boolean(func(o *Options) *bool { return &o.LFS })},
	{name: "root", operand: "DIR", help: "The directory to work in, usually the mount point of a volume. Nothing is written outside it. Required.",
		set: func(o *Options, value string) (err error) {
			o.Root, err = filepath.Abs(value)
			return err
		}},
	{name: "link", operand: "PATH", help: "The symlink to publish, absolute or relative to the root, inside the root. By default it is named as git clone would name the repository.",
		set: text(func(o *Options) *string { return &o.Link })},
	{name: "group-write", fallback: "false", help: "Let the group write to what is checked out.",
		set: boolean(func(o *Options) *bool { return &o.GroupWrite })},
	{name: "period", operand: "DURATION", fallback: "10s", help: "The time from the end of one sync to the start of the next, less a random part of up to a tenth.",
		set: duration(func(o *Options) *time.Duration { return &o.Period })},
	{name: "stale-worktree-timeout", operand: "DURATION", help: "How long to keep a tree that was published before, for those who read it. By default a period.",
		set: duration(func(o *Options) *time.Duration { return &o.StaleTree })},
	{name: "stale-after", operand: "DURATION", help: "How old the last successful sync may be: then /readyz fails and the metric git_sync_stale is 1. By default any age.",
		set: duration(func(o *Options) *time.Duration { return &o.StaleAfter })},
	{name: "sync-on-signal", operand: "SIGNAL", help: "A signal that makes it sync at once, by name or number, such as SIGHUP.",
		set: func(o *Options, value string) error {
			number, err := strconv.Atoi(value)
			if err != nil {
				number = int(unix.SignalNum("SIG" + strings.TrimPrefix(strings.ToUpper(value), "SIG")))
			}
			s := syscall.Signal(number)
			if unix.SignalName(s) == "" || slices.Contains([]syscall.Signal{syscall.SIGKILL, syscall.SIGSTOP, syscall.SIGTERM, syscall.SIGINT, syscall.SIGCHLD, syscall.SIGURG}, s) {
				return errors.New("not a signal that can mean this; write one such as SIGHUP or SIGUSR1")
			}
			o.SyncOnSignal = s
			return nil
		}},
	{name: "sync-timeout", operand: "DURATION", fallback: "2m", help: "The longest a sync may take, everything included.",
		set: duration(func(o *Options) *time.Duration { return &o.SyncTimeout })},
	{name: "max-failures", operand: "N", fallback: strconv.Itoa(syncer.Unlimited), help: "How many failed syncs in a row to bear before exiting; -1 means to keep trying.",
		set: integer(syncer.Unlimited, func(o *Options) *int { return &o.MaxFailures })},
	{name: "one-time", fallback: "false", help: "Sync once, run the hooks once, exit.",
		set: boolean(func(o *Options) *bool { return &o.OneTime })},
	{name: "username", operand: "NAME", help: "The user for HTTP, by default the URL's, and for SSH where the URL names none. Else git.",
		set: text(func(o *Options) *string { return &o.Username })},
	{name: "password-file", operand: "FILE", help: "A file with the password or token for HTTP.",
		set: text(func(o *Options) *string { return &o.PasswordFile })},
	{name: "credential", operand: "JSON", separator: "\n", help: `A user for another URL, such as a submodule's: {"url": "https://host/path", "username": "NAME", "password-file": "FILE"}, or a list of such. May be given more than once.`,
		set: func(o *Options, value string) (err error) {
			o.Credentials, err = credential.ParseOthers(value)
			if err != nil {
				return fmt.Errorf("%w; write {\"url\": ..., \"username\": ..., \"password-file\": ...}", err)
			}
			return nil
		}},
	{name: "askpass-url", operand: "URL", help: "An http or https URL that answers a GET with lines username=NAME and password=TOKEN, for the repository's server. It is asked anew when the server refuses the answer, or at password_expiry_utc=SECONDS if there is such a line.",
		set: func(o *Options, value string) error {
			if !isWebAddress(value) {
				return errors.New("not an http or https URL; write one such as http://localhost:9102/token")
			}
			o.AskpassURL = value
			return nil
		}},
	{name: "ssh-key-file", operand: "FILE", fallback: "/etc/git-secret/ssh", separator: ":", help: "A file with a private key for SSH, without a passphrase. May be given more than once; in the variable, with colons between.",
		set: func(o *Options, value string) error {
			o.SSHKeyFiles = strings.Split(value, ":")
			return nil
		}},
	{name: "ssh-known-hosts-file", operand: "FILE", fallback: "/etc/git-secret/known_hosts", help: "A file with the server's SSH host keys, as ssh-keyscan prints them. No other server is believed.",
		set: text(func(o *Options) *string { return &o.KnownHostsFile })},
	{name: "ca-file", operand: "FILE", help: "A file with PEM certificates to trust besides the usual ones, for the repository, the askpass URL and the webhook.",
		set: text(func(o *Options) *string { return &o.CAFile })},
	{name: "exechook-command", operand: "PATH", help: "A program to run after a change; absolute, or relative to the published tree.",
		set: text(func(o *Options) *string { return &o.Exec.Path })},
	{name: "exechook-timeout", operand: "DURATION", fallback: "30s", help: "The longest an attempt to run it may take.",
		set: duration(func(o *Options) *time.Duration { return &o.ExecTimeout })},
	{name: "exechook-backoff", operand: "DURATION", fallback: "3s", help: "The wait before running it again after a failure.",
		set: duration(func(o *Options) *time.Duration { return &o.ExecBackoff })},
	{name: "webhook-url", operand: "URL", help: "An http or https URL to request after a change.",
		set: func(o *Options, value string) error {
			if !isWebAddress(value) {
				return errors.New("not an http or https URL; write one such as http://localhost:8080/reload")
			}
			o.Webhook.URL = value
			return nil
		}},
	{name: "webhook-method", operand: "METHOD", fallback: http.MethodPost, help: "The method of that request.",
		set: text(func(o *Options) *string { return &o.Webhook.Method })},
	{name: "webhook-success-status", operand: "CODE", fallback: "200", help: "The HTTP status that means success; 0 takes any answer.",
		set: integer(0, func(o *Options) *int { return &o.Webhook.SuccessStatus })},
	{name: "webhook-timeout", operand: "DURATION", fallback: "1s", help: "The longest an attempt to request it may take.",
		set: duration(func(o *Options) *time.Duration { return &o.WebhookTimeout })},
	{name: "webhook-backoff", operand: "DURATION", fallback: "3s", help: "The wait before requesting it again after a failure.",
		set: duration(func(o *Options) *time.Duration { return &o.WebhookBackoff })},
	{name: "http-bind", operand: "ADDRESS", help: "Where to serve /healthz, /readyz, /metrics and /sync, such as :8080. By default nowhere.",
		set: func(o *Options, value string) error {
			if _, _, err := net.SplitHostPort(value); err != nil {
				return errors.New("not an address; write a port such as :8080, or host and port such as 127.0.0.1:8080")
			}
			o.HTTPBind = value
			return nil
		}},
}

func isWebAddress(value string) bool {
	address, err := url.Parse(value)
	return err == nil && address.Host != "" && (address.Scheme == "http" || address.Scheme == "https")
}

func text(field func(*Options) *string) func(*Options, string) error {
	return func(o *Options, value string) error {
		*field(o) = value
		return nil
	}
}

func integer(least int, field func(*Options) *int) func(*Options, string) error {
	return func(o *Options, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < least || n > math.MaxInt32 {
			return fmt.Errorf("not a number in range; write a whole number from %d on", least)
		}
		*field(o) = n
		return nil
	}
}

func boolean(field func(*Options) *bool) func(*Options, string) error {
	return func(o *Options, value string) (err error) {
		if *field(o), err = strconv.ParseBool(value); err != nil {
			return errors.New("neither true nor false; write one of them")
		}
		return nil
	}
}

func duration(field func(*Options) *time.Duration) func(*Options, string) error {
	return func(o *Options, value string) error {
		d, err := time.ParseDuration(value)
		if err != nil || d <= 0 {
			return errors.New("not a duration above zero; write a number with a unit, such as 10s or 1m30s")
		}
		*field(o) = d
		return nil
	}
}
