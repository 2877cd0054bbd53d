/// A server's limits on its clients.
///
/// Deadlines apply to whole requests and answers: a client that sends a byte now and then is closed like a silent one.
public struct HTTPLimits: Sendable, Hashable {
  /// The number of open connections. Each costs up to 32 KiB and the answer being sent. One beyond the limit is
  /// accepted, and the one without a whole request or the end of its answer for the longest time is closed instead.
  public var connections: Int
  /// The number of open connections of one IPv4 address or one IPv6 /64 network, with the same effect. Connections of a
  /// unix socket have no address.
  public var connectionsPerAddress: Int
  /// The time from accepting a connection to the end of its first request, a TLS handshake included.
  public var requestTimeout: Duration
  /// The time from an answer to the end of the next request.
  public var idleTimeout: Duration
  /// The time from the beginning of an answer until the client has read it.
  public var responseTimeout: Duration
  /// The longest body of a request, in bytes; a longer one is answered with 413.
  public var maximumBodyBytes: Int
  /// The bytes of all answers being sent. Beyond it the oldest of them is aborted.
  public var maximumAnswerBytes: Int

  /// A refused body up to this size is read to its end, because a client that is still writing may not read the 413. A
  /// longer one is refused at once if its length was announced; if not, its connection is closed.
  var drainedBodyBytes: Int { maximumBodyBytes * 16 }

  /// Creates limits; the defaults suit a metrics listener with several scrapers, browsers and probes.
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
