import FuzzChecks
import TestSupport

/// One client of a conversation: it knows how many replies it is owed, as long as it said nothing but whole commands
/// that have one each.
final class FuzzClient {
  private let socket: Socket
  /// Everything that was sent, for the person who reads of a problem.
  private(set) var said: [UInt8] = []
  private var received: [UInt8] = []
  private var owed = 0
  private var isCounting = true
  private(set) var isOpen = true

  init() throws {
    socket = try SidecarUnderTest.shared.connect()
  }

  /// Sends a whole command.
  ///
  /// - Parameter hasOneReply: false for what changes how many replies there are.
  func send(_ words: [[UInt8]], hasOneReply: Bool) throws {
    owed += 1
    if !hasOneReply { isCounting = false }
    try write(RESPClient.encode(words))
  }

  /// Sends a whole command in two pieces.
  func send(_ words: [[UInt8]], cutAt place: Int, hasOneReply: Bool) throws {
    owed += 1
    if !hasOneReply { isCounting = false }
    let bytes = RESPClient.encode(words)
    let cut = place % bytes.count
    try write(Array(bytes[..<cut]))
    try write(Array(bytes[cut...]))
  }

  /// Sends any bytes.
  func send(raw bytes: [UInt8]) throws {
    isCounting = false
    try write(bytes)
  }

  /// Leaves without a word.
  func disconnect() {
    isOpen = false
    socket.close()
  }

  /// Reads what is owed, says that nothing more will come, and reads to the end.
  func finish() throws {
    guard isOpen else { return }
    defer { disconnect() }
    let deadline = ContinuousClock.now + SidecarUnderTest.patience
    if isCounting {
      while replies() < owed, try read(until: deadline, "\(owed) replies") {}
      let count = replies()
      guard count == owed else { throw FuzzProblem("\(count) replies to \(owed) commands") }
    }
    socket.shutdownWrites()
    while try read(until: deadline, "the end of the connection") {}
    let count = replies()
    guard !isCounting || count == owed else { throw FuzzProblem("\(count) replies to \(owed) commands at the end") }
    guard wholeBytes == received.count else {
      throw FuzzProblem("the last bytes are no reply: \(received[wholeBytes...].prefix(200))")
    }
  }

  private var wholeBytes = 0
  private var wholeReplies = 0

  /// The whole replies that have come.
  private func replies() -> Int {
    while wholeBytes < received.count, let reply = WireReply(received, from: wholeBytes) {
      wholeBytes = reply.end
      if !reply.isPush { wholeReplies += 1 }
    }
    return wholeReplies
  }

  /// Reads once; false at the end of the connection.
  private func read(until deadline: ContinuousClock.Instant, _ what: String) throws -> Bool {
    do {
      let bytes = try socket.read(within: ContinuousClock.now.duration(to: deadline))
      received += bytes
      return !bytes.isEmpty
    } catch let error as TestSupportError where error.code == .closed {
      return false
    } catch {
      throw FuzzProblem("no \(what) after \(SidecarUnderTest.patience), \(wholeReplies) replies so far")
    }
  }

  private func write(_ bytes: [UInt8]) throws {
    guard isOpen else { return }
    said += bytes
    do {
      try socket.write(bytes, within: SidecarUnderTest.patience)
    } catch let error as TestSupportError where error.code == .closed {
      // Cut off after a protocol error, or by QUIT; what was said before counts.
      isCounting = false
    }
  }
}
