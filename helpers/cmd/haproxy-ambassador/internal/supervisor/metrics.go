package supervisor

import (
	"podpatterns.dev/helpers/cmd/haproxy-ambassador/internal/observation"
	"podpatterns.dev/helpers/internal/exposition"
)

// output takes samples.
type output = exposition.Output

// families lists our own metrics in the order of their output; HAProxy's come after them.
var families = []exposition.Family[*Supervisor]{
	exposition.New("haproxy_ambassador_config_valid", "gauge", "1 if the newest configuration is the one that runs.",
		func(o *output, s *Supervisor) { o.Flag(s.State().Refused == "") }),
	exposition.New("haproxy_ambassador_config_loads_total", "counter", "How many configurations were taken up.",
		func(o *output, s *Supervisor) { o.Value(float64(s.State().Loads)) }),
	exposition.New("haproxy_ambassador_config_info", "gauge", "Always 1; the label hash is the configuration that runs.",
		func(o *output, s *Supervisor) { o.Value(1, "hash", s.State().Running) }),
	exposition.New("haproxy_ambassador_request_duration_seconds", "histogram", "Time from the first byte of a request to the last one of its answer, by upstream, of HTTP and gRPC. HAProxy measures in milliseconds; they are rounded up.",
		each(func(o *output, u *observation.Upstream) {
			if u.HTTP {
				o.Histogram(&u.Took, "upstream", u.Name)
			}
		})),
	exposition.New("haproxy_ambassador_connect_duration_seconds", "histogram", "Time until a server had taken a connection, by upstream, of what isn't HTTP. HAProxy measures in milliseconds; they are rounded up.",
		each(func(o *output, u *observation.Upstream) {
			if !u.HTTP {
				o.Histogram(&u.Took, "upstream", u.Name)
			}
		})),
	exposition.New("haproxy_ambassador_errors_total", "counter", "Requests, and sessions of what isn't HTTP, that failed, by upstream and class: unavailable (no healthy server), connect (not taken), timeout (of connecting or answering), reset (ended by the server, or as it was down), invalid (not HTTP), 4xx and 5xx (so answered).",
		each(func(o *output, u *observation.Upstream) {
			for place, class := range observation.Classes {
				o.Value(float64(u.Errors[place].Load()), "upstream", u.Name, "class", class)
			}
		})),
	exposition.New("haproxy_ambassador_observations_dropped_total", "counter", "Requests and sessions that are missing in the histograms and errors, as they came faster than they could be taken in.",
		func(o *output, s *Supervisor) { o.Value(float64(s.heard.Dropped())) }),
}

func each(add func(*output, *observation.Upstream)) func(*output, *Supervisor) {
	return func(o *output, s *Supervisor) {
		for _, u := range s.heard.Upstreams() {
			add(o, u)
		}
	}
}
