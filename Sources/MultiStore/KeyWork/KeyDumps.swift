internal import Hiredis
internal import RESP

/// Asks the source of several copies for the dumps of all keys that are small, with one script: for small keys the
/// commands, their replies and the time between them cost more than the dumps. Loop-confined; the store's connection
/// retains it.
///
/// The script is ordered with the commands of the ordinary connection, as DUMP is, so that the copies are in order as
/// well; see ``KeyCopy``.
final class KeyDumps: ReplyReceiver {
  /// The most keys of a question: a part of a millisecond of the server's time.
  static let maxKeys = 64
  /// The most bytes of a key that is dumped with others.
  static let maxBytes = 16 << 10
  /// The bytes of several keys after which no other one is dumped.
  static let maxBytesTogether = 128 << 10

  /// The copies that have not got their dumps.
  struct Remainder {
    /// Copies of keys that are too large, with the bytes that they take.
    var large: [(copy: KeyCopy, bytes: Int)] = []
    /// Copies of keys whose size is not known, since the source refuses the script.
    var refused: [KeyCopy] = []
  }

  private let copies: [KeyCopy]
  private let source: Store
  private let then: (Remainder) -> Void
  /// Whether the server is expected to know the script.
  private var isLoaded = true

  private init(for copies: [KeyCopy], from source: Store, then: @escaping (Remainder) -> Void) {
    self.copies = copies
    self.source = source
    self.then = then
  }

  /// - Parameters:
  ///   - copies: copies of kind `copyIfAbsent` that have not begun, at most ``maxKeys``.
  ///   - then: called once, when all others have got their dumps, or have failed.
  static func ask(for copies: [KeyCopy], from source: Store, then: @escaping (Remainder) -> Void) {
    KeyDumps(for: copies, from: source, then: then).ask()
  }

  private func ask() {
    var question = ByteBuffer()
    question.appendCommand(expecting: 5 + copies.count) { question in
      question.append(isLoaded ? "EVALSHA" : "EVAL")
      if isLoaded { question.append(Self.sha1) } else { question.append(text: Self.script) }
      question.append(decimal: copies.count)
      for copy in copies {
        let key = copy.key
        question.append(key.span)
      }
      question.append(decimal: Self.maxBytes)
      question.append(decimal: Self.maxBytesTogether)
    }
    source.ordinary.send(question.span, to: self, token: 0)
  }

  func receive(_ reply: borrowing Reply, token: Int) {
    guard reply.count == copies.count else { return refused(reply) }
    var remainder = Remainder()
    for (index, copy) in copies.enumerated() {
      let found = reply[index]
      switch found.kind {
      case .integer where found.integer > 0: remainder.large.append((copy, found.integer))
      case .string: copy.received(dump: found.bytes, deadline: 0)
      case .array where found.count == 2:
        let deadline = Int(String(decoding: found[1].bytes.array, as: UTF8.self)) ?? 0
        copy.received(dump: found[0].bytes, deadline: deadline)
      default: copy.sourceLacksKey()
      }
    }
    then(remainder)
  }

  func receive(failure: ConnectionFailure, token: Int) {
    for copy in copies { copy.fail(CopyFailure(failure)) }
    then(Remainder())
  }

  private func refused(_ reply: borrowing Reply) {
    if isLoaded, reply.kind == .error, reply.knownErrorCode == .noScript {
      isLoaded = false
      return ask()
    }
    then(Remainder(refused: copies))
  }

  /// Returns for each key 0 if it is missing, its bytes if it is too large, its dump, or its dump and the time at which
  /// it expires. Keys are not asked for their expiry where none of the server expires.
  static let script = """
    \(KeyScript.functions)
    local max_bytes, max_taken = tonumber(ARGV[1]), tonumber(ARGV[2])
    local keyspace = redis.pcall('INFO', 'keyspace')
    local expires = type(keyspace) ~= 'string' or string.find(keyspace, 'expires=[1-9]')
    local found, taken = {}, 0
    for index, key in ipairs(KEYS) do
      local bytes = redis.call('MEMORY', 'USAGE', key)
      if not bytes then
        found[index] = 0
      elseif bytes > max_bytes or taken > max_taken then
        found[index] = bytes
      else
        taken = taken + bytes
        local expiry = expires and deadline(key) or 0
        local dump = redis.call('DUMP', key)
        found[index] = expiry > 0 and {dump, string.format('%.0f', expiry)} or dump
      end
    end
    return found
    """

  /// The command that gives a store the script. Keys are read one by one from a store that refuses it.
  static let load = ["SCRIPT", "LOAD", script]
  /// The SHA-1 of the script. A test compares it with a server's.
  static let sha1: StaticString = "76b818d1d0ee56d23aff7a17fab680661dd4472a"
}
