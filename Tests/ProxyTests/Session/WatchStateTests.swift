import Testing

@testable import MultiStore
@testable import Proxy

@Suite("What a client watches")
struct WatchStateTests {
  private let watch: KeyWatch

  init() {
    var watches = OpenWatches()
    watch = watches.begin()
  }

  /// A client that watches keys since `epoch` of its connection.
  private func watching(since epoch: Int = 1) -> WatchState {
    var state = WatchState()
    state.begin(epoch: epoch) { watch }
    return state
  }

  @Test func `a client watches from WATCH to EXEC`() {
    var state = WatchState()
    #expect(!state.isOpen && state.open == nil)
    state.begin(epoch: 3) { watch }
    #expect(state.isOpen && state.open == watch)
    #expect(state.end() == .watching(watch, epoch: 3, commands: 1))
    #expect(state.state == .idle && state.end() == .idle)
  }

  @Test func `a second WATCH adds keys to the same watch`() {
    var state = watching(since: 3)
    var count = 0
    state.begin(epoch: 4) {
      count += 1
      return watch
    }
    #expect(count == 0 && state.state == .watching(watch, epoch: 3, commands: 2))
  }

  @Test func `it holds on the connection that executed the command, and on one that will`() {
    var state = watching(since: 1)
    #expect(state.check(epoch: 0, isReady: false, isOnDefaultStore: true) == nil)
    #expect(state.check(epoch: 1, isReady: true, isOnDefaultStore: true) == nil)
    #expect(state.isOpen)
  }

  @Test(arguments: [(1, false), (2, true), (2, false)])
  func `it is lost with the connection, and stays so until EXEC`(epoch: Int, isReady: Bool) {
    var state = watching(since: 1)
    #expect(state.check(epoch: epoch, isReady: isReady, isOnDefaultStore: true) == watch)
    #expect(state.state == .lost(.connectionLost) && !state.isOpen && state.open == nil)
    // The keys of a further WATCH are watched, and the first ones are not.
    state.begin(epoch: 2) { watch }
    #expect(state.check(epoch: 2, isReady: true, isOnDefaultStore: true) == nil)
    #expect(state.end() == .lost(.connectionLost))
    state.begin(epoch: 2) { watch }
    #expect(state.isOpen)
  }

  @Test func `it is lost when the default store moves`() {
    var state = watching()
    #expect(state.check(epoch: 1, isReady: true, isOnDefaultStore: false) == watch)
    #expect(state.end() == .lost(.defaultMoved))
  }

  @Test func `the first reason is the one that counts, and the instance is told once`() {
    var state = watching()
    #expect(state.lose(.defaultMoved) == watch)
    #expect(state.lose(.connectionLost) == nil)
    #expect(state.connectionFailed(epoch: 1, isLastWatch: false) == nil)
    #expect(state.check(epoch: 1, isReady: true, isOnDefaultStore: true) == nil)
    #expect(state.end() == .lost(.defaultMoved))
  }

  @Test func `a WATCH that was refused watches nothing, and leaves others alone`() {
    var state = watching(since: 1)
    #expect(state.refused() == watch)
    #expect(state.state == .idle && state.refused() == nil)
    state = watching(since: 1)
    state.begin(epoch: 1) { watch }
    #expect(state.refused() == nil && state.isOpen)
    #expect(state.refused() == watch && !state.isOpen)
    state = watching(since: 1)
    #expect(state.lose(.defaultMoved) == watch)
    #expect(state.refused() == nil)
    #expect(state.end() == .lost(.defaultMoved))
  }

  @Test func `a WATCH whose connection was never made watches nothing`() {
    var state = watching(since: 1)
    #expect(state.connectionFailed(epoch: 0, isLastWatch: false) == watch)
    #expect(state.state == .idle && !state.isOpen)
    #expect(state.connectionFailed(epoch: 0, isLastWatch: false) == nil)
    state.begin(epoch: 1) { watch }
    #expect(state.end() == .watching(watch, epoch: 1, commands: 1))
    state = watching(since: 1)
    #expect(state.connectionFailed(epoch: 1, isLastWatch: true) == watch)
    #expect(state.state == .idle, "it is the only one, and has failed")
    state = watching(since: 1)
    state.begin(epoch: 1) { watch }
    #expect(state.connectionFailed(epoch: 1, isLastWatch: true) == watch)
    #expect(state.end() == .lost(.connectionLost), "the first one had been executed")
    // One that had been there before is lost.
    state = watching(since: 1)
    #expect(state.connectionFailed(epoch: 1, isLastWatch: false) == watch)
    #expect(state.end() == .lost(.connectionLost))
  }
}
