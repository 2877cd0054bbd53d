/// One client's part of `memory_limit`: the memory that it has reported, and the room for its large commands.
///
/// Each event method changes the state, and returns what ``Session`` has to do. It holds no references and reads no
/// clock. Confined to the instance's loop.
struct MemoryAccount {
  /// The smallest change that is reported, in bytes.
  static let granularityBytes = 16 << 10
  /// The step in which room is asked for, since the length of a command may not be known, in bytes.
  private static let roomStepBytes = 1 << 20

  /// The room for commands, in bytes: for those that are held, and for what is still to arrive.
  private enum Room {
    case granted(Int)
    /// The client waits in line for `asked`, and is not read.
    case awaited(asked: Int, granted: Int)
  }

  /// The next step after a look at what the commands need.
  enum Step: Equatable {
    /// Nothing.
    case proceed
    /// No room is needed any more: leave the line for it.
    case leaveLine
    /// Reserve so many bytes, or join the line for them. ``wasGranted()`` has to follow when they are reserved.
    case reserve(Int)
    /// Refuse the command: it needs more than all clients together may have.
    case refuse
  }

  /// The memory as it was reported last.
  private(set) var reported = ClientMemory()
  private var room = Room.granted(0)

  /// Whether the client waits for room.
  var isWaiting: Bool { if case .awaited = room { true } else { false } }

  private var granted: Int {
    switch room {
    case .granted(let bytes), .awaited(_, granted: let bytes): bytes
    }
  }

  /// The bytes that are still to be reserved for the room that is asked for. The bytes that have arrived are in use
  /// already, and would be counted twice: a command that needs nearly all of the room could never be granted it. Nor do
  /// a few replies count that the client has not taken, since no other client can make room for those.
  var missing: Int {
    guard case .awaited(let asked, _) = room else { return 0 }
    let replies = min(reported.output, MemoryGovernor.smallBytes)
    return max(0, asked - (reported.input + reported.held + reported.reserved + replies))
  }

  /// Whether memory may be reserved for a command of this length.
  func hasRoom(forCommandOf length: Int) -> Bool { length <= MemoryGovernor.smallBytes || length <= granted }

  /// Whether there is nothing to report: little is in use, and little was.
  @inline(__always)
  func isIdle(using bytes: Int) -> Bool { bytes < Self.granularityBytes && reported == ClientMemory() }

  /// Records the room that the client's commands need.
  ///
  /// - Parameters:
  ///   - bytes: the bytes of the commands that have arrived or are known to come; 0 for a client that is gone.
  ///   - copies: the number of stores that execute them.
  ///   - limit: the most room that one client can be granted.
  ///   - mayAsk: false while the command that arrives is refused.
  mutating func need(_ bytes: Int, copies: Int, limit: Int, mayAsk: Bool) -> Step {
    guard bytes > MemoryGovernor.smallBytes else {
      let wasWaiting = isWaiting
      room = .granted(0)
      return wasWaiting ? .leaveLine : .proceed
    }
    let wanted = bytes * copies
    guard case .granted(let granted) = room, wanted > granted, mayAsk else { return .proceed }
    let asked = (wanted + Self.roomStepBytes - 1) / Self.roomStepBytes * Self.roomStepBytes
    guard asked <= limit else { return .refuse }
    room = .awaited(asked: asked, granted: granted)
    return .reserve(missing)
  }

  /// Records that the missing bytes are reserved.
  ///
  /// - Returns: false if the client does not wait for room any more.
  @discardableResult
  mutating func wasGranted() -> Bool {
    guard case .awaited(let asked, _) = room else { return false }
    reported.reserved += missing
    room = .granted(asked)
    return true
  }

  /// Records that the command or the transaction that needed the room is refused.
  ///
  /// - Returns: whether the client has to leave the line for room.
  mutating func wasRefused() -> Bool {
    guard case .awaited(_, let granted) = room else { return false }
    room = .granted(granted)
    return true
  }

  /// Records the memory in use, in bytes.
  ///
  /// - Returns: what was reported before, if the change is to be reported.
  mutating func use(input: Int, held: Int, output: Int) -> ClientMemory? {
    let reserved = max(0, granted - input - held)
    let now = ClientMemory(input: input, reserved: reserved, held: held, output: output)
    let change =
      abs(now.input - reported.input) + abs(now.held - reported.held) + abs(now.output - reported.output)
    guard change >= Self.granularityBytes || now.reserved != reported.reserved || now.total == 0 else { return nil }
    defer { reported = now }
    return reported
  }
}
