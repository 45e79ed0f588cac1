{{/* The pod of a server. Every define takes the root context and gives YAML. */}}

{{- define "vault.pod" -}}
serviceAccountName: {{ include "vault.serviceAccount" . | quote }}
terminationGracePeriodSeconds: {{ .Values.server.terminationGracePeriodSeconds }}
hostNetwork: {{ .Values.server.hostNetwork }}
{{- with include "vault.ofMode" (list . "placement") }}
{{ . }}
{{- end }}
# The user `vault` of the official image.
securityContext:
  runAsNonRoot: true
  runAsUser: 100
  runAsGroup: 1000
  fsGroup: 1000
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  {{- if kindIs "string" . }}
  - name: {{ . | quote }}
  {{- else }}
  - name: {{ .name | quote }}
  {{- end }}
  {{- end }}
{{- end }}
containers:
  - {{ include "vault.container" . | nindent 4 | trim }}
volumes:
  {{- include "vault.ofMode" (list . "volumes") | nindent 2 }}
  {{- with .Values.server.volumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  - name: home
    emptyDir: {}
{{- end }}

{{- define "vault.container" -}}
name: vault
image: {{ printf "%s:%s" .Values.server.image.repository (.Values.server.image.tag | default "latest") | quote }}
imagePullPolicy: {{ .Values.server.image.pullPolicy }}
command: ["/bin/sh", "-ec"]
args:
  - |
    {{- printf "%s %s" (include "vault.ofMode" (list . "script")) .Values.server.extraArgs | trim | nindent 4 }}
env:
  {{- include "vault.environment" . | trim | nindent 2 }}
ports:
  - name: {{ include "vault.scheme" . }}
    containerPort: 8200
  - name: https-internal
    containerPort: 8201
  - name: {{ include "vault.scheme" . }}-rep
    containerPort: 8202
{{- include "vault.probes" . }}
lifecycle:
  preStop:
    exec:
      # The shell that is the container's first process passes no signal on. The wait lets the
      # Services hear of the end before Vault ends.
      command: ["/bin/sh", "-c", "sleep {{ .Values.server.preStopSleepSeconds }} && kill -SIGTERM $(pidof vault)"]
  {{- with .Values.server.postStart }}
  postStart:
    exec:
      command:
        {{- toYaml . | nindent 8 }}
  {{- end }}
securityContext:
  allowPrivilegeEscalation: false
{{- with .Values.server.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumeMounts:
  {{- include "vault.ofMode" (list . "mounts") | nindent 2 }}
  {{- with .Values.server.volumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  - name: home
    mountPath: /home/vault
{{- end }}

{{- define "vault.probes" -}}
{{- with .Values.server.readinessProbe }}
{{- if .enabled }}
readinessProbe:
  {{- if .path }}
  {{- include "vault.httpProbe" (list $ .) | nindent 2 }}
  {{- else }}
  exec:
    # Fails while Vault is sealed.
    command: ["/bin/sh", "-ec", "vault status -tls-skip-verify"]
  {{- end }}
  {{- include "vault.probeTimes" . | nindent 2 }}
{{- end }}
{{- end }}
{{- with .Values.server.livenessProbe }}
{{- if .enabled }}
livenessProbe:
  {{- if .execCommand }}
  exec:
    command:
      {{- toYaml .execCommand | nindent 6 }}
  {{- else }}
  {{- include "vault.httpProbe" (list $ .) | nindent 2 }}
  {{- end }}
  {{- include "vault.probeTimes" . | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{/* Takes (list root probe). */}}
{{- define "vault.httpProbe" -}}
{{- $probe := index . 1 -}}
httpGet:
  path: {{ $probe.path | default "/v1/sys/health?standbyok=true" | quote }}
  port: {{ $probe.port | default 8200 }}
  scheme: {{ include "vault.scheme" (index . 0) | upper }}
{{- end }}

{{/* Takes a probe. */}}
{{- define "vault.probeTimes" -}}
{{ pick . "failureThreshold" "initialDelaySeconds" "periodSeconds" "successThreshold" "timeoutSeconds" | toYaml }}
{{- end }}
