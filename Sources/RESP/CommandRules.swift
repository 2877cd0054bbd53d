/// The kind of a command, which decides the stores that execute it.
///
/// The classes follow the flags that the servers report in `COMMAND`; a test compares them with live servers.
public enum CommandClass: UInt8, CaseIterable, Sendable {
  /// Flagged `readonly`, and addressed by keys.
  case read
  /// Flagged `readonly`, and about all keys at once: half a keyspace is not an answer.
  case keyspaceRead
  /// Flagged `write`; PUBLISH and SPUBLISH too, since subscribers may be on either store.
  case write
  /// Waits for other clients on a connection that can execute no other command meanwhile.
  case blocking
  /// Starts or ends a subscription to channels.
  case pubsub
  /// About the client's own connection.
  case connection
  /// MULTI and the other commands of transactions.
  case transaction
  /// Scripts and functions: running them, and keeping them on the server.
  case script
  /// Everything else: administration, introspection, and names that no server knows.
  case unlisted
}

/// The form of a reply which shows that the store lacks the key.
///
/// Commands that merge several keys (SUNION, PFCOUNT, EXISTS with more than one) can hide an absent key behind a
/// present one; no rule can see that in the reply, so they have `CommandTraits.mergesKeys` besides.
public enum MissRule: UInt8, CaseIterable, Sendable {
  /// No reply means absence.
  case never
  /// Nil, as a bulk string or as an array.
  case null
  /// The empty string.
  case emptyString
  /// The integer 0: counts and membership.
  case zero
  /// An array without elements.
  case emptyCollection
  /// An array in which at least one element is nil: that element is missing, the others are not.
  case anyNullElement
  /// The integer -2: TTL and its relatives.
  case minusTwo
  /// The status `none`: TYPE.
  case noneStatus
  /// Cursor 0 without elements, in reply to cursor 0: SSCAN, HSCAN, ZSCAN.
  case emptyScan
  /// Nil without COUNT, an empty array with it: LPOS, SRANDMEMBER and similar ones.
  case nullOrEmpty
  /// An array that holds nothing but the integer 0: SMISMEMBER, BITFIELD_RO.
  case allZero
  /// An array that holds nothing but the integer -2: the TTLs of hash fields.
  case allMinusTwo
  /// -1 or 0, whichever an endless row of zero bits gives: BITPOS.
  case bitPosition
  /// The error that there is no such key, or no such group of it: XINFO, XPENDING. By all other rules an error is no
  /// miss.
  case noKeyError
  /// The empty string, 0 with LEN, and with IDX an array whose `len` (the fourth element) is 0: LCS.
  case lcs
}

/// The effect of a write on the store that is not the default one.
public enum Effect: UInt8, CaseIterable, Sendable {
  /// The same bytes: repeated on the same data, the command gives the same result.
  case verbatim
  /// Nothing: chance, waiting or a script decides the result, so a repetition could have another one.
  case none
  /// Its first key, as it then is on the default store: it holds the whole result of the command.
  case copyFirstKey
  /// Its last key, as it then is on the default store.
  case copyLastKey
  /// All its keys, as they then are on the default store.
  case copyKeys
  /// SPOP: SREM of the members that were popped.
  case spop
  /// LMPOP: LPOP or RPOP of as many elements, from the key that the reply names.
  case lmpop
  /// ZMPOP: ZREM of the members that were popped, from the key that the reply names.
  case zmpop
  /// BLPOP: LPOP from the key that the reply names. This and the following apply to a pop in the ordinary connection's
  /// order; after one that had to wait elsewhere, the key is copied whole.
  case blpop
  /// BRPOP: RPOP from the key that the reply names.
  case brpop
  /// BLMPOP: as LMPOP.
  case blmpop
  /// BLMOVE: LMOVE.
  case blmove
  /// BRPOPLPUSH: RPOPLPUSH.
  case brpoplpush
  /// BZPOPMIN and BZPOPMAX: ZREM of the member that was popped, from the key that the reply names.
  case bzpop
  /// SETNX: SET, if it took effect.
  case setnx
  /// MSETNX: MSET, if it took effect.
  case msetnx
  /// HSETNX: HSET, if it took effect.
  case hsetnx
  /// EXPIRE `key` `seconds` …: PEXPIREAT without conditions, if it took effect.
  case expire
  /// PEXPIRE `key` `milliseconds` …: PEXPIREAT without conditions, if it took effect.
  case pexpire
  /// EXPIREAT and PEXPIREAT: the same without conditions, if it took effect.
  case expireAt
  /// PERSIST: the same, if it took effect.
  case persist
  /// SET: an EX or PX among its options becomes PXAT.
  case setWithExpiry
  /// SETEX `key` `seconds` `value`: SET … PXAT.
  case setex
  /// PSETEX `key` `milliseconds` `value`: SET … PXAT.
  case psetex
  /// GETEX: an EX or PX among its options becomes PXAT.
  case getex
  /// XADD: verbatim with an explicit ID, otherwise with the ID that the default store's reply names.
  case xadd
  /// HEXPIRE `key` `seconds` …: HPEXPIREAT with the same conditions and fields.
  case hexpire
  /// HPEXPIRE `key` `milliseconds` …: HPEXPIREAT with the same conditions and fields.
  case hpexpire
  /// HSETEX `key` … FIELDS …: an EX or PX before FIELDS becomes PXAT.
  case hsetex
  /// HGETEX `key` … FIELDS …: an EX or PX before FIELDS becomes PXAT.
  case hgetex
  /// MSETEX `numkeys` `key` `value` …: an EX or PX after the pairs becomes PXAT.
  case msetex
}

/// The comparison of two stores' replies to the same command.
public enum Comparison: UInt8, CaseIterable, Sendable {
  /// Equal in type, content and order.
  case ordered
  /// Arrays are equal as multisets.
  case unordered
  /// Arrays of alternating fields and values are equal as sets of pairs.
  case unorderedPairs
  /// Integers in seconds that depend on the time of asking are equal within a tolerance; negative ones exactly.
  case seconds
  /// The same in milliseconds.
  case milliseconds
  /// As `ordered`, but two strings that both spell a floating-point number are equal when the numbers are: Redis 7.0
  /// answers a score of 0.1 as `0.10000000000000001`, Valkey 9 as `0.1` (seen on 7.0.15 and 9.1.2).
  case scores
  /// Not compared at all: the reply depends on chance, or on a server's internals or load.
  case ignored
}
