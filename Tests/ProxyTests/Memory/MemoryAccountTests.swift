import Testing

@testable import Proxy

@Suite("A client's part of the memory")
struct MemoryAccountTests {
  private static let mebibyte = 1 << 20
  private static let limit = 100 * mebibyte

  /// An account whose commands need so many bytes, all of which are reserved.
  private func account(withRoomFor bytes: Int) -> MemoryAccount {
    var account = MemoryAccount()
    #expect(account.need(bytes, copies: 1, limit: Self.limit, mayAsk: true) == .reserve(bytes))
    #expect(account.wasGranted() == true)
    return account
  }

  @Test func `small commands need no room`() {
    var account = MemoryAccount()
    let small = MemoryGovernor.smallBytes
    #expect(account.hasRoom(forCommandOf: small) && !account.hasRoom(forCommandOf: small + 1))
    #expect(account.need(small, copies: 2, limit: Self.limit, mayAsk: true) == .proceed)
    #expect(!account.isWaiting)
    #expect(account.wasGranted() == false)
    #expect(account.wasRefused() == false)
  }

  @Test func `a large command gets room for all stores that execute it, in whole steps`() {
    var account = MemoryAccount()
    let bytes = 3 * Self.mebibyte - 1
    #expect(account.need(bytes, copies: 2, limit: Self.limit, mayAsk: true) == .reserve(6 * Self.mebibyte))
    #expect(account.isWaiting && !account.hasRoom(forCommandOf: bytes))
    #expect(account.need(bytes, copies: 2, limit: Self.limit, mayAsk: true) == .proceed, "it waits already")
    #expect(account.wasGranted() == true)
    #expect(!account.isWaiting && account.hasRoom(forCommandOf: bytes))
    #expect(account.reported.reserved == 6 * Self.mebibyte)
    #expect(account.need(bytes, copies: 2, limit: Self.limit, mayAsk: true) == .proceed, "it has what it needs")
  }

  @Test func `what has arrived is not reserved once more`() {
    var account = MemoryAccount()
    #expect(account.use(input: 2 * Self.mebibyte, held: Self.mebibyte, output: 3 * Self.mebibyte) == ClientMemory())
    let asked = account.need(10 * Self.mebibyte, copies: 1, limit: Self.limit, mayAsk: true)
    #expect(asked == .reserve(7 * Self.mebibyte - MemoryGovernor.smallBytes), "a few replies do not count either")
  }

  @Test func `a command beyond the limit is refused, and one that is refused asks for nothing`() {
    var account = MemoryAccount()
    #expect(account.need(Self.limit + 1, copies: 1, limit: Self.limit, mayAsk: true) == .refuse)
    #expect(account.need(Self.limit / 2 + 1, copies: 2, limit: Self.limit, mayAsk: true) == .refuse)
    #expect(account.need(2 * Self.mebibyte, copies: 1, limit: Self.limit, mayAsk: false) == .proceed)
    #expect(!account.isWaiting)
  }

  @Test func `a client that waits leaves the line when its command ends or is refused`() {
    for ends in [true, false] {
      var account = account(withRoomFor: 2 * Self.mebibyte)
      _ = account.need(5 * Self.mebibyte, copies: 1, limit: Self.limit, mayAsk: true)
      #expect(account.isWaiting)
      if ends {
        #expect(account.need(0, copies: 1, limit: Self.limit, mayAsk: true) == .leaveLine)
      } else {
        #expect(account.wasRefused() == true)
      }
      #expect(!account.isWaiting)
      #expect(account.wasGranted() == false)
      #expect(
        account.hasRoom(forCommandOf: 2 * Self.mebibyte) == !ends,
        "what was granted stays until the command ends"
      )
    }
  }

  @Test func `changes are reported from sixteen KiB on, and the last one whatever it is`() {
    var account = MemoryAccount()
    let step = MemoryAccount.granularityBytes
    #expect(account.isIdle(using: step - 1) && !account.isIdle(using: step))
    #expect(account.use(input: step - 1, held: 0, output: 0) == nil)
    #expect(account.use(input: step, held: 0, output: 0) == ClientMemory())
    #expect(!account.isIdle(using: 0))
    #expect(account.use(input: 1, held: 0, output: 0) == nil)
    #expect(account.use(input: 0, held: 0, output: 0) == ClientMemory(input: step))
    #expect(account.reported == ClientMemory() && account.isIdle(using: 0))
  }

  @Test func `room becomes input as the command arrives`() {
    var account = account(withRoomFor: 4 * Self.mebibyte)
    let before = account.use(input: Self.mebibyte, held: 0, output: 0)
    #expect(before?.reserved == 4 * Self.mebibyte)
    #expect(account.reported == ClientMemory(input: Self.mebibyte, reserved: 3 * Self.mebibyte))
  }
}
