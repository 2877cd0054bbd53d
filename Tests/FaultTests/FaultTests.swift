import FaultLaboratory
import TestSupport
import Testing

/// A part of what Tests/faults.sh runs, with bounds.
@Suite("Faults under load")
struct FaultTests {
  /// Long enough to see whether clients are served after the first timeout.
  static let run = FaultRun(duration: .seconds(3), otherStoreTimeout: timeout)
  static let timeout = Duration.milliseconds(500)

  static let cases = [
    FaultCase(.stopped, .oldIsDefault, .waiting), FaultCase(.stopped, .newIsDefault, .apart),
    FaultCase(.ignoring, .oldIsDefault, .waiting), FaultCase(.hanging, .newIsDefault, .waiting),
    FaultCase(.killed, .oldIsDefault, .waiting), FaultCase(.flapping, .newIsDefault, .waiting),
    FaultCase(.full, .oldIsDefault, .waiting), FaultCase(.connectionsKilled, .oldIsDefault, .waiting),
  ]

  @Test(arguments: cases)
  func `the other store can do nothing to a client`(item: FaultCase) throws {
    let result = try Self.run.run(item)
    #expect(result.brokenPromises(firstTimeout: Self.timeout) == [])
    #expect(result.commands > 0)
  }

  @Test(arguments: [
    FaultCase(.stopped, of: .defaultStore), FaultCase(.connectionsKilled, of: .defaultStore, .newIsDefault),
  ])
  func `the default store's faults are errors, and no wrong answers`(item: FaultCase) throws {
    let result = try Self.run.run(item)
    #expect(result.brokenPromises(firstTimeout: Self.timeout) == [])
    #expect(result.commands > 0)
  }
}
