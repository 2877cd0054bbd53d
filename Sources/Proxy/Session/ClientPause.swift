internal import RESP

/// The pause of an instance's clients, as CLIENT PAUSE has set it: which commands are held, and until when.
///
/// It decides as a server does (looked up in Redis 7.0.15 and tried on Valkey 9.1): a command with an error that is
/// found before it would be executed gets that error at once, and CLIENT UNPAUSE is held like any other command while
/// all are. It reads no clock; times are nanoseconds of the loop's.
struct ClientPause {
  /// The commands that are held; a greater one includes the smaller.
  enum Mode: Int, Comparable {
    /// Commands that may write, or are sent to replicas.
    case writes
    case all

    static func < (one: Mode, other: Mode) -> Bool { one.rawValue < other.rawValue }
  }

  /// The commands that are held; nil if none are.
  private(set) var mode: Mode?
  /// The time when the pause ends; matters only during one.
  private(set) var end: UInt64 = 0

  /// Begins a pause, or joins a new one with the present one: the greater mode and the later end of both apply.
  mutating func begin(_ mode: Mode, milliseconds: Int, at now: UInt64) {
    expire(at: now)
    let length = UInt64(milliseconds).multipliedReportingOverflow(by: 1_000_000)
    let sum = now.addingReportingOverflow(length.partialValue)
    let end = length.overflow || sum.overflow ? UInt64.max : sum.partialValue
    self.end = self.mode == nil ? end : max(end, self.end)
    self.mode = max(mode, self.mode ?? mode)
    expire(at: now)
  }

  /// Ends the pause.
  mutating func cancel() { mode = nil }

  /// Ends the pause if its time is over.
  mutating func expire(at now: UInt64) {
    if end <= now { mode = nil }
  }

  /// Whether `command`, with `argumentCount` arguments, is held now.
  func holds(_ command: Span<UInt8>, _ spec: CommandSpec, argumentCount: Int, _ facts: AdmissionFacts) -> Bool {
    guard let mode, !facts.refuses(spec, argumentCount: argumentCount) else { return false }
    switch mode {
    case .all: return true
    case .writes: return spec.id == .exec ? facts.transactionMayReplicate : spec.mayReplicate(command)
    }
  }
}
