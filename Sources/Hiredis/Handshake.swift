internal import RESP

/// A connection that ended on this side while the store may still have commands of it to read.
struct Orphan: Equatable {
  /// The server's number of the connection, as CLIENT ID says.
  let clientID: Int
  /// The server's `run_id`: another process numbers its connections from 1 again.
  let runID: String
}

/// The commands of a new connection before any command of a client: log in, select the database, name the connection,
/// identify the server, and check whether it serves data yet.
///
/// A server that executes a script refuses most of them with BUSY, after a time of silence. Those are repeated
/// until the script has ended.
///
/// All of them are sent at once and take one round trip. Another one is needed after a connection was lost with
/// commands in flight: the same server has to close that connection too, before it can execute them over newer writes.
/// This type decides only; the connection sends and receives.
struct Handshake {
  private enum Step {
    case authenticate, role, select, setName, info, greet, clientID, replication, keyCount, prepare, ping, killOrphan
  }

  private struct Request {
    let step: Step
    let command: [UInt8]
  }

  /// The parts of a reply that a handshake uses.
  enum Answer: Equatable {
    case error(String)
    case integer(Int)
    /// A status, a string, or the one that an array begins with; empty for other kinds.
    case text(String)
    /// HELLO's: the modules in it, as RESP2.
    case greeting(modules: [UInt8])

