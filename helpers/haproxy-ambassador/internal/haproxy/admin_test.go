package haproxy

import (
	"slices"
	"testing"
)

func TestDown(t *testing.T) {
	metrics := `# TYPE haproxy_backend_active_servers gauge
haproxy_backend_active_servers{proxy="api"} 0
haproxy_backend_active_servers{proxy="db"} 10
haproxy_backend_backup_servers{proxy="db"} 0
`
	if got := down(metrics); !slices.Equal(got, []string{"api"}) {
		t.Error(got)
	}
}
