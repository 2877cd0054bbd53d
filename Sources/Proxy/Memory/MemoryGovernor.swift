/// Decides which clients of an instance have to wait, and which are refused or closed, when memory runs short.
///
/// Before more of a large command is read, its client asks for room for all of it. Requests are granted in order,
/// except that clients which use some room already come first: once they are done, others get their room. While a
/// client waits for room, the largest client that makes no progress is refused its command, or is closed if it does not
/// take its replies. Clients below ``smallBytes`` are never affected.
///
/// It holds no references to clients and reads no clock. Confined to the instance's loop.
struct MemoryGovernor {
  /// The bytes up to which a client is never refused or closed.
  static let smallBytes = 256 << 10
  /// The number of calls of ``check(_:)`` without progress after which a client is stalled. Time alone is no measure:
  /// a delayed loop reads no client.
  static let stallChecks = 10
  /// The least that counts as progress, in further bytes of a command and as a fraction (1/64) of all that the client
  /// uses, so that a trickle of bytes cannot hold memory for hours.
  static let progressBytes = 64 << 10
  static let progressShare = 64

  /// A decision about a client.
  enum Action: Equatable {
    /// The client may continue: the room that it asked for is reserved.
    case grant(client: Int)
    /// The client's command or transaction is refused with an error.
    case refuse(client: Int)
    /// The client's connection is closed.
    case cutOff(client: Int)
  }

  private struct Consumer {
    var memory = ClientMemory()
    /// The memory at its last progress.
    var mark = ClientMemory()
    /// The number of calls of ``check(_:)`` since then.
    var checks = 0
    var isExecuting = false
    /// Whether it was refused and still uses much.
    var wasRefused = false
  }

  /// The clients that use more than ``smallBytes``.
  private var consumers: [Int: Consumer] = [:]
  /// The clients that wait for room; `growing` have some already, and come first.
  private var growing: [(client: Int, bytes: Int)] = []
  private var beginning: [(client: Int, bytes: Int)] = []

  /// The number of clients that wait for room.
  var waitingCount: Int { growing.count + beginning.count }

  /// Whether there is nothing to watch.
  var isIdle: Bool { consumers.isEmpty && waitingCount == 0 }

  /// Records the memory that a client uses.
  ///
  /// - Parameter isExecuting: Whether a command of the client's is with a store, so that the client cannot make
  ///   progress.
  mutating func note(_ memory: ClientMemory, of client: Int, isExecuting: Bool) {
    guard memory.total > Self.smallBytes else {
      consumers[client] = nil
      return
    }
    var consumer = consumers[client] ?? Consumer()
    let progress = max(Self.progressBytes, memory.total / Self.progressShare)
    let hasMoreInput = memory.input + memory.held >= consumer.mark.input + consumer.mark.held + progress
    let hasLessInput = memory.input + memory.held < consumer.mark.input + consumer.mark.held
    let hasLessOutput = memory.output < consumer.mark.output
    if hasMoreInput || hasLessInput || hasLessOutput || isExecuting {
      consumer.checks = 0
      consumer.mark = memory
    }
    if hasLessInput { consumer.wasRefused = false }
    consumer.mark.output = max(consumer.mark.output, memory.output)
    consumer.memory = memory
    consumer.isExecuting = isExecuting
    consumers[client] = consumer
  }

  /// Adds a client to the line for room.
  mutating func enqueue(_ client: Int, bytes: Int) {
    if consumers[client] == nil { beginning.append((client, bytes)) } else { growing.append((client, bytes)) }
  }

  /// Changes the bytes that a client in the line waits for.
  mutating func update(_ client: Int, bytes: Int) {
    if let index = growing.firstIndex(where: { $0.client == client }) { growing[index].bytes = bytes }
    if let index = beginning.firstIndex(where: { $0.client == client }) { beginning[index].bytes = bytes }
  }

  /// Removes a client from the line for room.
  mutating func leaveLine(_ client: Int) {
    growing.removeAll { $0.client == client }
    beginning.removeAll { $0.client == client }
  }

  /// Forgets a client that is gone.
  mutating func remove(_ client: Int) {
    consumers[client] = nil
    leaveLine(client)
  }

  /// Grants available room, and frees memory if too much is in use. Called when either may have changed.
  mutating func decide(_ budget: MemoryBudget) -> [Action] {
    var actions: [Action] = []
    while let client = takeNext(budget) { actions.append(.grant(client: client)) }
    if budget.used > budget.mostInUse {
      free(budget.used - budget.roomForLargeCommands, of: Array(consumers.keys), &actions)
    }
    return actions
  }

  /// Looks for clients that keep room from others and make no progress. Called at regular intervals while this is not
  /// idle.
  mutating func check(_ budget: MemoryBudget) -> [Action] {
    guard waitingCount > 0 || budget.isTight, let stalled = largestStalled() else { return [] }
    var actions: [Action] = []
    free(1, of: [stalled], &actions)
    return actions
  }

  private mutating func takeNext(_ budget: MemoryBudget) -> Int? {
    if let next = growing.first {
      guard budget.reserve(next.bytes) else { return nil }
      return growing.removeFirst().client
    }
    guard let next = beginning.first, budget.reserve(next.bytes) else { return nil }
    return beginning.removeFirst().client
  }

  private mutating func largestStalled() -> Int? {
    var largest: (client: Int, bytes: Int)?
    for (client, var consumer) in consumers {
      consumer.checks += 1
      consumers[client] = consumer
      guard !consumer.isExecuting, consumer.checks >= Self.stallChecks else { continue }
      if consumer.memory.total > largest?.bytes ?? 0 { largest = (client, consumer.memory.total) }
    }
    return largest?.client
  }

  /// Frees at least `bytes`, the largest of `clients` first, by refusing their commands or closing their connections.
  private mutating func free(_ bytes: Int, of clients: [Int], _ actions: inout [Action]) {
    var left = bytes
    let largestFirst = clients.sorted { total($0) > total($1) }
    for client in largestFirst where left > 0 {
      guard let consumer = consumers[client] else { continue }
      left -= consumer.memory.total
      let memory = consumer.memory
      if consumer.wasRefused || memory.output > memory.input + memory.reserved + memory.held {
        actions.append(.cutOff(client: client))
      } else {
        consumers[client]?.wasRefused = true
        actions.append(.refuse(client: client))
      }
    }
  }

  private func total(_ client: Int) -> Int { consumers[client]?.memory.total ?? 0 }
}
