{{/*
Which objects are made, and how the server runs.

A mode has a file of its own that defines `vault.<mode>.` script, environment, volumes, mounts,
claims and placement, and configuration where it has one; `vault.ofMode` finds them by the name.
*/}}

{{/* Takes (list root switch): "yes" where the switch is on, or follows a global one that is. */}}
{{- define "vault.on" -}}
{{- $root := index . 0 -}}
{{- $switch := index . 1 | toString -}}
{{- if or (eq $switch "true") (and (eq $switch "-") $root.Values.global.enabled) }}yes{{ end -}}
{{- end }}

{{- define "vault.makesServer" -}}
{{ include "vault.on" (list . .Values.server.enabled) }}
{{- end }}

{{/* The account and its right to review tokens also serve a Vault outside the cluster. */}}
{{- define "vault.makesAccess" -}}
{{- if or (include "vault.makesServer" .) .Values.global.enabled }}yes{{ end -}}
{{- end }}

{{- define "vault.mode" -}}
{{ .Values.server.dev.enabled | ternary "dev" (.Values.server.ha.enabled | ternary "ha" "standalone") }}
{{- end }}

{{/* Takes (list root part). */}}
{{- define "vault.ofMode" -}}
{{- $root := index . 0 -}}
{{ include (printf "vault.%s.%s" (include "vault.mode" $root) (index . 1)) $root | trim }}
{{- end }}
