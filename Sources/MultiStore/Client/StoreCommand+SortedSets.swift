internal import RESP

/// A member of a sorted set with its score.
public struct ScoredMember: Hashable, Sendable {
  /// The member.
  public let member: [UInt8]
  /// Its score, which may be infinite.
  public let score: Double

  /// A member with a score.
  public init(member: some StoreArgument, score: Double) {
    self.member = member.argumentBytes
    self.score = score
  }
}

/// One end of a range of scores.
public enum ScoreBound: Hashable, Sendable {
  /// Scores down to, or up to, this one.
  case inclusive(Double)
  /// As `inclusive`, but for the score itself.
  case exclusive(Double)
  /// No end in this direction; which one follows from its place.
  case unbounded

  func argument(isLower: Bool) -> [UInt8] {
    switch self {
    case .inclusive(let score): score.argumentBytes
    case .exclusive(let score): "(\(score)".argumentBytes
    case .unbounded: (isLower ? "-inf" : "+inf").argumentBytes
    }
  }
}

/// Sorted sets.
extension StoreCommand {
  /// ZADD: adds one member, or gives it another score. True if it is new.
  public static func zadd(
    _ key: any StoreArgument,
    _ member: any StoreArgument,
    score: Double
  ) -> StoreCommand where Reply == Bool {
    StoreCommand(
      "ZADD",
      [key.argumentBytes, score.argumentBytes, member.argumentBytes],
      decode: RESPValue.flag
    )
  }

  /// ZADD: adds several members, at least one, or gives them other scores. Returns the number of new ones.
  public static func zadd(_ key: any StoreArgument, _ members: [ScoredMember]) -> StoreCommand where Reply == Int {
    StoreCommand(
      "ZADD",
      [key.argumentBytes] + members.flatMap { [$0.score.argumentBytes, $0.member] },
      decode: RESPValue.integer
    )
  }

  /// ZCARD: the number of members.
  public static func zcard(_ key: any StoreArgument) -> StoreCommand where Reply == Int {
    StoreCommand("ZCARD", [key.argumentBytes], decode: RESPValue.integer)
  }

  /// ZCOUNT: the number of members with a score from `min` to `max`.
  public static func zcount(
    _ key: any StoreArgument,
    min: ScoreBound = .unbounded,
    max: ScoreBound = .unbounded
  ) -> StoreCommand where Reply == Int {
    StoreCommand(
      "ZCOUNT",
      [key.argumentBytes, min.argument(isLower: true), max.argument(isLower: false)],
      decode: RESPValue.integer
    )
  }

  /// ZSCORE: a member's score; nil without the key or the member.
  public static func zscore(
    _ key: any StoreArgument,
    _ member: any StoreArgument
  ) -> StoreCommand where Reply == Double? {
    StoreCommand("ZSCORE", [key.argumentBytes, member.argumentBytes], decode: RESPValue.doubleOrNull)
  }

  /// ZRANGE: members from the lowest score up, from the place `start` to `stop`, both included; negative places count
  /// from the end.
  public static func zrange(_ key: any StoreArgument, _ start: Int = 0, _ stop: Int = -1) -> StoreCommand
  where Reply == [[UInt8]] {
    zrange(key, start, stop, as: [UInt8].self)
  }

  /// As ``zrange(_:_:_:)``, read as text or a number.
  public static func zrange<Value: StoreValue>(
    _ key: any StoreArgument,
    _ start: Int = 0,
    _ stop: Int = -1,
    as type: Value.Type
  ) -> StoreCommand where Reply == [Value] {
    StoreCommand("ZRANGE", [key.argumentBytes, start.argumentBytes, stop.argumentBytes], decode: RESPValue.values)
  }

  /// ZRANGE WITHSCORES: as ``zrange(_:_:_:as:)``, with the scores.
  public static func zrangeWithScores(
    _ key: any StoreArgument,
    _ start: Int = 0,
    _ stop: Int = -1
  ) -> StoreCommand where Reply == [ScoredMember] {
    StoreCommand(
      "ZRANGE",
      [key.argumentBytes, start.argumentBytes, stop.argumentBytes, "WITHSCORES".argumentBytes],
      decode: RESPValue.scoredMembers
    )
  }

