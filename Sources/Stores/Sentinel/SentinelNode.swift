internal import EventLoop
internal import Hiredis
internal import RESP

/// The connections to one sentinel: one that listens for failovers, and one for questions. Loop-confined.
final class SentinelNode {
  /// The time limits on connecting to a sentinel and on its answers: the next one may know.
  static let timeout = Duration.seconds(1)
  /// The longest pause between attempts to listen to a sentinel that is down.
  static let longestPause = Duration.seconds(5)

  private static let channel = "+switch-master"
  /// The most bytes of an answer or a message: a sentinel describes another one in less than a KiB.
  private static let replyLimit = 256 << 10

  let address: SocketAddress
  private unowned let locator: SentinelLocator
  /// Whether it has told its name.
  private var isIdentified = false
  private let listening: HiredisConnection
  private let asking: HiredisConnection

  init(on loop: EventLoop, endpoint: StoreEndpoint, address: SocketAddress, locator: SentinelLocator) {
    self.address = address
    self.locator = locator
    var limits = ConnectionLimits(connectTimeout: Self.timeout, commandTimeout: Self.timeout)
    limits.backoffCap = Self.longestPause
    asking = HiredisConnection(on: loop, endpoint: endpoint, limits: limits, delegate: nil)
    limits.commandTimeout = nil
    listening = HiredisConnection(on: loop, endpoint: endpoint, limits: limits, delegate: nil)
    for connection in [asking, listening] {
      connection.handshake.expectsSentinel = true
      connection.replyLimit = Self.replyLimit
    }
    listening.pushReceiver = self
    listening.connect()
  }

  deinit {
    listening.pushReceiver = nil
    listening.close()
    asking.close()
  }

  /// Whether the sentinel is listened to.
  var isListenedTo: Bool { listening.isReady }

  /// Asks where the master is, and which other sentinels there are. The locator gets the answers.
  func ask(for master: String) {
    asking.connect()
    // A sentinel that was down may be back.
    asking.retryNow()
    for kind in [SentinelQuestion.Kind.master, .sentinels] { ask(kind, [master]) }
    if !isIdentified { ask(.identity, []) }
  }

  private func ask(_ kind: SentinelQuestion.Kind, _ arguments: [String]) {
    let command = CommandWriter.command(["SENTINEL", kind.rawValue] + arguments)
    asking.send(command.span, to: SentinelQuestion(kind, at: self), token: 0)
  }

  fileprivate func didReceive(_ answer: SentinelDirectory.Answer) {
    locator.didReceive(answer, from: self)
  }

  fileprivate func didReceive(id: String) {
    isIdentified = true
    locator.didIdentify(self, as: id)
  }

  fileprivate func didReceive(_ others: [SentinelReply.Sentinel]) {
    locator.didLearn(of: others, from: self)
  }
}

extension SentinelNode: PushReceiver {
  func pushConnectionDidBecomeReady(_ connection: HiredisConnection) {
    let command = CommandWriter.command("SUBSCRIBE", Self.channel)
    _ = connection.push(command.span)
    locator.didReach(self, again: connection.epoch > 1)
  }

  func pushConnection(_ connection: HiredisConnection, didBecomeUnavailable reason: ConnectionDownReason) {}

  func pushConnection(_ connection: HiredisConnection, didReceive reply: borrowing Reply) {
    guard let message = SentinelReply.switchMessage(reply, master: locator.masterName) else { return }
    locator.masterDidSwitch(from: message.from, to: message.to, by: self)
  }
}

/// Gets the reply to one question.
private final class SentinelQuestion: ReplyReceiver {
  enum Kind: String {
    case master = "GET-MASTER-ADDR-BY-NAME"
    case sentinels = "SENTINELS"
    case identity = "MYID"
  }

  private let kind: Kind
  /// Nil once the sentinel was forgotten.
  private weak var node: SentinelNode?

  init(_ kind: Kind, at node: SentinelNode) {
    self.kind = kind
    self.node = node
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    switch kind {
    case .master: node?.didReceive(SentinelReply.master(reply))
    case .identity: if let id = SentinelReply.id(reply) { node?.didReceive(id: id) }
    case .sentinels: if let others = SentinelReply.sentinels(reply) { node?.didReceive(others) }
    }
  }

  func receive(failure: ConnectionFailure, token: Int) {
    if kind == .master { node?.didReceive(.failure("\(failure)")) }
  }
}
