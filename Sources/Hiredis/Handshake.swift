internal import RESP

/// A connection that ended on this side while the store may still have commands of it to read.
struct Orphan: Equatable {
  /// The server's number of the connection, as CLIENT ID says.
  let clientID: Int
  /// The server's `run_id`: another process numbers its connections anew.
  let runID: String
}

/// The commands of a fresh connection before any command of a client: log in, choose the database, give the connection
/// a name, ask who the server is, and ask whether it serves data yet.
///
/// All of them are sent at once and cost one round trip. Another one is needed after a connection was lost with
/// commands in flight: the same server is told to close that connection too, before it can execute them over newer
/// writes. It decides only; the connection sends and receives.
struct Handshake {
  private enum Step {
    case authenticate, select, setName, info, clientID, prepare, ping, killOrphan
  }

  /// What to do after a reply.
  enum Outcome {
    case unfinished
    /// One more command is to be sent, whose reply is expected.
    case proceed([UInt8])
    case ready(ServerIdentity)
    case failed(ConnectionDownReason.Kind, detail: String)
  }

  private var steps: ArraySlice<Step>
  private var identity: ServerIdentity
  /// The connection's number at the server, if that was asked for and is known.
  private(set) var clientID: Int?
  /// The commands to be sent at once, one per expected reply.
  let commands: [[UInt8]]
  /// Nil once the server was told to close it.
  private var orphan: Orphan?

  /// True when no reply is expected any more.
  var isFinished: Bool { steps.isEmpty }

  init(endpoint: StoreEndpoint, preparation: [[String]], asksForClientID: Bool, orphan: Orphan? = nil) {
    self.orphan = orphan
    var script: [(Step, [String])] = []
    if let password = endpoint.password {
      script.append((.authenticate, ["AUTH"] + (endpoint.username.map { [$0] } ?? []) + [password]))
    }
    if endpoint.database != 0 { script.append((.select, ["SELECT", String(endpoint.database)])) }
    script.append((.setName, ["CLIENT", "SETNAME", "multistore-exporter"]))
    script.append((.info, ["INFO", "server"]))
    if asksForClientID { script.append((.clientID, ["CLIENT", "ID"])) }
    script += preparation.map { (.prepare, $0) }
    // Unlike the others, PING is refused while a server loads its data.
    script.append((.ping, ["PING"]))
    steps = script.map(\.0)[...]
    commands = script.map { Self.encode($0.1) }
    identity = ServerIdentity(runID: nil, version: nil, flavour: .redis, database: endpoint.database)
  }

  /// Judges the reply to the command whose turn it is.
  ///
  /// - Precondition: a reply is expected.
  mutating func receive(_ reply: borrowing Reply) -> Outcome {
    guard let step = steps.popFirst() else { preconditionFailure("a reply came after the handshake was finished") }
    if reply.kind == .error {
      let text = Self.text(reply)
      if let failure = Self.judge(error: text, step: step) { return failure }
    } else if step == .info {
      identity = ServerIdentity(info: Self.text(reply)[...], database: identity.database)
    } else if step == .clientID, reply.kind == .integer {
      clientID = reply.integer
    }
    guard steps.isEmpty else { return .unfinished }
    guard let orphan, orphan.runID == identity.runID else { return .ready(identity) }
    self.orphan = nil
    steps = [.killOrphan]
    return .proceed(Self.encode(["CLIENT", "KILL", "ID", String(orphan.clientID)]))
  }

  /// Nil when the connection can be used in spite of the error.
  private static func judge(error text: String, step: Step) -> Outcome? {
    if step == .prepare || step == .clientID || step == .killOrphan { return nil }
    let code = text.prefix { $0 != " " }
    if step == .select, code != "NOAUTH", code != "LOADING" { return .failed(.databaseRejected, detail: text) }
    if code == "NOAUTH" || step == .authenticate { return .failed(.authenticationRejected, detail: text) }
    // A user that may not do these things may still do what the application needs; an old or restricted server may not
    // know them.
    let isOptional = step == .setName || step == .info || step == .ping
    if isOptional, code == "NOPERM" || code == "ERR" { return nil }
    return step == .setName ? nil : .failed(.refused, detail: text)
  }

  private static func text(_ reply: borrowing Reply) -> String {
    reply.bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
  }

  private static func encode(_ arguments: [String]) -> [UInt8] {
    var buffer = ByteBuffer()
    buffer.appendArrayHeader(arguments.count)
    for argument in arguments { buffer.appendBulk(argument) }
    return buffer.bytes
  }
}