  /// ZREVRANGE: members from the highest score down, from the place `start` to `stop`, both included.
  public static func zrevrange(_ key: any StoreArgument, _ start: Int = 0, _ stop: Int = -1) -> StoreCommand
  where Reply == [[UInt8]] {
    zrevrange(key, start, stop, as: [UInt8].self)
  }

  /// As ``zrevrange(_:_:_:)``, read as text or a number.
  public static func zrevrange<Value: StoreValue>(
    _ key: any StoreArgument,
    _ start: Int = 0,
    _ stop: Int = -1,
    as type: Value.Type
  ) -> StoreCommand where Reply == [Value] {
    StoreCommand("ZREVRANGE", [key.argumentBytes, start.argumentBytes, stop.argumentBytes], decode: RESPValue.values)
  }

  /// ZRANGEBYSCORE: members whose score is from `min` to `max`, from the lowest up.
  ///
  /// - Parameters:
  ///   - key: the sorted set.
  ///   - min: the lower end.
  ///   - max: the upper end.
  ///   - offset: the number of members to skip at the beginning; 0 or more.
  ///   - count: the most members to return; nil for all.
  public static func zrangebyscore(
    _ key: any StoreArgument,
    min: ScoreBound = .unbounded,
    max: ScoreBound = .unbounded,
    offset: Int = 0,
    count: Int? = nil
  ) -> StoreCommand where Reply == [[UInt8]] {
    zrangebyscore(key, min: min, max: max, offset: offset, count: count, as: [UInt8].self)
  }

  /// As ``zrangebyscore(_:min:max:offset:count:)``, read as text or a number.
  public static func zrangebyscore<Value: StoreValue>(
    _ key: any StoreArgument,
    min: ScoreBound = .unbounded,
    max: ScoreBound = .unbounded,
    offset: Int = 0,
    count: Int? = nil,
    as type: Value.Type
  ) -> StoreCommand where Reply == [Value] {
    var arguments = [key.argumentBytes, min.argument(isLower: true), max.argument(isLower: false)]
    if offset != 0 || count != nil {
      arguments += ["LIMIT".argumentBytes, offset.argumentBytes, (count ?? -1).argumentBytes]
    }
    return StoreCommand("ZRANGEBYSCORE", arguments, decode: RESPValue.values)
  }

  /// ZPOPMIN: removes the member with the lowest score; nil from an empty set.
  public static func zpopmin(_ key: any StoreArgument) -> StoreCommand where Reply == ScoredMember? {
    StoreCommand("ZPOPMIN", [key.argumentBytes]) { RESPValue.scoredMembers($0).map(\.first) }
  }

  /// ZPOPMIN: removes the members with the lowest scores, `count` at most.
  public static func zpopmin(_ key: any StoreArgument, count: Int) -> StoreCommand where Reply == [ScoredMember] {
    StoreCommand("ZPOPMIN", [key.argumentBytes, count.argumentBytes], decode: RESPValue.scoredMembers)
  }

  /// ZREM: removes members. Returns the number of removed ones.
  public static func zrem(
    _ key: any StoreArgument,
    _ members: any StoreArgument...
  ) -> StoreCommand where Reply == Int {
    StoreCommand("ZREM", [key.argumentBytes] + members.map(\.argumentBytes), decode: RESPValue.integer)
  }

  /// ZREMRANGEBYRANK: removes the members from the place `start` to `stop`, both included. Returns the number of
  /// removed ones.
  public static func zremrangebyrank(
    _ key: any StoreArgument,
    _ start: Int,
    _ stop: Int
  ) -> StoreCommand where Reply == Int {
    StoreCommand(
      "ZREMRANGEBYRANK",
      [key.argumentBytes, start.argumentBytes, stop.argumentBytes],
      decode: RESPValue.integer
    )
  }

  /// ZREMRANGEBYSCORE: removes the members whose score is from `min` to `max`. Returns the number of removed ones.
  public static func zremrangebyscore(
    _ key: any StoreArgument,
    min: ScoreBound = .unbounded,
    max: ScoreBound = .unbounded
  ) -> StoreCommand where Reply == Int {
    StoreCommand(
      "ZREMRANGEBYSCORE",
      [key.argumentBytes, min.argument(isLower: true), max.argument(isLower: false)],
      decode: RESPValue.integer
    )
  }
}
