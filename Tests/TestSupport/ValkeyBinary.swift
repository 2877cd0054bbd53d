internal import Foundation

/// Where a Valkey server can be found on this machine.
public enum ValkeyBinary {
  /// The server's path, or nil if this machine has none.
  ///
  /// Taken from the environment variable VALKEY_SERVER, else from the place where `Tests/setup.sh` puts it.
  public static let path: String? = {
    let environment = ProcessInfo.processInfo.environment
    let cache = environment["XDG_CACHE_HOME"] ?? "\(NSHomeDirectory())/.cache"
    let candidates = [environment["VALKEY_SERVER"], "\(cache)/multistore-exporter/valkey-server"]
    return candidates.compactMap(\.self).first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  /// The reason to print when a test is skipped for want of it.
  public static let missingReason = "no Valkey server here: run Tests/setup.sh, or set VALKEY_SERVER to its path"
}
