{{/* What servers have in common that are told how to run by a configuration of their own. */}}

{{/* The configuration is mounted read-only; what is known in the pod only is put into a copy. */}}
{{- define "vault.configuredScript" -}}
cp /vault/config/extraconfig-from-values.hcl /tmp/storageconfig.hcl
for placeholder in HOST_IP POD_IP HOSTNAME API_ADDR TRANSIT_ADDR RAFT_ADDR; do
  eval "value=\${$placeholder:-}"
  [ -z "$value" ] || sed -i "s|$placeholder|$value|g" /tmp/storageconfig.hcl
done
/usr/local/bin/docker-entrypoint.sh vault server -config=/tmp/storageconfig.hcl
{{- end }}

{{- define "vault.configurationVolume" -}}
- name: config
  configMap:
    name: {{ include "vault.fullname" . }}-config
{{- end }}

{{- define "vault.keepingMounts" -}}
- name: config
  mountPath: /vault/config
{{ include "vault.storageMounts" . }}
{{- end }}

{{/*
Takes (list root text): HCL or JSON. Where it does not say whether memory is to be locked: a pod may
not lock any.
*/}}
{{- define "vault.configuration" -}}
{{- $text := tpl (index . 1) (index . 0) -}}
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
