internal import Hiredis
internal import RESP

/// Writes that set a time to live.
///
/// A relative time counts from the moment at which the default store executed the command, which only that store knows
/// exactly. So the sender of such a command asks the default store for the deadline right behind it, on the same
/// connection, and `knownDeadline` is the answer. Where the store can't be asked (Redis before 7.0), the sidecar's
/// clock at the time of the reply is used.
extension CopyPlanner {
  /// Whether `command` gives its first key, or fields of it, a time to live relative to now.
  static func setsRelativeExpiry(_ effect: Effect, _ command: Span<UInt8>) -> Bool {
    switch effect {
    case .expire, .pexpire, .setex, .psetex, .hexpire, .hpexpire: true
    case .setWithExpiry: mayHaveOptions(command) && SetOptions(command, from: 3).expiry != nil
    case .getex, .hsetex, .hgetex: SetOptions(command, from: 2).expiry != nil
    case .msetex: firstOption(ofMSETEX: command).map { SetOptions(command, from: $0).expiry != nil } ?? false
    default: false
    }
  }

  /// Whether `copy`, the other store's form of a command with `spec`, keeps something of its keys: on a store that
  /// lacks them it would make a fragment. SET with KEEPTTL keeps their expiry time.
  static func changesPart(_ copy: Span<UInt8>, _ spec: CommandSpec) -> Bool {
    if spec.traits.contains(.changesPart) { return true }
    switch spec.effect {
    case .setWithExpiry: return mayHaveOptions(copy) && SetOptions(copy, from: 3).keepsExpiry
    case .msetex: return firstOption(ofMSETEX: copy).map { SetOptions(copy, from: $0).keepsExpiry } ?? false
    default: return false
    }
  }

  /// Whether `copy` replaces its key and answers with the value from before, so that a server refuses it if that is no
  /// string.
  static func answersOldValue(_ copy: Span<UInt8>, _ spec: CommandSpec) -> Bool {
    switch spec.id {
    case .getdel, .getset: true
    case .set: mayHaveOptions(copy) && SetOptions(copy, from: 3).returnsOldValue
    default: false
    }
  }

  /// Whether a SET has arguments after its value; most have none.
  static func mayHaveOptions(_ set: Span<UInt8>) -> Bool { !ArgumentCursor.has(3, in: set) }

  /// Whether a write that may set an expiry time changed anything, according to its reply (not an error).
  static func tookEffect(_ effect: Effect, _ command: Span<UInt8>, after reply: borrowing Reply) -> Bool {
    switch effect {
    case .expire, .pexpire, .msetex, .hsetex: reply.integer == 1
    case .hexpire, .hpexpire, .hgetex: concernsFields(reply)
    case .setWithExpiry: SetOptions(command, from: 3).tookEffect(command, after: reply)
    case .getex: reply.kind != .nil
    default: true
    }
  }

  /// Whether there is a field that an HEXPIRE has set (1) or removed (2), or one whose value HGETEX answers.
  private static func concernsFields(_ reply: borrowing Reply) -> Bool {
    for index in 0..<reply.count {
      let field = reply[index]
      if field.kind == .string || field.kind == .integer && field.integer > 0 { return true }
    }
    return false
  }

  /// Plans the copy of a write that took effect: its conditions were decided by the default store, its relative time
  /// becomes absolute.
  func expiring(_ effect: Effect, _ command: Span<UInt8>, into scratch: inout ByteBuffer) -> CopyPlan {
    scratch.removeAll()
    switch effect {
    case .expire, .pexpire: return expireAt(command, isSeconds: effect == .expire, &scratch)
    case .setex, .psetex: return setex(command, isSeconds: effect == .setex, &scratch)
    case .setWithExpiry: return unconditional(command, SetOptions(command, from: 3), &scratch)
    case .getex, .hgetex: return absolute(command, SetOptions(command, from: 2), &scratch)
    case .hexpire, .hpexpire: return hashExpireAt(command, isSeconds: effect == .hexpire, &scratch)
    case .hsetex: return unconditional(command, SetOptions(command, from: 2), &scratch)
    case .msetex:
      // The options follow the pairs, whose words may look like options.
      guard let first = Self.firstOption(ofMSETEX: command) else { return .notRepeatable }
      return unconditional(command, SetOptions(command, from: first), &scratch)
    default: return .notRepeatable
    }
  }

  /// EXPIREAT key s …, PEXPIREAT key ms … → the same without the conditions
  func expireAt(_ command: Span<UInt8>, _ scratch: inout ByteBuffer) -> CopyPlan {
    var arguments = ArgumentCursor(command)
    guard arguments.count > 3 else { return .verbatim }
    scratch.appendCommand(expecting: 3) { copy in
      while arguments.index < 3, let argument = arguments.next() { copy.append(argument) }
    }
    return .rewritten(isComparable: true)
  }

