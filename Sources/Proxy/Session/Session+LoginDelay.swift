internal import RESP

/// Logins that have to wait after a wrong password from the same network.
extension Session {
  /// Whether a command with a password has to stay in the input for now; it is resumed in its turn.
  func waitsForLogin(_ spec: CommandSpec, argumentCount: Int) -> Bool {
    let hasPassword = spec.id == .auth || spec.id == .hello && argumentCount > 2
    guard hasPassword, server.credentials != nil, !server.logins.mayTry(self) else { return false }
    state.hold(for: .login)
    return true
  }

  /// Resumes the command with a password.
  func loginMayBeTried() {
    release(from: .login)
  }

  /// Closes a client that has ended while its login waited: it would count towards `max_clients` although it no longer
  /// waits for the login.
  func abandonLogin() {
    guard server.logins.remove(self) else { return }
    state.release(from: .login)
    closeAfterReplies()
  }
}
