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

{{/* Worker pods in the simulation namespaces, as ingress peers. */}}
{{- define "parpour.workerPeers" -}}
- namespaceSelector:
    matchExpressions:
      - {key: kubernetes.io/metadata.name, operator: In, values: {{ .Values.simulationNamespaces | toJson }}}
  podSelector: {matchLabels: {app.kubernetes.io/name: civlab-worker}}
{{- end -}}
