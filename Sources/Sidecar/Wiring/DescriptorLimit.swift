#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif
internal import Logging

/// Fits the limits on connections to the limit on file descriptors: each client and each connection to a store takes
/// one, and the usual limit of 1024 is far below `max_clients`.
enum DescriptorLimit {
  /// The descriptors that the process needs besides those of clients, stores and HTTP connections: for listening, the
  /// log, loops and watched folders.
  private static let others = 48
  /// The number of connections that an HTTP listener may have open at once, if there are descriptors for them.
  private static let httpConnections = 256

  /// RLIMIT_NOFILE, which glibc declares as an enumeration and its functions take as a number.
  #if canImport(Glibc)
    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
  #else
    private static let resource = RLIMIT_NOFILE
  #endif

  /// The configuration that fits the limit.
  struct Fitted {
    var instances: [InstanceConfiguration]
    /// Connections that each HTTP listener may have open at once.
    var httpConnections: Int
  }

  /// Raises the soft limit as far as clients and HTTP listeners need it and the hard limit permits. If that is not
  /// enough, logs a warning and lowers the limits of both: a connection beyond the last descriptor gets no answer at
  /// all, be it a client's, a scrape's or a probe's.
  static func fit(_ instances: [InstanceConfiguration], httpListeners: Int, logger: Logger) -> Fitted {
    let wanted = instances.reduce(0) { $0 + descriptors(for: $1.limits) }
    let wantedByOthers = others + httpListeners * httpConnections
    let needed = wanted + wantedByOthers
    let enough = Fitted(instances: instances, httpConnections: httpConnections)
    var limit = rlimit()
    // The structure lives for the time of both calls.
    guard unsafe getrlimit(resource, &limit) == 0, limit.rlim_cur < rlim_t(needed) else { return enough }
    var raised = limit
    raised.rlim_cur = min(rlim_t(needed), limit.rlim_max)
    if unsafe setrlimit(resource, &raised) == 0 { limit = raised }
    guard limit.rlim_cur < rlim_t(needed) else { return enough }
    let reserve = reserve(of: Int(limit.rlim_cur), wanted: wantedByOthers)
    let available = min(wanted, Int(limit.rlim_cur) - reserve)
    let fitted = Fitted(
      instances: instances.map { lowered($0, to: available, of: wanted) },
      httpConnections: max(4, min(httpConnections, (reserve - others) / httpListeners))
    )
    logger.warning(
      "Too few file descriptors, so that max_clients is lowered: raise the hard limit (LimitNOFILE=, ulimit -Hn)",
      metadata: [
        "needed": .stringConvertible(needed), "limit": .stringConvertible(limit.rlim_max),
        "max_clients": "\(fitted.instances.map { "\($0.name): \($0.limits.maxClients)" }.joined(separator: ", "))",
        "http_connections": .stringConvertible(fitted.httpConnections),
      ]
    )
    return fitted
  }

  /// A client may have one dedicated connection, to the store that is the default.
  private static func descriptors(for limits: InstanceConfiguration.Limits) -> Int {
    limits.maxClients + limits.maxDedicatedConnections + 4
  }

  /// Returns the part of `limit` that is reserved for other descriptors, of which `wanted` are needed.
  static func reserve(of limit: Int, wanted: Int) -> Int { min(wanted, max(limit / 2, 64), limit) }

  /// Returns the instance with its share of `available` descriptors, of which all instances together need `wanted`.
  static func lowered(
    _ instance: InstanceConfiguration,
    to available: Int,
    of wanted: Int
  ) -> InstanceConfiguration {
    var instance = instance
    instance.limits.maxClients = max(1, instance.limits.maxClients * available / wanted)
    instance.limits.maxDedicatedConnections = instance.limits.maxDedicatedConnections * available / wanted
    return instance
  }
}
