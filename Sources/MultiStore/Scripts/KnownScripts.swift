internal import Hiredis
internal import RESP

/// The scripts that clients have loaded into the default store, so that they can be loaded into the next one too: a
/// client that loads a script once and then calls it by its digest would get NOSCRIPT after a flip. Loop-confined.
struct KnownScripts {
  /// The most scripts: more than any application has by design. Applications that generate a script for each call never
  /// call it again.
  static let maxCount = 1_000
  static let maxBytes = 4 << 20

  /// A script with the facts about its text.
  struct Script {
    let id: ScriptID
    let body: [UInt8]
    /// The reason why it can't be executed on both stores; see ``ScriptText/unrepeatable``.
    let unrepeatable: String?

    init(_ body: Span<UInt8>) {
      id = ScriptID(ofText: body)
      self.body = body.array
      unrepeatable = ScriptText(body).unrepeatable
    }
  }

  private var scripts: [ScriptID: Script] = [:]
  private var byteCount = 0
  /// The identities by hashes of the bodies, so that a known script is found without a copy of it.
  private var ids: [Int: ScriptID] = [:]

  /// Records the effect of a client's command on the scripts.
  ///
  /// - Returns: false if its script had to be left out because there are too many.
  mutating func note(_ command: Span<UInt8>, _ spec: CommandSpec) -> Bool {
    guard spec.commandClass == .script else { return true }
    if spec.id == .scriptFlush {
      removeAll()
      return true
    }
    guard let place = Self.place(ofTextIn: spec), let body = ArgumentCursor(command).argument(at: place) else {
      return true
    }
    return insert(body)
  }

  /// The script that a command runs or loads; nil if its text is not known.
  func script(of command: Span<UInt8>, _ spec: CommandSpec) -> Script? {
    if let place = Self.place(ofTextIn: spec) {
      guard let body = ArgumentCursor(command).argument(at: place) else { return nil }
      return ids[Self.hash(body)].flatMap { scripts[$0] } ?? Script(body)
    }
    guard spec.id == .evalSHA, let digits = ArgumentCursor(command).argument(at: 1) else { return nil }
    return ScriptID(hexadecimal: digits).flatMap { scripts[$0] }
  }

  /// The index of the argument with a script's text.
  private static func place(ofTextIn spec: CommandSpec) -> Int? {
    switch spec.id {
    case .eval, .evalReadOnly: 1
    case .scriptLoad: 2
    default: nil
    }
  }

  /// Begins to load all scripts into `store`.
  func beginLoad(into store: Store, of instance: Instance) -> ScriptLoad {
    ScriptLoad(Array(scripts.values), into: store, of: instance)
  }

  /// Loads the scripts but those that are `loaded` into `store`, over each connection that may get a call of one next.
  func load(into store: Store, except loaded: Set<ScriptID> = []) {
    let missing = scripts.values.filter { !loaded.contains($0.id) }
    guard !missing.isEmpty else { return }
    _ = store.isolated
    for script in missing {
      for connection in store.sharedConnections { Self.load(script, over: connection) }
    }
  }

  /// Loads a script over a connection that may get a call of it next.
  ///
  /// - Parameters:
  ///   - receiver: gets the reply, with `token`.
  ///   - isCounted: whether the command has a deadline, and counts as one that was sent to the store.
  static func load(
    _ script: Script,
    over connection: HiredisConnection,
    for receiver: any ReplyReceiver = DiscardedReplies.shared,
    token: Int = 0,
    isCounted: Bool = true
  ) {
    var command = ByteBuffer(minimumCapacity: script.body.count + 64)
    command.appendCommand(expecting: 3) { command in
      command.append("SCRIPT")
      command.append("LOAD")
      command.append(script.body.span)
    }
    connection.send(command.span, to: receiver, token: token, isCounted: isCounted)
  }

  /// - Returns: false if there are too many.
  private mutating func insert(_ body: Span<UInt8>) -> Bool {
    let hash = Self.hash(body)
    guard ids[hash] == nil else { return true }
    guard scripts.count < Self.maxCount, byteCount + body.count <= Self.maxBytes else { return false }
    let script = Script(body)
    ids[hash] = script.id
    scripts[script.id] = script
    byteCount += body.count
    return true
  }

  private static func hash(_ body: Span<UInt8>) -> Int {
    var hasher = Hasher()
    // The pointer is used within the call, for reading.
    unsafe body.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    return hasher.finalize()
  }

  private mutating func removeAll() {
    scripts = [:]
    ids = [:]
    byteCount = 0
  }
}
