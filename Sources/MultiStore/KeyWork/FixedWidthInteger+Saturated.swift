extension FixedWidthInteger {
  /// The sum, or the largest number: a key may expire at any moment that fits into 64 bits.
  func addingSaturated(_ other: Self) -> Self {
    let (sum, overflows) = addingReportingOverflow(other)
    return overflows ? .max : sum
  }
}
