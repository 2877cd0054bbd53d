internal import Foundation
internal import Synchronization

/// A process that a test runs, reaped by the time the object is gone.
///
/// It gets no descriptor but its standard ones, ordinary signals, and dies with the test process where `setpriv`
/// is there to arrange that. Any thread may use it.
public final class ChildProcess: Sendable {
  /// How a process ended.
  public enum Exit: Equatable, Sendable {
    /// It exited with a status.
    case status(Int32)
    /// A signal ended it.
    case signal(Int32)
  }

  private enum State {
    case running
    case ended(Exit)
  }

  /// The process' number.
  public let pid: Int32

  private let name: String
  private let state = Mutex(State.running)

  /// Starts `executable`, looked up in PATH if it has no slash.
  ///
  /// - Parameters:
  ///   - environment: Added to the test's own environment.
  ///   - input: Descriptor that becomes standard input; the null device if nil.
  ///   - output: Descriptor that becomes standard output; the null device if nil.
  ///   - errors: Descriptor that becomes standard error; the null device if nil.
  /// - Throws: ``TestSupportError``: `missing` if there is no such program, `process` if it can't be started.
  public init(
    _ executable: String,
    _ arguments: [String],
    environment: [String: String] = [:],
    input: Int32? = nil,
    output: Int32? = nil,
    errors: Int32? = nil
  ) throws {
    let all = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let path = try Self.find(executable, in: all["PATH"] ?? "/usr/bin:/bin")
    let diesWithTest = ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--"]
    let isWrapped = access(diesWithTest[0], X_OK) == 0
    let words = (isWrapped ? diesWithTest : []) + [path] + arguments
    let (code, pid) = SpawnThread.shared.run {
      spawn(words, environment: all.map { "\($0)=\($1)" }, standard: [input, output, errors])
    }
    guard code == 0 else {
      throw TestSupportError(.process, "can't start \(executable): \(String(cString: strerror(code)))")
    }
    self.pid = pid
    name = executable
  }

  deinit {
    kill()
  }

  /// How it ended, or nil while it runs.
  public var exit: Exit? {
    state.withLock { state in
      if case .ended(let exit) = state { return exit }
      var raw: Int32 = 0
      guard waitpid(pid, &raw, WNOHANG) == pid else { return nil }
      let exit = raw & 0x7f == 0 ? Exit.status((raw >> 8) & 0xff) : Exit.signal(raw & 0x7f)
      state = .ended(exit)
      return exit
    }
  }

  /// True while it runs.
  public var isRunning: Bool { exit == nil }

  /// Sends a signal; nothing if it has ended.
  public func signal(_ number: Int32) {
    state.withLock { state in
      // Not reaped yet, so that the number can't belong to another process.
      if case .running = state { _ = Foundation.kill(pid, number) }
    }
  }

  /// Waits until it has ended.
  ///
  /// - Throws: ``TestSupportError`` with code `timedOut`.
  @discardableResult
  public func waitForExit(within limit: Duration = waitLimit) throws -> Exit {
    try eventually("\(name) (\(pid)) has ended", within: limit) { !isRunning }
    return exit!
  }

  /// Kills it at once (SIGKILL) and reaps it.
  public func kill() {
    signal(SIGKILL)
    // A killed process ends whatever it does, also while it is stopped.
    while isRunning { poll(nil, 0, 1) }
  }

  /// Asks it to end (SIGTERM) and waits.
  ///
  /// - Throws: ``TestSupportError`` with code `timedOut`; the process goes on then.
  @discardableResult
  public func terminate(within limit: Duration = waitLimit) throws -> Exit {
    signal(SIGTERM)
    return try waitForExit(within: limit)
  }

  private static func find(_ executable: String, in path: String) throws -> String {
    let folders = path.split(separator: ":")
    let candidates = executable.contains("/") ? [executable] : folders.map { "\($0)/\(executable)" }
    guard let found = candidates.first(where: { access($0, X_OK) == 0 }) else {
      throw TestSupportError(.missing, "\(executable) is not on this machine: Tests/setup.sh installs what tests need")
    }
    return found
  }
}

private typealias CloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32

/// glibc's (2.34 and later) way to close all descriptors from a number on in a child. Its header shows it to GNU
/// sources only, which Swift's view of glibc is not, so it is looked up by name.
private let closeFrom: CloseFrom = {
  guard let function = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else {
    preconditionFailure("these tests need glibc 2.34 or later")
  }
  return unsafeBitCast(function, to: CloseFrom.self)
}()

/// Starts a process; returns 0 or an error number, and its number.
private func spawn(_ words: [String], environment: [String], standard: [Int32?]) -> (Int32, pid_t) {
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  for (descriptor, source) in zip(Int32(0)..., standard) {
    if let source {
      posix_spawn_file_actions_adddup2(&actions, source, descriptor)
    } else {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
    }
  }
  // A socket of another test that got into the child would stay open when that test closes it.
  _ = closeFrom(&actions, 3)

  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  var none = sigset_t()
  sigemptyset(&none)
  var all = sigset_t()
  sigfillset(&all)
  posix_spawnattr_setsigmask(&attributes, &none)
  posix_spawnattr_setsigdefault(&attributes, &all)
  posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

  var pid: pid_t = 0
  let code = withCStrings(words) { arguments in
    withCStrings(environment) { environment in
      posix_spawn(&pid, arguments[0]!, &actions, &attributes, arguments, environment)
    }
  }
  return (code, pid)
}

/// Lends strings as C's array of pointers that ends with a null.
private func withCStrings<Result>(
  _ strings: [String],
  _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
  let pointers = strings.map { strdup($0) }
  defer { pointers.forEach { free($0) } }
  return body(pointers + [nil])
}
