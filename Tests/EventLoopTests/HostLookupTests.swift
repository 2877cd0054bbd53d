import Testing

@testable import EventLoop

@Suite("Lookups of hosts")
final class HostLookupTests {
  let harness: LoopHarness

  init() throws {
    harness = try LoopHarness()
  }

  deinit { harness.finish() }

  @Test func `lookups of one host at a time are one question, and a cancelled one is not answered`() throws {
    let loop = harness.loop
    var answered: [Int] = []
    var lookups: [HostLookup?] = []
    for index in 0..<4 {
      lookups.append(
        try HostLookup(on: loop, host: "localhost") { outcome in
          guard case .addresses(let literals) = outcome else {
            Issue.record("\(outcome)")
            return
          }
          #expect(literals.contains("127.0.0.1") || literals.contains("::1"))
          answered.append(index)
          // The last one is cancelled by the answer of another one.
          if index == 0 { lookups[3] = nil }
          if index == 2 { loop.stop() }
        }
      )
    }
    #expect(loop.lookups.count == 1)
    lookups[1] = nil
    harness.run()
    #expect(answered == [0, 2])
    #expect(loop.lookups.isEmpty)
  }

  /// The resolver has few threads, and those that nobody waits for must not keep them.
  @Test func `lookups that nobody waits for are not begun`() throws {
    let loop = harness.loop
    for index in 1..<500 {
      // Other spellings of a name that needs no network. Each is dropped at once.
      let letters = "localhost".enumerated().map { index >> $0 & 1 == 1 ? $1.uppercased() : String($1) }
      _ = try HostLookup(on: loop, host: letters.joined()) { _ in Issue.record("it was cancelled") }
    }
    // But for those that the resolver was working on.
    #expect(loop.lookups.count < 250)
    let lookup = try HostLookup(on: loop, host: "localhost") { _ in loop.stop() }
    harness.run()
    withExtendedLifetime(lookup) {}
  }
}
