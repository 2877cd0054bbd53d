internal import Glibc
internal import MultiStore

/// Where the example's stores are, and how long it waits for them.
enum StoreURLs {
  /// What is wrong with the command line, for whoever typed it.
  struct UsageError: Error, CustomStringConvertible {
    let description: String
  }

  /// The old store and the new one, from the arguments or from the environment.
  static func fromCommandLine() throws(UsageError) -> (old: StoreEndpoint, new: StoreEndpoint) {
    let arguments = CommandLine.arguments.dropFirst()
    guard let old = arguments.first ?? environment("OLD_REDIS_URL"),
      let new = arguments.dropFirst().first ?? environment("NEW_REDIS_URL")
    else { throw UsageError(description: "usage: MultiStoreExample OLD NEW, each unix:///path or redis://host:port") }
    return (try endpoint(old), try endpoint(new))
  }

  /// The time that the other store may take for a reply; nil for the default.
  static var otherStoreTimeout: Duration? {
    environment("OTHER_STORE_TIMEOUT_SECONDS").flatMap { Int($0) }.map { Duration.seconds($0) }
  }

  private static func endpoint(_ url: String) throws(UsageError) -> StoreEndpoint {
    if url.hasPrefix("unix:///") {
      return StoreEndpoint(address: .unix(path: String(url.dropFirst("unix://".count))))
    }
    let parts = url.split(separator: ":")
    guard parts.count == 3, parts[0] == "redis", parts[1].hasPrefix("//"), let port = Int(parts[2]) else {
      throw UsageError(description: "'\(url)' is neither unix:///path nor redis://host:port")
    }
    return StoreEndpoint(address: .tcp(host: String(parts[1].dropFirst(2)), port: port))
  }

  private static func environment(_ name: String) -> String? {
    // The string is copied at once, and nothing here changes the environment.
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }
}
