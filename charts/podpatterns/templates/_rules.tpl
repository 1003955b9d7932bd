{{- /*
What the operator may do, in the cluster or in each namespace that it watches.
*/ -}}
{{- define "podpatterns.rules" -}}
- apiGroups: [podpatterns.dev]
  resources: [sidecarapps, ambassadors, adapters]
  verbs: [get, list, watch]
- apiGroups: [podpatterns.dev]
  resources: [sidecarapps/status, ambassadors/status, adapters/status]
  verbs: [patch]
# Asked for by clusters that enforce who may set blockOwnerDeletion in a Pod's owner reference, such as OpenShift.
- apiGroups: [podpatterns.dev]
  resources: [sidecarapps/finalizers, ambassadors/finalizers, adapters/finalizers]
  verbs: [update]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [pods/resize]
  verbs: [patch]
# The readiness gate podpatterns.dev/in-service of Pods whose application is updated in place after a drain.
- apiGroups: [""]
  resources: [pods/status]
  verbs: [patch]
# The claims of spec.volumeClaimTemplates. The operator deletes none.
- apiGroups: [""]
  resources: [persistentvolumeclaims]
  verbs: [get, create, patch]
- apiGroups: [apps]
  resources: [controllerrevisions]
  verbs: [get, list, create, patch, delete]
# The configuration of helpers. List and watch are asked for with the label podpatterns.dev/kind alone.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, create, patch, delete]
# Where prometheus-operator is installed: where the Pods of Adapters offer metrics.
- apiGroups: [monitoring.coreos.com]
  resources: [podmonitors]
  verbs: [list, create, patch, delete]
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end -}}

{{- define "podpatterns.subjects" -}}
- kind: ServiceAccount
  name: {{ include "podpatterns.serviceAccount" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}
