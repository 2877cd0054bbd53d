internal import Hiredis
internal import RESP

/// The other store's part of a write that the default store has executed successfully.
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

/// Turns a write that succeeded on the default store into its copy for the other store.
struct CopyPlanner {
  /// Unix time in milliseconds, from which relative expiry times count.
  let now: Int64
  /// Whether the other store has PXAT (since Redis 6.2); otherwise it gets the relative time unchanged.
  let hasAbsoluteExpiry: Bool
  /// The deadline of the key, or of its fields, on the default store, in Unix milliseconds; nil if it is not known.
  var knownDeadline: Int?

  /// Plans the copy of a blocking command that was executed on a connection of its own. Its reply is not ordered with
  /// those of the ordinary connection, so a repetition could find another state of the key.
  func planUnordered(_ effect: Effect, after reply: borrowing Reply) -> CopyPlan {
    switch effect {
    case .blpop, .brpop, .bzpop, .blmpop, .zmpop:
      guard reply.kind == .array, reply.count >= 2 else { return .noEffect }
      return .keys(.one(reply[0].bytes.array))
    case .none: return .notRepeatable
    default: return reply.kind == .nil ? .noEffect : .keys(.all)
    }
  }

  /// Whether the copy of `command` is the same command, whatever the reply to it is, unless that is an error.
  @inline(__always)
  static func repeats(_ effect: Effect, _ command: Span<UInt8>) -> Bool {
    switch effect {
    case .verbatim: true
    case .setWithExpiry: !mayHaveOptions(command)
    default: false
    }
  }

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
    case .lmpop, .blmpop: return lmpop(command, countAt: effect == .lmpop ? 1 : 2, after: reply, &scratch)
    case .zmpop: return zmpop(after: reply, &scratch)
    case .blpop, .brpop:
      return blockingPop(effect == .blpop ? "LPOP" : "RPOP", hasMember: false, after: reply, &scratch)
    case .bzpop: return blockingPop("ZREM", hasMember: true, after: reply, &scratch)
    case .blmove: return blockingMove("LMOVE", command, after: reply, &scratch)
    case .brpoplpush: return blockingMove("RPOPLPUSH", command, after: reply, &scratch)
    case .setnx, .msetnx, .hsetnx:
      guard reply.integer == 1 else { return .noEffect }
      return unconditional(command, name: effect == .setnx ? "SET" : effect == .msetnx ? "MSET" : "HSET", &scratch)
    case .xadd: return xadd(command, after: reply, &scratch)
    case .expireAt: return reply.integer == 1 ? expireAt(command, &scratch) : .noEffect
    case .persist: return reply.integer == 1 ? .verbatim : .noEffect
    case .hsetex where reply.integer != 1:
      // A moment that has passed deletes the fields that exist, and 0 means that not all of them did.
      return Self.namesMoment(command) ? .keys(.all) : .noEffect
    case .setWithExpiry:
      let options = SetOptions(command, from: 3)
      guard options.tookEffect(command, after: reply) else { return .noEffect }
      return unconditional(command, options, &scratch)
    case .expire, .pexpire, .setex, .psetex, .getex, .msetex, .hexpire, .hpexpire, .hsetex, .hgetex:
      guard Self.tookEffect(effect, command, after: reply) else { return .noEffect }
      return expiring(effect, command, into: &scratch)
    }
  }

  /// Whether an HSETEX has EXAT or PXAT.
  private static func namesMoment(_ command: Span<UInt8>) -> Bool {
    var arguments = ArgumentCursor(command)
    while let argument = arguments.next(), !argument.isKeyword("FIELDS") {
      if arguments.index > 2, argument.isKeyword("EXAT") || argument.isKeyword("PXAT") { return true }
    }
    return false
  }

  /// SETNX, MSETNX, HSETNX that took effect → the same without the condition. The reply is OK or another number.
  private func unconditional(_ command: Span<UInt8>, name: StaticString, _ scratch: inout ByteBuffer) -> CopyPlan {
    var arguments = ArgumentCursor(command)
    scratch.appendCommand(expecting: arguments.count) { copy in
      while let argument = arguments.next() {
        if arguments.index == 1 { copy.append(name) } else { copy.append(argument) }
      }
    }
    return .rewritten(isComparable: false)
  }

  /// SPOP key … → SREM key member …
  private func spop(_ command: Span<UInt8>, after reply: borrowing Reply, _ scratch: inout ByteBuffer) -> CopyPlan {
    guard let key = ArgumentCursor(command).argument(at: 1), reply.kind == .string || reply.count > 0 else {
      return .noEffect
    }
    scratch.appendCommand(expecting: 2 + max(1, reply.count)) { copy in
      copy.append("SREM")
      copy.append(key)
      if reply.kind == .string { copy.append(reply.bytes) }
      for index in 0..<reply.count { copy.append(reply[index].bytes) }
    }
    return .rewritten(isComparable: false)
  }

  /// LMPOP … LEFT|RIGHT … → LPOP|RPOP key count, of the key and the elements that the reply names
  private func lmpop(
    _ command: Span<UInt8>,
    countAt: Int,
    after reply: borrowing Reply,
    _ scratch: inout ByteBuffer
  ) -> CopyPlan {
    guard reply.kind == .array, reply.count == 2 else { return .noEffect }
    let arguments = ArgumentCursor(command)
    guard let keyCount = arguments.argument(at: countAt)?.decimal, keyCount > 0, keyCount < arguments.count,
      let side = arguments.argument(at: countAt + 1 + keyCount)
    else { return .keys(.all) }
    scratch.appendCommand(expecting: 3) { copy in
      copy.append(side.isKeyword("LEFT") ? "LPOP" : "RPOP")
      copy.append(reply[0].bytes)
      copy.append(decimal: reply[1].count)
    }
    return .rewritten(isComparable: false)
  }

  /// ZMPOP … → ZREM key member …, of the key and the members that the reply names
  private func zmpop(after reply: borrowing Reply, _ scratch: inout ByteBuffer) -> CopyPlan {
    guard reply.kind == .array, reply.count == 2, reply[1].count > 0 else { return .noEffect }
    for index in 0..<reply[1].count where reply[1][index].count == 0 { return .keys(.all) }
    scratch.appendCommand(expecting: 2 + reply[1].count) { copy in
      copy.append("ZREM")
      copy.append(reply[0].bytes)
      for index in 0..<reply[1].count { copy.append(reply[1][index][0].bytes) }
    }
    return .rewritten(isComparable: false)
  }

  /// BLPOP … → LPOP key, BZPOPMIN … → ZREM key member, of the key (and the member) that the reply names
  private func blockingPop(
    _ name: StaticString,
    hasMember: Bool,
    after reply: borrowing Reply,
    _ scratch: inout ByteBuffer
  ) -> CopyPlan {
    guard reply.kind == .array, reply.count >= 2 else { return .noEffect }
    scratch.appendCommand(expecting: hasMember ? 3 : 2) { copy in
      copy.append(name)
      copy.append(reply[0].bytes)
      if hasMember { copy.append(reply[1].bytes) }
    }
    return .rewritten(isComparable: false)
  }

  /// BLMOVE … timeout → LMOVE …, BRPOPLPUSH … timeout → RPOPLPUSH …
  private func blockingMove(
    _ name: StaticString,
    _ command: Span<UInt8>,
    after reply: borrowing Reply,
    _ scratch: inout ByteBuffer
  ) -> CopyPlan {
    guard reply.kind == .string else { return .noEffect }
    var arguments = ArgumentCursor(command)
    scratch.appendCommand(expecting: arguments.count - 1) { copy in
      copy.append(name)
      while let argument = arguments.next() {
        if arguments.index > 1, arguments.index < arguments.count { copy.append(argument) }
      }
    }
    return .rewritten(isComparable: true)
  }

  /// XADD key … * … → the same with the ID that the default store gave.
  private func xadd(_ command: Span<UInt8>, after reply: borrowing Reply, _ scratch: inout ByteBuffer) -> CopyPlan {
    guard reply.kind == .string else { return .noEffect }
    var arguments = ArgumentCursor(command)
    let place = Self.idPlace(inXADD: command)
    scratch.appendCommand(expecting: arguments.count) { copy in
      while let argument = arguments.next() {
        if arguments.index - 1 == place { copy.append(reply.bytes) } else { copy.append(argument) }
      }
    }
    return .rewritten(isComparable: true)
  }

  /// The index of XADD's ID: after the key come flags and a trimming clause, in any order.
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
      } else if !isFlag(ofXADD: argument) {
        return arguments.index - 1
      }
    }
    return arguments.count
  }

  /// Whether an argument is a flag. Redis 8.2 has three for entries that consumer groups still refer to.
  private static func isFlag(ofXADD argument: Span<UInt8>) -> Bool {
    argument.isKeyword("NOMKSTREAM") || argument.isKeyword("KEEPREF") || argument.isKeyword("DELREF")
      || argument.isKeyword("ACKED")
  }
}
