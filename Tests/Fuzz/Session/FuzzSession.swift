import Foundation
import FuzzChecks

/// Runs conversations, and looks at the whole sidecar every now and then.
final class SessionRun {
  /// Conversations between two looks at the sidecar.
  private static let interval = 200
  /// How much the process may grow after its first conversations, in bytes: a leak of a kilobyte in each shows soon.
  private static let maxGrowth = 256 << 20

  private var count = 0
  private var bytesAtFirst = 0

  func take(_ input: [UInt8]) {
    do {
      var conversation = Conversation(input)
      try conversation.run()
      count += 1
      guard count.isMultiple(of: Self.interval) else { return }
      try SidecarUnderTest.shared.expectNoClients()
      let bytes = SidecarUnderTest.residentBytes
      if bytesAtFirst == 0 { bytesAtFirst = bytes }
      // With AddressSanitizer freed memory stays for a while, and libFuzzer has a limit of its own.
      #if !FUZZING
        guard bytes < bytesAtFirst + Self.maxGrowth else { throw FuzzProblem("grown from \(bytesAtFirst) to \(bytes)") }
      #endif
    } catch {
      fatalError("\(error)\ninput: \(input)")
    }
  }
}

#if FUZZING
  // libFuzzer calls from one thread.
  private nonisolated(unsafe) let session = SessionRun()

  private let suppressions: StaticString = "leak:formWeakReference\n"

  /// What LeakSanitizer is not to report: the place that Swift notes weak references at is kept in a form in which it
  /// does not recognise the pointer.
  @_cdecl("__lsan_default_suppressions")
  public func defaultSuppressions() -> UnsafePointer<UInt8> {
    suppressions.utf8Start
  }

  /// What libFuzzer calls with each input.
  @_cdecl("LLVMFuzzerTestOneInput")
  public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    session.take(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
  }
#else
  /// Without libFuzzer: random conversations, the same ones for the same seed.
  @main
  enum FuzzSession {
    /// `FuzzSession RUNS SEED [FILE …]`: the files' conversations come first.
    static func main() {
      let numbers = CommandLine.arguments.dropFirst().prefix(2).compactMap { UInt64($0) }
      guard numbers.count == 2 else { fatalError("usage: FuzzSession RUNS SEED [FILE …]") }
      var random = FuzzGenerator(seed: numbers[1])
      let session = SessionRun()
      for path in CommandLine.arguments.dropFirst(3) {
        guard let data = FileManager.default.contents(atPath: path) else { fatalError("\(path) can't be read") }
        session.take([UInt8](data))
      }
      for _ in 0..<numbers[0] {
        session.take((0..<Int.random(in: 1...160, using: &random)).map { _ in .random(in: 0...255, using: &random) })
      }
      print("\(numbers[0]) conversations, seed \(numbers[1])")
    }
  }
#endif
