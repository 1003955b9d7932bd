package source

import (
	"fmt"
	"math"
	"strconv"

	"github.com/prometheus/procfs"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/rule"
)

// process has the figures of one process. NaN stands for what we may not know: open files are for the process's own user.
type process struct {
	identity string
	values   map[string]float64
}

func readProc(mount, command string, feed *rule.Feed) error {
	proc, err := procfs.NewFS(mount)
	if err != nil {
		return err
	}
	all, err := proc.AllProcs()
	if err != nil {
		return err
	}
	var processes []process
	for _, p := range all {
		// Whatever cannot be read is of a process that has just ended.
		if name, err := p.Comm(); err != nil || name != command {
			continue
		}
		if read, ok := readProcess(p); ok {
			processes = append(processes, read)
		}
	}
	if len(processes) == 0 {
		return fmt.Errorf("no process is called %s; the Pod needs shareProcessNamespace", command)
	}
	feed.Page(func(r *rule.Rule) []rule.Finding { return findProcesses(r, processes) })
	return nil
}

func readProcess(p procfs.Proc) (process, bool) {
	stat, err := p.Stat()
	if err != nil {
		return process{}, false
	}
	open, limit := math.NaN(), math.NaN()
	if n, err := p.FileDescriptorsLen(); err == nil {
		open = float64(n)
	}
	if limits, err := p.Limits(); err == nil {
		limit = float64(limits.OpenFiles)
	}
	return process{
		// Process IDs come again; together with the start time they don't.
		strconv.Itoa(p.PID) + "/" + strconv.FormatUint(stat.Starttime, 10),
		map[string]float64{
			"process_cpu_seconds_total":     stat.CPUTime(),
			"process_resident_memory_bytes": float64(stat.ResidentMemory()),
			"process_virtual_memory_bytes":  float64(stat.VirtualMemory()),
			"process_open_fds":              open,
			"process_max_fds":               limit,
			"process_threads":               float64(stat.NumThreads),
			"process_count":                 1,
		},
	}, true
}

func findProcesses(r *rule.Rule, processes []process) []rule.Finding {
	var findings []rule.Finding
	for _, p := range processes {
		v := p.values[r.Path]
		if math.IsNaN(v) {
			continue
		}
		f := rule.Finding{Identity: p.identity, Value: v, Groups: make([]string, len(r.Groups()))}
		for i, name := range r.Groups() {
			if name == "value" {
				f.Groups[i] = strconv.FormatFloat(v, 'g', -1, 64)
			}
		}
		findings = append(findings, f)
	}
	return findings
}
