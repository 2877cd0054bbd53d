/// The bytes of a journal: a line that names the version, then records, each after its length, a checksum of the length
/// and a checksum of the record.
///
/// The checksum of the length tells a record that was cut off at the end of the file, which is a stop in the middle of
/// a write, from a wrong length, behind which other records would be lost.
enum JournalFormat {
  private static let title = "multistore stale keys "
  /// The version that this program reads and writes.
  static let version = "1"
  /// The first line.
  static let header = Array("\(title)\(version)\n".utf8)
  /// The bytes of a record's length and checksums.
  static let recordOverheadBytes = 12

  /// Appends a record.
  static func append(_ record: JournalRecord, to bytes: inout [UInt8]) {
    var payload: [UInt8] = []
    record.encode(into: &payload)
    let start = bytes.count
    bytes.append(littleEndian: UInt32(payload.count))
    bytes.append(littleEndian: CRC32.checksum(of: bytes[start...]))
    bytes.append(littleEndian: CRC32.checksum(of: payload[...]))
    bytes += payload
  }

  /// Reads a whole file, which has the header at least.
  ///
  /// A last record that was cut off is left out. Then the process did not end cleanly, whatever the file said before.
  static func parse(_ bytes: [UInt8]) -> Result<JournalState, JournalDamage> {
    var state = JournalState()
    guard bytes.starts(with: header) else { return .failure(damage(ofHeader: bytes)) }
    var rest = bytes[header.count...]
    while !rest.isEmpty {
      switch next(in: rest) {
      case .record(let record, let end):
        state.apply(record)
        rest = rest[end...]
      case .cutOff:
        state.wasStopped = false
        return state.isComplete ? .success(state) : .failure(.incomplete)
      case .damaged: return .failure(.record(offset: rest.startIndex))
      }
    }
    return state.isComplete ? .success(state) : .failure(.incomplete)
  }

  private enum Next {
    case record(JournalRecord, end: Int)
    case cutOff
    case damaged
  }

  private static func next(in bytes: ArraySlice<UInt8>) -> Next {
    var reader = JournalReader(rest: bytes)
    guard let length = reader.integer(UInt32.self), let lengthSum = reader.integer(UInt32.self),
      let sum = reader.integer(UInt32.self)
    else { return .cutOff }
    guard lengthSum == CRC32.checksum(of: bytes.prefix(4)) else { return isUnwritten(bytes) ? .cutOff : .damaged }
    guard reader.rest.count >= length else { return .cutOff }
    let payload = reader.rest.prefix(Int(length))
    guard sum == CRC32.checksum(of: payload) else {
      return isUnwritten(bytes[payload.endIndex...]) ? .cutOff : .damaged
    }
    return JournalRecord(decoding: payload).map { .record($0, end: payload.endIndex) } ?? .damaged
  }

  /// Whether all bytes are zero, as a file system leaves them after a power failure where nothing was written.
  private static func isUnwritten(_ bytes: ArraySlice<UInt8>) -> Bool { bytes.allSatisfy { $0 == 0 } }

  private static func damage(ofHeader bytes: [UInt8]) -> JournalDamage {
    guard bytes.starts(with: title.utf8) else { return .header }
    let word = bytes.dropFirst(title.utf8.count).prefix(10).prefix { $0 != UInt8(ascii: "\n") }
    guard let number = Int(String(decoding: word, as: UTF8.self)), number > 1 else { return .header }
    return .laterVersion(number)
  }
}

/// A reason why a journal can't be read.
enum JournalDamage: Error, Equatable {
  /// It does not begin with the header.
  case header
  /// The records that each file begins with are missing.
  case incomplete
  /// A record was changed, at this offset of the file.
  case record(offset: Int)
  /// A later version of the program has written it.
  case laterVersion(Int)

  /// The reason, for the log.
  var explanation: String {
    switch self {
    case .header: "it does not begin as a file of stale keys"
    case .incomplete: "it ends before it says which stores it is about and how they were used"
    case .record(let offset): "the record at byte \(offset) was changed after it was written"
    case .laterVersion(let number):
      "a later version of the program has written it: format \(number), this one reads \(JournalFormat.version)"
    }
  }
}
