internal import BasicContainers
internal import Hiredis
internal import RESP

/// Scripts that both stores execute; see ``ScriptExecution``.
///
/// A script on a store that lacks one of its keys would leave a fragment. So each store is asked right before it how
/// many of the keys that it names are there: if they differ, those are copied whole afterwards.
extension PipelineExecution {
  /// Whether the command at `index` is a script that both stores execute.
  func runsOnBoth(_ index: Int) -> Bool { core.database.instance.runsOnBoth(core.batch.spec(index), core.routing) }

  /// Announces that the keys of a transaction with scripts are copied whole. It is executed on another connection than
  /// the commands of other clients: its position among those is not known.
  func announceKeysOfTransaction() {
    for index in elements.indices where core.batch.commandClass(index) != .read { core.announceKeys(of: index) }
  }

  /// Asks a store how many of the script's keys are there.
  func askForPresence(of index: Int, on store: Store, over connection: HiredisConnection) {
    let spec = core.batch.spec(index)
    let token = (store === core.other ? Self.otherPresenceBit : Self.presenceBit) + index
    core.batch.withCommand(index) { command in
      var count = 0
      spec.forEachKey(ofCommand: command) { _ in count += 1 }
      guard count > 0 else { return }
      var question = ByteBuffer()
      question.appendCommand(expecting: 1 + count) { question in
        question.append("EXISTS")
        spec.forEachKey(ofCommand: command) { question.append($0) }
      }
      connection.send(question.span, to: self, token: token)
    }
  }

  /// The room that the questions about scripts need, and those that a store gets before, besides the commands
  /// themselves.
  ///
  /// - Parameter isOfOther: whether it is of the other store, which may have to load the scripts.
  func roomForScripts(isOfOther: Bool) -> (commands: Int, bytes: Int) {
    guard core.database.configuration.scripts == .runOnBoth else { return (0, 0) }
    var room = (commands: 0, bytes: 0)
    for index in elements.indices where runsOnBoth(index) {
      room.commands += isOfOther ? 2 : 1
      let spec = core.batch.spec(index)
      core.batch.withCommand(index) { command in
        // Its keys once more, each with a header.
        spec.forEachKey(ofCommand: command) { room.bytes += $0.count + 32 }
        room.bytes += 64
        if isOfOther, spec.id == .evalSHA {
          room.bytes += core.database.instance.scripts.script(of: command, spec)?.body.count ?? 0
        }
      }
    }
    return room
  }

  /// Asks about all scripts of a transaction before it begins.
  func askForPresences(on store: Store, over connection: HiredisConnection) {
    for index in elements.indices where runsOnBoth(index) { askForPresence(of: index, on: store, over: connection) }
  }

  /// Takes the default store's answer.
  func presenceIsKnown(_ reply: borrowing Reply, of index: Int) {
    if reply.kind == .integer { presences[index] = reply.integer }
  }

  /// Takes the other store's answer.
  func otherPresenceIsKnown(_ reply: borrowing Reply, of index: Int) {
    if reply.kind == .integer, reply.integer != presences[index] { incomplete.insert(index) }
  }

  /// The meaning of the other store's reply to a script. One that failed on the default store fails there as well.
  func scriptAnswer(_ reply: borrowing Reply, to index: Int) -> EffectCopy.Answer? {
    if reply.kind == .error {
      guard reply.knownErrorCode != .noScript else {
        core.other.server.loadedScripts = []
        return .refused
      }
      let start = replyStart(of: index)
      let hasFailed = elements[index].digest < 0 && replies.withSpan { $0[start] == UInt8(ascii: "-") }
      guard hasFailed, !reply.isErrorOfStore else { return .refused }
    }
    return incomplete.contains(index) ? .hadOtherKeys : .executed
  }

  /// Prepares the other store for the scripts that it gets.
  func prepareScripts(over connection: HiredisConnection) {
    guard core.database.configuration.scripts == .runOnBoth else { return }
    for index in elements.indices where elements[index].effect.form != nil && runsOnBoth(index) {
      loadScript(of: index, over: connection)
      if kind == .multi, presences[index] != nil { askForPresence(of: index, on: core.other, over: connection) }
    }
  }

  /// Loads a script that is called by its digest, unless the store has got it.
  private func loadScript(of index: Int, over connection: HiredisConnection) {
    let spec = core.batch.spec(index)
    guard spec.id == .evalSHA else { return }
    let instance = core.database.instance
    guard let script = core.batch.withCommand(index, { instance.scripts.script(of: $0, spec) }),
      core.other.server.loadedScripts.insert(script.id).inserted
    else { return }
    KnownScripts.load(script, over: connection)
  }

  /// Notes that a script was not executed on the other store as it was on the default one. The keys that it names are
  /// copied, and nobody knows of others.
  func scriptDiffered(at index: Int) {
    core.batch.withCommand(index) { core.other.markStale($0, core.batch.spec(index), because: .difference) }
    core.database.instance.keyQueue.wake()
    core.database.instance.mayDiffer()
  }
}
