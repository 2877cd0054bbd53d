import Foundation
import Synchronization
import TestSupport

/// A client that works on keys of its own until it is stopped, on a thread of its own, and connects again when its
/// connection is lost.
final class WorkingClient: Sendable {
  /// The time between an answer and the next commands: clients of an application that does other things too.
  private static let thinkTime = Duration.milliseconds(4)
  /// Bursts begin so often, and last so long, where a fault needs pauses.
  private static let burstInterval = Duration.milliseconds(2_200)
  private static let burst = Duration.milliseconds(400)
  /// Longer than any wait that is to be measured.
  private static let limit = Duration.seconds(60)

  private let address: SocketAddress
  private let observations: Observations
  private let isStopped = Atomic(false)
  private let result = Mutex<Oracle?>(nil)

  /// Writes the keys that are to be there before, and begins to work.
  ///
  /// - Parameters:
  ///   - stores: The stores that have the client's keys already.
  ///   - pausesSince: The moment that bursts are counted from; nil if it works without pauses.
  /// - Throws: ``TestSupportError`` when the store does not answer.
  init(
    number: Int,
    address: SocketAddress,
    stores: [SocketAddress],
    observations: Observations,
    pausesSince: ContinuousClock.Instant?
  ) throws {
    self.address = address
    self.observations = observations
    let workload = Workload(client: number, seed: 12)
    var oracle = Oracle()
    let commands = workload.earlierWrites
    let replies = try stores.map { try RESPClient($0).pipeline(commands) }
    for (command, reply) in zip(commands, replies[0]) { oracle.noteEarlier(command, reply) }
    let known = oracle
    Thread.detachNewThread { [self] in
      let oracle = work(workload, known, pausesSince: pausesSince)
      result.withLock { $0 = oracle }
    }
  }

  /// Stops it, waits for its last answer, and returns what its keys may be.
  ///
  /// - Throws: ``TestSupportError`` with code `timedOut`.
  func stop() throws -> Oracle {
    isStopped.store(true, ordering: .relaxed)
    try eventually("the client has its last answer", within: Self.limit * 2) { result.withLock { $0 != nil } }
    return result.withLock { $0! }
  }

  private func work(_ workload: Workload, _ known: Oracle, pausesSince: ContinuousClock.Instant?) -> Oracle {
    var workload = workload
    var oracle = known
    var client: RESPClient?
    while !isStopped.load(ordering: .relaxed) {
      if let pausesSince, Self.isPausing(at: .now - pausesSince) {
        pause(for: .milliseconds(10))
        continue
      }
      let batch = workload.next(oracle)
      let start = ContinuousClock.now
      do {
        let connected = try client ?? RESPClient(address, limit: Self.limit)
        client = connected
        let replies = try Self.send(batch, over: connected)
        take(replies, of: batch, sentAt: start, &oracle)
      } catch {
        client = nil
        for command in batch.commands { oracle.noteUnanswered(command) }
        observations.noteError("\(error)")
        let sample = Observations.Sample(start: start, end: .now, isServed: false)
        observations.change { $0.samples.append(sample) }
      }
      pause(for: Self.thinkTime)
    }
    return oracle
  }

  private static func isPausing(at time: Duration) -> Bool {
    (time / .milliseconds(1)).truncatingRemainder(dividingBy: burstInterval / .milliseconds(1)) > burst
      / .milliseconds(1)
  }

  /// The replies to the commands, each an error or not.
  private static func send(_ batch: Workload.Batch, over client: RESPClient) throws -> [RESPReply] {
    switch batch {
    case .single(let command): return [try client.command(command)]
    case .pipeline(let commands): return try client.pipeline(commands)
    case .transaction(let commands):
      let last = try client.pipeline([["MULTI"]] + commands + [["EXEC"]]).last!
      return last.elements ?? Array(repeating: last, count: commands.count)
    }
  }

  private func take(
    _ replies: [RESPReply],
    of batch: Workload.Batch,
    sentAt start: ContinuousClock.Instant,
    _ oracle: inout Oracle
  ) {
    let end = ContinuousClock.now
    var wrong: [String] = []
    for (command, reply) in zip(batch.commands, replies) {
      if let error = reply.errorText {
        oracle.noteUnanswered(command)
        observations.noteError(error)
      } else if let problem = oracle.judge(command, reply) {
        wrong.append(problem)
      }
    }
    let isServed = replies.allSatisfy { $0.errorText == nil }
    observations.change { record in
      record.samples.append(Observations.Sample(start: start, end: end, isServed: isServed))
      record.commands += replies.count
      record.wrongAnswers += wrong
    }
  }
}

/// Lets time pass, as an experiment has it; nothing is waited for.
func pause(for duration: Duration) {
  let end = ContinuousClock.now + duration
  while true {
    let left = ContinuousClock.now.duration(to: end) / .milliseconds(1)
    guard left > 0 else { return }
    poll(nil, 0, Int32(left.rounded(.up)))
  }
}
