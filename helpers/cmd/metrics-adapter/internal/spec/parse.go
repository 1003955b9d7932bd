package spec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// MaxBytes bounds a configuration: a ConfigMap holds no more.
const MaxBytes = 1 << 20

// Parse reads YAML or JSON: an Adapter's spec, or the whole Adapter. Unless that is impossible, problems come with all
// that could be read, so that others can be checked for.
func Parse(text []byte) (s Spec, problems Problems, readable bool) {
	top := map[string]json.RawMessage{}
	if len(text) > MaxBytes {
		problems.Add("spec", "longer than %d bytes", MaxBytes)
		return s, problems, false
	}
	document, err := toJSON(text)
	if err == nil {
		err = json.Unmarshal(document, &top)
	}
	if inner, whole := top["spec"]; err == nil && whole && top["kind"] != nil {
		top = nil
		err = json.Unmarshal(inner, &top)
	}
	if err != nil {
		problems.Add("spec", "not an Adapter's spec in YAML: %v", err)
		return s, problems, false
	}
	s = Spec{Metrics: Metrics{Port: 9090, Path: "/metrics", MaxSeries: 2000}}
	decode(top["contract"], "contract", &s.Contract, &problems)
	decode(top["metrics"], "metrics", &s.Metrics, &problems)
	s.Metrics.OTLP = s.Metrics.OTLP.withDefaults()
	s.Sources = decodeList[Source](top["sources"], "sources", &problems)
	s.Rules = decodeList[Rule](top["rules"], "rules", &problems)
	s.validate(&problems)
	return s, problems, true
}

// toJSON takes YAML as YAML 1.2 has it: y and on are texts, as they are to the operator's own library.
func toJSON(text []byte) ([]byte, error) {
	var document any
	if err := yaml.Unmarshal(text, &document); err != nil {
		return nil, err
	}
	return json.Marshal(document)
}

func decodeList[T any](raw json.RawMessage, field string, problems *Problems) []T {
	var parts []json.RawMessage
	decode(raw, field, &parts, problems)
	all := make([]T, len(parts))
	for i, part := range parts {
		decode(part, fmt.Sprintf("%s[%d]", field, i), &all[i], problems)
	}
	return all
}

// decode takes no field that it doesn't know, as the API server does.
func decode(raw json.RawMessage, field string, into any, problems *Problems) {
	if len(raw) == 0 {
		return
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil && err != io.EOF {
		problems.Add(field, "%s", strings.TrimPrefix(err.Error(), "json: "))
	}
}
