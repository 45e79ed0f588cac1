{{/*
What values.schema.json cannot refuse with a reason: what HashiCorp's chart makes and this one does
not, and what nothing reads with the other values as they are. Only what stands below a switch that
is off (`enabled: false`, `create: false`) is passed over.
*/}}

{{- define "vault.refusals" -}}
{{- include "vault.refuseInjector" . -}}
{{- if include "vault.makesServer" . -}}
{{- include "vault.refuseTwoModesOrNone" . -}}
{{- include "vault.refuseOtherStorage" . -}}
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

{{- define "vault.refuseOtherStorage" -}}
{{- if and (eq (include "vault.mode" .) "ha") (not .Values.server.ha.raft.enabled) -}}
{{- fail "server.ha.enabled is true without server.ha.raft.enabled: the lab's chart makes HA with raft only" -}}
{{- end -}}
{{- end }}

{{- define "vault.refuseTwoModesOrNone" -}}
{{- $standalone := .Values.server.standalone.enabled | toString -}}
{{- $dev := .Values.server.dev.enabled -}}
{{- $ha := .Values.server.ha.enabled -}}
{{- if and $dev $ha -}}
{{- fail "server.ha.enabled is true beside server.dev.enabled: choose one of them" -}}
{{- else if and (or $dev $ha) (eq $standalone "true") -}}
{{- fail (printf "server.standalone.enabled is true beside server.%s.enabled: choose one of them" ($dev | ternary "dev" "ha")) -}}
{{- else if and (not $dev) (not $ha) (eq $standalone "false") -}}
{{- fail "server.standalone.enabled is false and so are server.dev.enabled and server.ha.enabled: choose one of them, or set server.enabled to false" -}}
{{- end -}}
{{- end }}

{{/* YAML: who reads a value that not every server has a use for, and whether it is there. */}}
{{- define "vault.readers" -}}
{{- $server := .Values.server -}}
{{- $outside := list "LoadBalancer" "NodePort" -}}
mode standalone or ha:
  there: {{ ne (include "vault.mode" .) "dev" }}
  reads:
    - server.affinity
    - server.auditStorage
    - server.dataStorage
    - server.nodeSelector
    - server.persistentVolumeClaimRetentionPolicy
    - server.serviceAccount.annotations
    - server.tolerations
mode standalone:
  there: {{ eq (include "vault.mode" .) "standalone" }}
  reads: [server.standalone.config]
mode ha:
  there: {{ eq (include "vault.mode" .) "ha" }}
  reads:
    - server.ha.apiAddr
    - server.ha.disruptionBudget.maxUnavailable
    - server.ha.raft.config
    - server.ha.raft.enabled
    - server.ha.raft.setNodeId
    - server.ha.replicas
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
