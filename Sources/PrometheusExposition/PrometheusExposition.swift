// PrometheusExposition
