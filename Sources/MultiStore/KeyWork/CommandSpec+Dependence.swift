internal import RESP

/// How the outcome of a command depends on what its keys hold.
extension CommandSpec {
  /// Whether `command` makes of its keys, or removes, whatever they held before, and answers nothing of that.
  func replacesBlindly(_ command: Span<UInt8>) -> Bool {
    guard traits.contains(.replacesKeys), keys != .none else { return false }
    switch effect {
    case .setWithExpiry: return SetOptions(command, from: 3).replaceBlindly
    case .setex, .psetex: return true
    case .verbatim: return id != .getdel && id != .getset
    default: return false
    }
  }

  /// Whether `command` would do or answer something else if one of its keys were absent: what writes, or may, but for
  /// what replaces keys blindly. WATCH is what a client begins such a write with.
  func dependsOnKeys(_ command: Span<UInt8>) -> Bool {
    guard keys != .none else { return false }
    switch commandClass(ofCommand: command) {
    case .write: return !replacesBlindly(command)
    case .script, .blocking, .transaction: return true
    case .read, .keyspaceRead, .pubsub, .connection, .unlisted: return false
    }
  }

  /// Whether a command of this line may depend on its keys.
  var mayDependOnKeys: Bool {
    guard keys != .none else { return false }
    switch commandClass {
    case .write: return !traits.contains(.replacesKeys) || effect != .verbatim || id == .getdel || id == .getset
    case .script, .blocking, .transaction: return true
    case .read: return classByOptions == .blocking
    case .keyspaceRead, .pubsub, .connection, .unlisted: return false
    }
  }
}
