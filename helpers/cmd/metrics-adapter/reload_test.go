package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"podpatterns.dev/helpers/internal/processtest"
)

const before = `
contract: {name: custom, metrics: [{name: app_x_total, type: counter}]}
metrics: {port: {{port}}}
sources:
- {name: access, type: log, log: {volume: logs, path: access.log}}
rules:
- {source: access, regex: x, metric: app_x_total}
`

func appendLine(t *testing.T, path, line string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fmt.Fprintln(f, line)
}

func TestAChangedConfigurationTakesEffect(t *testing.T) {
	t.Parallel()
	p := start(t, before)
	log := p.path("logs/access.log")
	appendLine(t, log, "x")
	p.waitFor("app_x_total 1")
	first := p.contract()

	p.configure(before + "- {source: access, regex: z, metric: app_z_total}\n")
	p.waitFor("app_x_total 1", "app_z_total 0")
	appendLine(t, log, "x z")
	p.waitFor("app_x_total 2", "app_z_total 1")

	p.configure(before + "- {source: access, regex: (, metric: app_z_total}\n- {source: other, path: z, metric: app_z_total}\n")
	p.waitFor("adapter_config_valid 0")
	appendLine(t, log, "x z")
	p.waitFor("app_x_total 3", "app_z_total 2")
	for _, said := range []string{"rules[1].regex: not a regular expression in RE2 syntax", "rules[2].source: there is no source"} {
		if !strings.Contains(p.Log(), said) {
			t.Errorf("the log doesn't say %s", said)
		}
		if !strings.Contains(p.get("/contract", ""), said) {
			t.Errorf("/contract doesn't say %s", said)
		}
	}

	p.configure(before)
	p.waitFor("adapter_config_valid 1", "app_x_total 3")
	p.Eventually("what no rule makes is gone", func() bool { return !strings.Contains(p.series(), "app_z_total") })
	if again := p.contract(); again != first {
		t.Errorf("the contract was %s, and is now %s", first, again)
	}
}

func TestTheMetricsMove(t *testing.T) {
	t.Parallel()
	p := start(t, before)
	appendLine(t, p.path("logs/access.log"), "x")
	p.waitFor("app_x_total 1")
	p.configure(strings.Replace(before, "{{port}}", "{{port}}, path: /other", 1))
	p.Eventually("another path", func() bool { return strings.Contains(p.get("/other", ""), "app_x_total 1") })
	if strings.Contains(p.metrics(), "app_x_total") {
		t.Error("still at the old path")
	}
	old := p.port
	p.port = processtest.FreePort(t)
	p.configure(before)
	p.waitFor("app_x_total 1")
	p.port = old
	if p.metrics() != "unreachable" {
		t.Error("still at the old port")
	}
}

func TestTheContractIsChecked(t *testing.T) {
	t.Parallel()
	p := start(t, `
contract: {name: custom, metrics: [{name: app_x_total, type: counter, labels: [route]}, {name: app_y, type: gauge}]}
metrics: {port: {{port}}}
sources:
- {name: access, type: log, log: {volume: logs, path: access.log}}
rules:
- {source: access, regex: 'x(?P<route>.*)', metric: app_x_total, labels: {route: "${route}"}}
- source: access
  regex: 'y(?P<y>.*)'
  emit:
  - {metric: app_y, value: y}
`)
	log := p.path("logs/access.log")
	wants := func(report string, metrics ...string) {
		t.Helper()
		p.Eventually(report, func() bool { return p.contract() == report })
		p.waitFor(metrics...)
	}
	wants("custom false [map[metric:app_x_total reason:absent] map[metric:app_y reason:absent]]",
		"adapter_contract_satisfied 0", `adapter_contract_missing{metric="app_y",reason="absent"} 1`)
	appendLine(t, log, "x/cart")
	appendLine(t, log, "y?")
	wants("custom false [map[metric:app_y reason:not_a_number]]")
	appendLine(t, log, "y7")
	wants("custom true []", "adapter_contract_satisfied 1", "app_y 7")
	appendLine(t, log, "x")
	wants("custom false [map[metric:app_x_total reason:label route]]", `adapter_contract_missing{metric="app_x_total",reason="label route"} 1`)
}

func TestTheCommandLine(t *testing.T) {
	t.Parallel()
	good, bad := t.TempDir()+"/good.yaml", t.TempDir()+"/bad.yaml"
	write(t, good, strings.ReplaceAll(before, "{{port}}", "9090"))
	write(t, bad, strings.ReplaceAll(before, "{{port}}", "0")+"- {source: access, regex: (, metric: app_z}\n")
	for _, c := range []struct {
		args   string
		status int
		output string
	}{
		{"--config " + good + " --check", 0, ""},
		{"--config " + bad + " --check", 1, "metrics.port: must be from 1 to 65535\nrules[1].regex: not a regular expression in RE2 syntax: error parsing regexp: missing closing ): `(`\n"},
		{"--config " + bad, 1, `"field":"metrics.port"`},
		{"--config /nonexistent", 1, "no such file"},
		{"--config /nonexistent --check", 2, "no such file"},
		{"--check", 2, "--config is missing"},
		{"--config x y", 2, `unexpected argument "y"`},
		{"--configs x", 2, "not defined: -configs"},
		{"--help", 0, "USAGE\n  metrics-adapter --config FILE"},
	} {
		output, err := processtest.Command(strings.Fields(c.args)...).CombinedOutput()
		status := 0
		if exit, is := err.(*exec.ExitError); is {
			status = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if status != c.status || !strings.Contains(string(output), c.output) {
			t.Errorf("%s: exit status %d and\n%s", c.args, status, output)
		}
	}
}
