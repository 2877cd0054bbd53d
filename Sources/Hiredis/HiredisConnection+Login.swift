internal import EventLoop
internal import RESP

/// Passwords that change: those that a program prints for each connection, and those of a connection that is open.
extension HiredisConnection {
  func fetchLogin(within timeout: Duration) {
    guard let command = endpoint.passwordCommand else { preconditionFailure("there is no program to be asked") }
    // An attempt that begins early leaves the timer of the pause running.
    attemptTimer?.cancel()
    endLoginWait()
    login.wait = command.fetch(on: loop, timeout: timeout) { [unowned self] result in
      login.wait = nil
      switch result {
      case .success(let password):
        login.printedPassword = password
        perform(machine.loginDidArrive())
      case .failure(let failure):
        perform(machine.loginDidFail(failure.reason))
      }
    }
  }

  func endLoginWait() {
    login.wait?.cancel()
    login.wait = nil
  }

  /// Whether the files of the login have changed since this connection was logged in.
  var hasNewLogin: Bool { endpoint.loginFiles.map { $0 != login.usedFiles } ?? false }

  /// Logs in again on the connection that is ready, with the login that the file or the program has now: the store has
  /// another one, or will have. The commands that it has refused until then were not executed, and have its error.
  ///
  /// - Parameter isRequired: whether the store executes nothing without it. Otherwise the connection stays as it is if
  ///   the login is refused: a store may get a new password later than the file.
  func logInAgain(isRequired: Bool = false) {
    guard machine.isReady, !isPushing, !login.isRenewing else { return }
    login.isRenewing = true
    guard let command = endpoint.passwordCommand else { return authenticate(isRequired: isRequired) }
    command.forget()
    endLoginWait()
    let epoch = epoch
    login.wait = command.fetch(on: loop, timeout: limits.connectTimeout) { [unowned self] result in
      login.wait = nil
      guard machine.isReady, self.epoch == epoch, case .success(let password) = result else {
        return login.isRenewing = false
      }
      login.printedPassword = password
      authenticate(isRequired: isRequired)
    }
  }

  private func authenticate(isRequired: Bool) {
    let files = endpoint.loginFiles
    guard let words = endpoint.withCurrentLogin(printed: login.printedPassword).authentication else {
      return login.isRenewing = false
    }
    let command = CommandWriter.command(words)
    // Without room it is tried again later.
    guard hasRoom(commands: 1, bytes: command.count) else { return login.isRenewing = false }
    send(command.span, to: RenewedLogin(of: self, with: files, isRequired: isRequired), token: 0, isCounted: false)
  }

  fileprivate func didLogInAgain(with files: LoginFileIdentities?) {
    login.isRenewing = false
    login.usedFiles = files
  }

  fileprivate func loginWasRefused(with files: LoginFileIdentities?, isRequired: Bool, _ detail: String) {
    login.isRenewing = false
    // The next attempt reads the login once more.
    if isRequired { return context?.abort(.abandoned(.authenticationRejected, detail: detail)) ?? () }
    guard login.refusedFiles != files else { return }
    login.refusedFiles = files
    delegate?.connection(self, keepsFormerLogin: detail)
  }
}

/// Gets the reply to the AUTH of a connection that was ready already.
private final class RenewedLogin: ReplyReceiver {
  /// Alive when a reply comes, which it receives itself.
  private unowned let connection: HiredisConnection
  private let files: LoginFileIdentities?
  private let isRequired: Bool

  init(of connection: HiredisConnection, with files: LoginFileIdentities?, isRequired: Bool) {
    self.connection = connection
    self.files = files
    self.isRequired = isRequired
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    guard reply.kind == .error else { return connection.didLogInAgain(with: files) }
    let detail = String(decoding: reply.bytes.array, as: UTF8.self)
    connection.loginWasRefused(with: files, isRequired: isRequired, detail)
  }

  /// The connection is lost, and its successor logs in.
  func receive(failure: ConnectionFailure, token: Int) {}
}
