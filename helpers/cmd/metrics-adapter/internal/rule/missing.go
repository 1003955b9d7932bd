package rule

import (
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/contract"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/telemetry"
)

// Missing says what the contract wants and the output lacks. Reasons: absent, as long as no rule that makes the metric
// has matched anything; type, not_a_number and the like when what was found could not be taken; label NAME when a series
// lacks that label.
func (s *Set) Missing(store *series.Store) []contract.Missing {
	store.Lock()
	defer store.Unlock()
	missing := []contract.Missing{}
	for _, m := range s.Contract.Metrics {
		if reason := s.lacks(m); reason != "" {
			missing = append(missing, contract.Missing{Metric: m.Name, Reason: reason})
		}
		for _, label := range m.Labels {
			lacking := false
			store.Each(m.Name, func(one *series.Series) { lacking = lacking || !one.Has(label) })
			if lacking {
				missing = append(missing, contract.Missing{Metric: m.Name, Reason: "label " + label})
			}
		}
	}
	return missing
}

// lacks is empty when some rule has made the metric, or its sum and its count.
func (s *Set) lacks(m contract.Metric) string {
	made, reason := map[contract.Part]bool{}, "absent"
	for e := range s.emissions() {
		if e.target.Name != m.Name {
			continue
		}
		made[e.target.Part] = made[e.target.Part] || e.made
		if e.failure != nil {
			reason = telemetry.Reason(e.failure)
		}
	}
	if made[contract.Whole] || made[contract.Sum] && made[contract.Count] {
		return ""
	}
	return reason
}
