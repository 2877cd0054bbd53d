internal import CGnuTLS
internal import Synchronization

/// Users who log in with a name and a password at each request (RFC 7617).
///
/// A check of a password is meant to be slow, and runs on the thread that answers requests. So one runs at a time,
/// what has been found out is remembered, and strangers get a quarter of the thread's time and not more: passwords
/// that have been right are still taken then, and probes are answered. Any thread.
public final class BasicAuthentication: Sendable {
  /// What becomes of a request.
  enum Verdict: Sendable, Equatable {
    case accepted
    case refused
    /// The password is not one of those that are known, and too many of those have been looked at just now.
    case overloaded
  }

  /// A name, a hash and a password that were looked at together, as a keyed digest.
  private typealias Digest = [UInt8]

  private struct Memory {
    var accepted: Set<Digest> = []
    var refused: Set<Digest> = []
    /// In the order in which they were refused.
    var refusedOrder: [Digest] = []
  }

  /// More cannot come from one password for each user, but for those that bcrypt does not tell apart.
  private static let mostAccepted = 1024
  private static let mostRefused = 128

  private let hashes: [String: PasswordHash]
  private let unmatchable: PasswordHash
  private let key: [UInt8]
  private let memory = Mutex(Memory())
  private let budget: Mutex<PasswordBudget>

  /// - Parameter users: Hashes of passwords by user name.
  public convenience init(users: [String: PasswordHash]) {
    self.init(users: users, now: { ContinuousClock.now })
  }

  init(users: [String: PasswordHash], now: @escaping @Sendable () -> ContinuousClock.Instant) {
    hashes = users
    // A name that nobody has takes as long as one that somebody has.
    unmatchable = .unmatchable(cost: users.values.map(\.cost).max() ?? PasswordHash.costs.lowerBound)
    var key = [UInt8](repeating: 0, count: 32)
    let code = gnutls_rnd(GNUTLS_RND_KEY, &key, key.count)
    precondition(code == GNUTLS_E_SUCCESS, "the system has no random numbers")
    self.key = key
    budget = Mutex(PasswordBudget(now: now))
  }

  /// What a request with this `Authorization` header gets.
  func verdict(on header: String?) -> Verdict {
    guard let header, let credentials = BasicCredentials(header: header) else { return .refused }
    let hash = hashes[credentials.name]
    let digest = digest(credentials, hash ?? unmatchable)
    if let known = remembered(digest) { return known }
    return budget.withLock { budget in
      // Another thread may have looked at the same password while this one waited for its turn.
      if let known = remembered(digest) { return known }
      guard budget.hasSome() else { return .overloaded }
      let isRight = budget.spend { (hash ?? unmatchable).matches(credentials.password) }
      let verdict = isRight && hash != nil ? Verdict.accepted : .refused
      remember(digest, verdict)
      return verdict
    }
  }

  private func digest(_ credentials: BasicCredentials, _ hash: PasswordHash) -> Digest {
    // No name has a colon and no hash has a zero byte, so that different ones cannot run together.
    let bytes = Array(credentials.name.utf8) + [0x3a] + Array(hash.bytes) + [0] + Array(credentials.password.utf8)
    var digest = Digest(repeating: 0, count: Int(gnutls_hmac_get_len(GNUTLS_MAC_SHA256)))
    let code = gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, key.count, bytes, bytes.count, &digest)
    precondition(code == GNUTLS_E_SUCCESS, "GnuTLS has no SHA-256")
    return digest
  }

  private func remembered(_ digest: Digest) -> Verdict? {
    memory.withLock { memory in
      if memory.accepted.contains(digest) { return .accepted }
      return memory.refused.contains(digest) ? .refused : nil
    }
  }

  private func remember(_ digest: Digest, _ verdict: Verdict) {
    memory.withLock { memory in
      switch verdict {
      case .accepted where memory.accepted.count < Self.mostAccepted: memory.accepted.insert(digest)
      case .refused:
        memory.refused.insert(digest)
        memory.refusedOrder.append(digest)
        guard memory.refusedOrder.count > Self.mostRefused else { return }
        memory.refused.remove(memory.refusedOrder.removeFirst())
      case .accepted, .overloaded: return
      }
    }
  }
}

/// The time that may go into passwords that were not seen before: a second at first, and a quarter of all time.
struct PasswordBudget: Sendable {
  private static let most = Duration.seconds(1)
  private static let share = 0.25

  private let now: @Sendable () -> ContinuousClock.Instant
  private var left = Self.most
  private var lastLook: ContinuousClock.Instant

  init(now: @escaping @Sendable () -> ContinuousClock.Instant) {
    self.now = now
    lastLook = now()
  }

  /// Whether there is anything left.
  mutating func hasSome() -> Bool {
    let time = now()
    left = min(Self.most, left + (lastLook.duration(to: time) * Self.share))
    lastLook = time
    return left > .zero
  }

  /// Takes the time of `work` out of what is left, which may become less than nothing.
  mutating func spend<Result>(_ work: () -> Result) -> Result {
    let start = now()
    let result = work()
    left -= start.duration(to: now())
    return result
  }
}
