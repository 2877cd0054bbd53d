public import EventLoop

/// Where the server of a store is.
public enum StoreLocation: Sendable, Equatable {
  /// Always at this address; a TCP host may be a name, which is resolved for every attempt to connect.
  case address(SocketAddress)
  /// Where the sentinels say that the master is.
  case sentinels(SentinelGroup)
}

/// The sentinels that know where the master of a store is.
public struct SentinelGroup: Sendable, Equatable {
  /// The name under which they watch the master.
  public var master: String
  /// Addresses and logins of the sentinels that are asked first, at least one. Others that they know of are asked with
  /// the login and the TLS of the first.
  public var nodes: [StoreEndpoint]

  /// A group of sentinels that watch `master`.
  ///
  /// - Precondition: `nodes` is not empty, and each has an address.
  public init(master: String, nodes: [StoreEndpoint]) {
    precondition(!nodes.isEmpty, "nobody could be asked for the master")
    self.master = master
    self.nodes = nodes
  }
}

extension StoreEndpoint {
  /// Whether sentinels say where the server is.
  public var hasSentinels: Bool { if case .sentinels = location { true } else { false } }
}

extension StoreLocation: CustomStringConvertible {
  /// `127.0.0.1:6379`, `unix:/path`, or `sentinel:NAME@10.0.0.1:26379,10.0.0.2:26379`.
  public var description: String {
    switch self {
    case .address(let address): "\(address)"
    case .sentinels(let group):
      "sentinel:\(group.master)@\(group.nodes.map { "\($0.location)" }.joined(separator: ","))"
    }
  }
}

extension SocketAddress {
  /// The name of the machine; a unix socket leads to this one.
  var host: String {
    switch self {
    case .tcp(let host, _): host
    case .unix: "localhost"
    }
  }
}
