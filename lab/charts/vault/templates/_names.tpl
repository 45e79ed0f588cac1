{{/* Names and labels. Every define takes the root context. */}}

{{- define "vault.name" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* A release that has the chart's name in its own gives its name to the objects as it is. */}}
{{- define "vault.fullname" -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- $composed := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{ .Values.fullnameOverride | default $composed | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "vault.namespace" -}}
{{ .Values.global.namespace | default .Release.Namespace }}
{{- end }}

{{- define "vault.serviceAccount" -}}
{{- $unnamed := .Values.server.serviceAccount.create | ternary (include "vault.fullname" .) "default" -}}
{{ .Values.server.serviceAccount.name | default $unnamed }}
{{- end }}

{{- define "vault.scheme" -}}
{{ .Values.global.tlsDisable | ternary "http" "https" }}
{{- end }}

{{/* What the labels of all objects and of the pods begin with. */}}
{{- define "vault.identity" -}}
app.kubernetes.io/name: {{ include "vault.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "vault.chartLabel" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{- end }}

{{- define "vault.labels" -}}
{{ include "vault.chartLabel" . }}
{{ include "vault.identity" . }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
{{- end }}

{{- define "vault.podSelector" -}}
{{ include "vault.identity" . }}
component: server
{{- end }}

{{/* Takes (list root value): a value that may be YAML, or a text with templates in it. */}}
{{- define "vault.structured" -}}
{{- $root := index . 0 -}}
{{- $value := index . 1 -}}
{{- if kindIs "string" $value }}{{ tpl $value $root }}{{ else }}{{ toYaml $value }}{{ end -}}
{{- end }}
