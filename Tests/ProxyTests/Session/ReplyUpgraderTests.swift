import RESP
import Testing

@testable import Proxy

@Suite("Upgrading replies in the order of their commands")
struct ReplyUpgraderTests {
  private let get = CommandTable.spec(CommandTable.lookup(Array("GET".utf8).span))

  /// The output after `body`, as text.
  private func output(after body: (inout ByteBuffer, inout ReplyUpgrader) -> Void) -> String {
    var output = ByteBuffer()
    output.append("$-1\r\n")
    var upgrader = ReplyUpgrader()
    upgrader.start(after: output)
    body(&output, &upgrader)
    return String(decoding: output.bytes, as: UTF8.self)
  }

  private func expectReplies(_ count: Int, _ upgrader: inout ReplyUpgrader) {
    let shape = get.replyShape(of: Array("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n".utf8).span, in: [])
    for _ in 0..<count { upgrader.expect(shape) }
  }

  @Test func `replies to commands before HELLO stay as they are`() {
    let text = output { output, upgrader in
      expectReplies(1, &upgrader)
      output.append("$-1\r\n")
      upgrader.finish(&output)
      upgrader.finish(&output)
    }
    #expect(text == "$-1\r\n_\r\n")
  }

  @Test func `several replies are taken apart, and errors that no command has asked for stay`() {
    let text = output { output, upgrader in
      expectReplies(3, &upgrader)
      output.append("$1\r\nv\r\n$-1\r\n")
      upgrader.finish(&output)
      output.append("*2\r\n*-1\r\n:1\r\n")
      upgrader.finish(&output)
      output.append("-ERR Protocol error\r\n")
      upgrader.finish(&output)
    }
    #expect(text == "$-1\r\n$1\r\nv\r\n_\r\n*2\r\n_\r\n:1\r\n-ERR Protocol error\r\n")
  }

  @Test func `a command that is put back has no reply`() {
    let text = output { output, upgrader in
      expectReplies(2, &upgrader)
      upgrader.withdraw()
      output.append("$-1\r\n")
      upgrader.finish(&output)
      upgrader.nothingIsInFlight()
      output.append("$-1\r\n")
      upgrader.outputIsFinal(output)
      upgrader.finish(&output)
    }
    #expect(text == "$-1\r\n_\r\n$-1\r\n")
  }

  @Test func `replies that are passed on are upgraded on their way`() {
    let text = output { output, upgrader in
      expectReplies(3, &upgrader)
      upgrader.append(Array("$-1\r\n*1\r\n$-1\r\n".utf8).span, to: &output)
      output.append("$-1\r\n")
      upgrader.finish(&output)
    }
    #expect(text == "$-1\r\n_\r\n*1\r\n_\r\n_\r\n")
  }

  @Test func `the elements of EXEC's reply are upgraded, and so is a transaction that was aborted`() {
    let text = output { output, upgrader in
      for reply in ["*2\r\n$-1\r\n*-1\r\n", "*-1\r\n", "-EXECABORT\r\n"] {
        expectReplies(1, &upgrader)
        upgrader.expectTransaction([.plain, .plain])
        output.append(Array(reply.utf8).span)
        upgrader.finish(&output)
        upgrader.nothingIsInFlight()
      }
    }
    #expect(text == "$-1\r\n*2\r\n_\r\n_\r\n_\r\n-EXECABORT\r\n")
  }
}
