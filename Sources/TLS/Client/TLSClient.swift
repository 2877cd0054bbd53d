internal import Synchronization

/// The client side of TLS to one server: its settings, the contents of their files, and a session to resume.
///
/// The files are looked at for each connection, and read again when they have changed: certificates are replaced
/// without a restart. Any thread.
public final class TLSClient: Sendable {
  private struct State {
    var files = ReloadedFiles<TLSClientCredentials>()
    /// The latest session of these credentials, with the name that was verified for it.
    var session: (name: String, data: [UInt8])?
    var statistics = TLSStatistics()
  }

  /// The settings.
  public let settings: TLSClientSettings
  private let state = Mutex(State())

  /// Makes a client. The files are read for the first connection.
  public init(_ settings: TLSClientSettings = TLSClientSettings()) {
    self.settings = settings
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

  /// The expiration of this side's certificate, in Unix time; nil without one, or before it was read.
  public var certificateExpiration: Int? { state.withLock { $0.files.contents?.certificateExpiration } }

  /// The expirations of certificates in the files of some settings, in Unix time.
  public struct Expirations: Sendable, Equatable {
    /// This side's certificate; nil without one.
    public let certificate: Int?
    /// The trusted authorities of the file that has them; the last of them, since any may be in use.
    public let authorities: Int?
  }

  /// Reads the files of settings, to find mistakes in them.
  ///
  /// - Throws: ``TLSClientError`` for what can't be used.
  public static func check(_ settings: TLSClientSettings) throws(TLSClientError) -> Expirations {
    let credentials = try TLSClientCredentials(settings)
    return Expirations(
      certificate: credentials.certificateExpiration,
      authorities: credentials.authorityExpirations.max()
    )
  }

  /// Makes an engine for a new connection.
  ///
  /// - Parameter host: the host that is connected to, whose name is verified unless the settings have another.
  /// - Throws: ``TLSFailure`` if the files cannot be used, and never could.
  public func makeEngine(host: String) throws(TLSFailure) -> TLSEngine {
    let name = settings.serverName ?? host
    // Errors are returned: a throwing closure of a lock loses their type.
    let result = state.withLock { state -> Result<TLSEngine, TLSFailure> in
      reload(&state)
      guard let credentials = state.files.contents else {
        state.statistics.failures[.credentials, default: 0] += 1
        return .failure(TLSFailure(.credentials, state.files.problem ?? "certificates were not read"))
      }
      let session = state.session?.name == name ? state.session?.data : nil
      return .success(credentials.makeEngine(name: name, resuming: session))
    }
    return try result.get()
  }

  /// Keeps the session of an engine for later connections, if it can be resumed. To be called after each input until
  /// it returns true.
  package func remember(_ engine: TLSEngine) -> Bool {
    guard case .client(let credentials, let name) = engine.role, let data = engine.takeSessionData() else {
      return false
    }
    state.withLock { state in
      // A session must not outlive the files with which its server was verified.
      if state.files.contents === credentials { state.session = (name, data) }
    }
    return true
  }

  private func reload(_ state: inout State) {
    let settings = settings
    let isNew = state.files.refresh(settings.files, folder: settings.authorityFolder) { () throws(TLSClientError) in
      try TLSClientCredentials(settings)
    }
    if isNew { state.session = nil }
  }
}

extension TLSClient: Equatable {
  /// Whether both have the same settings.
  public static func == (one: TLSClient, other: TLSClient) -> Bool { one.settings == other.settings }
}
