internal import Sockets
internal import Synchronization
internal import TLS

/// Users who log in with a name and a password at each request (RFC 7617).
///
/// Checking a password is slow on purpose and runs on the thread that answers requests. So one check runs at a time,
/// its result is remembered, and checks take at most a quarter of the time. Probes and remembered passwords are not
/// delayed.
///
/// A remembered password must not give away that it is right where a new one would not be checked any more, or a client
/// could try as many passwords as it can send. So results are remembered for the address that they came from, each
/// address has a budget for wrong passwords, and with its budget used up an address is refused whatever it sends. A
/// scraper at another address is not affected. Any thread.
public final class BasicAuthentication: Sendable {
  /// The result of checking a request.
  enum Verdict: Sendable, Equatable {
    case accepted
    case refused
    /// The budget of the address, or of all together, is used up. The credentials may be right or wrong.
    case overloaded
  }

  /// Compares a password with a hash, which takes its time.
  typealias Check = @Sendable (PasswordHash, String) -> Bool

  private let hashes: [String: PasswordHash]
  private let unmatchable: PasswordHash
  private let key: [UInt8]
  private let now: @Sendable () -> ContinuousClock.Instant
  private let check: Check
  private let ledger = Mutex(PasswordLedger())
  /// Held during a check, so that one runs at a time. The ledger is free meanwhile.
  private let checking = Mutex(())

  /// - Parameter users: Hashes of passwords by user name.
  public convenience init(users: [String: PasswordHash]) {
    self.init(users: users, now: { ContinuousClock.now }, check: { $0.matches($1) })
  }

  init(users: [String: PasswordHash], now: @escaping @Sendable () -> ContinuousClock.Instant, check: @escaping Check) {
    hashes = users
    // An unknown name takes as long as a known one.
    unmatchable = .unmatchable(cost: users.values.map(\.cost).max() ?? PasswordHash.costs.lowerBound)
    key = SecureBytes.random(count: 32)
    self.now = now
    self.check = check
  }

  /// Returns the verdict on the `Authorization` header of a request.
  ///
  /// - Parameter network: The network that it came from; nil for a unix socket.
  func verdict(on header: String?, from network: PeerNetwork?) -> Verdict {
    guard let header, let credentials = BasicCredentials(header: header) else { return .refused }
    let hash = hashes[credentials.name]
    let digest = digest(credentials, hash ?? unmatchable)
    if let known = ledger.withLock({ $0.verdict(on: digest, from: network, at: now()) }) { return known }
    return checking.withLock { _ in
      // Another thread may have checked the same password in the meantime.
      if let known = ledger.withLock({ $0.verdict(on: digest, from: network, at: now()) }) { return known }
      guard ledger.withLock({ $0.mayCheck(from: network, at: now()) }) else { return .overloaded }
      let start = now()
      let isRight = check(hash ?? unmatchable, credentials.password) && hash != nil
      let end = now()
      ledger.withLock { $0.note(digest, isRight: isRight, from: network, took: start.duration(to: end), at: end) }
      return isRight ? .accepted : .refused
    }
  }

  /// Returns a keyed digest of the credentials and the hash that they are compared with.
  private func digest(_ credentials: BasicCredentials, _ hash: PasswordHash) -> PasswordLedger.Digest {
    // No name has a colon and no hash has a zero byte, so that different ones can't be mistaken for each other.
    let bytes = Array(credentials.name.utf8) + [0x3a] + Array(hash.bytes) + [0] + Array(credentials.password.utf8)
    return SHA256.authenticationCode(of: bytes, key: key)
  }
}
