internal import CoreMetrics
public import RESP

/// The scripts and functions that clients run.
extension Instance {
  /// Whether a script with `spec` is executed on both stores, in order with other commands, rather than on the default
  /// store alone with its keys copied.
  public func runsOnBoth(_ spec: CommandSpec, _ routing: Routing) -> Bool {
    spec.commandClass == .script && spec.effect == .copyKeys && routing.isDual
      && configuration.scripts == .runOnBoth
  }

  /// Returns the refusal of a script that can't be executed on both stores; nil for all other commands.
  ///
  /// A client that calls a script by its digest gets the error of a server that does not know it, until it has sent the
  /// text.
  public func refusal(ofScript command: Span<UInt8>, _ spec: CommandSpec, _ routing: Routing) -> ScriptRefusal? {
    guard runsOnBoth(spec, routing) else { return nil }
    noteScript(in: command, spec)
    switch repeatability(of: command, spec) {
    case .repeatable: return nil
    case .unrepeatable(let name): return .unrepeatable(name)
    case .unknown where spec.id == .evalSHA: return .unknownDigest
    case .unknown:
      functions.ask(family(routing.defaultStore).first)
      return .unknownFunction
    }
  }

  /// Begins to load the clients' scripts into the store that is to become the default one. The flip waits for that, so
  /// that calls over all connections, to each database, find them.
  func beginScriptLoad(into role: StoreRole) {
    guard scriptLoad?.isInFlight != true else { return }
    let store = family(role).first
    scriptLoad = store.isReady ? scripts.beginLoad(into: store, of: self) : nil
  }

  /// Loads the scripts that the new default store has not confirmed, since it could not be reached or took too long.
  /// Calls in other databases than the first may come before them.
  func endScriptLoad(into role: StoreRole) {
    scripts.load(into: family(role).first, except: scriptLoad?.loaded ?? [])
    scriptLoad = nil
  }

  /// Whether both stores would do the same.
  func repeatability(of command: Span<UInt8>, _ spec: CommandSpec) -> KnownFunctions.Function {
    if spec.id == .functionCall { return functions.function(of: command) }
    guard let script = scripts.script(of: command, spec) else { return .unknown }
    return script.unrepeatable.map(KnownFunctions.Function.unrepeatable) ?? .repeatable
  }

  /// Remembers the script, if there is one, of a client's command that is about to be sent.
  func noteScript(in command: Span<UInt8>, _ spec: CommandSpec) {
    guard hasPrimary, spec.commandClass == .script else { return }
    if !scripts.note(command, spec) { metrics.scriptsNotRemembered.increment() }
    switch spec.id {
    // While both stores are written to, the default store's reply shows whether it has loaded the library.
    case .functionLoad: functions.note(command, isLoaded: !routingState.flip.current.isDual)
    case .functionDelete, .functionFlush, .functionRestore: functions.forget()
    case .scriptFlush:
      scriptLoad = nil
      for database in databases.all { for store in database.stores { store.server.loadedScripts = [] } }
    default: return
    }
  }
}
