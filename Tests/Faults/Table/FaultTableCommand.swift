import FaultLaboratory
import Foundation
import Synchronization
import TestSupport

/// `FaultTable SECONDS JOBS all|shown PATTERN [DOCUMENT]`: runs the cases whose names match the pattern, prints the
/// table, and writes it into a file. Tests/faults.sh is the way to call it.
@main
enum FaultTableCommand {
  /// The sidecar's default of `other_store_timeout`.
  private static let firstTimeout = Duration.seconds(1)

  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count >= 5, let seconds = Int(arguments[1]), let jobs = Int(arguments[2]) else {
      throw TestSupportError(.malformed, "usage: FaultTable SECONDS JOBS all|shown PATTERN [DOCUMENT]")
    }
    let settings = arguments[3] == "all" ? FaultCase.Settings.all : FaultCase.Settings.shown
    let pattern = try Regex(arguments[4])
    let cases = FaultCase.all(with: settings).filter { item in
      item.name.contains(pattern) && (item.fault != .older || ValkeyBinary.path != nil)
    }
    let outcome = run(cases, FaultRun(duration: .seconds(seconds)), jobs: jobs)
    let table = FaultTable(outcome.results, settings: settings)
    let cores = ProcessInfo.processInfo.activeProcessorCount
    let text = """
      Each fault lasted \(seconds) s. Six clients worked, with 4 ms between an answer and the next commands, \(jobs)
      cases at a time on \(cores) cores. A client of a server without a fault, and without a sidecar, waited at most
      \(FaultTable.text(table.longestWaitOfControl)) meanwhile.


      """ + table.markdown
    print(text, terminator: "")
    for problem in outcome.problems { say(problem) }
    if arguments.count > 5 { try write(text, into: arguments[5]) }
    exit(outcome.problems.isEmpty ? 0 : 1)
  }

  /// The results, and what was not as promised.
  private struct Outcome {
    var results: [FaultResult] = []
    var problems: [String] = []
  }

  /// Runs cases, some at a time, on threads of their own.
  private static func run(_ cases: [FaultCase], _ run: FaultRun, jobs: Int) -> Outcome {
    let waiting = Mutex(cases[...])
    let outcome = Mutex(Outcome())
    DispatchQueue.concurrentPerform(iterations: jobs) { _ in
      while let item = waiting.withLock({ $0.popFirst() }) {
        do {
          let result = try run.run(item)
          let broken = result.brokenPromises(firstTimeout: firstTimeout)
          say("\(item.name): \(broken.isEmpty ? "as promised" : broken.joined(separator: "; "))")
          outcome.withLock { outcome in
            outcome.results.append(result)
            outcome.problems += broken.map { "\(item.name): \($0)" }
          }
        } catch {
          outcome.withLock { $0.problems.append("\(item.name) could not be run: \(error)") }
        }
      }
    }
    return outcome.withLock { $0 }
  }

  private static func write(_ text: String, into path: String) throws {
    let document = try String(contentsOfFile: path, encoding: .utf8)
    guard let begin = document.firstRange(of: FaultTable.begin), let end = document.firstRange(of: FaultTable.end)
    else {
      throw TestSupportError(.malformed, "\(path) has no place for the table")
    }
    let new = document[..<begin.upperBound] + "\n\n" + text + "\n" + document[end.lowerBound...]
    try String(new).write(toFile: path, atomically: true, encoding: .utf8)
  }

  private static func say(_ text: String) {
    FileHandle.standardError.write(Data("\(text)\n".utf8))
  }
}
