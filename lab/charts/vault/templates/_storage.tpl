{{/* The volumes of a server that keeps something, and how they are laid over their defaults. */}}

{{- define "vault.storageDefaults" -}}
data:
  enabled: true
  size: 10Gi
  mountPath: /vault/data
  accessMode: ReadWriteOnce
audit:
  enabled: false
  size: 10Gi
  mountPath: /vault/audit
  accessMode: ReadWriteOnce
{{- end }}

{{/* YAML: a list of the enabled volumes, each with its name and all its values. */}}
{{- define "vault.storage" -}}
{{- $defaults := include "vault.storageDefaults" . | fromYaml -}}
{{- range $name := list "data" "audit" -}}
{{- $values := dict "name" $name -}}
{{- range $source := list (get $defaults $name) (get $.Values.server (printf "%sStorage" $name)) -}}
{{- range $key, $value := $source }}{{ $_ := set $values $key $value }}{{ end -}}
{{- end -}}
{{- if $values.enabled }}
{{ list $values | toYaml }}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "vault.storageMounts" -}}
{{- range $values := include "vault.storage" . | fromYamlArray }}
- name: {{ $values.name }}
  mountPath: {{ $values.mountPath | quote }}
{{- end }}
{{- end }}

{{- define "vault.storageClaims" -}}
{{- range $values := include "vault.storage" . | fromYamlArray }}
- apiVersion: v1
  kind: PersistentVolumeClaim
  metadata:
    name: {{ $values.name }}
    {{- with $values.annotations }}
    annotations:
      {{- include "vault.structured" (list $ .) | nindent 6 }}
    {{- end }}
    {{- with $values.labels }}
    labels:
      {{- include "vault.structured" (list $ .) | nindent 6 }}
    {{- end }}
  spec:
    accessModes:
      - {{ $values.accessMode }}
    resources:
      requests:
        storage: {{ $values.size | quote }}
    {{- with $values.storageClass }}
    storageClassName: {{ . | quote }}
    {{- end }}
{{- end }}
{{- end }}
