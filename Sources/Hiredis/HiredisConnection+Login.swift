internal import RESP

/// Passwords that change: those that a program prints for each connection, and those of a connection that is open.
extension HiredisConnection {
  func fetchLogin(within timeout: Duration) {
    guard let command = endpoint.passwordCommand else { preconditionFailure("there is no program to be asked") }
    loginWait = command.fetch(on: loop, timeout: timeout) { [unowned self] result in
      loginWait = nil
      switch result {
      case .success(let password):
        printedPassword = password
        perform(machine.loginDidArrive())
      case .failure(let failure):
        perform(machine.loginDidFail(failure.reason))
      }
    }
  }

  func endLoginWait() {
    loginWait?.cancel()
    loginWait = nil
  }

  /// Logs in again on the connection that is ready, with the login that the file or the program has now: the store has
  /// another one, or will have. The commands that it has refused until then were not executed, and have its error.
  func logInAgain() {
    guard machine.isReady, !isPushing, !isLoggingInAgain else { return }
    isLoggingInAgain = true
    guard let command = endpoint.passwordCommand else { return authenticate() }
    command.forget()
    endLoginWait()
    let epoch = epoch
    loginWait = command.fetch(on: loop, timeout: limits.connectTimeout) { [unowned self] result in
      loginWait = nil
      guard machine.isReady, self.epoch == epoch, case .success(let password) = result else {
        return isLoggingInAgain = false
      }
      printedPassword = password
      authenticate()
    }
  }

  private func authenticate() {
    guard let words = endpoint.withCurrentLogin(printed: printedPassword).authentication else {
      return isLoggingInAgain = false
    }
    let command = CommandWriter.command(words)
    send(command.span, to: RenewedLogin(of: self), token: 0, isCounted: false)
  }

  fileprivate func didLogInAgain(_ isAccepted: Bool, _ detail: String) {
    isLoggingInAgain = false
    guard !isAccepted else { return }
    // The next attempt reads the login once more.
    context?.abort(.abandoned(.authenticationRejected, detail: detail))
  }
}

/// Gets the reply to the AUTH of a connection that was ready already.
private final class RenewedLogin: ReplyReceiver {
  /// Alive when a reply comes, which it receives itself.
  private unowned let connection: HiredisConnection

  init(of connection: HiredisConnection) {
    self.connection = connection
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    let detail = reply.kind == .error ? String(decoding: reply.bytes.array, as: UTF8.self) : ""
    connection.didLogInAgain(reply.kind != .error, detail)
  }

  /// The connection is lost, and its successor logs in.
  func receive(failure: ConnectionFailure, token: Int) {}
}