    init(_ reply: borrowing Reply) {
      let text = reply.bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
      self =
        switch reply.kind {
        case .error: .error(text)
        case .integer: .integer(reply.integer)
        case .array where reply.count > 0 && reply[0].bytes.hasSameBytes(as: "server"):
          .greeting(modules: Self.modules(in: reply))
        case .array where reply.count > 0:
          .text(reply[0].bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) })
        case .status, .string, .nil, .array: .text(text)
        }
    }

    /// Returns the value of the field `modules`; an empty array if there is none.
    private static func modules(in greeting: borrowing Reply) -> [UInt8] {
      var buffer = ByteBuffer()
      for index in stride(from: 0, to: greeting.count - 1, by: 2)
      where greeting[index].bytes.hasSameBytes(as: "modules") {
        greeting[index + 1].encode(into: &buffer)
      }
      if buffer.isEmpty { buffer.appendArrayHeader(0) }
      return buffer.bytes
    }
  }

  /// The step after a reply.
  enum Outcome {
    case unfinished
    /// More commands are to be sent, whose replies are expected.
    case proceed([UInt8])
    /// The server is busy, as this error reply says. ``repetition()`` follows after a pause.
    case busy(errorReply: String)
    case ready(ServerIdentity)
    case failed(ConnectionDownReason.Kind, detail: String)
  }

  /// The commands that were sent and not answered.
  private var awaited: ArraySlice<Request>
  /// The commands that a busy server refused.
  private var refused: [Request] = []
  /// Whether the server has replied to any command.
  private(set) var hasReplies = false
  private let options: HandshakeOptions
  private var identity: ServerIdentity
  /// The connection's number at the server, if that was asked for and is known.
  private(set) var clientID: Int?
  /// The commands to be sent at once, one per expected reply.
  let commands: [[UInt8]]
  /// Nil once the command to close it was returned.
  private var orphan: Orphan?

  init(endpoint: StoreEndpoint, _ options: HandshakeOptions, orphan: Orphan? = nil) {
    self.options = options
    self.orphan = orphan
    var script: [(Step, [String])] = []
    if let command = endpoint.authentication { script.append((.authenticate, command)) }
    if endpoint.hasSentinels { script.append((.role, ["ROLE"])) }
    if endpoint.database != 0 { script.append((.select, ["SELECT", String(endpoint.database)])) }
    script.append((.setName, ["CLIENT", "SETNAME", "multistore-exporter"]))
    script.append((.info, ["INFO", "server"]))
    if options.asksForModules { script.append((.greet, ["HELLO"])) }
    if options.asksForClientID { script.append((.clientID, ["CLIENT", "ID"])) }
    if options.asksForKeyCount { script += [(.replication, ["ROLE"]), (.keyCount, ["DBSIZE"])] }
    script += options.preparation.map { (.prepare, $0) }
    // Unlike the others, PING is refused while a server loads its data.
    script.append((.ping, ["PING"]))
    let requests = script.map { Request(step: $0.0, command: CommandWriter.command($0.1)) }
    awaited = requests[...]
    commands = requests.map(\.command)
    identity = ServerIdentity(runID: nil, version: nil, flavour: .redis, database: endpoint.database)
  }

  /// Whether no reply is expected.
  var isAnswered: Bool { awaited.isEmpty }

  /// Judges the reply to the oldest command without one.
  ///
  /// - Precondition: a reply is expected.
  mutating func receive(_ answer: Answer) -> Outcome {
    guard let request = awaited.popFirst() else {
      preconditionFailure("a reply came after the handshake was finished")
    }
    hasReplies = true
    let step = request.step
    switch (answer, step) {
    case (.error(let text), _) where ServerErrorCode(errorReply: text) == .busy:
      guard !options.toleratesBusyServer else { break }
      refused.append(request)
      if awaited.isEmpty { return .busy(errorReply: text) }
    case (.error(let text), _):
      if let failure = Self.judge(error: text, step: step) { return failure }
    case (.text(let role), .role) where role != "master":
      return .failed(
        .refused,
        detail: "the server is no master, as its ROLE says (\(role)); the sentinels are asked again"
      )
    case (.text(let text), .info):
      let before = identity
      identity = ServerIdentity(info: text[...], database: identity.database)
      identity.isReplica = before.isReplica
      identity.keyCount = before.keyCount
      identity.modules = before.modules
      if let mismatch = sentinelMismatch { return .failed(.refused, detail: mismatch) }
    case (.text(let role), .replication):
      identity.isReplica = role == "slave" || role == "replica"
    case (.integer(let count), .keyCount):
      identity.keyCount = count
    case (.greeting(let modules), .greet):
      identity.modules = modules
    case (.integer(let number), .clientID):
      clientID = number
    default: break
    }
    guard awaited.isEmpty else { return .unfinished }
    // The script has ended between two of the replies.
    guard refused.isEmpty else { return .proceed(repetition()) }
    guard let orphan, orphan.runID == identity.runID else { return .ready(identity) }
    self.orphan = nil
    let kill = CommandWriter.command("CLIENT", "KILL", "ID", String(orphan.clientID))
    awaited = [Request(step: .killOrphan, command: kill)]
    return .proceed(kill)
  }

  /// The mistake if the server is a sentinel and should be none, or the other way round; nil if INFO does not say.
  private var sentinelMismatch: String? {
    switch (identity.isSentinel, options.expectsSentinel) {
    case (true?, false):
      "the server is a sentinel; write sentinel: { master: NAME, nodes: [host:port, …] } in place of url"
    case (false?, true): "the server is no sentinel; sentinels have port 26379 by default"
    default: nil
    }
  }

  /// Whether a busy server has refused commands, and none is in flight.
  var isRefused: Bool { awaited.isEmpty && !refused.isEmpty }

  /// Returns the commands that a busy server has refused, to be sent again, one after the other.
  mutating func repetition() -> [UInt8] {
    awaited = refused[...]
    refused = []
    return awaited.flatMap(\.command)
  }

  /// Returns nil if the connection can be used in spite of the error.
  private static func judge(error text: String, step: Step) -> Outcome? {
    switch step {
    case .prepare, .greet, .clientID, .replication, .keyCount, .killOrphan: return nil
    case .authenticate, .role, .select, .setName, .info, .ping: break
    }
    let code = ServerErrorCode(errorReply: text)
    if step == .select, code != .noAuthentication, code != .loading { return .failed(.databaseRejected, detail: text) }
    if code == .noAuthentication || step == .authenticate { return .failed(.authenticationRejected, detail: text) }
    // A user without the right to these commands may have those that the application needs; an old or restricted server
    // may not know them.
    if step == .role, code == .noPermission {
      return .failed(
        .refused,
        detail: "\(text); ROLE shows that the server is the master: allow +role to the store's user"
      )
    }
    let isOptional = step == .setName || step == .info || step == .ping
    if isOptional, code == .noPermission || code == .generic { return nil }
    return step == .setName ? nil : .failed(.refused, detail: text)
  }
}
