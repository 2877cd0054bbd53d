import Testing

@testable import Proxy

@Suite("The memory governor")
struct MemoryGovernorTests {
  private let budget = MemoryBudget(limit: 100 << 20)
  private var governor = MemoryGovernor()

  /// Records what a client uses, in MiB.
  private mutating func note(
    _ client: Int,
    input: Int = 0,
    held: Int = 0,
    output: Int = 0,
    isExecuting: Bool = false
  ) {
    let memory = ClientMemory(input: input << 20, held: held << 20, output: output << 20)
    governor.note(memory, of: client, isExecuting: isExecuting)
  }

  /// All that the governor does in so many checks.
  private mutating func check(_ times: Int = MemoryGovernor.stallChecks) -> [MemoryGovernor.Action] {
    (0..<times).flatMap { _ in governor.check(budget) }
  }

  @Test func `half of the limit is granted to large commands, in the order of asking`() {
    var governor = governor
    #expect(budget.reserve(30 << 20))
    for client in 1...3 { governor.enqueue(client, bytes: 10 << 20) }
    #expect(governor.decide(budget) == [.grant(client: 1), .grant(client: 2)])
    #expect(budget.used == 50 << 20 && budget.used(for: .reserved) == 50 << 20 && governor.waitingCount == 1)
    #expect(!budget.reserve(1) && governor.decide(budget) == [])
    budget.change(.reserved, by: -10 << 20)
    #expect(governor.decide(budget) == [.grant(client: 3)] && governor.waitingCount == 0)
  }

  @Test mutating func `a client that has begun comes before those that have not`() {
    note(2, input: 1)
    governor.enqueue(1, bytes: 10 << 20)
    governor.enqueue(2, bytes: 40 << 20)
    #expect(governor.decide(budget) == [.grant(client: 2), .grant(client: 1)])
  }

  @Test mutating func `one whose bytes are counted already needs no more than the rest`() {
    #expect(budget.reserve(49 << 20))
    governor.enqueue(1, bytes: 2 << 20)
    governor.enqueue(2, bytes: 1)
    #expect(governor.decide(budget) == [])
    governor.update(1, bytes: 1 << 20)
    governor.update(3, bytes: 0)
    #expect(governor.decide(budget) == [.grant(client: 1)])
  }

  @Test mutating func `one that has left the line gets nothing`() {
    governor.enqueue(1, bytes: 1)
    governor.enqueue(2, bytes: 1)
    governor.enqueue(3, bytes: 1)
    governor.leaveLine(1)
    governor.remove(2)
    #expect(governor.decide(budget) == [.grant(client: 3)])
    #expect(governor.isIdle)
  }

  @Test mutating func `the largest client without progress is refused while another one waits`() {
    note(1, input: 20)
    note(2, input: 30)
    note(3, input: 40, isExecuting: true)
    #expect(check() == [], "nobody waits")
    budget.change(.input, by: 50 << 20)
    governor.enqueue(9, bytes: 10 << 20)
    #expect(check(MemoryGovernor.stallChecks - 1) == [])
    #expect(check(1) == [.refuse(client: 2)])
    // It has dropped what it had.
    note(2)
    #expect(check(1) == [.refuse(client: 1)])
  }

  @Test mutating func `progress puts the refusal off`() {
    budget.change(.input, by: 50 << 20)
    governor.enqueue(9, bytes: 10 << 20)
    for megabytes in 20..<25 {
      note(1, input: megabytes)
      #expect(check(MemoryGovernor.stallChecks - 1) == [])
    }
    for megabytes in (10..<15).reversed() {
      note(1, output: megabytes)
      #expect(check(MemoryGovernor.stallChecks - 1) == [])
    }
    #expect(check(1) == [.cutOff(client: 1)], "what it has are replies")
  }

  @Test mutating func `drops are no progress of a large command`() {
    budget.change(.input, by: 50 << 20)
    governor.enqueue(9, bytes: 10 << 20)
    for step in 0..<3 {
      let input = (1 << 20) + step * MemoryGovernor.progressBytes
      governor.note(ClientMemory(input: input, reserved: 32 << 20), of: 1, isExecuting: false)
      #expect(check(MemoryGovernor.stallChecks / 3) == [])
    }
    #expect(check(1) == [.refuse(client: 1)])
  }

  @Test mutating func `one that was refused and keeps what it has is cut off`() {
    budget.change(.held, by: 50 << 20)
    note(1, held: 50)
    governor.enqueue(9, bytes: 10 << 20)
    #expect(check() == [.refuse(client: 1)])
    #expect(check(1) == [.cutOff(client: 1)])
  }

  @Test mutating func `above three quarters of the limit the largest go at once, and small ones never`() {
    for client in 1...10 { note(client, output: client) }
    let small = ClientMemory(output: MemoryGovernor.smallBytes)
    for client in 100..<200 { governor.note(small, of: client, isExecuting: false) }
    budget.change(.output, by: 80 << 20)
    // 30 MiB too much for half of the limit.
    #expect(governor.decide(budget) == [10, 9, 8, 7].map { .cutOff(client: $0) })
  }
}

@Suite("The memory budget")
struct MemoryBudgetTests {
  @Test func `a fall after a peak is noticed once, and not before it has lasted`() {
    let budget = MemoryBudget(limit: 1 << 30)
    #expect(!budget.hasFallen(by: 1))
    budget.change(.output, by: 100)
    budget.change(.output, by: -40)
    #expect(!budget.hasFallen(by: 10) && !budget.hasFallen(by: 10), "more than half of it is in use")
    budget.change(.output, by: -20)
    #expect(!budget.hasFallen(by: 60), "60 were in use a moment ago")
    #expect(!budget.hasFallen(by: 61) && budget.hasFallen(by: 60) && !budget.hasFallen(by: 1))
    budget.change(.input, by: 30)
    #expect(budget.used(for: .input) == 30 && budget.used(for: .output) == 40 && budget.used == 70)
  }

  @Test func `use that goes up and down all the time is no fall`() {
    let budget = MemoryBudget(limit: 1 << 30)
    for _ in 0..<10 {
      budget.change(.input, by: 100)
      budget.change(.input, by: -100)
      #expect(!budget.hasFallen(by: 10))
    }
  }

  @Test func `threads together reserve no more than there is room for`() async {
    let budget = MemoryBudget(limit: 1 << 20)
    let granted = await withTaskGroup(of: Int.self) { group in
      for _ in 0..<8 { group.addTask { (0..<10_000).filter { _ in budget.reserve(100) }.count } }
      return await group.reduce(0, +)
    }
    #expect(granted == budget.roomForLargeCommands / 100 && budget.used == granted * 100)
  }
}
