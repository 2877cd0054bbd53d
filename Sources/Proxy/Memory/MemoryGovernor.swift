/// Decides which clients of an instance have to wait, and which have to go, when memory runs short.
///
/// A client that sends a large command asks for room for all of it before more of it is read. Room is given in the
/// order of asking, except that a client that has begun to use some comes first: once it is done, others get its room.
/// While somebody waits for room, a client that uses much and makes no progress is refused its command, the largest
/// first; one that does not take its replies is cut off. A client below ``smallBytes`` never is.
///
/// It holds no client and reads no clock. Confined to the instance's loop.
struct MemoryGovernor {
  /// A client that uses less is left alone.
  static let smallBytes = 256 << 10
  /// A client makes no progress when it has made none between so many calls of ``check(_:)``. Time alone does not tell:
  /// a loop that was held up reads nobody.
  static let stallChecks = 10
  /// At least so much more of a command is progress, and this share of all that the client uses: room is not kept for
  /// hours by drops.
  static let progressBytes = 64 << 10
  static let progressShare = 64

  /// A decision about a client.
  enum Action: Equatable {
    /// It may go on: the room that it asked for is taken.
    case grant(client: Int)
    /// Its command, or its transaction, is refused in words.
    case refuse(client: Int)
    /// Its connection is closed.
    case cutOff(client: Int)
  }

  private struct Consumer {
    var memory = ClientMemory()
    /// The memory when it made progress last.
    var mark = ClientMemory()
    /// Calls of ``check(_:)`` since then.
    var checks = 0
    var isExecuting = false
    /// It was refused, and uses much still.
    var wasRefused = false
  }

  /// The clients that use more than ``smallBytes``.
  private var consumers: [Int: Consumer] = [:]
  /// The clients that wait for room: first the ones that have some already.
  private var growing: [(client: Int, bytes: Int)] = []
  private var beginning: [(client: Int, bytes: Int)] = []

  /// Clients that wait for room.
  var waitingCount: Int { growing.count + beginning.count }

  /// Whether there is something to watch.
  var isIdle: Bool { consumers.isEmpty && waitingCount == 0 }

  /// A client uses another amount.
  ///
  /// - Parameter isExecuting: A command of the client's is with a store, for which the client can do nothing.
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

  /// A client waits for room.
  mutating func enqueue(_ client: Int, bytes: Int) {
    if consumers[client] == nil { beginning.append((client, bytes)) } else { growing.append((client, bytes)) }
  }

  /// A client waits no more, or is gone.
  mutating func leaveLine(_ client: Int) {
    growing.removeAll { $0.client == client }
    beginning.removeAll { $0.client == client }
  }

  /// A client is gone.
  mutating func remove(_ client: Int) {
    consumers[client] = nil
    leaveLine(client)
  }

  /// Grants what there is room for, and frees memory where too much is in use. To be called when that may have changed.
  mutating func decide(_ budget: MemoryBudget) -> [Action] {
    var actions: [Action] = []
    while let client = takeNext(budget) { actions.append(.grant(client: client)) }
    if budget.used > budget.mostInUse {
      free(budget.used - budget.roomForLargeCommands, of: Array(consumers.keys), &actions)
    }
    return actions
  }

  /// Looks for clients that keep room from others and make no progress. To be called every so often while this is not
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

  /// Frees so many bytes by refusing what the largest of `clients` have asked for, or by cutting them off.
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
