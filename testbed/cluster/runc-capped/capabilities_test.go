package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestBoundingSetReadsTheKernelsLine(t *testing.T) {
	set, err := boundingSet("Name:\tsh\nCapEff:\t0\nCapBnd:\t000001fffeffffff\n")
	if err != nil {
		t.Fatal(err)
	}
	if set.has("CAP_SYS_RESOURCE") {
		t.Error("bit 24 is not set, yet CAP_SYS_RESOURCE is reported")
	}
	for _, name := range []string{"CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_CHECKPOINT_RESTORE"} {
		if !set.has(name) {
			t.Errorf("%s is missing", name)
		}
	}
	if set.has("CAP_OF_A_LATER_KERNEL") {
		t.Error("an unknown capability is reported")
	}
}

func TestBoundingSetOfThisProcess(t *testing.T) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := boundingSet(string(status)); err != nil {
		t.Fatal(err)
	}
	if _, err := boundingSet("Name:\tsh\n"); err == nil {
		t.Error("a status without CapBnd is accepted")
	}
}

func TestTrimTakesOutOnlyWhatIsOutOfReach(t *testing.T) {
	const chownAndKill = capabilitySet(1<<0 | 1<<5)
	const process = `{"args":["sh"],"capabilities":{"bounding":["CAP_KILL","CAP_SYS_RESOURCE"],"effective":["CAP_SYS_RESOURCE"],"ambient":[]}}`
	const trimmed = `{"args":["sh"],"capabilities":{"bounding":["CAP_KILL"],"effective":[],"ambient":[]}}`
	tests := map[string]struct {
		trim     func([]byte, capabilitySet) ([]byte, error)
		in, want string
	}{
		"process":   {trimProcess, process, trimmed},
		"container": {trimContainer, `{"ociVersion":"1.0.2","process":` + process + `}`, `{"ociVersion":"1.0.2","process":` + trimmed + `}`},
		"a limit beyond 2^53": {
			trimContainer,
			`{"process":{},"linux":{"resources":{"memory":{"limit":9223372036854771712}}}}`,
			`{"process":{},"linux":{"resources":{"memory":{"limit":9223372036854771712}}}}`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := test.trim([]byte(test.in), chownAndKill)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(decode(t, got), decode(t, []byte(test.want))) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestTrimRefusesWhatIsNoSpecification(t *testing.T) {
	for _, document := range []string{``, `[]`, `{}`, `{"process":[]}`, `{"process":{"capabilities":{"bounding":"CAP_KILL"}}}`} {
		if _, err := trimContainer([]byte(document), 0); err == nil {
			t.Errorf("%q is accepted", document)
		}
	}
}

func TestFlagValue(t *testing.T) {
	arguments := []string{"--root", "/run/runc", "create", "--bundle", "/b", "--pid-file=/p", "id"}
	for flag, want := range map[string]string{"--bundle": "/b", "--pid-file": "/p", "--root": "/run/runc"} {
		if got, given := flagValue(arguments, flag); !given || got != want {
			t.Errorf("%s: got %q, want %q", flag, got, want)
		}
	}
	if _, given := flagValue(arguments, "--process"); given {
		t.Error("--process was not given")
	}
}

func TestRewrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(path, []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	upper := func(content []byte) ([]byte, error) { return []byte(strings.ToUpper(string(content))), nil }
	if err := rewrite(path, upper); err != nil {
		t.Fatal(err)
	}
	if content, _ := os.ReadFile(path); string(content) != "A" {
		t.Errorf("got %q", content)
	}
	if err := rewrite(path+".missing", upper); err == nil {
		t.Error("a missing file is accepted")
	}
}

func decode(t *testing.T, document []byte) any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(document)))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	return value
}
