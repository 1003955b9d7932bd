package status

// Family is a metric as Prometheus knows it.
type Family struct {
	Name string
	Type string
	Help string
}

var (
	syncs       = Family{"git_sync_syncs_total", "counter", `Syncs by status: changed, unchanged, empty (no first commit yet), error.`}
	seconds     = Family{"git_sync_sync_seconds_total", "counter", "Time spent in syncs, by status as above."}
	lastSuccess = Family{"git_sync_last_success_timestamp_seconds", "gauge", "When the published tree was last known to equal the ref, in Unix time; 0 before the first time."}
	lastChange  = Family{"git_sync_last_change_timestamp_seconds", "gauge", "When a tree was last published, in Unix time; 0 if not by this process."}
	published   = Family{"git_sync_published_info", "gauge", "Always 1; the label hash is the published commit."}
	objectBytes = Family{"git_sync_object_store_bytes", "gauge", "Size of git's repository, a cache, on disk."}
	stale       = Family{"git_sync_stale", "gauge", "1 if there was no successful sync for longer than --stale-after, or none yet; else 0."}
	hooks       = Family{"git_sync_hooks_total", "counter", "Attempts to run a hook (exechook, webhook) by status: success, error."}
)

// Families lists every metric in the order of its output.
var Families = []Family{syncs, seconds, lastSuccess, lastChange, published, objectBytes, stale, hooks}
