internal import Hiredis
internal import RESP

/// The kinds of names that can be subscribed to, and the servers' commands for each.
enum SubscriptionKind: CaseIterable {
  case channel, pattern, shardChannel

  /// The command that begins it, as servers repeat it in a confirmation.
  var subscribe: StaticString {
    switch self {
    case .channel: "subscribe"
    case .pattern: "psubscribe"
    case .shardChannel: "ssubscribe"
    }
  }

  /// The command that ends it.
  var unsubscribe: StaticString {
    switch self {
    case .channel: "unsubscribe"
    case .pattern: "punsubscribe"
    case .shardChannel: "sunsubscribe"
    }
  }
}

/// The channels and patterns that one connection is subscribed to, as its server has confirmed them.
struct SubscribedNames: Equatable {
  /// The most bytes that the names may take: about as many as can be subscribed to again during a move without a
  /// noticeable delay.
  static let byteLimit = 16 << 20
  /// The approximate cost of a name in bytes besides its own, here and in the command that repeats it.
  private static let overhead = 64
  /// Names in one command, so that no command becomes too large.
  private static let namesPerCommand = 1024

  private var channels: Set<[UInt8]> = []
  private var patterns: Set<[UInt8]> = []
  private var shardChannels: Set<[UInt8]> = []
  /// The approximate memory of all names, in bytes.
  private(set) var byteCount = 0

  var isEmpty: Bool { channels.isEmpty && patterns.isEmpty && shardChannels.isEmpty }

  /// Whether a command of `commandBytes` bytes may be sent that begins `count` subscriptions. One that begins none may
  /// be sent however many there are.
  func admits(beginning count: Int, byteCount commandBytes: Int) -> Bool {
    let taken = count == 0 ? 0 : byteCount + count * Self.overhead
    return taken + commandBytes <= Self.byteLimit
  }

  subscript(_ kind: SubscriptionKind) -> Set<[UInt8]> {
    switch kind {
    case .channel: channels
    case .pattern: patterns
    case .shardChannel: shardChannels
    }
  }

  mutating func insert(_ name: [UInt8], _ kind: SubscriptionKind) {
    let isNew =
      switch kind {
      case .channel: channels.insert(name).inserted
      case .pattern: patterns.insert(name).inserted
      case .shardChannel: shardChannels.insert(name).inserted
      }
    if isNew { byteCount += name.count + Self.overhead }
  }

  mutating func remove(_ name: [UInt8], _ kind: SubscriptionKind) {
    let removed =
      switch kind {
      case .channel: channels.remove(name)
      case .pattern: patterns.remove(name)
      case .shardChannel: shardChannels.remove(name)
      }
    if removed != nil { byteCount -= name.count + Self.overhead }
  }

  /// Calls `send` with the commands that change a connection's subscriptions from `self` to `wanted`.
  ///
  /// - Parameter send: receives a command and the number of its confirmations.
  func forEachCommand(towards wanted: SubscribedNames, _ send: (Span<UInt8>, Int) -> Void) {
    for kind in SubscriptionKind.allCases {
      Self.forEachCommand(kind.subscribe, wanted[kind].subtracting(self[kind]), send)
      Self.forEachCommand(kind.unsubscribe, self[kind].subtracting(wanted[kind]), send)
    }
  }

  private static func forEachCommand(
    _ verb: StaticString,
    _ names: Set<[UInt8]>,
    _ send: (Span<UInt8>, Int) -> Void
  ) {
    let names = Array(names)
    var command = ByteBuffer()
    for start in stride(from: 0, to: names.count, by: namesPerCommand) {
      let chunk = names[start..<min(names.count, start + namesPerCommand)]
      command.removeAll()
      command.appendCommand(expecting: 1 + chunk.count) { command in
        command.append(verb)
        for name in chunk { command.append(name.span) }
      }
      send(command.span, chunk.count)
    }
  }
}

/// A server's message to a subscriber.
enum SubscriberReply {
  case message
  case subscribed(SubscriptionKind, name: [UInt8])
  /// Has no name if there was no subscription.
  case unsubscribed(SubscriptionKind, name: [UInt8]?)
  /// The reply to PING, in subscriber mode or not, or any other reply.
  case other
  case error

  init(_ reply: borrowing Reply) {
    guard reply.kind == .array, reply.count >= 3 else {
      self = reply.kind == .error ? .error : .other
      return
    }
    let first = reply[0].bytes
    if first.hasSameBytes(as: "message") || first.hasSameBytes(as: "pmessage") || first.hasSameBytes(as: "smessage") {
      self = .message
      return
    }
    for kind in SubscriptionKind.allCases {
      if first.hasSameBytes(as: kind.subscribe) {
        self = .subscribed(kind, name: reply[1].bytes.array)
        return
      }
      if first.hasSameBytes(as: kind.unsubscribe) {
        self = .unsubscribed(kind, name: reply[1].kind == .nil ? nil : reply[1].bytes.array)
        return
      }
    }
    self = .other
  }
}
