internal import Synchronization

/// The server side of TLS of a listener: its settings, and the contents of their files.
///
/// The files are looked at for each connection, and read again when they have changed: certificates are replaced
/// without a restart, and open connections keep theirs. Any thread.
public final class TLSServer: Sendable {
  private struct State {
    var files = ReloadedFiles<TLSCredentials>()
    var statistics = TLSStatistics()
  }

  /// The settings.
  public let settings: TLSServerSettings
  private let state = Mutex(State())

  /// Makes a server, and reads the files. If they cannot be used yet, they are tried again for each connection.
  public init(_ settings: TLSServerSettings) {
    self.settings = settings
    state.withLock { reload(&$0) }
  }

  /// The reason why files that have changed are not used, and the contents before still are; nil if there is none.
  public var reloadProblem: String? { state.withLock { $0.files.problem } }

  /// The outcomes of handshakes so far.
  public var statistics: TLSStatistics { state.withLock { $0.statistics } }

  /// Counts a handshake that is done.
  package func count(_ info: TLSConnectionInfo) {
    state.withLock { $0.statistics.count(info) }
  }

  /// Counts a handshake that has failed, or a connection whose TLS has.
  package func count(_ failure: TLSFailure) {
    state.withLock { $0.statistics.failures[failure.reason, default: 0] += 1 }
  }

  /// Reads the files of settings, to find mistakes in them.
  ///
  /// - Returns: the expiration of the certificate, in Unix time.
  /// - Throws: ``TLSSettingsError`` for what cannot be used.
  public static func check(_ settings: TLSServerSettings) throws(TLSSettingsError) -> Int {
    try settings.credentials().expiration
  }

  /// Makes an engine for a connection that the listener has accepted.
  ///
  /// - Throws: ``TLSFailure`` if the files cannot be used, and never could.
  public func makeEngine() throws(TLSFailure) -> TLSEngine {
    // Errors are returned: a throwing closure of a lock loses their type.
    let result = state.withLock { state -> Result<TLSEngine, TLSFailure> in
      reload(&state)
      guard let credentials = state.files.contents else {
        state.statistics.failures[.credentials, default: 0] += 1
        return .failure(TLSFailure(.credentials, state.files.problem ?? "certificates were not read"))
      }
      return .success(credentials.makeEngine())
    }
    return try result.get()
  }

  /// Returns the contents of the files, which are read again if they have changed; nil if they cannot be used, and
  /// never could.
  public func currentCredentials() -> TLSCredentials? {
    state.withLock { state in
      reload(&state)
      return state.files.contents
    }
  }

  private func reload(_ state: inout State) {
    let settings = settings
    _ = state.files.refresh(settings.files) { () throws(TLSSettingsError) in try settings.credentials() }
  }
}

extension TLSServer: Equatable {
  /// Whether both have the same settings.
  public static func == (one: TLSServer, other: TLSServer) -> Bool { one.settings == other.settings }
}
