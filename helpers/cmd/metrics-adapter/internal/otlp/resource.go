package otlp

import (
	"maps"
	"slices"
	"unicode/utf8"

	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/access"
)

// unknownService is the conventions' name of a service without one.
const unknownService = "unknown_service:metrics-adapter"

// Resource names the source of the metrics, as OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME say:
// https://opentelemetry.io/docs/specs/otel/resource/sdk/#specifying-resource-information-via-an-environment-variable.
func Resource(environment func(string) string) *resource.Resource {
	values := access.Pairs(environment("OTEL_RESOURCE_ATTRIBUTES"))
	if name := environment("OTEL_SERVICE_NAME"); name != "" && utf8.ValidString(name) {
		values["service.name"] = name
	}
	if values["service.name"] == "" {
		values["service.name"] = unknownService
	}
	of := &resource.Resource{}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		of.Attributes = append(of.Attributes, attribute(key, values[key]))
	}
	return of
}
