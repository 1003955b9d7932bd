package podconfig

import (
	"slices"
	"strings"
)

// Probes is what the operator says about the kubelet's probes, in setenv lines that HAProxy itself has no use for.
type Probes struct {
	optional []string
	// StartHealthy tells that the application starts only after every required upstream has had a healthy endpoint.
	StartHealthy bool
}

// Probes returns what the configuration says.
func (c Config) Probes() Probes {
	var p Probes
	for _, l := range c.lines {
		fields := strings.Fields(l.text)
		if len(fields) != 3 || fields[0] != "setenv" {
			continue
		}
		switch fields[1] {
		case "OPTIONAL_UPSTREAMS":
			p.optional = strings.Split(fields[2], ",")
		case "START_WHEN":
			p.StartHealthy = fields[2] == "Healthy"
		}
	}
	return p
}

// Optional tells whether the Pod is ready without the upstream.
func (p Probes) Optional(upstream string) bool {
	return slices.Contains(p.optional, upstream)
}
