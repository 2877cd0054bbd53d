internal import Hiredis
internal import MultiStore
internal import RESP

/// Which database a client's commands are executed in.
extension Session {
  /// SELECT. Nothing is in flight, and nothing else is executed until it is known whether there is such a database.
  func select(_ argument: Span<UInt8>) {
    guard let database = argument.canonicalDecimal else {
      return output.appendError("ERR value is not an integer or out of range")
    }
    guard database == multiStore.database || !watch.isOpen else {
      return output.appendError("ERR MultiStore: another database can't be selected while keys are watched")
    }
    execute {
      multiStore.select(database) { [self] result in
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

  /// Has what the client says next executed in another database. Its own connection belonged to the one before.
  func use(_ selected: MultiStore) {
    guard selected !== multiStore else { return }
    releaseDedicated()
    multiStore = selected
  }

  /// The error reply for a command whose connection failed.
  func clientError(_ failure: ConnectionFailure, over connection: HiredisConnection?) -> String {
    let store = connection.flatMap { multiStore.store(owning: $0) } ?? multiStore.defaultStore
    return failure.clientError(store: store.role)
  }
}
