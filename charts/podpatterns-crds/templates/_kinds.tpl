{{- /*
The CustomResourceDefinitions, and the roles of those who use them, for the `chart` with the `labels`: this one and, by a copy that
`make generate` writes, podpatterns.
*/ -}}
{{- define "podpatterns.kinds" -}}
{{- range $path, $content := .chart.Files.Glob "files/crds/*.yaml" }}
{{- $crd := fromYaml (toString $content) }}
{{- $_ := set $crd.metadata "annotations" (dict "helm.sh/resource-policy" "keep") }}
---
{{ toYaml $crd }}
{{- end }}
{{- if .chart.Values.aggregateRoles }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: podpatterns-view
  labels:
    {{- .labels | nindent 4 }}
    rbac.authorization.k8s.io/aggregate-to-view: "true"
    rbac.authorization.k8s.io/aggregate-to-edit: "true"
    rbac.authorization.k8s.io/aggregate-to-admin: "true"
rules:
- apiGroups: [podpatterns.dev]
  resources: [sidecarapps, ambassadors, adapters]
  verbs: [get, list, watch]
- apiGroups: [podpatterns.dev]
  resources: [sidecarapps/scale, ambassadors/scale, adapters/scale]
  verbs: [get]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: podpatterns-edit
  labels:
    {{- .labels | nindent 4 }}
    rbac.authorization.k8s.io/aggregate-to-edit: "true"
    rbac.authorization.k8s.io/aggregate-to-admin: "true"
rules:
- apiGroups: [podpatterns.dev]
  resources: [sidecarapps, ambassadors, adapters]
  verbs: [create, update, patch, delete, deletecollection]
- apiGroups: [podpatterns.dev]
  resources: [sidecarapps/scale, ambassadors/scale, adapters/scale]
  verbs: [update, patch]
{{- end }}
{{- end -}}
