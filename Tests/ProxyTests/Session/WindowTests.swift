import Testing

@testable import Proxy

@Suite("Windows of commands")
struct WindowTests {
  @Test func `a pipeline gets longer while its replies are small`() {
    var window = ReplyWindow(maxCommands: 1024)
    let first = window.commands
    window.executed(first - 1, replyBytes: 100)
    #expect(window.commands == first, "it was not as long as it might have been")
    for _ in 0..<20 { window.executed(window.commands, replyBytes: 100) }
    #expect(window.commands == 1024)
  }

  @Test func `a pipeline gets as short as its replies are large`() {
    var window = ReplyWindow(maxCommands: 1024)
    window.executed(32, replyBytes: 32 << 20)
    #expect(window.commands == ReplyWindow.targetBytes >> 20)
    window.executed(4, replyBytes: 400 << 20)
    #expect(window.commands == 1)
    window.executed(1, replyBytes: 100)
    window.executed(2, replyBytes: 100)
    #expect(window.commands == 4)
  }

  @Test func `commands in flight grow with replies that are taken`() {
    var window = ForwardWindow(maxCommands: 100)
    let first = window.commands
    let isFull = !window.hasRoom(first)
    #expect(isFull)
    window.adapt(hasReplied: false, owed: 0, highWater: 1000)
    #expect(window.commands == first, "nothing has come yet")
    window.adapt(hasReplied: true, owed: 0, highWater: 1000)
    #expect(window.commands == 2 * first)
    window.adapt(hasReplied: true, owed: 0, highWater: 1000)
    #expect(window.commands == 2 * first, "there was room")
    for _ in 0..<5 {
      _ = window.hasRoom(window.commands)
      window.adapt(hasReplied: true, owed: 0, highWater: 1000)
    }
    #expect(window.commands == 100)
  }

  @Test func `commands in flight shrink when replies pile up`() {
    var window = ForwardWindow(maxCommands: 10)
    #expect(window.commands == 10)
    window.adapt(hasReplied: true, owed: 1000, highWater: 1000)
    #expect(window.commands == 5)
    for _ in 0..<5 { window.adapt(hasReplied: false, owed: 1000, highWater: 1000) }
    #expect(window.commands == 1)
  }
}
