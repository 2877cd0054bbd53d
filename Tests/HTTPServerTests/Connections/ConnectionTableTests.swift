import Sockets
import Testing

@testable import HTTPServer

@Suite("Which connections are closed")
struct ConnectionTableTests {
  private typealias Closing = ConnectionTable.Closing

  private let start = ContinuousClock.now
  private let here = PeerNetwork.ipv4(1)
  private let there = PeerNetwork.ipv4(2)

  private func table(connections: Int = 4, perAddress: Int = 4, answerBytes: Int = 1000) -> ConnectionTable {
    ConnectionTable(
      limits: HTTPLimits(
        connections: connections,
        connectionsPerAddress: perAddress,
        requestTimeout: .seconds(10),
        idleTimeout: .seconds(30),
        responseTimeout: .seconds(20),
        maximumAnswerBytes: answerBytes
      )
    )
  }

  private func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

  @Test func `one that waits makes room, the one that has waited longest first`() {
    var table = table()
    for descriptor in 0..<4 {
      #expect(table.add(Int32(descriptor), from: .ipv4(UInt32(descriptor)), at: at(descriptor)) == nil)
    }
    #expect(table.add(4, from: here, at: at(4)) == Closing(descriptor: 0, reason: .connectionLimit))
    #expect(table.count == 4)
    table.remove(0)
    #expect(table.count == 4)
    #expect(table.add(5, from: here, at: at(4)) == Closing(descriptor: 1, reason: .connectionLimit))
  }

  @Test func `one whose answer has been under way for longest makes room as well`() {
    var table = table()
    for descriptor in 0..<4 { _ = table.add(Int32(descriptor), from: nil, at: at(0)) }
    for descriptor in [2, 0, 1, 3] as [Int32] {
      #expect(table.beginAnswer(on: descriptor, bytes: 10, at: at(Int(descriptor) + 1)) == [])
    }
    #expect(table.add(4, from: nil, at: at(9)) == Closing(descriptor: 0, reason: .connectionLimit))
    // A connection that has had its answer waits from then on.
    table.endAnswer(on: 1, at: at(10))
    #expect(table.add(5, from: nil, at: at(11)) == Closing(descriptor: 2, reason: .connectionLimit))
    #expect(table.add(6, from: nil, at: at(12)) == Closing(descriptor: 3, reason: .connectionLimit))
    #expect(table.add(7, from: nil, at: at(13)) == Closing(descriptor: 4, reason: .connectionLimit))
    #expect(table.add(8, from: nil, at: at(14)) == Closing(descriptor: 1, reason: .connectionLimit))
  }

  @Test func `an address with too many connections loses one of its own`() {
    var table = table(connections: 8, perAddress: 2)
    #expect(table.add(1, from: there, at: at(0)) == nil)
    #expect(table.add(2, from: here, at: at(1)) == nil)
    #expect(table.add(3, from: here, at: at(2)) == nil)
    #expect(table.add(4, from: here, at: at(3)) == Closing(descriptor: 2, reason: .addressLimit))
    table.remove(2)
    table.remove(3)
    #expect(table.add(5, from: here, at: at(4)) == nil)
    // Connections of unix sockets have no address.
    for descriptor in 10..<14 { #expect(table.add(Int32(descriptor), from: nil, at: at(5)) == nil) }
  }

  @Test func `no request in time, and no further one, and no end of the answer`() {
    var table = table()
    #expect(table.nextDeadline == nil)
    _ = table.add(1, from: here, at: at(0))
    _ = table.add(2, from: here, at: at(1))
    _ = table.add(3, from: here, at: at(2))
    #expect(table.nextDeadline == at(10))
    _ = table.beginAnswer(on: 2, bytes: 1, at: at(5))
    _ = table.beginAnswer(on: 3, bytes: 1, at: at(5))
    table.endAnswer(on: 3, at: at(6))
    #expect(table.overdue(at: at(9)) == [])
    #expect(table.overdue(at: at(10)) == [Closing(descriptor: 1, reason: .requestTimeout)])
    #expect(table.nextDeadline == at(25))
    #expect(table.overdue(at: at(25)) == [Closing(descriptor: 2, reason: .responseTimeout)])
    #expect(table.overdue(at: at(36)) == [Closing(descriptor: 3, reason: .idleTimeout)])
    #expect(table.overdue(at: at(99)) == [])
    #expect(table.count == 0 && !table.isEmpty)
    for descriptor in 1...3 as ClosedRange<Int32> { table.remove(descriptor) }
    #expect(table.isEmpty && table.answerBytes == 0)
  }

  @Test func `answers that are not read give way to others when they take too much memory`() {
    var table = table(answerBytes: 1000)
    for descriptor in 1...3 as ClosedRange<Int32> { _ = table.add(descriptor, from: here, at: at(0)) }
    #expect(table.beginAnswer(on: 1, bytes: 600, at: at(1)) == [])
    #expect(table.beginAnswer(on: 2, bytes: 300, at: at(2)) == [])
    #expect(table.beginAnswer(on: 3, bytes: 200, at: at(3)) == [Closing(descriptor: 1, reason: .answerMemory)])
    #expect(table.answerBytes == 500)
    table.endAnswer(on: 1, at: at(4))
    table.remove(1)
    table.endAnswer(on: 2, at: at(4))
    #expect(table.answerBytes == 200)
    // One that is larger than all may be has the memory to itself.
    #expect(table.beginAnswer(on: 2, bytes: 5000, at: at(5)) == [Closing(descriptor: 3, reason: .answerMemory)])
    #expect(table.answerBytes == 5000)
  }
}
