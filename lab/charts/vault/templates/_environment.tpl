{{/* Environment of the server's container: a later variable may name an earlier one. */}}

{{- define "vault.environment" -}}
{{- range $name, $field := dict "HOST_IP" "status.hostIP" "POD_IP" "status.podIP" "HOSTNAME" "metadata.name" "VAULT_K8S_POD_NAME" "metadata.name" "VAULT_K8S_NAMESPACE" "metadata.namespace" }}
- name: {{ $name }}
  valueFrom:
    fieldRef:
      fieldPath: {{ $field }}
{{- end }}
- name: VAULT_ADDR
  value: "{{ include "vault.scheme" . }}://127.0.0.1:8200"
- name: VAULT_API_ADDR
  value: {{ .Values.server.ha.apiAddr | default (printf "%s://$(POD_IP):8200" (include "vault.scheme" .)) | quote }}
- name: VAULT_CLUSTER_ADDR
  value: "https://$(HOSTNAME).{{ include "vault.fullname" . }}-internal:8201"
# Read by the image's entrypoint, which may do neither as this user.
- name: SKIP_CHOWN
  value: "true"
- name: SKIP_SETCAP
  value: "true"
- name: HOME
  value: /home/vault
{{- with .Values.server.logLevel }}
- name: VAULT_LOG_LEVEL
  value: {{ . | quote }}
{{- end }}
{{- with .Values.server.logFormat }}
- name: VAULT_LOG_FORMAT
  value: {{ . | quote }}
{{- end }}
{{- with include "vault.ofMode" (list . "environment") }}
{{ . }}
{{- end }}
{{- range $name, $value := .Values.server.extraEnvironmentVars }}
- name: {{ $name | replace "." "_" | upper | quote }}
  # Through JSON, or a large number would be written as 1e+06.
  value: {{ kindIs "string" $value | ternary $value (toJson $value) | quote }}
{{- end }}
{{- range .Values.server.extraSecretEnvironmentVars }}
- name: {{ .envName | quote }}
  valueFrom:
    secretKeyRef:
      name: {{ .secretName | quote }}
      key: {{ .secretKey | quote }}
{{- end }}
{{- end }}
