{{/* Mode ha: several servers that keep their data in the integrated storage (raft). */}}

{{- define "vault.ha.script" -}}
{{ include "vault.configuredScript" . }}
{{- end }}

{{- define "vault.ha.environment" -}}
{{- if .Values.server.ha.raft.setNodeId }}
- name: VAULT_RAFT_NODE_ID
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- end }}
{{- end }}

{{- define "vault.ha.volumes" -}}
{{ include "vault.configurationVolume" . }}
{{- end }}

{{- define "vault.ha.mounts" -}}
{{ include "vault.keepingMounts" . }}
{{- end }}

{{- define "vault.ha.claims" -}}
{{ include "vault.storageClaims" . }}
{{- end }}

{{- define "vault.ha.placement" -}}
{{ include "vault.placement" . }}
{{- end }}

{{- define "vault.ha.defaultConfiguration" -}}
ui = true

listener "tcp" {
  address         = "[::]:8200"
  cluster_address = "[::]:8201"
  tls_disable     = 1
}

storage "raft" {
  path = "/vault/data"
}

service_registration "kubernetes" {}
{{- end }}

{{- define "vault.ha.configuration" -}}
{{- $given := .Values.server.ha.raft.config | default (include "vault.ha.defaultConfiguration" .) -}}
{{ include "vault.configuration" (list . $given) }}
{{- end }}

{{- define "vault.replicas" -}}
{{- if eq (include "vault.mode" .) "ha" }}{{ .Values.server.ha.replicas | default 3 }}{{ else }}1{{ end -}}
{{- end }}

{{/* How many servers may be taken away on purpose: fewer than half of them. */}}
{{- define "vault.mayBeAway" -}}
{{- $replicas := include "vault.replicas" . | int -}}
{{- if eq $replicas 1 }}0{{ else }}{{ .Values.server.ha.disruptionBudget.maxUnavailable | default (div (sub $replicas 1) 2) }}{{ end -}}
{{- end }}
