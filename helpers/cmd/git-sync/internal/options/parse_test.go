package options

import (
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"podpatterns.dev/helpers/cmd/git-sync/internal/status"
)

func noEnvironment(string) string { return "" }

var required = []string{"--repo", "https://git.example.com/team/site.git", "--root", "/srv/content"}

func TestDefaults(t *testing.T) {
	o, err := Parse(required, noEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	if o.Ref != "HEAD" || o.Depth != 1 || o.Period != 10*time.Second || o.MaxFailures != -1 || o.OneTime ||
		o.Link != "/srv/content/site" || o.StaleTree != o.Period || o.Submodules != "recursive" || o.LFS || o.Webhook.SuccessStatus != 200 || o.HTTPBind != "" {
		t.Errorf("%+v", o)
	}
}

func TestSources(t *testing.T) {
	environment := map[string]string{
		"GITSYNC_REPO": "https://git.example.com/team/site.git", "GITSYNC_ROOT": "/srv/content",
		"GITSYNC_PERIOD": "3s", "GITSYNC_ONE_TIME": "true", "GITSYNC_LINK": "", "GITSYNC_SYNC_TIMEOUT": "7s",
	}
	o, err := Parse([]string{"--period", "4s"}, func(name string) string { return environment[name] })
	if err != nil {
		t.Fatal(err)
	}
	if o.Period != 4*time.Second || o.SyncTimeout != 7*time.Second || !o.OneTime || o.Link != "/srv/content/site" {
		t.Errorf("%+v", o)
	}
}

func TestRepositories(t *testing.T) {
	for repository, want := range map[string]struct{ shown, link string }{
		"https://git.example.com/team/site.git":       {"https://git.example.com/team/site.git", "site"},
		"https://git.example.com/team/site":           {"https://git.example.com/team/site", "site"},
		"http://u:p@git.example.com:8080/site.git/":   {"http://git.example.com:8080/site.git/", "site"},
		"git@git.example.com:team/site.git":           {"git.example.com:team/site.git", "site"},
		"git.example.com:~me/site.git":                {"git.example.com:~me/site.git", "site"},
		"git://git.example.com/site.git":              {"git://git.example.com/site.git", "site"},
		"file:///srv/git/site.git":                    {"file:///srv/git/site.git", "site"},
		"ssh://git@git.example.com:2222/~me/site.git": {"ssh://git.example.com:2222/~me/site.git", "site"},
	} {
		o, err := Parse([]string{"--repo", repository, "--root", "/r"}, noEnvironment)
		if err != nil || o.Repository.String() != want.shown || o.Link != "/r/"+want.link {
			t.Errorf("%s: %v, %q, link %q", repository, err, o.Repository, o.Link)
		}
	}
}

func TestRepeatedFlags(t *testing.T) {
	one := `{"url": "https://a.example.com", "username": "u", "password-file": "f"}`
	o, err := Parse(append(required[:len(required):len(required)],
		"--credential", one, "--credential", "["+one+","+one+"]", "--ssh-key-file", "a", "--ssh-key-file", "b:c"), noEnvironment)
	if err != nil || len(o.Credentials) != 3 || !slices.Equal(o.SSHKeyFiles, []string{"a", "b", "c"}) {
		t.Errorf("%v, %+v", err, o)
	}
}

func TestSignals(t *testing.T) {
	for _, text := range []string{"SIGHUP", "HUP", "hup", "1"} {
		o, err := Parse(append(required[:len(required):len(required)], "--sync-on-signal", text), noEnvironment)
		if err != nil || o.SyncOnSignal != syscall.SIGHUP {
			t.Errorf("%s: %v, %v", text, err, o.SyncOnSignal)
		}
	}
}

func TestMistakes(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"unknown flag":       {[]string{"--perod", "1s"}, []string{"-perod", "--help"}},
		"argument":           {[]string{"site"}, []string{`"site"`, "--help"}},
		"flag without value": {[]string{"--period"}, []string{"-period", "--help"}},
		"no unit":            {[]string{"--period", "10"}, []string{"--period:", "10s"}},
		"no time":            {[]string{"--sync-timeout", "0s"}, []string{"--sync-timeout:", "above zero"}},
		"not a number":       {[]string{"--depth", "all"}, []string{"--depth:", "from 0"}},
		"negative depth":     {[]string{"--depth", "-1"}, []string{"--depth:", "from 0"}},
		"max failures":       {[]string{"--max-failures", "-2"}, []string{"--max-failures:", "from -1"}},
		"not a switch":       {[]string{"--one-time=maybe"}, []string{"--one-time:", "true"}},
		"file repository":    {[]string{"--repo", "/srv/site.git"}, []string{"--repo:", "https://"}},
		"option as a host":   {[]string{"--repo", "ssh://-oProxyCommand=s3cret/x"}, []string{"--repo:", "https://"}},
		"option as a name":   {[]string{"--repo", "-oProxyCommand=s3cret:x"}, []string{"--repo:", "https://"}},
		"helper of git's":    {[]string{"--repo", "ext::sh -c s3cret"}, []string{"--repo:", "https://"}},
		"ref of two":         {[]string{"--ref", "main:refs/x"}, []string{"--ref:", "refs/heads/main"}},
		"ref as an option":   {[]string{"--ref", "--upload-pack=x"}, []string{"--ref:", "refs/heads/main"}},
		"submodules":         {[]string{"--submodules", "true"}, []string{"--submodules:", "recursive"}},
		"signal":             {[]string{"--sync-on-signal", "SIGKILL"}, []string{"--sync-on-signal:", "SIGHUP"}},
		"no signal":          {[]string{"--sync-on-signal", "SIGNAL"}, []string{"--sync-on-signal:", "SIGHUP"}},
		"askpass":            {[]string{"--askpass-url", "s3cret"}, []string{"--askpass-url:", "http"}},
		"two passwords":      {[]string{"--askpass-url", "http://a/s3cret", "--password-file", "p"}, []string{"--askpass-url, --password-file:"}},
		"credential":         {[]string{"--credential", `{"url": "https://a", "username": "u", "password": "s3cret"}`}, []string{"--credential:", "password-file"}},
		"no credential":      {[]string{"--credential", "s3cret"}, []string{"--credential:", "password-file"}},
		"broken repository":  {[]string{"--repo", "https://u:s3cret@%zz/x"}, []string{"--repo:", "https://"}},
		"repository of host": {[]string{"--repo", "https://git.example.com"}, []string{"--repo:", "path"}},
		"link outside":       {[]string{"--link", "/etc/current"}, []string{"--link:", "inside"}},
		"link above":         {[]string{"--link", "../current"}, []string{"--link:", "inside"}},
		"link is root":       {[]string{"--link", "."}, []string{"--link:", "inside"}},
		"link is ours":       {[]string{"--link", ".git-sync/x"}, []string{"--link:", "own directory"}},
		"webhook":            {[]string{"--webhook-url", "s3cret"}, []string{"--webhook-url:", "http"}},
		"address":            {[]string{"--http-bind", "8080"}, []string{"--http-bind:", ":8080"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(append(required[:len(required):len(required)], test.args...), noEnvironment)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%q repeats a secret", err)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	for _, flag := range []string{"--repo", "--root"} {
		args := required[2:]
		if flag == "--root" {
			args = required[:2]
		}
		if _, err := Parse(args, noEnvironment); err == nil || !strings.HasPrefix(err.Error(), flag+": missing") {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

func TestMistakeInTheEnvironmentNamesTheVariable(t *testing.T) {
	_, err := Parse(required, func(name string) string { return map[string]string{"GITSYNC_PERIOD": "soon"}[name] })
	if err == nil || !strings.HasPrefix(err.Error(), "GITSYNC_PERIOD: ") {
		t.Error(err)
	}
}

func TestHelp(t *testing.T) {
	for _, flag := range []string{"--help", "-h"} {
		if _, err := Parse([]string{flag}, noEnvironment); !errors.Is(err, ErrHelp) {
			t.Errorf("%s: %v", flag, err)
		}
	}
	help := Help()
	for _, s := range settings {
		if !strings.Contains(help, "  --"+s.name) || !strings.Contains(help, "["+s.variable()+"]") {
			t.Errorf("--%s is not explained", s.name)
		}
	}
	for _, f := range status.Families {
		if !strings.Contains(help, f.Name) {
			t.Errorf("%s is not explained", f.Name)
		}
	}
	for _, want := range []string{"USERS AND PERMISSIONS", "fsGroup", "EXIT STATUS"} {
		if !strings.Contains(help, want) {
			t.Errorf("%s is missing", want)
		}
	}
	for line := range strings.Lines(help) {
		if len(line) > helpWidth+1 || strings.Contains(line, "{{") || strings.HasSuffix(line, " \n") {
			t.Errorf("bad line %q", line)
		}
	}
}
