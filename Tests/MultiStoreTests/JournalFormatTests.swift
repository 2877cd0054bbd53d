import Testing

@testable import MultiStore

@Suite("Format of a journal")
struct JournalFormatTests {
  private typealias Fixtures = JournalFixtures

  /// The places in a file of all kinds of records at which one of them ends.
  private static let ends = (0...JournalFixtures.records.count).map {
    JournalFixtures.file(Array(JournalFixtures.records.prefix($0))).count
  }

  @Test func `the checksum is the usual one`() {
    #expect(CRC32.checksum(of: Array("123456789".utf8)[...]) == 0xCBF4_3926)
  }

  @Test(arguments: JournalFixtures.records)
  func `a record is read as it was written`(record: JournalRecord) {
    var payload: [UInt8] = []
    record.encode(into: &payload)
    #expect(JournalRecord(decoding: payload[...]) == record)
    // Neither one that is too short nor one with something behind it, unless that is the key's.
    guard case .change(.marked) = record else {
      if case .change(.cleared) = record { return }
      #expect(JournalRecord(decoding: (payload + [0])[...]) == nil)
      return
    }
    for count in 0..<15 { #expect(JournalRecord(decoding: payload.prefix(count)) == nil) }
  }

  @Test func `reasons that this version does not know are damage`() {
    var payload: [UInt8] = []
    JournalRecord.change(Fixtures.marked("a")).encode(into: &payload)
    payload[15] ^= 1
    #expect(JournalRecord(decoding: payload[...]) == nil)
    #expect(JournalRecord(decoding: [99]) == nil && JournalRecord(decoding: []) == nil)
  }

  @Test func `a file that does not say which stores it is about, or how they were used, is damaged`() {
    #expect(JournalFormat.parse(JournalFormat.header) == .failure(.incomplete))
    #expect(JournalFormat.parse([]) == .failure(.header))
    let (stores, stop) = (Fixtures.records[0], JournalRecord.change(.stopped))
    #expect(JournalFormat.parse(Fixtures.file([stores])) == .failure(.incomplete))
    // A process that could not be started.
    #expect(JournalFormat.parse(Fixtures.file([stores, stop])) == .success(Fixtures.state([stores, stop])))
  }

  /// kill -9 in the middle of a write, or a full disk.
  @Test func `a file that ends anywhere has the whole records before, and no clean stop unless it ends with it`() {
    let file = Fixtures.file(Fixtures.records)
    for count in JournalFormat.header.count...file.count {
      let whole = Self.ends.lastIndex { $0 <= count } ?? 0
      var expected = Fixtures.state(Array(Fixtures.records.prefix(whole)))
      if Self.ends[whole] != count { expected.wasStopped = false }
      guard whole >= 2 else {
        #expect(JournalFormat.parse(Array(file.prefix(count))) == .failure(.incomplete), "\(count) bytes")
        continue
      }
      #expect(JournalFormat.parse(Array(file.prefix(count))) == .success(expected), "\(count) bytes")
    }
    for count in 1..<JournalFormat.header.count {
      #expect(JournalFormat.parse(Array(file.prefix(count))) == .failure(.header))
    }
  }

  /// A failure of the machine's power: the file has its new length, but not its new contents.
  @Test func `zeros behind the last record are no record`() {
    let records = Array(Fixtures.records.dropLast())
    let file = Fixtures.file(records)
    for count in [1, 11, 12, 13, 5000] {
      let padded = file + Array(repeating: 0, count: count)
      #expect(JournalFormat.parse(padded) == .success(Fixtures.state(records)))
    }
    // The last record was written in part.
    var torn = Fixtures.file(Fixtures.records + [.change(Fixtures.marked("a long name"))])
    for index in torn.count - 5..<torn.count { torn[index] = 0 }
    var expected = Fixtures.state(Fixtures.records)
    expected.wasStopped = false
    #expect(JournalFormat.parse(torn + Array(repeating: 0, count: 4096)) == .success(expected))
  }

  @Test func `a change of any byte is noticed`() {
    let records = Fixtures.records + [.change(.stopped)]
    let file = Fixtures.file(records)
    let lastRecord = file.count - 1 - JournalFormat.recordOverheadBytes
    for index in file.indices {
      for flip in [UInt8(1), 0x80, 0xFF] {
        var damaged = file
        damaged[index] ^= flip
        switch JournalFormat.parse(damaged) {
        case .failure: break
        // The last one may have been cut off: then the process did not stop cleanly.
        case .success(let state): #expect(index >= lastRecord && !state.snapshot.wasStopped, "byte \(index)")
        }
      }
    }
  }

  @Test func `a later version is refused in words`() {
    let file = Array("multistore stale keys 12\nand something else".utf8)
    #expect(JournalFormat.parse(file) == .failure(.laterVersion(12)))
    #expect(JournalDamage.laterVersion(12).explanation.contains("format 12, this one reads 1"))
    for text in ["multistore stale keys 0\n", "multistore stale keys x\n", "something else\n", "\0"] {
      #expect(JournalFormat.parse(Array(text.utf8)) == .failure(.header))
    }
  }
}
