internal import RESP

/// The keys that are being copied to a store as a whole, each with its copies, which may be several. Until a copy is
/// there, the store has the old value. Loop-confined.
struct KeysBeingCopied {
  private var copies: [[UInt8]: [KeyCopy]] = [:]

  var isEmpty: Bool { copies.isEmpty }

  func contains(_ key: Span<UInt8>) -> Bool {
    !copies.isEmpty && copies[key.array] != nil
  }

  /// Whether one of the keys of `command` is being copied.
  func hasKey(of command: Span<UInt8>, _ spec: CommandSpec) -> Bool {
    guard !copies.isEmpty else { return false }
    return spec.hasKey(ofCommand: command) { copies[$0.array] != nil }
  }

  /// Whether a client's command that replaces the key is under way.
  func isBeingReplaced(_ key: [UInt8]) -> Bool { copies[key]?.contains { $0.verb == .replace } == true }

  /// All copies, in no order.
  var all: [KeyCopy] { copies.values.flatMap { $0 } }

  /// The copy of a key that began last and has not ended; nil if there is none.
  func latest(of key: [UInt8]) -> KeyCopy? { copies[key]?.last }

  mutating func began(_ copy: KeyCopy) {
    copies[copy.key, default: []].append(copy)
  }

  mutating func ended(_ copy: KeyCopy) {
    copies[copy.key]?.removeAll { $0 === copy }
    if copies[copy.key]?.isEmpty == true { copies[copy.key] = nil }
  }
}
