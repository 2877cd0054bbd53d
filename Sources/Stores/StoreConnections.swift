public import EventLoop
public import Hiredis

/// Makes the connections to one store, and lets them follow its server wherever that goes. Loop-confined.
public final class StoreConnections {
  /// Called when the sentinels have named another master than before: a failover, by itself or by an operator.
  public var serverDidMove: (_ former: SocketAddress, _ address: SocketAddress) -> Void = { _, _ in }

  private let loop: EventLoop
  private let locator: SentinelLocator?
  private let fixedAddress: SocketAddress?

  /// Asks nobody anything before the first connection is made.
  ///
  /// - Parameter endpoint: the store, in any of its databases.
  public init(on loop: EventLoop, to endpoint: StoreEndpoint) {
    self.loop = loop
    switch endpoint.location {
    case .address(let address):
      fixedAddress = address
      locator = nil
    case .sentinels(let group):
      fixedAddress = nil
      locator = SentinelLocator(on: loop, group: group)
    }
    locator?.didMove = { [unowned self] former, address in serverDidMove(former, address) }
  }

  /// The address of the server; nil while the sentinels have not named it.
  public var server: SocketAddress? { fixedAddress ?? locator?.master }

  /// How many sentinels are known, and how many of them are listened to now; nil for a fixed address.
  public var sentinels: (known: Int, reachable: Int)? {
    locator.map { locator in (locator.nodes.count, locator.nodes.count { locator.isReachable($0) }) }
  }

  /// Makes a connection that waits for `connect`.
  ///
  /// - Parameter endpoint: the store that all these connections are for, in the database wanted.
  public func make(
    to endpoint: StoreEndpoint,
    limits: ConnectionLimits,
    delegate: (any HiredisConnectionDelegate)?
  ) -> HiredisConnection {
    let connection = HiredisConnection(on: loop, endpoint: endpoint, limits: limits, delegate: delegate)
    connection.locator = locator
    return connection
  }

  /// Closes the connections to the sentinels. Connections to the store find no server any more.
  public func close() {
    locator?.close()
  }
}
