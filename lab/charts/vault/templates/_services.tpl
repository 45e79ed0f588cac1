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

{{/* Takes (list type policy): a Service that is not reached from outside has no such policy. */}}
{{- define "vault.trafficPolicy" -}}
{{- if has (index . 0) (list "LoadBalancer" "NodePort") -}}
externalTrafficPolicy: {{ index . 1 | default "Cluster" }}
{{- end }}
{{- end }}
