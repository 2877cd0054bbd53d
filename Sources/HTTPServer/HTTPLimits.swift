/// The limits that a server sets its clients.
///
/// No deadline is extended by a single byte, so that a client that drips is cut off as one that says nothing.
public struct HTTPLimits: Sendable, Hashable {
  /// Connections open at once. Each costs up to 32 KiB and the answer that it is being sent. One more than that is let
  /// in, and the one that has gone longest without a request, or without the end of its answer, is closed instead.
  public var connections: Int
  /// Connections open at once from one IPv4 address or one IPv6 /64 network, with the same consequence. Those of a unix
  /// socket have no address.
  public var connectionsPerAddress: Int
  /// The time from accepting a connection to the end of its first request, a TLS handshake included.
  public var requestTimeout: Duration
  /// The time from an answer to the end of the next request.
  public var idleTimeout: Duration
  /// The time that a client may take to read an answer.
  public var responseTimeout: Duration
  /// The longest body that a request may have, in bytes; a longer one is answered with 413.
  public var maximumBodyBytes: Int
  /// Bytes of all answers that are being sent. Beyond them the one that has been under way longest is broken off.
  public var maximumAnswerBytes: Int

  /// A body up to this is read to its end although it is refused, because a client that is still writing may not read
  /// the 413. A longer one is refused at once if its length was announced, and its connection is closed if not.
  var drainedBodyBytes: Int { maximumBodyBytes * 16 }

  /// Limits; the defaults suit a metrics listener: several scrapers, people's browsers, probes.
  public init(
    connections: Int = 256,
    connectionsPerAddress: Int = 128,
    requestTimeout: Duration = .seconds(10),
    idleTimeout: Duration = .seconds(30),
    responseTimeout: Duration = .seconds(30),
    maximumBodyBytes: Int = 64 * 1024,
    maximumAnswerBytes: Int = 32 << 20
  ) {
    precondition(connections > 0 && connectionsPerAddress > 0, "a server needs at least one connection")
    precondition(min(requestTimeout, idleTimeout, responseTimeout) > .zero, "a client needs some time")
    precondition((0...1 << 30).contains(maximumBodyBytes), "a body is held in memory: from nothing to 1 GiB")
    self.connections = connections
    self.connectionsPerAddress = connectionsPerAddress
    self.requestTimeout = requestTimeout
    self.idleTimeout = idleTimeout
    self.responseTimeout = responseTimeout
    self.maximumBodyBytes = maximumBodyBytes
    self.maximumAnswerBytes = maximumAnswerBytes
  }
}
