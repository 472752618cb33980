{{- define "parpour.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels of an object: call with (dict "root" $ "component" "operator"). */}}
{{- define "parpour.labels" -}}
{{ include "parpour.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/part-of: parpour
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "parpour.selector" -}}
app.kubernetes.io/name: parpour
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Full reference of an image: call with (dict "root" $ "image" .Values.images.nats). */}}
{{- define "parpour.image" -}}
{{- $name := .image.repository -}}
{{- if .root.Values.images.registry -}}
{{- $name = printf "%s/%s" (trimSuffix "/" .root.Values.images.registry) $name -}}
{{- end -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $name .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .root.Chart.AppVersion .image.tag) -}}
{{- end -}}
{{- end -}}

{{/* Pod fields that every pod of this chart shares: the restricted Pod Security Standard. */}}
{{- define "parpour.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.images.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "parpour.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{- define "parpour.natsUrl" -}}
{{- default (printf "nats://%s-nats.%s.svc:4222" (include "parpour.fullname" .) .Release.Namespace) .Values.nats.external.url -}}
{{- end -}}

{{- define "parpour.storeEndpoint" -}}
{{- printf "http://%s-s3.%s.svc:7070" (include "parpour.fullname" .) .Release.Namespace -}}
{{- end -}}

{{- define "parpour.storeUrl" -}}
{{- default (printf "s3://%s/results" .Values.store.bucket) .Values.store.external.url -}}
{{- end -}}

{{/* A value of a Secret that stands already, or else a new random one: (dict "secret" $existing "key" "password"). */}}
{{- define "parpour.keptOrRandom" -}}
{{- $data := default dict .secret.data -}}
{{- if hasKey $data .key -}}
{{- index $data .key | b64dec -}}
{{- else -}}
{{- randAlphaNum 40 -}}
{{- end -}}
{{- end -}}

{{/* What the chart tells the operator; operator.env adds to it and wins over it. */}}
{{- define "parpour.operatorSettings" -}}
PARPOUR_LISTEN_HOST: 0.0.0.0
PARPOUR_LOG_FORMAT: json
PARPOUR_LEASE_NAME: {{ include "parpour.fullname" . }}-operator
PARPOUR_WATCH_NAMESPACES: {{ join "," .Values.operator.watchNamespaces | quote }}
PARPOUR_WORKER_IMAGE: {{ include "parpour.image" (dict "root" . "image" .Values.images.worker) }}
{{- if .Values.images.cudaWorker.repository }}
PARPOUR_WORKER_CUDA_IMAGE: {{ include "parpour.image" (dict "root" . "image" .Values.images.cudaWorker) }}
{{- end }}
PARPOUR_WORKER_IMAGE_PULL_POLICY: {{ .Values.images.pullPolicy }}
PARPOUR_WORKER_IMAGE_PULL_SECRETS: {{ join "," .Values.images.pullSecrets | quote }}
PARPOUR_STORE_URL: {{ include "parpour.storeUrl" . }}
PARPOUR_BUS_DIRECTORY: /var/run/secrets/parpour/bus
{{- if .Values.treasury.enabled }}
PARPOUR_FUNDING_URL: https://{{ include "parpour.internalHost" . }}:8443
PARPOUR_FUNDING_CA_FILE: /var/run/secrets/parpour/internal/ca.crt
PARPOUR_FUNDING_TOKEN_FILE: /var/run/secrets/parpour/internal/token
PARPOUR_ALLOW_UNBUDGETED: {{ .Values.treasury.allowUnbudgeted | quote }}
PARPOUR_VENTURE_DIRECTORY: /var/run/secrets/parpour/venture
{{- end }}
{{- end -}}

{{- define "parpour.egressDns" -}}
- to: {{- toYaml .Values.networkPolicy.dns.peers | nindent 4 }}
  ports:
    {{- range .Values.networkPolicy.dns.ports }}
    - {port: {{ . }}, protocol: UDP}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- end -}}

{{/* The API server has no pod to select: any address, on its ports. */}}
{{- define "parpour.egressApi" -}}
{{- $ports := .Values.networkPolicy.apiServerPorts -}}
{{- $slice := default dict (lookup "discovery.k8s.io/v1" "EndpointSlice" "default" "kubernetes") -}}
{{- range (default list $slice.ports) -}}
{{- $ports = append $ports (int .port) -}}
{{- end -}}
- ports:
    {{- range ($ports | uniq) }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- end -}}

{{/* Egress to a part of this release, whatever namespace the sender is in. */}}
{{- define "parpour.egressPart" -}}
- to:
    - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ .root.Release.Namespace }}}}
      podSelector:
        matchLabels: {{- include "parpour.selector" . | nindent 10 }}
  ports: [{port: {{ .port }}, protocol: TCP}]
{{- end -}}

{{/* Worker pods in the simulation namespaces, and in those of Ventures, as ingress peers. */}}
{{- define "parpour.workerPeers" -}}
- namespaceSelector:
    matchExpressions:
      - {key: kubernetes.io/metadata.name, operator: In, values: {{ .Values.simulationNamespaces | toJson }}}
  podSelector: {matchLabels: {app.kubernetes.io/name: civlab-worker}}
{{- if .Values.treasury.enabled }}
- namespaceSelector:
    matchExpressions:
      - {key: parpour.dev/venture-uid, operator: Exists}
  podSelector: {matchLabels: {app.kubernetes.io/name: civlab-worker}}
{{- end }}
{{- end -}}

{{/* What worker pods find in a namespace beside their Secrets: (dict "root" $ "namespace" "team-a"), or without one. */}}
{{- define "parpour.workerObjects" -}}
{{- $labels := include "parpour.labels" (dict "root" .root "component" "worker") -}}
# Workers have no business with the API server: no token, and no Role names this account.
apiVersion: v1
kind: ServiceAccount
metadata:
  name: parpour-worker
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels: {{- $labels | nindent 4 }}
automountServiceAccountToken: false
{{- if .root.Values.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: parpour-worker
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels: {{- $labels | nindent 4 }}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/name: civlab-worker}}
  policyTypes: [Ingress, Egress]
  ingress: []
  egress:
    {{- include "parpour.egressDns" .root | nindent 4 }}
    {{- if not .root.Values.nats.external.url }}
    {{- include "parpour.egressPart" (dict "root" .root "component" "nats" "port" 4222) | nindent 4 }}
    {{- end }}
    {{- if not .root.Values.store.external.url }}
    {{- include "parpour.egressPart" (dict "root" .root "component" "store" "port" 7070) | nindent 4 }}
    {{- end }}
    {{- with .root.Values.networkPolicy.workerEgress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end -}}
