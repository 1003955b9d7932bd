package haproxy

import (
	"slices"
	"testing"
)

func TestDown(t *testing.T) {
	metrics := `# TYPE haproxy_backend_status gauge
haproxy_backend_status{proxy="api",state="DOWN"} 1
haproxy_backend_status{proxy="api",state="UP"} 0
haproxy_backend_status{proxy="db",state="DOWN"} 0
haproxy_backend_status{proxy="db",state="UP"} 1
haproxy_backend_active_servers{proxy="db"} 0
`
	if got := down(metrics); !slices.Equal(got, []string{"api"}) {
		t.Error(got)
	}
}
