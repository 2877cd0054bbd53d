internal import Testing

@testable internal import MultiStore

@Suite("The state machine of the copies of functions")
struct FunctionCopyStateTests {
  private static let pause = FunctionCopyState.retryPause

  /// A state in which a copy is in flight.
  private func copying(_ policy: FunctionCopyState.Policy = .replace) -> FunctionCopyState {
    var copies = FunctionCopyState()
    copies.require(policy)
    #expect(copies.begin(at: 1, isHurried: false) == policy)
    return copies
  }

  private func failure(_ reason: String, _ kind: FunctionCopyState.Failure.Kind = .passing)
    -> FunctionCopyState.Failure
  {
    FunctionCopyState.Failure(reason: reason, kind: kind)
  }

  @Test func `a copy begins when it is necessary, and once`() {
    var copies = FunctionCopyState()
    #expect(copies.begin(at: 1, isHurried: true) == nil)
    copies.require(.replace)
    #expect(!copies.isCopying)
    #expect(copies.begin(at: 1, isHurried: false) == .replace)
    #expect(copies.isCopying)
    #expect(copies.begin(at: 1, isHurried: true) == nil)
    #expect(copies.copied() == false)
    #expect(copies.begin(at: .max, isHurried: true) == nil)
  }

  @Test func `libraries that the other store alone has are removed if it missed a removal`() {
    var copies = FunctionCopyState()
    copies.require(.flush)
    copies.require(.replace)
    #expect(copies.begin(at: 1, isHurried: false) == .flush)
    #expect(copies.failed(failure("lost"), at: 1) == true)
    #expect(copies.begin(at: 1, isHurried: true) == .flush)
  }

  @Test func `a copy during which the functions change is followed by another`() {
    var copies = copying()
    copies.functionsDidChange(.flush)
    copies.functionsDidChange(.replace)
    #expect(copies.copied() == false)
    #expect(copies.begin(at: 1, isHurried: false) == .flush)
    #expect(copies.copied() == false)
    // The other store gets the change itself.
    copies.functionsDidChange(.flush)
    #expect(copies.begin(at: .max, isHurried: true) == nil)
  }

  @Test func `a change that is missed during a copy that fails counts for the next one`() {
    var copies = copying()
    copies.require(.flush)
    #expect(copies.failed(failure("lost"), at: 1) == true)
    #expect(copies.begin(at: 1 + Self.pause, isHurried: false) == .flush)
  }

  @Test func `a copy that failed is repeated after a pause, or when it is hurried`() {
    var copies = copying()
    #expect(copies.failed(failure("busy"), at: 5) == true)
    #expect(copies.begin(at: 4 + Self.pause, isHurried: false) == nil)
    #expect(copies.begin(at: 5 + Self.pause, isHurried: false) == .replace)
    #expect(copies.failed(failure("busy"), at: 5) == false, "the same reason is reported once")
    #expect(copies.begin(at: 6, isHurried: true) == .replace)
    #expect(copies.copied() == true, "the end of the failures is reported")
  }

  @Test func `a refusal for good is repeated after another change, or when it is hurried`() {
    var copies = copying()
    #expect(copies.failed(failure("unknown command", .lasting), at: 5) == true)
    #expect(copies.begin(at: UInt64.max - 1, isHurried: false) == nil)
    copies.require(.replace)
    #expect(copies.begin(at: 6, isHurried: false) == .replace)
    #expect(copies.failed(failure("unknown command", .lasting), at: 6) == false)
    #expect(copies.begin(at: 7, isHurried: true) == .replace)
  }

  @Test func `a store whose functions could not be copied should not become the default`() {
    for kind in [FunctionCopyState.Failure.Kind.passing, .lasting] {
      var copies = copying()
      #expect(copies.obstacle == nil, "the move waits for the copy")
      _ = copies.failed(failure("oom", kind), at: 1)
      #expect(copies.obstacle == "oom")
      _ = copies.begin(at: 1, isHurried: true)
      #expect(copies.obstacle == nil)
      _ = copies.copied()
      #expect(copies.obstacle == nil)
    }
  }

  /// It may not use functions at all, and only an operator can have loaded some.
  @Test func `the user's rights are no obstacle, and not tried again and again`() {
    var copies = copying()
    #expect(copies.failed(failure("no permission", .forbidden), at: 5) == true)
    #expect(copies.obstacle == nil)
    #expect(copies.begin(at: UInt64.max - 1, isHurried: false) == nil)
  }

  @Test func `after a move the functions of the new default store count`() {
    var copies = FunctionCopyState()
    #expect(copies.defaultStoreMoved() == false)
    copies.require(.flush)
    #expect(copies.defaultStoreMoved() == true, "a change was missed")
    #expect(copies.begin(at: 1, isHurried: true) == nil)
    copies = copying()
    #expect(copies.defaultStoreMoved() == true, "the outcome of the copy is not known")
    #expect(!copies.isCopying)
  }
}
