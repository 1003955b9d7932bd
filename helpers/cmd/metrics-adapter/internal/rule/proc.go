package rule

// ProcMetrics are the metrics of a source of type proc, named as Prometheus's client libraries name them. They are of all
// processes with the command name together.
var ProcMetrics = []string{
	"process_cpu_seconds_total", "process_resident_memory_bytes", "process_virtual_memory_bytes",
	"process_open_fds", "process_max_fds", "process_threads", "process_count",
}
