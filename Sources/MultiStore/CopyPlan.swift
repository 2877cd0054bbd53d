internal import Hiredis
internal import RESP

/// What the other store executes after the default store executed a write successfully.
enum CopyPlan: Equatable {
  /// The same bytes.
  case verbatim
  /// The command that was written into the scratch buffer. Its reply has the same meaning as the default store's only
  /// if `isComparable`.
  case rewritten(isComparable: Bool)
  /// Not the command but its keys, as they now are on the default store.
  case keys(KeySelection)
  /// Nothing: the command had no effect.
  case noEffect
  /// Nothing, although there was an effect: repeating the command could have another one.
  case notRepeatable
}

/// Turns a write that succeeded on the default store into what the other store executes.
struct CopyPlanner {
  /// Unix time in milliseconds: what relative expiry times count from.
  let now: Int64
  /// False for an other store too old for PXAT (before 6.2): it gets the relative time as it came.
  let hasAbsoluteExpiry: Bool

  /// Plans the copy of `command`, which `reply` (not an error) answered, writing a changed command into `scratch`.
  func plan(
    _ effect: Effect,
    _ command: Span<UInt8>,
    after reply: borrowing Reply,
    into scratch: inout ByteBuffer
  ) -> CopyPlan {
    scratch.removeAll()
    switch effect {
    case .verbatim: return .verbatim
    case .none: return .notRepeatable
    case .copyFirstKey: return .keys(.first)
    case .copyLastKey: return .keys(.last)
    case .copyKeys: return .keys(.all)
    case .spop: return spop(command, after: reply, &scratch)
    case .lmpop: return lmpop(command, after: reply, &scratch)
    case .zmpop: return zmpop(after: reply, &scratch)
    case .blpop, .brpop: return blockingPop("LREM", count: effect == .blpop ? 1 : -1, after: reply, &scratch)
    case .bzpop: return blockingPop("ZREM", count: nil, after: reply, &scratch)
    case .expire, .pexpire:
      return reply.integer == 1 ? expireAt(command, isSeconds: effect == .expire, &scratch) : .noEffect
    case .setWithExpiry: return set(command, after: reply, &scratch)
    case .setex, .psetex: return setex(command, isSeconds: effect == .setex, &scratch)
    case .setnx, .msetnx, .hsetnx:
      guard reply.integer == 1 else { return .noEffect }
      return unconditional(command, name: effect == .setnx ? "SET" : effect == .msetnx ? "MSET" : "HSET", &scratch)
    case .getex:
      return reply.kind == .nil ? .noEffect : absolute(command, optionsFrom: 2, &scratch)
    case .restore: return restore(command, &scratch)
    case .xadd: return xadd(command, after: reply, &scratch)
    case .hexpire, .hpexpire: return hashExpireAt(command, isSeconds: effect == .hexpire, &scratch)
    case .hsetex: return reply.integer == 1 ? absolute(command, optionsFrom: 2, &scratch) : .noEffect
    case .msetex: return reply.integer == 1 ? msetex(command, &scratch) : .noEffect
    case .hgetex: return absolute(command, optionsFrom: 2, &scratch)
    }
  }

  /// The point in time that is `amount` (seconds or milliseconds, as text) from now, in milliseconds.
  private func deadline(_ amount: Span<UInt8>, isSeconds: Bool) -> Int? {
    guard let amount = amount.decimal else { return nil }
    let (milliseconds, overflow) = isSeconds ? amount.multipliedReportingOverflow(by: 1000) : (amount, false)
    let (sum, sumOverflow) = milliseconds.addingReportingOverflow(Int(now))
    return overflow || sumOverflow ? nil : sum
  }

  /// EXPIRE key n … → PEXPIREAT key ms. The conditions were decided by the default store.
  private func expireAt(_ command: Span<UInt8>, isSeconds: Bool, _ scratch: inout ByteBuffer) -> CopyPlan {
    let arguments = ArgumentCursor(command)
    guard let key = arguments.argument(at: 1), let amount = arguments.argument(at: 2),
      let deadline = deadline(amount, isSeconds: isSeconds)
    else { return .notRepeatable }
    scratch.appendArrayHeader(3)
    scratch.appendBulk("PEXPIREAT")
    scratch.appendBulk(key)
    scratch.appendBulk(decimal: deadline)
    return .rewritten(isComparable: true)
  }

