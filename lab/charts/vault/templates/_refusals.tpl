{{/*
What values.schema.json cannot refuse with a reason: what HashiCorp's chart makes and this one does
not, and what nothing reads with the other values as they are. Only what stands below a switch that
is off (`enabled: false`, `create: false`) is passed over.
*/}}

{{- define "vault.refusals" -}}
{{- include "vault.refuseInjector" . -}}
{{- include "vault.refuseHighAvailability" . -}}
{{- if include "vault.makesServer" . -}}
{{- include "vault.refuseTwoModesOrNone" . -}}
{{- include "vault.refuseUnread" . -}}
{{- end -}}
{{- end }}

{{- define "vault.refuseInjector" -}}
{{- if include "vault.on" (list . .Values.injector.enabled) -}}
{{- fail (printf "injector.enabled is %v: the lab's chart makes no injector; set it to false" .Values.injector.enabled) -}}
{{- end -}}
{{- range $key, $_ := omit .Values.injector "enabled" -}}
{{- fail (printf "injector.%s is given: the lab's chart makes no injector; leave it out" $key) -}}
{{- end -}}
{{- end }}

{{- define "vault.refuseHighAvailability" -}}
{{- if .Values.server.ha.enabled -}}
{{- fail "server.ha.enabled is true: the lab's chart does not make HA (raft) yet; use server.dev or server.standalone" -}}
{{- end -}}
{{- range $key, $_ := omit .Values.server.ha "enabled" -}}
{{- fail (printf "server.ha.%s is given: the lab's chart does not make HA (raft) yet; leave it out" $key) -}}
{{- end -}}
{{- end }}

{{- define "vault.refuseTwoModesOrNone" -}}
{{- $standalone := .Values.server.standalone.enabled | toString -}}
{{- if and .Values.server.dev.enabled (eq $standalone "true") -}}
{{- fail "server.standalone.enabled is true beside server.dev.enabled: choose one of them" -}}
{{- else if and (not .Values.server.dev.enabled) (eq $standalone "false") -}}
{{- fail "server.standalone.enabled is false and so is server.dev.enabled: choose one of them, or set server.enabled to false" -}}
{{- end -}}
{{- end }}

{{/* YAML: who reads a value that not every server has a use for, and whether it is there. */}}
{{- define "vault.readers" -}}
{{- $server := .Values.server -}}
{{- $outside := list "LoadBalancer" "NodePort" -}}
mode standalone:
  there: {{ eq (include "vault.mode" .) "standalone" }}
  reads:
    - server.affinity
    - server.auditStorage
    - server.dataStorage
    - server.nodeSelector
    - server.serviceAccount.annotations
    - server.standalone.config
    - server.tolerations
mode dev:
  there: {{ eq (include "vault.mode" .) "dev" }}
  reads: [server.dev.devRootToken]
a probe without an execCommand:
  there: {{ empty $server.livenessProbe.execCommand }}
  reads: [server.livenessProbe.path, server.livenessProbe.port]
a probe with a path:
  there: {{ not (empty $server.readinessProbe.path) }}
  reads: [server.readinessProbe.port]
a server.service.type of NodePort:
  there: {{ eq (toString $server.service.type) "NodePort" }}
  reads: [server.service.nodePort]
a server.service.type of LoadBalancer or NodePort:
  there: {{ has $server.service.type $outside }}
  reads: [server.service.externalTrafficPolicy]
a ui.serviceType of LoadBalancer or NodePort:
  there: {{ has .Values.ui.serviceType $outside }}
  reads: [ui.externalTrafficPolicy, ui.serviceNodePort]
a ui.serviceType of LoadBalancer:
  there: {{ eq .Values.ui.serviceType "LoadBalancer" }}
  reads: [ui.loadBalancerIP, ui.loadBalancerSourceRanges]
{{- end }}

{{- define "vault.refuseUnread" -}}
{{- range $reader, $entry := include "vault.readers" . | fromYaml -}}
{{- if not $entry.there -}}
{{- range $path := $entry.reads -}}
{{- $value := $.Values -}}
{{- range splitList "." $path -}}
{{- $value = get $value . -}}
{{- end -}}
{{- $off := and (kindIs "map" $value) (eq (get ($value | default dict) "enabled" | toString) "false") -}}
{{- if and $value (not $off) -}}
{{- fail (printf "%s is given, and only %s reads it: leave it out" $path $reader) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
