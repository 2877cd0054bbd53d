#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif
internal import Logging

/// Room for file descriptors: each client and each connection to a store takes one, and the usual limit of 1024 is far
/// below `max_clients`.
enum DescriptorLimit {
  /// What the process needs besides clients and stores' own connections: listeners, log, loops, scrapes.
  private static let others = 256

  /// RLIMIT_NOFILE, which glibc shows as an enumeration and its functions take as a number.
  #if canImport(Glibc)
    private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
  #else
    private static let resource = RLIMIT_NOFILE
  #endif

  /// Raises the soft limit as far as `instances` need it and the hard limit lets it. Where that is not enough, says so
  /// and lowers what clients may take: whoever comes beyond the last descriptor gets no answer at all, scrapes and
  /// probes as little as clients.
  static func fit(_ instances: [InstanceConfiguration], logger: Logger) -> [InstanceConfiguration] {
    let wanted = instances.reduce(0) { $0 + descriptors(for: $1.limits) }
    let needed = wanted + others
    var limit = rlimit()
    // The structure lives for the time of both calls.
    guard unsafe getrlimit(resource, &limit) == 0, limit.rlim_cur < rlim_t(needed) else { return instances }
    var raised = limit
    raised.rlim_cur = min(rlim_t(needed), limit.rlim_max)
    if unsafe setrlimit(resource, &raised) == 0 { limit = raised }
    guard limit.rlim_cur < rlim_t(needed) else { return instances }
    let available = Int(limit.rlim_cur) - reserve(of: Int(limit.rlim_cur))
    let fitted = instances.map { lowered($0, to: available, of: wanted) }
    logger.warning(
      "Too few file descriptors, so that max_clients is lowered: raise the hard limit (LimitNOFILE=, ulimit -Hn)",
      metadata: [
        "needed": .stringConvertible(needed), "limit": .stringConvertible(limit.rlim_max),
        "max_clients": "\(fitted.map { "\($0.name): \($0.limits.maxClients)" }.joined(separator: ", "))",
      ]
    )
    return fitted
  }

  /// A client may have one dedicated connection, to the store that is the default.
  private static func descriptors(for limits: InstanceConfiguration.Limits) -> Int {
    limits.maxClients + limits.maxDedicatedConnections + 4
  }

  /// What is kept of `limit` for everything else.
  static func reserve(of limit: Int) -> Int { min(others, max(limit / 2, 64), limit) }

  /// The instance with its share of `available` descriptors, where all together want `wanted`.
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
