{{/* Mode dev: all in memory, unsealed, with a root token that is known beforehand. */}}

{{- define "vault.dev.script" -}}
/usr/local/bin/docker-entrypoint.sh vault server -dev
{{- end }}

{{- define "vault.dev.environment" -}}
{{- $token := hasKey .Values.server.dev "devRootToken" | ternary .Values.server.dev.devRootToken "root" -}}
- name: VAULT_DEV_ROOT_TOKEN_ID
  value: {{ $token | quote }}
- name: VAULT_DEV_LISTEN_ADDRESS
  value: "[::]:8200"
{{- end }}

{{- define "vault.dev.volumes" }}{{ end }}

{{- define "vault.dev.mounts" }}{{ end }}

{{- define "vault.dev.claims" }}{{ end }}

{{- define "vault.dev.placement" }}{{ end }}
