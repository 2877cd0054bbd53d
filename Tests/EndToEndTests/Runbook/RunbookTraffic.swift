import Synchronization
import TestSupport

/// An application's clients, at work from before the first step until after the last: some with keys of all kinds, a
/// producer and a consumer that blocks, a publisher and a subscriber.
///
/// The first failed or wrong reply ends its client, and `finish()` throws it.
final class RunbookTraffic: Sendable {
  private static let clients = 3
  private static let lastMessage = "end"

  private let isDone = Atomic(false)
  /// What each client has come to.
  private let states = Mutex((0..<clients).map(RunbookClient.init))
  /// Jobs that were consumed, and messages that were received.
  private let delivered = Mutex((jobs: 0, messages: 0))
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
    try eventually("every client goes on") {
      if let failure = hasFailed.withLock({ $0 }) {
        throw TestSupportError(.process, "a client has failed: \(failure)")
      }
      return zip(progress, before).allSatisfy { $0 >= $1 + rounds }
    }
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
    let (jobs, messages) = delivered.withLock { $0 }
    return states.withLock { $0.map(\.rounds) } + [jobs, messages]
  }

  private var isRunning: Bool { !isDone.load(ordering: .relaxed) }

  private func play(_ index: Int, _ client: RESPClient) throws {
    var state = RunbookClient(index)
    while isRunning {
      try state.play(client)
      states.withLock { [state] in $0[index] = state }
    }
  }

  /// Each job is pushed when the one before has been taken, so that the consumer has to wait for it.
  private func produce(_ client: RESPClient) throws {
    var job = 0
    while isRunning {
      guard case .integer = try client.command("RPUSH", "queue", "\(job)") else {
        throw TestSupportError(.malformed, "RPUSH of job \(job) failed")
      }
      job += 1
      try eventually("job \(job) is taken") { delivered.withLock { $0.jobs } >= job || !isRunning }
    }
    _ = try client.command("RPUSH", "queue", Self.lastMessage)
  }

  private func consume(_ client: RESPClient) throws {
    var next = 0
    while true {
      let taken = try client.command("BLPOP", "queue", "20").elements?.last?.string
      if taken == Self.lastMessage { return }
      guard taken == "\(next)" else { throw TestSupportError(.malformed, "job \(taken ?? "nil"), not \(next), came") }
      next += 1
      delivered.withLock { $0.jobs = next }
    }
  }

  private func publish(_ client: RESPClient) throws {
    var message = 0
    while isRunning {
      guard case .integer = try client.command("PUBLISH", "news", "\(message)") else {
        throw TestSupportError(.malformed, "PUBLISH of message \(message) failed")
      }
      message += 1
      try eventually("message \(message) comes") { delivered.withLock { $0.messages } >= message || !isRunning }
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
      delivered.withLock { $0.messages = next }
    }
  }
}
