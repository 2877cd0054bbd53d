internal import PrometheusExposition

/// The metrics of `memory_limit`.
extension ProxyMetrics {
  static let memoryLimit = MetricDescriptor(
    name: "multistore_memory_limit_bytes",
    kind: .gauge,
    help: "The most bytes that commands and replies of all clients may take together"
  )
  static let memory = MetricDescriptor(
    name: "multistore_memory_bytes",
    kind: .gauge,
    help: "Bytes that commands and replies of all clients take: input that is not executed yet, reserved for the rest "
      + "of large commands and for their copies, held in transactions and executions, output that clients have not "
      + "taken, queued for stores",
    labels: ["part"]
  )
  static let clientsWaitingForMemory = MetricDescriptor(
    name: "multistore_clients_waiting_for_memory",
    kind: .gauge,
    help: "Clients whose large command is not read further until there is room for it",
    labels: ["instance_name"]
  )
  static let memoryRefusals = MetricDescriptor(
    name: "multistore_memory_refusals_total",
    kind: .counter,
    help: "Commands and transactions of clients that were refused because memory_limit was reached",
    labels: ["instance_name"]
  )
}
