internal import CoreMetrics
internal import Hiredis
internal import RESP

/// Scripts that a store has to know before it becomes the default.
extension Instance {
  /// A client's command is about to be sent: if it brings a script, that is remembered.
  func noteScript(in command: Span<UInt8>, _ spec: CommandSpec) {
    guard spec.commandClass == .script, hasPrimary else { return }
    let place: Int
    switch spec.id {
    case .eval, .evalReadOnly: place = 1
    case .scriptLoad: place = 2
    case .scriptFlush: return scripts.removeAll()
    default: return
    }
    guard let body = ArgumentCursor(command).argument(at: place) else { return }
    if !scripts.insert(body) { metrics.scriptsNotRemembered.increment() }
  }

  /// Gives `store` all scripts, over each connection that may be asked for one next.
  func loadScripts(into store: Store) {
    for body in scripts.bodies {
      var command = ByteBuffer(minimumCapacity: body.count + 64)
      command.appendCommand(expecting: 3) { command in
        command.append("SCRIPT")
        command.append("LOAD")
        command.append(body.span)
      }
      for connection in [store.ordinary, store.isolated] {
        connection.send(command.span, to: DiscardedReplies.shared, token: 0)
      }
    }
  }
}
