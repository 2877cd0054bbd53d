internal import RESP

/// The dependence of a command's outcome on the values of its keys.
extension CommandSpec {
  /// Whether `command` replaces or removes its keys whatever their values were, and its reply does not show these.
  func replacesBlindly(_ command: Span<UInt8>) -> Bool {
    guard traits.contains(.replacesKeys), keys != .none else { return false }
    switch effect {
    case .setWithExpiry: return SetOptions(command, from: 3).replaceBlindly
    case .setex, .psetex: return true
    case .verbatim: return id != .getdel && id != .getset
    default: return false
    }
  }

  /// Whether the effect or the reply of `command` would be another one if one of its keys were absent: true for
  /// commands that write, or may, except for those that replace keys blindly, and for WATCH, with which a client begins
  /// such a write.
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
