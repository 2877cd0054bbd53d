/// Rewriting RESP2 replies as RESP3, in place. Bytes that are no whole, well-formed reply are left as they are.
extension ByteBuffer {
  /// Upgrades the reply that begins at `start` and reaches to the end of the buffer. Allocates nothing, unless the
  /// reply grows beyond the buffer's capacity.
  @inline(__always)
  public mutating func upgradeReply(from start: Int, as shape: ReplyShape) {
    if shape.isAboutArrays, isNeitherArrayNorNull(at: start) { return }
    upgradeDifferentReply(from: start, as: shape)
  }

  /// Upgrades EXEC's reply, which begins at `start` and reaches to the end of the buffer: each element as the shape of
  /// the command that it answers.
  public mutating func upgradeTransaction(from start: Int, as shapes: Span<ReplyShape>) {
    guard let extent = ReplyExtent(of: span, from: start) else { return }
    guard extent.elements == shapes.count else { return upgradeReply(from: start, as: .plain) }
    var growing = 0
    for index in shapes.indices where shapes[index].mayGrow { growing += 1 }
    rewrite(extent, from: start, growing) { $0.run(asElements: shapes, in: &$1) }
  }

  /// Whether the reply at `start` is certainly the same in both protocols by a shape that is about arrays and nulls
  /// alone: most replies are.
  @inline(__always)
  private func isNeitherArrayNorNull(at start: Int) -> Bool {
    count > start + 1 && byte(at: start) != UInt8(ascii: "*") && byte(at: start + 1) != UInt8(ascii: "-")
  }

  private mutating func upgradeDifferentReply(from start: Int, as shape: ReplyShape) {
    var bodyStart = start + 1
    // Of a large reply of a shallow shape, only the header is read.
    guard shape.isShallow, count > start, byte(at: start) == UInt8(ascii: "*"),
      let elements = ReplyExtent.number(in: span, at: &bodyStart), elements >= 0
    else { return upgradeWholeReply(from: start, as: shape) }
    switch shape {
    case .map where elements % 2 == 0: replaceHeader(start..<bodyStart, by: UInt8(ascii: "%"), elements / 2)
    case .set: replaceHeader(start..<bodyStart, by: UInt8(ascii: "~"), elements)
    default: break
    }
  }

  private mutating func upgradeWholeReply(from start: Int, as shape: ReplyShape) {
    guard let extent = ReplyExtent(of: span, from: start), shape != .plain || extent.hasNulls else { return }
    rewrite(extent, from: start, shape.mayGrow ? 1 : 0) { $0.run(as: shape, in: &$1) }
  }

  /// Rewrites the reply that `extent` was found for by `run`; `growing` replies in it may grow.
  private mutating func rewrite(
    _ extent: ReplyExtent,
    from start: Int,
    _ growing: Int,
    _ run: (inout ReplyUpgrade, inout MutableSpan<UInt8>) -> Int
  ) {
    let growth = growing > 0 ? ReplyUpgrade.mostGrowth(of: growing, values: extent.values) : 0
    makeGap(of: growth, at: start)
    let end = withMutableSpan { bytes in
      var upgrade = ReplyUpgrade(from: start + growth, to: start)
      return run(&upgrade, &bytes)
    }
    replace(end..<extent.end + growth, with: Span())
  }

  private mutating func replaceHeader(_ range: Range<Int>, by type: UInt8, _ number: Int) {
    let digits = Decimal(number)
    let difference = range.count - 3 - digits.span.count
    if difference > 0 { replace(range.lowerBound..<range.lowerBound + difference, with: Span()) }
    withMutableSpan { bytes in
      bytes[range.lowerBound] = type
      for index in digits.span.indices { bytes[range.lowerBound + 1 + index] = digits.span[index] }
    }
  }
}
