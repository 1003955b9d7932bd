package adapter

import (
	"encoding/json"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/contract"
)

var (
	satisfied = prometheus.NewDesc("adapter_contract_satisfied", "Whether all that the contract wants is there: 1 or 0.", nil, nil)
	missing   = prometheus.NewDesc("adapter_contract_missing", "What the contract wants and isn't there, with the reason.", []string{"metric", "reason"}, nil)
	shown     = prometheus.NewDesc("adapter_series", "Series of the application, as metrics.maxSeries counts them.", nil, nil)
)

// Report is the answer of /contract.
type Report struct {
	Contract  string             `json:"contract"`
	Config    string             `json:"config"` // as in adapter_config_info
	Satisfied bool               `json:"satisfied"`
	Missing   []contract.Missing `json:"missing"`
	Refused   string             `json:"refused,omitempty"` // what is wrong with a newer configuration
}

func (a *Adapter) report() Report {
	a.mu.RLock()
	defer a.mu.RUnlock()
	lacking := a.set.Missing(a.store)
	return Report{a.set.Contract.Name, a.digest, len(lacking) == 0, lacking, a.refused}
}

func (a *Adapter) serveContract(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(a.report()) // the reader has gone
}

// contractCollector checks the output against the contract at each scrape.
type contractCollector struct{ *Adapter }

func (c *contractCollector) Describe(all chan<- *prometheus.Desc) {
	all <- satisfied
	all <- missing
	all <- shown
}

func (c *contractCollector) Collect(all chan<- prometheus.Metric) {
	report := c.report()
	value := 0.0
	if report.Satisfied {
		value = 1
	}
	all <- prometheus.MustNewConstMetric(satisfied, prometheus.GaugeValue, value)
	for _, one := range report.Missing {
		all <- prometheus.MustNewConstMetric(missing, prometheus.GaugeValue, 1, one.Metric, one.Reason)
	}
	c.store.Lock()
	size := c.store.Size()
	c.store.Unlock()
	all <- prometheus.MustNewConstMetric(shown, prometheus.GaugeValue, float64(size))
}
