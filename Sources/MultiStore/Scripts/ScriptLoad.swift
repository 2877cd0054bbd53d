internal import Hiredis

/// Loads the clients' scripts into the store that is to become the default one, while commands wait for the move. A
/// server has one set of scripts: once it has confirmed one, a call of it may come over any connection.
///
/// The connection retains it until the last reply. Loop-confined.
final class ScriptLoad: ReplyReceiver {
  /// The scripts that the store has confirmed.
  private(set) var loaded: Set<ScriptID> = []
  private let ids: [ScriptID]
  private var left: Int
  private unowned let instance: Instance

  /// Whether the store has not answered everything.
  var isInFlight: Bool { left > 0 }

  /// Sends all scripts. They have no deadline: the move does not wait for longer than the hold.
  init(_ scripts: [KnownScripts.Script], into store: Store, of instance: Instance) {
    self.instance = instance
    ids = scripts.map(\.id)
    left = scripts.count
    for (index, script) in scripts.enumerated() {
      KnownScripts.load(script, over: store.ordinary, for: self, token: index, isCounted: false)
    }
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    if reply.kind != .error { loaded.insert(ids[token]) }
    answered()
  }

  func receive(failure: ConnectionFailure, token: Int) { answered() }

  private func answered() {
    left -= 1
    if left == 0 { instance.advanceRouting() }
  }
}
