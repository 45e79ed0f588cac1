{{/* Mode standalone: one server that keeps its data on a volume. */}}

{{- define "vault.standalone.script" -}}
{{ include "vault.configuredScript" . }}
{{- end }}

{{- define "vault.standalone.environment" }}{{ end }}

{{- define "vault.standalone.volumes" -}}
{{ include "vault.configurationVolume" . }}
{{- end }}

{{- define "vault.standalone.mounts" -}}
{{ include "vault.keepingMounts" . }}
{{- end }}

{{- define "vault.standalone.claims" -}}
{{ include "vault.storageClaims" . }}
{{- end }}

{{- define "vault.standalone.placement" -}}
{{ include "vault.placement" . }}
{{- end }}

{{- define "vault.standalone.defaultConfiguration" -}}
ui = true

listener "tcp" {
  address         = "[::]:8200"
  cluster_address = "[::]:8201"
  tls_disable     = 1
}

storage "file" {
  path = "/vault/data"
}
{{- end }}

{{- define "vault.standalone.configuration" -}}
{{- $given := .Values.server.standalone.config | default (include "vault.standalone.defaultConfiguration" .) -}}
{{ include "vault.configuration" (list . $given) }}
{{- end }}
