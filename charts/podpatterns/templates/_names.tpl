{{- /*
The name of everything the chart makes. It is fixed, as there is one operator per cluster, or per namespace: a second
release fails on names that are taken, instead of two operators working on the same objects.
*/ -}}
{{- define "podpatterns.name" -}}
podpatterns-operator
{{- end -}}

{{- define "podpatterns.labels" -}}
{{ include "podpatterns.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{- define "podpatterns.selector" -}}
app.kubernetes.io/name: podpatterns
app.kubernetes.io/component: operator
{{- end -}}

{{- define "podpatterns.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end -}}

{{- define "podpatterns.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (ternary (include "podpatterns.name" .) "default" .Values.serviceAccount.create) }}
{{- end -}}

{{- /*
The repository beside the operator's image; empty where that has none.
*/ -}}
{{- define "podpatterns.helperRepository" -}}
{{ .Values.helperImages.repository | default (dir .Values.image.repository | trimPrefix ".") }}
{{- end -}}

{{- /*
One Lease for the whole cluster, or for the release where that watches some namespaces only.
*/ -}}
{{- define "podpatterns.leaseNamespace" -}}
{{ .Values.leaderElection.namespace | default (ternary .Release.Namespace "kube-system" (not (empty .Values.watchNamespaces))) }}
{{- end -}}
