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

  /// Raises the soft limit as far as `instances` need it and the hard limit lets it, and says if that is not enough.
  static func raise(for instances: [InstanceConfiguration], logger: Logger) {
    var needed = others
    for instance in instances {
      // A client may have one dedicated connection, to the store that is the default.
      needed += instance.limits.maxClients + instance.limits.maxDedicatedConnections + 4
    }
    var limit = rlimit()
    // The structure lives for the time of both calls.
    guard unsafe getrlimit(resource, &limit) == 0, limit.rlim_cur < rlim_t(needed) else { return }
    limit.rlim_cur = min(rlim_t(needed), limit.rlim_max)
    let hasRaised = unsafe setrlimit(resource, &limit) == 0
    guard !hasRaised || limit.rlim_cur < rlim_t(needed) else { return }
    logger.warning(
      "Too few file descriptors for max_clients: raise the hard limit (LimitNOFILE=, ulimit -Hn), or lower max_clients",
      metadata: ["needed": .stringConvertible(needed), "limit": .stringConvertible(limit.rlim_max)]
    )
  }
}