  /// HEXPIRE key n … FIELDS … → HPEXPIREAT key ms … FIELDS …
  ///
  /// The other store decides about a condition again, field by field. With the deadline that a later command of the
  /// same batch gave the field its reply may be another one (GT), though the field then has that deadline on both.
  private func hashExpireAt(_ command: Span<UInt8>, isSeconds: Bool, _ scratch: inout ByteBuffer) -> CopyPlan {
    var arguments = ArgumentCursor(command)
    let hasCondition = arguments.argument(at: 3)?.isKeyword("FIELDS") != true
    return scratch.appendCommand(expecting: arguments.count) { copy in
      while let argument = arguments.next() {
        switch arguments.index {
        case 1: copy.append("HPEXPIREAT")
        case 3:
          guard let deadline = deadline(argument, isSeconds: isSeconds) else { return .notRepeatable }
          copy.append(decimal: deadline)
        default: copy.append(argument)
        }
      }
      return .rewritten(isComparable: !hasCondition)
    }
  }

  /// The point in time that is `amount` (seconds or milliseconds, as text) from now, in milliseconds.
  private func deadline(_ amount: Span<UInt8>, isSeconds: Bool) -> Int? {
    guard let amount = amount.decimal else { return knownDeadline }
    // Such a time deletes the key at once, by any clock; the default store's answer would be about a key that was
    // created later.
    if amount <= 0 { return 1 }
    if let knownDeadline { return knownDeadline }
    let (milliseconds, overflow) = isSeconds ? amount.multipliedReportingOverflow(by: 1000) : (amount, false)
    let (sum, sumOverflow) = milliseconds.addingReportingOverflow(Int(now))
    return overflow || sumOverflow ? nil : sum
  }

  /// EXPIRE key n … → PEXPIREAT key ms
  private func expireAt(_ command: Span<UInt8>, isSeconds: Bool, _ scratch: inout ByteBuffer) -> CopyPlan {
    let arguments = ArgumentCursor(command)
    guard let key = arguments.argument(at: 1), let amount = arguments.argument(at: 2),
      let deadline = deadline(amount, isSeconds: isSeconds)
    else { return .notRepeatable }
    scratch.appendCommand(expecting: 3) { copy in
      copy.append("PEXPIREAT")
      copy.append(key)
      copy.append(decimal: deadline)
    }
    return .rewritten(isComparable: true)
  }

  /// SETEX key n value → SET key value PXAT ms
  private func setex(_ command: Span<UInt8>, isSeconds: Bool, _ scratch: inout ByteBuffer) -> CopyPlan {
    guard hasAbsoluteExpiry else { return .verbatim }
    let arguments = ArgumentCursor(command)
    guard let key = arguments.argument(at: 1), let amount = arguments.argument(at: 2),
      let value = arguments.argument(at: 3), let deadline = deadline(amount, isSeconds: isSeconds)
    else { return .notRepeatable }
    scratch.appendCommand(expecting: 5) { copy in
      copy.append("SET")
      copy.append(key)
      copy.append(value)
      copy.append("PXAT")
      copy.append(decimal: deadline)
    }
    return .rewritten(isComparable: true)
  }

  private static func firstOption(ofMSETEX command: Span<UInt8>) -> Int? {
    let arguments = ArgumentCursor(command)
    guard let pairs = arguments.argument(at: 1)?.decimal, pairs > 0, pairs < arguments.count else { return nil }
    return 2 + 2 * pairs
  }

  /// EX n and PX n → PXAT ms, conditions as they are; verbatim when there is neither.
  private func absolute(
    _ command: Span<UInt8>,
    _ options: SetOptions,
    _ scratch: inout ByteBuffer
  ) -> CopyPlan {
    guard options.expiry != nil, hasAbsoluteExpiry else { return .verbatim }
    return write(command, options, dropsConditions: false, &scratch)
  }

  /// EX n and PX n → PXAT ms, without the conditions; verbatim when there is neither.
  func unconditional(
    _ command: Span<UInt8>,
    _ options: SetOptions,
    _ scratch: inout ByteBuffer
  ) -> CopyPlan {
    let isRelative = options.expiry != nil && hasAbsoluteExpiry
    guard isRelative || options.conditionArguments > 0 else { return .verbatim }
    return write(command, options, dropsConditions: true, &scratch)
  }

  private func write(
    _ command: Span<UInt8>,
    _ options: SetOptions,
    dropsConditions: Bool,
    _ scratch: inout ByteBuffer
  ) -> CopyPlan {
    var arguments = ArgumentCursor(command)
    let expected = arguments.count - (dropsConditions ? options.conditionArguments : 0)
    return scratch.appendCommand(expecting: expected) { copy in
      while let argument = arguments.next() {
        let index = arguments.index - 1
        if let expiry = options.expiry, hasAbsoluteExpiry, index == expiry.index {
          copy.append("PXAT")
        } else if let expiry = options.expiry, hasAbsoluteExpiry, index == expiry.index + 1 {
          guard let deadline = deadline(argument, isSeconds: expiry.isSeconds) else { return .notRepeatable }
          copy.append(decimal: deadline)
        } else if !(dropsConditions && options.isCondition(index)) {
          copy.append(argument)
        }
      }
      return .rewritten(isComparable: true)
    }
  }
}
