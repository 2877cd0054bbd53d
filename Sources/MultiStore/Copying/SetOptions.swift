internal import Hiredis
internal import RESP

/// The options of SET and its relatives that determine the copy for the other store.
struct SetOptions {
  enum Condition {
    case none
    case absent
    case present
    /// Valkey's IFEQ: the argument behind it is the value compared with.
    case equal
  }

  /// The index of EX or PX, which its amount follows.
  private(set) var expiry: (index: Int, isSeconds: Bool)?
  private(set) var condition = Condition.none
  /// KEEPTTL: whether the key keeps its expiry time.
  private(set) var keepsExpiry = false
  private var conditionIndex = 0
  /// The index of HSETEX's second condition: there can be one on the key and one on the fields.
  private var secondConditionIndex: Int?
  /// GET: whether the reply is the value from before, which has to be a string.
  private(set) var returnsOldValue = false

  /// Reads the options of `command` from the argument at `first` on, up to FIELDS where hash fields begin.
  init(_ command: Span<UInt8>, from first: Int) {
    var arguments = ArgumentCursor(command)
    guard arguments.count > first else { return }
    var isAmount = false
    while let argument = arguments.next() {
      let index = arguments.index - 1
      if index < first { continue }
      if isAmount {
        isAmount = false
        continue
      }
      if argument.isKeyword("FIELDS") { return }
      read(argument, at: index, &isAmount)
    }
  }

  /// Whether the key is replaced whatever its value was, which the reply does not show.
  var replaceBlindly: Bool { condition == .none && !keepsExpiry && !returnsOldValue }

  /// Arguments that the condition takes.
  var conditionArguments: Int {
    firstConditionArguments + (secondConditionIndex == nil ? 0 : 1)
  }

  func isCondition(_ index: Int) -> Bool {
    (index >= conditionIndex && index < conditionIndex + firstConditionArguments) || index == secondConditionIndex
  }

  private var firstConditionArguments: Int {
    switch condition {
    case .none: 0
    case .absent, .present: 1
    case .equal: 2
    }
  }

  /// Whether SET changed something, according to the reply to `command`, whose options these are.
  func tookEffect(_ command: Span<UInt8>, after reply: borrowing Reply) -> Bool {
    switch condition {
    case .none: true
    case .absent: returnsOldValue ? reply.kind == .nil : reply.kind != .nil
    case .present: reply.kind != .nil
    case .equal:
      returnsOldValue ? isExpectedValue(reply, command) : reply.kind != .nil
    }
  }

  /// Whether the old value is the one that IFEQ compares with.
  private func isExpectedValue(_ reply: borrowing Reply, _ command: Span<UInt8>) -> Bool {
    guard let expected = ArgumentCursor(command).argument(at: conditionIndex + 1) else { return false }
    return reply.kind == .string && reply.bytes.hasSameBytes(as: expected)
  }

  private mutating func read(_ argument: Span<UInt8>, at index: Int, _ isAmount: inout Bool) {
    if argument.isKeyword("EX") || argument.isKeyword("PX") {
      expiry = (index, argument.isKeyword("EX"))
      isAmount = true
    } else if argument.isKeyword("EXAT") || argument.isKeyword("PXAT") {
      isAmount = true
    } else if argument.isKeyword("NX") || argument.isKeyword("FNX") {
      add(.absent, at: index)
    } else if argument.isKeyword("XX") || argument.isKeyword("FXX") {
      add(.present, at: index)
    } else if argument.isKeyword("IFEQ") {
      condition = .equal
      conditionIndex = index
      isAmount = true
    } else if argument.isKeyword("KEEPTTL") {
      keepsExpiry = true
    } else if argument.isKeyword("GET") {
      returnsOldValue = true
    }
  }
  private mutating func add(_ condition: Condition, at index: Int) {
    guard self.condition == .none else { return secondConditionIndex = index }
    self.condition = condition
    conditionIndex = index
  }
}
