import Synchronization
import TestSupport

/// An application's clients, at work from before the first step until after the last: some with keys of all kinds, a
/// producer and a consumer that blocks, a publisher and a subscriber.
///
/// The first failed or wrong reply ends its client, and `finish()` throws it.
final class RunbookTraffic: Sendable {
  private static let clients = 3
  private static let lastMessage = "end"
  /// How long the consumer waits for its next job.
  private static let patience = Duration.seconds(180)

  private let isDone = Atomic(false)
  /// What each client has come to.
  private let states = Mutex((0..<clients).map(RunbookClient.init))
  /// Jobs that were pushed or are just being pushed, and those that were taken.
  private let queue = Mutex((isPaused: false, pushed: 0, taken: 0))
  /// Messages that were received.
  private let received = Mutex(0)
  private let hasFailed = Mutex<String?>(nil)
  private let threads = Mutex<Threads?>(nil)

  /// - Parameter connect: makes a connection to the sidecar.
  init(_ connect: @escaping @Sendable () throws -> RESPClient) throws {
    // Before the first message is published.
    let subscriber = try connect()
    try subscriber.send(RESPClient.encode(["SUBSCRIBE", "news"]))
    _ = try subscriber.readReply()
    threads.withLock {
      $0 = Threads(Self.clients + 4) { [self] index in
        do {
          switch index {
          case Self.clients: try produce(connect())
          case Self.clients + 1: try consume(connect())
          case Self.clients + 2: try publish(connect())
          case Self.clients + 3: try receive(subscriber)
          default: try play(index, connect())
          }
        } catch {
          hasFailed.withLock { $0 = $0 ?? "\(error)" }
          isDone.store(true, ordering: .relaxed)
          throw error
        }
      }
    }
  }

  /// Waits until each client has done some more of everything.
  func goesOn(rounds: Int = 10) throws {
    let before = progress
    // Rounds are of many commands, one after the other, which a machine that is busy with other things executes slowly.
    try eventually("every client goes on", within: .seconds(120)) {
      if let failure = hasFailed.withLock({ $0 }) {
        throw TestSupportError(.process, "a client has failed: \(failure)")
      }
      return zip(progress, before).allSatisfy { $0 >= $1 + rounds }
    }
  }

  /// Does something while there is no job and its consumer waits, as the runbook has it for the default's moves.
  func whileQueuesAreEmpty(_ body: () throws -> Void) throws {
    queue.withLock { $0.isPaused = true }
    defer { queue.withLock { $0.isPaused = false } }
    try eventually("the queue is empty") { queue.withLock { $0.pushed == $0.taken } }
    try body()
  }

  /// Ends it.
  ///
  /// - Returns: The clients, which know what they wrote.
  /// - Throws: What was wrong with a reply, if one was.
  func finish() throws -> [RunbookClient] {
    isDone.store(true, ordering: .relaxed)
    try threads.withLock { try $0?.join() }
    return states.withLock { $0 }
  }

  private var progress: [Int] {
    states.withLock { $0.map(\.rounds) } + [queue.withLock { $0.taken }, received.withLock { $0 }]
  }

  private var isRunning: Bool { !isDone.load(ordering: .relaxed) }

  private func play(_ index: Int, _ client: RESPClient) throws {
    var state = RunbookClient(index)
    while isRunning {
      try state.play(client)
      states.withLock { [state] in $0[index] = state }
    }
  }

  /// Each job is pushed when the consumer waits for it, so that flags are flipped while somebody is blocked.
  private func produce(_ client: RESPClient) throws {
    while isRunning {
      var next: Int?
      // The queue is paused while some of the runbook's commands run.
      try eventually("the consumer waits", within: Self.patience) {
        guard isRunning else { return true }
        guard try client.command("INFO", "clients").string?.contains("blocked_clients:1") == true else { return false }
        next = queue.withLock { queue in
          if !queue.isPaused { queue.pushed += 1 }
          return queue.isPaused ? nil : queue.pushed
        }
        return next != nil
      }
      guard let job = next else { break }
      guard case .integer = try client.command("RPUSH", "queue", "\(job)") else {
        throw TestSupportError(.malformed, "RPUSH of job \(job) failed")
      }
      try eventually("job \(job) is taken") { queue.withLock { $0.taken } >= job || !isRunning }
    }
    _ = try client.command("RPUSH", "queue", Self.lastMessage)
  }

  private func consume(_ client: RESPClient) throws {
    var next = 1
    while true {
      // As long as it takes: there is no job while the runbook's commands run, and they may take a while.
      try client.send(RESPClient.encode(["BLPOP", "queue", "0"]))
      let taken = try client.readReply(within: Self.patience).elements?.last?.string
      if taken == Self.lastMessage { return }
      guard taken == "\(next)" else { throw TestSupportError(.malformed, "job \(taken ?? "nil"), not \(next), came") }
      queue.withLock { $0.taken = next }
      next += 1
    }
  }

  private func publish(_ client: RESPClient) throws {
    var message = 0
    while isRunning {
      guard case .integer = try client.command("PUBLISH", "news", "\(message)") else {
        throw TestSupportError(.malformed, "PUBLISH of message \(message) failed")
      }
      message += 1
      try eventually("message \(message) comes") { received.withLock { $0 } >= message || !isRunning }
    }
    _ = try client.command("PUBLISH", "news", Self.lastMessage)
  }

  /// Each message once, and in order.
  private func receive(_ client: RESPClient) throws {
    var next = 0
    while true {
      let message = try client.readReply().elements?.last?.string
      if message == Self.lastMessage { return }
      guard message == "\(next)" else {
        throw TestSupportError(.malformed, "message \(message ?? "nil"), not \(next), came")
      }
      next += 1
      received.withLock { $0 = next }
    }
  }
}
