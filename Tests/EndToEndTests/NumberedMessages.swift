import Synchronization
import TestSupport
import Testing

/// Messages `0`, `1`, … on the channel `numbers` at full speed, then `end`, while the default store moves.
final class NumberedMessages: Sendable {
  private final class Progress: Sendable {
    let sent = Atomic(0)
    let isDone = Atomic(false)
  }

  /// The time of a flip from which on the limit of the hold may have cut off the move of a listener.
  private static let holdLimit = Duration.milliseconds(900)

  private let deployment: Deployment
  private let progress = Progress()
  private let publisher: Threads

  /// Starts to publish each message by each of `commands`.
  init(_ deployment: Deployment, by commands: [String]) {
    self.deployment = deployment
    let progress = progress
    publisher = Threads(1) { _ in
      let client = try deployment.client()
      var number = 0
      while !progress.isDone.load(ordering: .relaxed) {
        let batch = (0..<10).flatMap { index in commands.map { [$0, "numbers", "\(number + index)"] } }
        for reply in try client.pipeline(batch) where reply.integer == nil {
          throw TestSupportError(.malformed, "\(commands) answered \(reply)")
        }
        number += 10
        progress.sent.store(number, ordering: .relaxed)
      }
      _ = try client.pipeline(commands.map { [$0, "numbers", "end"] })
    }
  }

  deinit { progress.isDone.store(true, ordering: .relaxed) }

  /// The number of messages so far, without the last one.
  var count: Int { progress.sent.load(ordering: .relaxed) }

  /// Moves the default store so often, each time after further messages, and ends the messages.
  ///
  /// - Returns: whether each flip ended well before the limit of the hold.
  func end(afterFlips flips: Int) throws -> Bool {
    var slowest = Duration.zero
    for flip in 0..<flips {
      let start = ContinuousClock.now
      try deployment.sidecar.setFlag(Deployment.defaultFlag, flip % 2 == 0)
      let before = count
      try eventually("the publisher goes on") { count > before + 20 }
      slowest = max(slowest, ContinuousClock.now - start)
    }
    progress.isDone.store(true, ordering: .relaxed)
    try publisher.join()
    return slowest < Self.holdLimit
  }

  /// Ends the messages as ``end(afterFlips:)`` does, and judges what `readers` have got: each of them was moved by each
  /// flip.
  ///
  /// - Returns: false if a flip was so slow that not all were.
  func moveAll(_ readers: Threads, count readerCount: Double, afterFlips flips: Int) throws -> Bool {
    let arePrompt = try end(afterFlips: flips)
    let reading = Result { try readers.join() }
    let moves = "multistore_subscription_moves_total"
    let expected = readerCount * Double(flips)
    let count = try deployment.sidecar.metrics().sum(moves)
    let moved = try deployment.metric(moves, ["outcome": "moved"])
    guard arePrompt || count == expected && moved == expected else { return false }
    try reading.get()
    #expect(count == expected)
    #expect(moved == expected)
    return true
  }

  /// Runs `body` until it succeeds. It returns false if a flip was so slow, on a machine that stood still, that a
  /// listener was not moved in time.
  static func untilFlipsArePrompt(_ body: () throws -> Bool) throws {
    for _ in 1...5 {
      if try body() { return }
    }
    throw TestSupportError(.timedOut, "each time a flip took as long as the limit of the hold")
  }
}
