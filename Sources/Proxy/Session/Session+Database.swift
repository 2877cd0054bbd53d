internal import Hiredis
internal import MultiStore
internal import RESP

/// The database that a client's commands are executed in.
extension Session {
  /// Executes SELECT. Nothing is in flight, and nothing else is executed until it is known whether the database exists.
  func select(_ argument: Span<UInt8>) {
    guard let number = argument.canonicalDecimal else {
      return output.appendError("ERR value is not an integer or out of range")
    }
    guard number == database.number || !own.watch.isOpen else {
      return output.appendError("ERR MultiStore: another database can't be selected while keys are watched")
    }
    execute {
      instance.select(number) { [self] result in
        switch result {
        case .success(let selected):
          use(selected)
          output.appendStatus("OK")
        case .failure(let refusal): output.appendError(refusal.clientError)
        }
        executionDidFinish()
      }
    }
  }

  /// Executes the client's next commands in another database. Its own connection belonged to the previous one.
  func use(_ selected: Database) {
    guard selected !== database else { return }
    own.close()
    database = selected
  }

  /// Returns the error reply for a command whose connection failed.
  func clientError(_ failure: ConnectionFailure, over connection: HiredisConnection?) -> String {
    let store = connection.flatMap { database.store(owning: $0) } ?? database.defaultStore
    return failure.clientError(store: store.role)
  }
}
