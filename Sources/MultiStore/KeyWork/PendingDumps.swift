internal import RESP

/// The copies of keys whose dump has not arrived, and will contain everything that the default store executes until
/// then. Loop-confined.
struct PendingDumps {
  private var copies: [[UInt8]: KeyCopy] = [:]

  subscript(key: [UInt8]) -> KeyCopy? { copies[key] }

  mutating func insert(_ copy: KeyCopy) {
    copies[copy.key] = copy
  }

  /// Removes a copy whose dump has arrived, since later writes are not in it.
  mutating func remove(_ copy: KeyCopy) {
    if copies[copy.key] === copy { copies[copy.key] = nil }
  }

  /// Whether one of the keys of `command` waits for its dump, which the other store will get.
  func hasKey(of command: Span<UInt8>, _ spec: CommandSpec) -> Bool {
    guard !copies.isEmpty else { return false }
    return spec.hasKey(ofCommand: command) { copies[$0.array] != nil }
  }
}
