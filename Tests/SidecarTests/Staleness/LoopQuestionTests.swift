import MultiStore
import Testing

@testable import Sidecar

@Suite("Questions to an instance's loop")
struct LoopQuestionTests {
  @Test func `a question that was answered before it is waited for has its answer`() {
    let question = LoopQuestion<Int>()
    question.execute { 7 }
    #expect(question.answer(within: .zero) == 7)
  }

  @Test func `a question that is not executed in time is withdrawn, and never executed`() {
    let question = LoopQuestion<Int>()
    #expect(question.answer(within: .milliseconds(1)) == nil)
    var wasExecuted = false
    question.execute {
      wasExecuted = true
      return 7
    }
    #expect(!wasExecuted)
  }

  @Test func `the loop of a running instance answers`() throws {
    let instance = try InstanceFixture(staleKeys: [.primary: [StaleKey("k", at: 1)]])
    #expect(try instance.access.ask { $0.staleKeyCount(of: .primary) } == 1)
    #expect(try instance.access.ask { $0.staleKeyCount(of: .secondary) } == 0)
    let stuck = InstanceAccess(status: instance.access.status) { _ in }
    #expect(throws: InstanceAccess.NoAnswer.self) { try stuck.ask(within: .milliseconds(1)) { _ in 0 } }
  }
}
