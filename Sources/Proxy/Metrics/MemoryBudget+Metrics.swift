package import PrometheusExposition

extension MemoryBudget {
  /// Adds the limit and the bytes in use, by part, to the scrapes of `registry`.
  package func register(in registry: PrometheusRegistry) {
    registry.gauge(ProxyMetrics.memoryLimit.name).set(Double(limit))
    registry.collect { [self] writer in
      for part in MemoryPart.allCases {
        writer.gauge(ProxyMetrics.memory.name, labels: [("part", part.rawValue)], Double(used(for: part)))
      }
    }
  }
}
