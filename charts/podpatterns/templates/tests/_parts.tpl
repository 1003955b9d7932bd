{{- define "podpatterns.test.name" -}}
podpatterns-test
{{- end -}}

{{- /*
They keep the Pod out of the operator's Service and budget.
*/ -}}
{{- define "podpatterns.test.labels" -}}
{{ include "podpatterns.labels" . | replace "component: operator" "component: test" }}
{{- end -}}

{{- /*
A namespace that the operator watches.
*/ -}}
{{- define "podpatterns.test.namespace" -}}
{{ first (append (.Values.watchNamespaces | default list) .Release.Namespace) }}
{{- end -}}

{{- define "podpatterns.test.hook" -}}
helm.sh/hook: test
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{- /*
The kinds, each with the fields that it needs beside its template.
*/ -}}
{{- define "podpatterns.test.kinds" -}}
SidecarApp:
  podNaming: Stable
Ambassador:
  upstreams:
  - {name: api, protocol: tcp, listen: {port: 8443}, endpoints: ["kubernetes.default.svc:443"]}
Adapter:
  sources:
  - {name: app, type: statsd, statsd: {port: 9125}}
  rules:
  - {source: app, path: requests, metric: app_requests_total}
{{- end -}}

{{- define "podpatterns.test.pod" -}}
{{- with .Values.podSecurityContext }}
securityContext: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "podpatterns.test.container" -}}
image: {{ include "podpatterns.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- with .Values.securityContext }}
securityContext: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
