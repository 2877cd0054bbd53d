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
    var state = RoutingState(current: Self.routing(dual: isDual, primary: false))
    let watch = state.watches.begin()
    #expect(!state.isMove && !state.letsEnd(watch))
    for phase in [RoutingState.Phase.gathering, .fencing, .switching] {
      state.phase = phase
      state.pending = Self.routing(dual: !isDual, primary: false)
      #expect(!state.isMove && !state.letsEnd(watch))
      for dual in [true, false] {
        state.pending = Self.routing(dual: dual, primary: true)
        #expect(state.isMove)
        #expect(state.letsEnd(watch) == (phase == .gathering))
        #expect(!state.letsEnd(nil))
      }
    }
    state.phase = .gathering
    _ = state.watches.defaultStoreMoved()
    #expect(!state.letsEnd(watch))
  }
}
