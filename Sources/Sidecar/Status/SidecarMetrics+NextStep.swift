internal import PrometheusExposition

/// The metrics of the judge of the next step.
extension SidecarMetrics {
  static let nextStepReady = MetricDescriptor(
    name: "multistore_next_step_ready",
    kind: .gauge,
    help: "1 while every criterion for the next step of the migration is met",
    labels: ["instance_name"]
  )
  static let nextStepCriterionMet = MetricDescriptor(
    name: "multistore_next_step_criterion_met",
    kind: .gauge,
    help: "1 while the criterion for the next step of the migration is met, 0 while it is not met or not known",
    labels: ["instance_name", "criterion"]
  )
}