  /// HEXPIRE key n … FIELDS … → HPEXPIREAT key ms … FIELDS …
  private func hashExpireAt(_ command: Span<UInt8>, isSeconds: Bool, _ scratch: inout ByteBuffer) -> CopyPlan {
    var arguments = ArgumentCursor(command)
    scratch.appendArrayHeader(arguments.count)
    while let argument = arguments.next() {
      switch arguments.index {
      case 1: scratch.appendBulk("HPEXPIREAT")
      case 3:
        guard let deadline = deadline(argument, isSeconds: isSeconds) else { return .notRepeatable }
        scratch.appendBulk(decimal: deadline)
      default: scratch.appendBulk(argument)
      }
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
    scratch.appendArrayHeader(5)
    scratch.appendBulk("SET")
    scratch.appendBulk(key)
    scratch.appendBulk(value)
    scratch.appendBulk("PXAT")
    scratch.appendBulk(decimal: deadline)
    return .rewritten(isComparable: true)
  }

  /// SETNX, MSETNX, HSETNX that took effect → the same without the condition. The reply is OK or another number.
  private func unconditional(_ command: Span<UInt8>, name: String, _ scratch: inout ByteBuffer) -> CopyPlan {
    var arguments = ArgumentCursor(command)
    scratch.appendArrayHeader(arguments.count)
    while let argument = arguments.next() {
      if arguments.index == 1 { scratch.appendBulk(name) } else { scratch.appendBulk(argument) }
    }
    return .rewritten(isComparable: false)
  }

  /// SPOP key … → SREM key member …
  private func spop(_ command: Span<UInt8>, after reply: borrowing Reply, _ scratch: inout ByteBuffer) -> CopyPlan {
    guard let key = ArgumentCursor(command).argument(at: 1), reply.kind == .string || reply.count > 0 else {
      return .noEffect
    }
    scratch.appendArrayHeader(2 + max(1, reply.count))
    scratch.appendBulk("SREM")
    scratch.appendBulk(key)
    if reply.kind == .string { scratch.appendBulk(reply.bytes) }
    for index in 0..<reply.count { scratch.appendBulk(reply[index].bytes) }
    return .rewritten(isComparable: false)
  }

  /// LMPOP … LEFT|RIGHT … → LPOP|RPOP key count, of the key and the elements that the reply names
  private func lmpop(_ command: Span<UInt8>, after reply: borrowing Reply, _ scratch: inout ByteBuffer) -> CopyPlan {
    guard reply.kind == .array, reply.count == 2 else { return .noEffect }
    let arguments = ArgumentCursor(command)
    guard let keyCount = arguments.argument(at: 1)?.decimal, let side = arguments.argument(at: 2 + keyCount) else {
      return .keys(.all)
    }
    scratch.appendArrayHeader(3)
    scratch.appendBulk(side.isKeyword("LEFT") ? "LPOP" : "RPOP")
    scratch.appendBulk(reply[0].bytes)
    scratch.appendBulk(decimal: reply[1].count)
    return .rewritten(isComparable: false)
  }

  /// ZMPOP … → ZREM key member …, of the key and the members that the reply names
  private func zmpop(after reply: borrowing Reply, _ scratch: inout ByteBuffer) -> CopyPlan {
    guard reply.kind == .array, reply.count == 2, reply[1].count > 0 else { return .noEffect }
    scratch.appendArrayHeader(2 + reply[1].count)
    scratch.appendBulk("ZREM")
    scratch.appendBulk(reply[0].bytes)
    for index in 0..<reply[1].count { scratch.appendBulk(reply[1][index][0].bytes) }
    return .rewritten(isComparable: false)
  }

  /// BLPOP … → LREM key 1 element, BZPOPMIN … → ZREM key member, of the key that the reply names
  private func blockingPop(
    _ name: String,
    count: Int?,
    after reply: borrowing Reply,
    _ scratch: inout ByteBuffer
  ) -> CopyPlan {
    guard reply.kind == .array, reply.count >= 2 else { return .noEffect }
    scratch.appendArrayHeader(count == nil ? 3 : 4)
    scratch.appendBulk(name)
    scratch.appendBulk(reply[0].bytes)
    if let count { scratch.appendBulk(decimal: count) }
    scratch.appendBulk(reply[1].bytes)
    return .rewritten(isComparable: false)
  }

  /// RESTORE key ttl value … → RESTORE key deadline value … ABSTTL
  private func restore(_ command: Span<UInt8>, _ scratch: inout ByteBuffer) -> CopyPlan {
    var options = ArgumentCursor(command)
    var isRelative = true
    while let argument = options.next() {
      if options.index > 4, argument.isKeyword("ABSTTL") { isRelative = false }
    }
    guard isRelative, let ttl = ArgumentCursor(command).argument(at: 2), ttl.decimal != 0 else { return .verbatim }
    guard let deadline = deadline(ttl, isSeconds: false) else { return .notRepeatable }
    var arguments = ArgumentCursor(command)
    scratch.appendArrayHeader(arguments.count + 1)
    while let argument = arguments.next() {
      if arguments.index == 3 { scratch.appendBulk(decimal: deadline) } else { scratch.appendBulk(argument) }
    }
    scratch.appendBulk("ABSTTL")
    return .rewritten(isComparable: true)
  }

  /// XADD key … * … → the same with the ID that the default store gave.
  private func xadd(_ command: Span<UInt8>, after reply: borrowing Reply, _ scratch: inout ByteBuffer) -> CopyPlan {
    guard reply.kind == .string else { return .noEffect }
    var arguments = ArgumentCursor(command)
    let place = Self.idPlace(inXADD: command)
    scratch.appendArrayHeader(arguments.count)
    while let argument = arguments.next() {
      scratch.appendBulk(arguments.index - 1 == place ? reply.bytes : argument)
    }
    return .rewritten(isComparable: true)
  }

  /// The index of XADD's ID: after the key come NOMKSTREAM and a trimming clause, in any order.
  private static func idPlace(inXADD command: Span<UInt8>) -> Int {
    var arguments = ArgumentCursor(command)
    var skip = 2
    while let argument = arguments.next() {
      if skip > 0 {
        skip -= 1
      } else if argument.isKeyword("MAXLEN") || argument.isKeyword("MINID") {
        // A `=` or `~` may stand before the threshold.
        skip = 1
        if let next = ArgumentCursor(command).argument(at: arguments.index) {
          if next.hasSameBytes(as: "~") || next.hasSameBytes(as: "=") { skip = 2 }
        }
      } else if argument.isKeyword("LIMIT") {
        skip = 1
      } else if !argument.isKeyword("NOMKSTREAM") {
        return arguments.index - 1
      }
    }
    return arguments.count
  }

  /// EX n and PX n from argument `first` on → PXAT ms; verbatim when there is neither.
  private func absolute(_ command: Span<UInt8>, optionsFrom first: Int, _ scratch: inout ByteBuffer) -> CopyPlan {
    guard hasAbsoluteExpiry else { return .verbatim }
    var options = SetOptions(command, from: first)
    guard options.expiry != nil else { return .verbatim }
    options.dropsConditions = false
    return write(command, options, &scratch)
  }

  /// SET: what the default store decided is no condition any more, a relative time becomes absolute.
  private func set(_ command: Span<UInt8>, after reply: borrowing Reply, _ scratch: inout ByteBuffer) -> CopyPlan {
    let options = SetOptions(command, from: 3)
    guard options.tookEffect(reply) else { return .noEffect }
    return unconditional(command, options, &scratch)
  }

  /// MSETEX n key value … that took effect: as SET. Its options follow the pairs, whose words may look like options.
  private func msetex(_ command: Span<UInt8>, _ scratch: inout ByteBuffer) -> CopyPlan {
    let arguments = ArgumentCursor(command)
    guard let pairs = arguments.argument(at: 1)?.decimal, pairs > 0, pairs < arguments.count else {
      return .notRepeatable
    }
    return unconditional(command, SetOptions(command, from: 2 + 2 * pairs), &scratch)
  }

  private func unconditional(
    _ command: Span<UInt8>,
    _ options: SetOptions,
    _ scratch: inout ByteBuffer
  ) -> CopyPlan {
    let isRelative = options.expiry != nil && hasAbsoluteExpiry
    guard isRelative || options.conditionArguments > 0 else { return .verbatim }
    return write(command, options, &scratch)
  }

  private func write(_ command: Span<UInt8>, _ options: SetOptions, _ scratch: inout ByteBuffer) -> CopyPlan {
    var arguments = ArgumentCursor(command)
    scratch.appendArrayHeader(arguments.count - (options.dropsConditions ? options.conditionArguments : 0))
    while let argument = arguments.next() {
      let index = arguments.index - 1
      if let expiry = options.expiry, hasAbsoluteExpiry, index == expiry.index {
        scratch.appendBulk("PXAT")
      } else if let expiry = options.expiry, hasAbsoluteExpiry, index == expiry.index + 1 {
        guard let deadline = deadline(argument, isSeconds: expiry.isSeconds) else { return .notRepeatable }
        scratch.appendBulk(decimal: deadline)
      } else if !(options.dropsConditions && options.isCondition(index)) {
        scratch.appendBulk(argument)
      }
    }
    return .rewritten(isComparable: true)
  }
}
