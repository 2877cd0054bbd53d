#!/usr/bin/env bash
# Writes prometheusrule.yaml: the rules of deploy/prometheus in the form of the Prometheus Operator.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

rules=../prometheus
{
  cat <<'YAML'
# Made by render-rules.sh of deploy/prometheus/recording.rules.yml and alerts.rules.yml: change those.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: multistore-exporter
  labels:
    app.kubernetes.io/name: shop
    app.kubernetes.io/component: multistore-exporter
spec:
  groups:
YAML
  # The lists of groups, two columns further in; comments and blank lines are left to the originals.
  for file in recording.rules.yml alerts.rules.yml; do
    sed -e '1,/^groups:/d' -e '/^ *#/d' -e '/^ *$/d' -e 's/^/  /' "$rules/$file"
  done
} >"${1:-prometheusrule.yaml}"
