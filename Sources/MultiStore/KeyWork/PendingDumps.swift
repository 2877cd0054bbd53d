internal import RESP

/// The keys that will be copied whole with a dump that the default store has not answered, and which will contain
/// everything that it executes until then. Until the copy is there, the other store has the value from before, so it
/// does not get commands that build on it. Loop-confined.
struct PendingDumps {
  private var copies: [[UInt8]: KeyCopy] = [:]
  /// The number of copies of each key that will begin when the other store has answered earlier commands.
  private var announced: [[UInt8]: Int] = [:]

  @inline(__always)
  var isEmpty: Bool { copies.isEmpty && announced.isEmpty }

  /// The copy of a key that has begun, and whose dump has not arrived.
  subscript(key: [UInt8]) -> KeyCopy? { copies[key] }

  mutating func insert(_ copy: KeyCopy) {
    copies[copy.key] = copy
  }

  /// Removes a copy whose dump has arrived, since later writes are not in it.
  mutating func remove(_ copy: KeyCopy) {
    if copies[copy.key] === copy { copies[copy.key] = nil }
  }

  /// Notes that a copy of `key` will begin.
  mutating func announce(_ key: [UInt8]) { announced[key, default: 0] += 1 }

  /// Notes that a copy that was announced has begun, or will not.
  mutating func withdraw(_ key: [UInt8]) {
    guard let count = announced[key] else { preconditionFailure("a copy is withdrawn that was not announced") }
    announced[key] = count > 1 ? count - 1 : nil
  }

  /// Whether one of the keys of `command` waits for its dump, which the other store will get.
  func hasKey(of command: Span<UInt8>, _ spec: CommandSpec) -> Bool {
    guard !isEmpty else { return false }
    return spec.hasKey(ofCommand: command) {
      let key = $0.array
      return copies[key] != nil || announced[key] != nil
    }
  }
}
