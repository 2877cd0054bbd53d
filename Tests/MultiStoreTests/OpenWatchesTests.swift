internal import Testing

@testable internal import MultiStore

@Suite("Watches that a move of the default store waits for")
struct OpenWatchesTests {
  @Test("Each watch is counted from its beginning to its end")
  func counting() {
    var watches = OpenWatches()
    let (first, second) = (watches.begin(), watches.begin())
    #expect(watches.count == 2 && watches.isOpen(first) && watches.isOpen(second))
    watches.end(first)
    #expect(watches.count == 1)
    watches.end(second)
    #expect(watches.count == 0)
  }

  @Test("A move makes void what is open, and what ends later does not count against those that begin after it")
  func move() {
    var watches = OpenWatches()
    let (first, second) = (watches.begin(), watches.begin())
    watches.end(first)
    #expect(watches.defaultStoreMoved() == 1)
    #expect(watches.count == 0 && !watches.isOpen(second))
    let third = watches.begin()
    watches.end(second)
    #expect(watches.count == 1 && watches.isOpen(third))
    // There and back is not the same: another store was the default one in between.
    #expect(watches.defaultStoreMoved() == 1)
    #expect(watches.defaultStoreMoved() == 0)
    #expect(!watches.isOpen(second) && !watches.isOpen(third))
  }
}

@Suite("Changes of the routing that wait")
struct RoutingStateTests {
  private static func routing(dual: Bool, primary: Bool) -> Routing {
    Routing(
      flags: FlagState(dualWrite: dual, primaryAsDefault: primary),
      canUsePrimary: true,
      readPolicy: .fallback
    )
  }

  @Test(
    "Watches go on while the default store is to move, as long as the change is gathering",
    arguments: [true, false]
  )
  func watches(isDual: Bool) {
    for next in [(!isDual, false), (true, true), (false, true)] {
      var state = RoutingState(current: Self.routing(dual: isDual, primary: false))
      let watch = state.watches.begin()
      #expect(!state.letsEnd(watch) && !state.letsEnd(nil))
      let isMove = next.1
      let flags = FlagState(dualWrite: next.0, primaryAsDefault: next.1)
      _ = state.flip.flagsChanged(flags, to: Self.routing(dual: next.0, primary: next.1))
      #expect(state.letsEnd(watch) == isMove && !state.letsEnd(nil))
      var voided = state
      _ = voided.watches.defaultStoreMoved()
      #expect(!voided.letsEnd(watch))
      // Fencing, switching, settled again.
      guard case .fence(let fence, _) = state.flip.advance(Flip.Progress(hasPreparedSubscriptions: true)) else {
        Issue.record("no fence: \(state.flip.state)")
        continue
      }
      #expect(!state.letsEnd(watch) && !state.letsEnd(nil))
      #expect(state.flip.fencePassed(fence) == .switchSubscriptions)
      #expect(!state.letsEnd(watch) && !state.letsEnd(nil))
      #expect(state.flip.limitPassed()?.isMove == isMove)
      #expect(!state.letsEnd(watch) && !state.letsEnd(nil))
    }
  }
}
