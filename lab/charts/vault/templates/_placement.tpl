{{/* On which node a server's pod may run. */}}

{{- define "vault.onePodOnEachHost" -}}
podAntiAffinity:
  requiredDuringSchedulingIgnoredDuringExecution:
    - topologyKey: kubernetes.io/hostname
      labelSelector:
        matchLabels:
          {{- include "vault.podSelector" . | nindent 10 }}
{{- end }}

{{- define "vault.placement" -}}
{{- $affinity := hasKey .Values.server "affinity" | ternary .Values.server.affinity (include "vault.onePodOnEachHost" .) -}}
{{- range $field, $value := dict "affinity" $affinity "nodeSelector" .Values.server.nodeSelector "tolerations" .Values.server.tolerations }}
{{- if $value }}
{{ $field }}:
  {{- include "vault.structured" (list $ $value) | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}
