/// How a ``FaultRelay`` treats connections and the bytes on them.
public struct RelayConduct: Equatable, Sendable {
  /// How connection attempts are treated.
  public enum Admission: Equatable, Sendable {
    /// Accepted and connected to the server.
    case accepts
    /// Completed by the kernel and left in the backlog: the client is connected and gets no answer. Served once
    /// the admission is ``accepts`` again.
    case ignores
    /// Refused, as if nothing listened.
    case refuses
  }

  /// How bytes in one direction are treated.
  public enum Passage: Equatable, Sendable {
    /// Passed on.
    case passes
    /// Kept, in the kernel's buffers as far as these reach, and passed on once the passage is ``passes`` again, also if
    /// their sender has closed the connection meanwhile.
    case holds
    /// Read and discarded, ends of streams included. The connection is reset once both directions pass again.
    case discards
  }

  /// The point on a new connection after which replies are held.
  public enum ReplyLimit: Equatable, Sendable {
    /// So many replies.
    case count(Int)
    /// The first reply that is equal to this one.
    case through(RESPReply)
  }

  /// The treatment of connection attempts.
  public var admission: Admission
  /// The treatment of bytes from the client to the server.
  public var requests: Passage
  /// The treatment of bytes from the server to the client.
  public var replies: Passage
  /// The time by which each reply is delayed. Replies stay in order, and any number of them is under way at once.
  public var replyDelay: Duration
  /// The point after which a new connection's replies are held; connections made before hold theirs at once. What was
  /// held passes once this is nil.
  public var hangsAfter: ReplyLimit?

  /// Everything passes unless said otherwise.
  public init(
    admission: Admission = .accepts,
    requests: Passage = .passes,
    replies: Passage = .passes,
    replyDelay: Duration = .zero,
    hangsAfter: ReplyLimit? = nil
  ) {
    self.admission = admission
    self.requests = requests
    self.replies = replies
    self.replyDelay = replyDelay
    self.hangsAfter = hangsAfter
  }

  /// Everything passes.
  public static let passing = RelayConduct()
  /// A server that stands still: nothing passes, and all of it does afterwards.
  public static let stalled = RelayConduct(admission: .ignores, requests: .holds, replies: .holds)
  /// A network that loses everything; connections of before are useless afterwards.
  public static let blackHole = RelayConduct(admission: .ignores, requests: .discards, replies: .discards)
  /// New connections are refused; open ones go on.
  public static let refusing = RelayConduct(admission: .refuses)
  /// New connections are accepted and never answered; open ones go on.
  public static let ignoring = RelayConduct(admission: .ignores)
}
