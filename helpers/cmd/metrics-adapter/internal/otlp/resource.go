package otlp

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"
)

// unknownService is the conventions' name of a service without one.
const unknownService = "unknown_service:metrics-adapter"

// Resource names the source of the metrics, as OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME say:
// https://opentelemetry.io/docs/specs/otel/resource/sdk/#specifying-resource-information-via-an-environment-variable.
func Resource(environment func(string) string) *resource.Resource {
	values := pairs(environment("OTEL_RESOURCE_ATTRIBUTES"))
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

// pairs reads what OpenTelemetry's variables have: key=value,key=value, with %20 and the like in values. A pair without a
// value is left out, and what can't be read counts for nothing.
func pairs(text string) map[string]string {
	values := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		key, value, given := strings.Cut(pair, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if plain, err := url.PathUnescape(value); given && err == nil && key != "" && plain != "" && utf8.ValidString(key+plain) {
			values[key] = plain
		}
	}
	return values
}
