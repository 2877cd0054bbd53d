internal import EventLoop

/// A program that prints the password of a store in one line: a token that is valid for some minutes.
///
/// It is run for new connections, one run for all that wait at once. What it has printed is in no description, log or
/// error.
///
/// `@unchecked Sendable`: the state is used on the loop of the connections alone, which is that of one instance; every
/// method checks that.
public final class LoginCommand: @unchecked Sendable {
  /// The time for which a password is used for further connections, in nanoseconds: a burst of them needs one run.
  private static let reuseNanoseconds: UInt64 = 10_000_000_000
  /// The most bytes that a program may print.
  private static let outputLimit = 64 << 10

  /// The program and its arguments.
  public let words: [String]
  private var latest: (password: String, at: UInt64)?
  private var run: ProgramRun?
  private var waiting: [ObjectIdentifier: Wait] = [:]

  /// - Parameter words: the program, looked up in PATH unless it has a slash, and its arguments.
  public init(_ words: [String]) {
    self.words = words
  }

  deinit {
    // Its handler refers to this object.
    run?.cancel()
  }

  /// A failure to get a password. No output is in it.
  struct Failure: Error, Equatable {
    /// One sentence without a full stop.
    let reason: String
  }

  /// A connection that waits for the password.
  final class Wait {
    fileprivate let handler: (Result<String, Failure>) -> Void
    private unowned let command: LoginCommand
    fileprivate private(set) var isCancelled = false

    fileprivate init(for command: LoginCommand, _ handler: @escaping (Result<String, Failure>) -> Void) {
      (self.command, self.handler) = (command, handler)
    }

    /// Ends the wait without a call of the handler.
    func cancel() {
      isCancelled = true
      command.waiting[ObjectIdentifier(self)] = nil
    }
  }

  /// Gets a password, from a run or from one a moment ago.
  ///
  /// - Parameters:
  ///   - timeout: the time that a run may take.
  ///   - handler: called once, maybe before this returns, unless the wait is cancelled.
  /// - Returns: the wait; nil if it is over already.
  func fetch(
    on loop: EventLoop,
    timeout: Duration,
    _ handler: @escaping (Result<String, Failure>) -> Void
  ) -> Wait? {
    loop.preconditionOnLoop()
    if let latest, loop.now &- latest.at < Self.reuseNanoseconds {
      handler(.success(latest.password))
      return nil
    }
    if run == nil {
      do throws(EventLoopError) {
        run = try ProgramRun(on: loop, words, timeout: timeout, outputLimit: Self.outputLimit) { [unowned self] in
          finish($0, at: loop.now)
        }
      } catch {
        handler(.failure(Failure(reason: "password_command: \(error)")))
        return nil
      }
    }
    let wait = Wait(for: self, handler)
    waiting[ObjectIdentifier(wait)] = wait
    return wait
  }

  /// Forgets the password that was printed last: the store has refused it.
  func forget() { latest = nil }

  private func finish(_ outcome: ProgramRun.Outcome, at now: UInt64) {
    run = nil
    let result = Self.password(in: outcome).mapError { Failure(reason: "password_command: \(words[0]) \($0.reason)") }
    if case .success(let password) = result { latest = (password, now) }
    let waiting = waiting.values
    self.waiting = [:]
    // One handler may end another one's wait.
    for wait in waiting where !wait.isCancelled { wait.handler(result) }
  }

  private static func password(in outcome: ProgramRun.Outcome) -> Result<String, Failure> {
    switch outcome {
    case .failure(let reason):
      return .failure(Failure(reason: "\(reason); run it as the sidecar's user to see why"))
    case .output(let bytes):
      guard let text = String(secret: bytes) else { return .failure(Failure(reason: "printed no UTF-8")) }
      guard !text.isEmpty else { return .failure(Failure(reason: "printed nothing")) }
      guard !text.contains(where: \.isNewline) else { return .failure(Failure(reason: "printed more than one line")) }
      return .success(text)
    }
  }
}

extension LoginCommand: Equatable {
  /// Whether both run the same program with the same arguments.
  public static func == (one: LoginCommand, other: LoginCommand) -> Bool { one.words == other.words }
}
