{{- /*
Its name is this chart's own: in an umbrella chart all charts share the names of their templates.
*/ -}}
{{- define "podpatterns-crds.labels" -}}
app.kubernetes.io/name: podpatterns
app.kubernetes.io/component: kinds
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}
