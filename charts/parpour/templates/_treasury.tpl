{{- define "parpour.internalHost" -}}
{{- printf "%s-internal.%s.svc" (include "parpour.fullname" .) .Release.Namespace -}}
{{- end -}}

{{/* Where workers' Secrets of a kind stand: (dict "root" $ "kind" "bus"), as a YAML list of name and namespace. */}}
{{- define "parpour.workerSecrets" -}}
{{- range $namespace := .root.Values.simulationNamespaces }}
- {name: parpour-{{ $.kind }}, namespace: {{ $namespace }}}
{{- end }}
{{- if .root.Values.treasury.enabled }}
- {name: {{ include "parpour.fullname" .root }}-venture-{{ .kind }}, namespace: {{ .root.Release.Namespace }}}
{{- end }}
{{- end -}}

{{/* Address of a database of the server: (dict "root" $ "user" "parpour_app" "database" "parpour"). */}}
{{- define "parpour.databaseUrl" -}}
{{- $external := .root.Values.treasury.database.external -}}
{{- $path := ternary (printf "/%s" (default "" .database)) "" (ne (default "" .database) "") -}}
{{- if $external.host -}}
{{- $authority := ternary "/var/run/secrets/parpour/database-ca/ca.crt" "/etc/ssl/certs/ca-certificates.crt" (ne $external.caSecret "") -}}
{{- $query := printf "sslmode=%s" $external.sslmode -}}
{{- if hasPrefix "verify" $external.sslmode -}}
{{- $query = printf "%s&sslrootcert=%s" $query $authority -}}
{{- end -}}
{{- printf "postgresql://%s@%s:%d%s?%s" .user $external.host (int $external.port) $path $query -}}
{{- else -}}
{{- printf "postgresql://%s@%s-postgres.%s.svc:5432%s?sslmode=disable" .user (include "parpour.fullname" .root) .root.Release.Namespace $path -}}
{{- end -}}
{{- end -}}

{{/* Name of the Secret with a role's password and key: (dict "root" $ "role" "parpour_app"). */}}
{{- define "parpour.roleSecret" -}}
{{- printf "%s-database-%s" (include "parpour.fullname" .root) (trimPrefix "parpour_" .role) -}}
{{- end -}}

{{/* Volumes and mounts with which a pod reaches the database as a role: (dict "root" $ "role" "parpour_app"). */}}
{{- define "parpour.databaseVolumes" -}}
- name: database
  secret: {secretName: {{ include "parpour.roleSecret" . }}, defaultMode: 0440}
{{- include "parpour.databaseAuthorityVolume" .root }}
{{- end -}}

{{- define "parpour.databaseAuthorityVolume" -}}
{{- with .Values.treasury.database.external.caSecret }}
- name: database-ca
  secret: {secretName: {{ . }}, items: [{key: ca.crt, path: ca.crt}]}
{{- end }}
{{- end -}}

{{- define "parpour.databaseMounts" -}}
- {name: database, mountPath: /var/run/secrets/parpour/database, readOnly: true}
{{- include "parpour.databaseAuthorityMount" .root }}
{{- end -}}

{{- define "parpour.databaseAuthorityMount" -}}
{{- if .Values.treasury.database.external.caSecret }}
- {name: database-ca, mountPath: /var/run/secrets/parpour/database-ca, readOnly: true}
{{- end }}
{{- end -}}

{{/* Settings by which a service reaches the database: (dict "root" $ "role" "parpour_app" "prefix" "PARPOUR_API"). */}}
{{- define "parpour.databaseSettings" -}}
{{- $url := include "parpour.databaseUrl" (dict "root" .root "user" .role "database" .root.Values.treasury.database.name) -}}
- {name: {{ .prefix }}_DATABASE, value: {{ $url | quote }}}
- {name: {{ .prefix }}_DATABASE_PASSWORD_FILE, value: /var/run/secrets/parpour/database/{{ .role }}.password}
- {name: {{ .prefix }}_CONTEXT_KEY_FILE, value: /var/run/secrets/parpour/database/{{ .role }}.key}
{{- end -}}

{{/* Waits until the role may use the database and the schema is there: (dict "root" $ "role" "parpour_app"). */}}
{{- define "parpour.databaseWait" -}}
{{- $url := include "parpour.databaseUrl" (dict "root" .root "user" .role "database" .root.Values.treasury.database.name) -}}
- name: wait
  image: {{ include "parpour.image" (dict "root" .root "image" .root.Values.images.api) }}
  imagePullPolicy: {{ .root.Values.images.pullPolicy }}
  command: [python, -m, parpour_api.waiting]
  args: [--database, {{ $url | quote }}, --password-file, /var/run/secrets/parpour/database/{{ .role }}.password]
  resources:
    requests: {cpu: 10m, memory: 48Mi}
    limits: {memory: 128Mi}
  {{- include "parpour.containerSecurity" .root | nindent 2 }}
  volumeMounts:
    {{- include "parpour.databaseMounts" . | nindent 4 }}
{{- end -}}

{{/* Egress to the database: to the installed server, or to where an external one may be. */}}
{{- define "parpour.egressDatabase" -}}
{{- if .Values.treasury.database.external.host -}}
- ports: [{port: {{ .Values.treasury.database.external.port }}, protocol: TCP}]
  {{- with .Values.networkPolicy.databasePeers }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- else -}}
{{- include "parpour.egressPart" (dict "root" . "component" "postgres" "port" 5432) }}
{{- end -}}
{{- end -}}
