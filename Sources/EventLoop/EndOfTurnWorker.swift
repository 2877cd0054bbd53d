/// An object that is called once at the end of each loop turn that it registered for.
public protocol EndOfTurnWorker: AnyObject {
  /// Writes the output that was gathered: everything that was readable in this turn has been handled. It may register
  /// more workers, which run before the loop polls its sockets again.
  func endOfTurn()
}
