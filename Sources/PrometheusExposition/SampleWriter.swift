/// Receives the values that collectors compute during one scrape, on its thread.
public struct SampleWriter {
  private(set) var table: FamilyTable
  private(set) var droppedByLimit: UInt64 = 0
  private(set) var droppedByConflict: UInt64 = 0

  init(table: FamilyTable) {
    self.table = table
  }

  /// Writes the value of a gauge that was described.
  ///
  /// A value for the same labels replaces the one before. A value that was not described as a gauge with these labels
  /// is dropped and counted in `multistore_metrics_series_dropped_total`: a scrape must not stop the process.
  public mutating func gauge(_ name: String, labels: [(String, String)] = [], _ value: Double) {
    write(name, labels, value, as: .gauge)
  }

  /// Writes the value of a counter that was described and that another object counts; as ``gauge(_:labels:_:)``.
  public mutating func counter(_ name: String, labels: [(String, String)] = [], _ value: Double) {
    write(name, labels, value, as: .counter)
  }

  private mutating func write(
    _ name: String,
    _ labels: [(String, String)],
    _ value: Double,
    as kind: MetricDescriptor.Kind
  ) {
    do {
      if try table.set(value, of: name, LabelSet(labels), as: kind) { droppedByLimit += 1 }
    } catch {
      droppedByConflict += 1
    }
  }
}
