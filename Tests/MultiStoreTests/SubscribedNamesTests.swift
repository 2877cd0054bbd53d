internal import Testing

@testable internal import MultiStore

@Suite("The names that a client is subscribed to")
struct SubscribedNamesTests {
  @Test func `are bounded with the memory that each takes besides its bytes`() {
    var names = SubscribedNames()
    // Each name takes 13 bytes of the command, with its header.
    let count = SubscribedNames.byteLimit / (64 + 13)
    #expect(names.admits(beginning: count, byteCount: count * 13))
    #expect(!names.admits(beginning: count + 1, byteCount: (count + 1) * 13))
    names.insert([UInt8](repeating: 0, count: SubscribedNames.byteLimit - 64 - 100), .channel)
    #expect(names.admits(beginning: 1, byteCount: 36))
    #expect(!names.admits(beginning: 1, byteCount: 100))
  }

  @Test func `can be left, however many they are`() {
    var names = SubscribedNames()
    let name = [UInt8](repeating: 0, count: SubscribedNames.byteLimit)
    names.insert(name, .pattern)
    #expect(names.byteCount > SubscribedNames.byteLimit)
    #expect(names.admits(beginning: 0, byteCount: SubscribedNames.byteLimit))
    names.remove(name, .pattern)
    #expect(names.byteCount == 0)
  }
}
