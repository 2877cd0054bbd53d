internal import RESP

/// Replies as Swift values; nil where the reply is of another type.
extension RESPValue {
  /// The value itself, of any type.
  @Sendable static func itself(_ reply: RESPValue) -> RESPValue? { reply }

  /// Accepts any reply that is not an error.
  @Sendable static func done(_ reply: RESPValue) -> Void? { () }

  @Sendable static func integer(_ reply: RESPValue) -> Int? {
    if case .integer(let integer) = reply { integer } else { nil }
  }

  /// 1 or more, as opposed to 0.
  @Sendable static func flag(_ reply: RESPValue) -> Bool? {
    integer(reply).map { $0 > 0 }
  }

  @Sendable static func integerOrNull(_ reply: RESPValue) -> Int?? {
    reply == .null ? .some(nil) : integer(reply).map(Optional.some)
  }

  /// A status reply, as opposed to null: whether SET took effect.
  @Sendable static func tookEffect(_ reply: RESPValue) -> Bool? {
    switch reply {
    case .status: true
    case .null: false
    default: nil
    }
  }

  @Sendable static func value<Value: StoreValue>(_ reply: RESPValue) -> Value? {
    if case .string(let bytes) = reply { Value(storeBytes: bytes) } else { nil }
  }

  @Sendable static func valueOrNull<Value: StoreValue>(_ reply: RESPValue) -> Value?? {
    reply == .null ? .some(nil) : value(reply).map(Optional.some)
  }

  @Sendable static func textOf(_ reply: RESPValue) -> String? { reply.text }

  @Sendable static func double(_ reply: RESPValue) -> Double? {
    reply.text.flatMap(Double.init)
  }

  @Sendable static func doubleOrNull(_ reply: RESPValue) -> Double?? {
    reply == .null ? .some(nil) : double(reply).map(Optional.some)
  }

  @Sendable static func values<Value: StoreValue>(_ reply: RESPValue) -> [Value]? { list(reply, of: value) }

  @Sendable static func valuesOrNulls<Value: StoreValue>(_ reply: RESPValue) -> [Value?]? {
    list(reply, of: valueOrNull)
  }

  /// Alternating fields and values.
  @Sendable static func fields<Field: StoreValue & Hashable, Value: StoreValue>(_ reply: RESPValue) -> [Field: Value]? {
    guard case .array(let elements) = reply, elements.count.isMultiple(of: 2) else { return nil }
    var fields: [Field: Value] = [:]
    fields.reserveCapacity(elements.count / 2)
    for index in stride(from: 0, to: elements.count, by: 2) {
      guard let field: Field = value(elements[index]), let value: Value = value(elements[index + 1]) else { return nil }
      fields[field] = value
    }
    return fields
  }

  /// Alternating members and scores, in the store's order.
  @Sendable static func scoredMembers(_ reply: RESPValue) -> [ScoredMember]? {
    guard case .array(let elements) = reply, elements.count.isMultiple(of: 2) else { return nil }
    var members: [ScoredMember] = []
    members.reserveCapacity(elements.count / 2)
    for index in stride(from: 0, to: elements.count, by: 2) {
      guard let member: [UInt8] = value(elements[index]), let score = double(elements[index + 1]) else { return nil }
      members.append(ScoredMember(member: member, score: score))
    }
    return members
  }

  /// A time in milliseconds or seconds, or one of the two negative numbers that have a meaning in TTL and PTTL.
  static func timeToLive(_ reply: RESPValue, unit: Duration) -> TimeToLive? {
    guard let count = integer(reply), count >= -2 else { return nil }
    return switch count {
    case -2: .noKey
    case -1: .forever
    default: .expires(after: unit * count)
    }
  }

  /// A cursor and the elements of its page.
  static func page<Element>(
    _ reply: RESPValue,
    _ decode: (RESPValue) -> [Element]?
  ) -> ScanPage<Element>? {
    guard case .array(let parts) = reply, parts.count == 2, let cursor = parts[0].text, let elements = decode(parts[1])
    else { return nil }
    return ScanPage(cursor: ScanCursor(text: cursor), elements: elements)
  }

  private static func list<Element>(_ reply: RESPValue, of decode: (RESPValue) -> Element?) -> [Element]? {
    guard case .array(let elements) = reply else { return nil }
    var values: [Element] = []
    values.reserveCapacity(elements.count)
    for element in elements {
      guard let value = decode(element) else { return nil }
      values.append(value)
    }
    return values
  }

  /// The type of the reply, for an error's sentence; nothing of its value.
  var typeName: String {
    switch self {
    case .status: "a status"
    case .error: "an error"
    case .integer: "an integer"
    case .string: "a string"
    case .null: "null"
    case .array: "an array"
    }
  }
}
