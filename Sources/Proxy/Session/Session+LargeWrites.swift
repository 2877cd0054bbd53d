internal import MultiStore
internal import RESP

/// The turns of large commands that both stores execute; see ``LargeWrites``.
extension Session {
  /// Whether a large command has to wait for others. It does not if its client does not wait for the copy.
  func waitsForLargeWrites(_ bytes: Span<UInt8>) -> Bool {
    guard bytes.count >= SessionInput.largeCommandBytes, largeWriteBytes == 0,
      instance.configuration.writeAcknowledgement == .both
    else { return false }
    guard server.largeWrites.begin(self, bytes: bytes.count) else {
      state.hold(for: .largeWrites)
      return true
    }
    largeWriteBytes = bytes.count
    return false
  }

  /// Executes a large command, which has waited for others.
  private func largeWriteMayBegin(_ bytes: Int) {
    largeWriteBytes = bytes
    release(from: .largeWrites)
  }

  /// Begins the next large commands, if one of this session's has ended.
  func endLargeWrite() {
    guard largeWriteBytes > 0 else { return }
    var ended = largeWriteBytes
    largeWriteBytes = 0
    while let next = server.largeWrites.end(ended) {
      next.session.largeWriteMayBegin(next.bytes)
      ended = 0
    }
  }
}
