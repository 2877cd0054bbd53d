internal import Hiredis
internal import Testing

@testable internal import MultiStore

@Suite("The decisions about keys on their way to the default store")
struct KeyArrivalStateTests {
  private typealias State = KeyArrivalState.State
  private typealias Action = KeyArrivalState.Action

  @Test func `a batch whose keys are there is executed at once`() {
    var state = KeyArrivalState()
    #expect(state.looked(outdated: 0, questions: 0) == .execute)
    #expect(state.state == .ended)
  }

  @Test func `stale keys are copied until none is left`() {
    var state = KeyArrivalState()
    #expect(state.looked(outdated: 2, questions: 0) == .copy)
    #expect(state.copyEnded(.done) == .wait)
    #expect(state.copyEnded(.done) == .look)
    // One of them was being copied already, and is stale since.
    #expect(state.looked(outdated: 1, questions: 0) == .copy)
    #expect(state.copyEnded(.done) == .look)
    #expect(state.looked(outdated: 0, questions: 0) == .execute)
  }

  @Test(arguments: [KeyArrivalState.Outcome.unreachable, .failed])
  func `a key that can't be copied ends the wait`(outcome: KeyArrivalState.Outcome) {
    var state = KeyArrivalState()
    #expect(state.looked(outdated: 2, questions: 1) == .copy)
    #expect(state.copyEnded(outcome) == .wait)
    #expect(state.copyEnded(.done) == .look)
    #expect(state.looked(outdated: 1, questions: 1) == .giveUp)
    #expect(state.state == .ended)
  }

  @Test func `a failed copy matters only while its key is stale`() {
    var state = KeyArrivalState()
    #expect(state.looked(outdated: 1, questions: 0) == .copy)
    #expect(state.copyEnded(.unreachable) == .look)
    #expect(state.looked(outdated: 0, questions: 0) == .execute)
  }

  @Test func `keys that the default store lacks are asked for once, and moved`() {
    var state = KeyArrivalState()
    #expect(state.looked(outdated: 1, questions: 3) == .copy)
    #expect(state.copyEnded(.done) == .look)
    #expect(state.looked(outdated: 0, questions: 3) == .ask)
    #expect(state.answered() == .wait)
    #expect(state.answered() == .wait)
    #expect(state.answered() == .move)
    #expect(state.moveBegan(2) == .wait)
    #expect(state.copyEnded(.done) == .wait)
    #expect(state.copyEnded(.done) == .look)
    #expect(state.looked(outdated: 0, questions: 3) == .execute)
  }

  @Test func `nothing is moved when the default store has all keys`() {
    var state = KeyArrivalState()
    #expect(state.looked(outdated: 0, questions: 1) == .ask)
    #expect(state.answered() == .move)
    #expect(state.moveBegan(0) == .look)
    #expect(state.looked(outdated: 0, questions: 1) == .execute)
  }

  @Test func `an old store that can't be reached has nothing to say, and a failed move ends the wait`() {
    for (outcome, action) in [(KeyArrivalState.Outcome.unreachable, Action.look), (.failed, .failMoving)] {
      var state = KeyArrivalState()
      #expect(state.looked(outdated: 0, questions: 2) == .ask)
      #expect(state.answered() == .wait)
      #expect(state.answered() == .move)
      #expect(state.moveBegan(2) == .wait)
      #expect(state.copyEnded(outcome) == .wait)
      #expect(state.copyEnded(.done) == action)
    }
  }

  @Test func `a default store that does not say what it has ends the wait`() {
    let failure = KeyArrivalState.AskingFailure(clientError: "ERR", failure: .timedOut)
    for isLast in [false, true] {
      var state = KeyArrivalState()
      #expect(state.looked(outdated: 0, questions: 2) == .ask)
      #expect(state.answered(isLast ? nil : failure) == .wait)
      #expect(state.answered(isLast ? failure : nil) == .failAsking(failure))
      #expect(state.state == .ended)
    }
  }

  @Test func `an event that is not possible in a state traps`() async {
    await #expect(processExitsWith: .failure) {
      var state = KeyArrivalState()
      _ = state.copyEnded(.done)
    }
    await #expect(processExitsWith: .failure) {
      var state = KeyArrivalState()
      _ = state.looked(outdated: 0, questions: 0)
      _ = state.looked(outdated: 0, questions: 0)
    }
  }
}
