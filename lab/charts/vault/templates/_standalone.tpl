{{/* Mode standalone: one server that keeps its data on a volume. */}}

{{/* The configuration is mounted read-only; what is known in the pod only is put into a copy. */}}
{{- define "vault.standalone.script" -}}
cp /vault/config/extraconfig-from-values.hcl /tmp/storageconfig.hcl
for placeholder in HOST_IP POD_IP HOSTNAME API_ADDR TRANSIT_ADDR RAFT_ADDR; do
  eval "value=\${$placeholder:-}"
  [ -z "$value" ] || sed -i "s|$placeholder|$value|g" /tmp/storageconfig.hcl
done
/usr/local/bin/docker-entrypoint.sh vault server -config=/tmp/storageconfig.hcl
{{- end }}

{{- define "vault.standalone.environment" }}{{ end }}

{{- define "vault.standalone.volumes" -}}
- name: config
  configMap:
    name: {{ include "vault.fullname" . }}-config
{{- end }}

{{- define "vault.standalone.mounts" -}}
- name: config
  mountPath: /vault/config
{{ include "vault.storageMounts" . }}
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

{{/* HCL or JSON. Where it does not say whether memory is to be locked: a pod may not lock any. */}}
{{- define "vault.standalone.configuration" -}}
{{- $given := .Values.server.standalone.config | default (include "vault.standalone.defaultConfiguration" .) -}}
{{- $text := tpl $given . -}}
{{- $parsed := fromJson $text -}}
{{- if not (hasKey $parsed "Error") -}}
{{- if not (hasKey $parsed "disable_mlock") }}{{ $_ := set $parsed "disable_mlock" true }}{{ end -}}
{{ mustToJson $parsed }}
{{- else if regexMatch "(?m)^[ \t]*disable_mlock[ \t]*=" $text -}}
{{ $text }}
{{- else -}}
{{ $text }}
disable_mlock = true
{{- end -}}
{{- end }}
