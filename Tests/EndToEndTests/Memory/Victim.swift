import Foundation
import TestSupport

/// A client that sends small commands one after the other, and measures how long it waits for each reply.
final class Victim: @unchecked Sendable {
  // `condition` guards `waits` and `isStopping`: each is touched only between its lock and unlock.
  private let condition = NSCondition()
  private var waits: [Duration] = []
  private var isStopping = false
  private var threads: Threads?

  /// What a client has measured.
  struct Waits {
    fileprivate let sorted: [Duration]

    /// Replies.
    var count: Int { sorted.count }
    /// All replies but one of a hundred came in this time.
    var p99: Duration { sorted[sorted.count * 99 / 100] }
    var longest: Duration { sorted[sorted.count - 1] }
  }

  /// Begins at once.
  init(_ client: RESPClient) {
    threads = Threads(1) { [self] _ in
      var isFirst = true
      while condition.withLock({ !isStopping }) || isFirst {
        isFirst = false
        for command in [["SET", "victim", "v"], ["GET", "victim"]] {
          let start = ContinuousClock.now
          let reply = try client.command(command)
          let wait = ContinuousClock.now - start
          guard reply == (command.count == 3 ? .ok : .text("v")) else {
            throw TestSupportError(.malformed, "a small client got \(reply)")
          }
          condition.withLock { waits.append(wait) }
        }
      }
    }
  }

  /// Ends.
  ///
  /// - Throws: The error that it met, if it met one.
  func stop() throws -> Waits {
    condition.withLock { isStopping = true }
    try threads?.join(within: .seconds(90))
    return Waits(sorted: condition.withLock { waits.sorted() })
  }
}

/// How much memory a process has, as Linux says in `/proc/PID/status`.
struct ResidentMemory {
  let pid: Int32

  /// Bytes at this moment.
  var now: Int { get throws { try bytes("VmRSS") } }

  /// The most bytes since the last call of ``forgetPeak()``.
  var peak: Int { get throws { try bytes("VmHWM") } }

  /// Lets ``peak`` begin anew.
  func forgetPeak() throws { try "5".write(toFile: "/proc/\(pid)/clear_refs", atomically: false, encoding: .utf8) }

  private func bytes(_ name: String) throws -> Int {
    let lines = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8).split(separator: "\n")
    guard let line = lines.first(where: { $0.hasPrefix("\(name):") }),
      let kibibytes = line.split(whereSeparator: { !$0.isNumber }).first.flatMap({ Int($0) })
    else { throw TestSupportError(.malformed, "no \(name) of process \(pid)") }
    return kibibytes << 10
  }
}
