import RESP
import Testing

@testable import Proxy

@Suite("What becomes of the replies to a client")
struct ReplyDeliveryTests {
  /// A delivery, its output, and what was sent.
  private final class Client {
    var delivery = ReplyDelivery()
    var output = ByteBuffer()
    var sent = ""

    func append(_ reply: String) { output.append(utf8Of: reply) }

    /// The end of a turn, or of an execution.
    func deliver() {
      var bytes: [UInt8] = []
      delivery.deliver(&output) { bytes += $0.array }
      sent += String(decoding: bytes, as: UTF8.self)
    }

    func set(_ mode: ReplyMode) {
      var bytes: [UInt8] = []
      delivery.set(mode, &output) { bytes += $0.array }
      sent += String(decoding: bytes, as: UTF8.self)
    }

    func appendUnasked(_ text: String) {
      var bytes: [UInt8] = []
      delivery.appendUnasked(to: &output, { $0.append(utf8Of: text) }, { bytes += $0.array })
      sent += String(decoding: bytes, as: UTF8.self)
    }

    func mayTakeNext(isQuiet: Bool) -> Bool { delivery.maySkipNoMore(&output, isQuiet: isQuiet) }

    func isTakenAndSkipped() -> Bool { delivery.commandIsTaken() }

    func inputIsNoCommand() -> Bool { delivery.inputIsNoCommand() }

    var dropsReplies: Bool { delivery.dropsReplies }

    /// Takes a command, if that is permitted, and answers it.
    func execute(_ reply: String) {
      #expect(mayTakeNext(isQuiet: true))
      _ = isTakenAndSkipped()
      append(reply)
    }
  }

  @Test func `replies are sent together, and leave the output`() {
    let client = Client()
    client.execute("+1\r\n")
    client.execute("+2\r\n")
    client.deliver()
    #expect(client.sent == "+1\r\n+2\r\n" && client.output.isEmpty)
  }

  @Test func `with OFF only the replies before it are sent, until ON`() {
    let client = Client()
    client.execute("+1\r\n")
    client.set(.off)
    #expect(client.sent == "+1\r\n")
    client.execute("+2\r\n")
    client.deliver()
    client.execute("+3\r\n")
    client.set(.skipNext)
    #expect(client.dropsReplies, "SKIP is ignored")
    client.set(.on)
    client.execute("+OK\r\n")
    client.deliver()
    #expect(client.sent == "+1\r\n+OK\r\n")
  }

  @Test func `SKIP drops one reply, and holds the commands behind it until that is done`() {
    let client = Client()
    client.set(.skipNext)
    #expect(client.isTakenAndSkipped() && client.dropsReplies)
    #expect(!client.mayTakeNext(isQuiet: false))
    client.append("+skipped\r\n")
    client.execute("+next\r\n")
    client.deliver()
    #expect(client.sent == "+next\r\n")
  }

  @Test func `a command that waits is skipped when it is taken again`() {
    let client = Client()
    client.set(.skipNext)
    #expect(client.isTakenAndSkipped())
    client.delivery.commandWaits()
    #expect(!client.dropsReplies)
    client.execute("+skipped\r\n")
    client.deliver()
    client.execute("+next\r\n")
    client.deliver()
    #expect(client.sent == "+next\r\n")
  }

  @Test func `an empty line counts as the command that is skipped`() {
    let client = Client()
    #expect(!client.inputIsNoCommand())
    client.set(.skipNext)
    #expect(client.inputIsNoCommand())
    client.execute("+next\r\n")
    client.deliver()
    #expect(client.sent == "+next\r\n")
  }

  @Test func `what is no reply is sent although replies are dropped`() {
    let client = Client()
    client.execute("+1\r\n")
    client.appendUnasked("+line\r\n")
    client.deliver()
    client.set(.off)
    client.execute("+dropped\r\n")
    client.appendUnasked("+line\r\n")
    client.deliver()
    #expect(client.sent == "+1\r\n+line\r\n+line\r\n")
  }

  @Test func `RESET wants replies again, and speaks RESP2`() {
    let client = Client()
    client.delivery.speak(.resp3, helloShape: .plain, after: client.output)
    client.set(.off)
    client.execute("$-1\r\n")
    client.delivery.reset(&client.output)
    let version = client.delivery.protocolVersion
    #expect(!client.dropsReplies && version == .resp2)
    client.append("$-1\r\n")
    client.deliver()
    #expect(client.sent == "$-1\r\n")
  }

  @Test func `dropped replies count for the shapes of those that follow`() {
    let client = Client()
    client.delivery.speak(.resp3, helloShape: .plain, after: client.output)
    client.append("+hello\r\n")
    client.deliver()
    client.set(.skipNext)
    client.delivery.expect(.plain)
    client.execute("+skipped\r\n")
    client.deliver()
    let spec = CommandTable.spec(CommandTable.lookup(Array("HGETALL".utf8).span))
    client.delivery.expect(spec.replyShape(of: Array("*2\r\n$7\r\nHGETALL\r\n$1\r\nk\r\n".utf8).span, in: []))
    client.execute("*2\r\n$1\r\nf\r\n$1\r\nv\r\n")
    client.deliver()
    #expect(client.sent == "+hello\r\n%1\r\n$1\r\nf\r\n$1\r\nv\r\n")
  }

  @Test func `replies of an execution that is in progress follow those in the output`() {
    let client = Client()
    client.append("$-1\r\n")
    client.delivery.speak(.resp3, helloShape: .plain, after: client.output)
    client.append("+hello\r\n")
    client.delivery.expect(.plain)
    var bytes: [UInt8] = []
    client.delivery.deliver(Array("$-1\r\n".utf8).span, after: &client.output) { bytes += $0.array + $1.array }
    #expect(String(decoding: bytes, as: UTF8.self) == "$-1\r\n+hello\r\n_\r\n" && client.output.isEmpty)
  }
}
