{{/* What the Services have in common. */}}

{{/* Takes (list root name annotations). */}}
{{- define "vault.serviceMetadata" -}}
{{- $root := index . 0 -}}
name: {{ index . 1 | quote }}
namespace: {{ include "vault.namespace" $root | quote }}
{{- with index . 2 }}
annotations:
  {{- include "vault.structured" (list $root .) | nindent 2 }}
{{- end }}
{{- end }}

{{/* The types that are reached from outside: the others have no such policy. */}}
{{- define "vault.outsideTypes" -}}
LoadBalancer or NodePort
{{- end }}

{{/* Takes (list type policy). */}}
{{- define "vault.trafficPolicy" -}}
{{- if has (index . 0) (include "vault.outsideTypes" . | splitList " or ") -}}
externalTrafficPolicy: {{ index . 1 | default "Cluster" }}
{{- end }}
{{- end }}
