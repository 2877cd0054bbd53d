internal import Hiredis
internal import RESP

extension Reply {
  /// Whether it is an error for which the store's state or its user's rights are the reason: another store may execute
  /// the same command.
  var isErrorOfStore: Bool {
    guard kind == .error, let code = knownErrorCode else { return false }
    return code.isOfServer || code == .noPermission
  }

  /// Whether this is an error that the command or its key leads to: another type, a syntax error, an element that is no
  /// number. After a miss of the other store it shows that this one has the key.
  ///
  /// False for the errors of a server that can't execute the command, of which each has a code of its own, or does not
  /// know it because of its version.
  var isErrorOfCommand: Bool {
    guard kind == .error else { return false }
    switch knownErrorCode {
    case .wrongType: return true
    // "unknown command", and "unknown subcommand", with a capital before 7.0.
    case .generic: return !String(decoding: bytes.array, as: UTF8.self).lowercased().hasPrefix("err unknown ")
    default: return false
    }
  }
}
