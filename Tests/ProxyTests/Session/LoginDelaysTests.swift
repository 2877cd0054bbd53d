import EventLoop
import Testing

@testable import Proxy

@Suite("When logins are looked at")
struct LoginDelaysTests {
  private let here = PeerNetwork.ipv4(1)
  private let there = PeerNetwork.ipv4(2)
  private let delay = LoginDelays.delayNanoseconds

  @Test func `nothing of a network is looked at for a while after a wrong password`() {
    var delays = LoginDelays()
    #expect(delays.mayTry(1, from: here, at: 0) == true)
    #expect(delays.didFail(from: here, at: 0) == false)
    #expect(delays.mayTry(2, from: here, at: 1) == false)
    #expect(delays.mayTry(1, from: here, at: delay - 1) == false)
    #expect(delays.mayTry(3, from: there, at: 1) == true)
    #expect(delays.due(at: delay - 1) == [])
    #expect(delays.due(at: delay) == [2])
    // Its password is wrong as well: the others wait anew.
    #expect(delays.mayTry(2, from: here, at: delay) == true)
    #expect(delays.didFail(from: here, at: delay) == false)
    #expect(delays.due(at: 2 * delay - 1) == [])
    #expect(delays.next(from: here, at: 2 * delay - 1) == nil)
    #expect(delays.due(at: 2 * delay) == [1])
    #expect(!delays.isEmpty)
    #expect(delays.due(at: 2 * delay) == [])
    #expect(delays.isEmpty)
    #expect(delays.mayTry(4, from: here, at: 2 * delay) == true)
  }

  /// Their turn is noticed up to an interval of the timer late.
  @Test func `who comes when the delay is over does not pass those in the line`() {
    var delays = LoginDelays()
    #expect(delays.didFail(from: here, at: 0) == false)
    #expect(delays.mayTry(1, from: here, at: 1) == false)
    #expect(delays.mayTry(2, from: here, at: delay) == false)
    #expect(delays.due(at: delay + 1) == [1])
    #expect(delays.mayTry(3, from: here, at: delay + 1) == false)
    #expect(delays.mayTry(1, from: here, at: delay + 1) == true)
    #expect(delays.next(from: here, at: delay + 1) == 2)
    #expect(delays.mayTry(2, from: here, at: delay + 1) == true)
    #expect(delays.next(from: here, at: delay + 1) == 3)
  }

  @Test func `a right password lets the next one in at once, and who is gone is left out`() {
    var delays = LoginDelays()
    #expect(delays.didFail(from: here, at: 0) == false)
    for id in 1...4 { #expect(delays.mayTry(id, from: here, at: 1) == false) }
    #expect(delays.remove(2, from: here) == true)
    #expect(delays.remove(2, from: here) == false)
    #expect(delays.remove(9, from: there) == false)
    #expect(delays.due(at: delay) == [1])
    #expect(delays.next(from: here, at: delay) == 3)
    #expect(delays.next(from: here, at: delay) == 4)
    #expect(delays.next(from: here, at: delay) == nil)
    #expect(delays.next(from: there, at: delay) == nil)
  }

  @Test func `more networks than are kept apart share a delay`() {
    var delays = LoginDelays()
    for number in 0..<LoginDelays.maximumNetworks {
      #expect(delays.didFail(from: .ipv6(UInt64(number)), at: 0) == false)
    }
    #expect(delays.mayTry(1, from: here, at: 1) == true)
    #expect(delays.didFail(from: here, at: 1) == true)
    #expect(delays.mayTry(1, from: here, at: 2) == false)
    #expect(delays.mayTry(2, from: there, at: 2) == false)
    #expect(delays.remove(1, from: here) == true)
    #expect(delays.due(at: delay) == [])
    // The delays of their own are over, and only the shared one is left.
    #expect(delays.due(at: delay + 1) == [2])
    #expect(delays.due(at: delay + 1) == [])
    #expect(delays.isEmpty)
  }

  @Test func `a line does not grow with those that leave it`() {
    var line = WaitingLine()
    for id in 0..<10_000 {
      line.append(id)
      if id % 1000 != 0 { #expect(line.remove(id) == true) }
    }
    #expect(line.capacityUsed < 100)
    #expect((0..<11).map { _ in line.popFirst() } == (0..<10).map { $0 * 1000 } + [nil])
    #expect(line.isEmpty)
  }
}
