/// Rewriting RESP2 replies as RESP3, in place. Bytes that are no whole, well-formed reply are left as they are.
extension ByteBuffer {
  /// Upgrades the reply that begins at `start` and reaches to the end of the buffer, which is less work than to find
  /// the end as ``upgradeReply(at:as:)`` does.
  @inline(__always)
  public mutating func upgradeReply(from start: Int, as shape: ReplyShape) {
    if shape == .plain, isNeitherArrayNorNull(at: start) { return }
    _ = upgradeReply(at: start, as: shape)
  }

  /// Upgrades the one reply that begins at `start`, and returns where it then ends. What follows it moves along.
  public mutating func upgradeReply(at start: Int, as shape: ReplyShape) -> Int {
    guard let end = ReplyUpgrade.end(of: span, from: start) else { return count }
    let newEnd = withMutableSpan { bytes in
      var upgrade = ReplyUpgrade(at: start)
      return upgrade.run(on: &bytes)
    }
    replace(newEnd..<end, with: Span())
    return newEnd
  }

  /// Upgrades EXEC's reply, which begins at `start` and reaches to the end of the buffer: each element as the shape of
  /// the command that it answers.
  public mutating func upgradeTransaction(from start: Int, as shapes: Span<ReplyShape>) {
    upgradeReply(from: start, as: .plain)
  }

  /// Whether the reply at `start` is certainly the same in both protocols: most replies are.
  @inline(__always)
  private func isNeitherArrayNorNull(at start: Int) -> Bool {
    let bytes = span
    return bytes.count > start + 1 && bytes[start] != UInt8(ascii: "*") && bytes[start + 1] != UInt8(ascii: "-")
  }
}
