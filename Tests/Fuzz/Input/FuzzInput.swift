import Foundation
import FuzzChecks

/// What a run of this program checks: `requests`, `replies` or `upgrades`.
private let check: @Sendable ([UInt8]) throws -> Void =
  switch ProcessInfo.processInfo.environment["FUZZ_TARGET"] ?? "requests" {
  case "requests": RequestCheck.run
  case "replies": ReplyCheck.run
  case "upgrades": UpgradeCheck.run
  case let other: fatalError("FUZZ_TARGET is \(other); it has to be requests, replies or upgrades")
  }

private func run(_ input: [UInt8]) {
  do {
    try check(input)
  } catch {
    fatalError("\(error)")
  }
}

#if FUZZING
  /// What libFuzzer calls with each input.
  @_cdecl("LLVMFuzzerTestOneInput")
  public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    run(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
  }
#else
  /// Without libFuzzer: inputs made of the protocol's own pieces, the same ones for the same seed.
  @main
  enum FuzzInput {
    /// `FuzzInput RUNS SEED`
    static func main() {
      let numbers = CommandLine.arguments.dropFirst().compactMap { UInt64($0) }
      guard numbers.count == 2 else { fatalError("usage: FuzzInput RUNS SEED") }
      var random = FuzzGenerator(seed: numbers[1])
      for _ in 0..<numbers[0] { run(FuzzPieces.input(&random)) }
      print("\(numbers[0]) inputs, seed \(numbers[1])")
    }
  }
#endif
