internal import RESP

/// Logins that have to wait because others from the same network had a wrong password.
extension Session {
  /// True when a command with a password has to stay in the input for now; it is taken up again when its turn has come.
  func waitsForLogin(_ spec: CommandSpec, argumentCount: Int) -> Bool {
    let hasPassword = spec.id == .auth || spec.id == .hello && argumentCount > 2
    guard hasPassword, server.credentials != nil, !server.logins.mayTry(self) else { return false }
    state.hold(for: .login)
    return true
  }

  /// The command with a password may be taken up again.
  func loginMayBeTried() {
    release(from: .login)
  }

  /// Closes a client that has ended while its login waited: it would keep its place among `max_clients` for a password
  /// that nobody waits for any more.
  func abandonLogin() {
    guard server.logins.remove(self) else { return }
    state.release(from: .login)
    closeAfterReplies()
  }
}
