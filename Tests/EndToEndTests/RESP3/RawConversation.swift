import TestSupport

/// What a client says in one go, and the bytes that it gets.
struct RawConversation {
  let commands: [[String]]

  /// - Parameter lines: Commands whose words are separated by spaces.
  init(_ lines: String...) {
    commands = lines.map { $0.split(separator: " ").map(String.init) }
  }

  init(_ commands: [[String]]) {
    self.commands = commands
  }

  /// Says it all, and returns all bytes of the answers but the client's number.
  func answers(to client: RESPClient) throws -> String {
    try client.send((commands + [["QUIT"]]).flatMap { RESPClient.encode($0) })
    let answers = String(decoding: try client.readUntilClosed(), as: UTF8.self)
    return answers.replacing(/\$2\r\nid\r\n:\d+\r\n/, with: "$2\r\nid\r\n:N\r\n")
  }
}

extension RESPClient {
  /// Says HELLO 3, and skips the answer.
  func speakRESP3() throws {
    try send(Self.encode(["HELLO", "3"]) + Self.encode(["ECHO", "in RESP3"]))
    let end = Array("$8\r\nin RESP3\r\n".utf8)
    var answer: [UInt8] = []
    while !answer.hasSuffix(end) { answer += try readBytes(1) }
  }

  /// Says commands in one go, and reads as many bytes as `wanted` has.
  func answer(_ commands: [[String]], reading wanted: String) throws -> String {
    try send(commands.flatMap { Self.encode($0) })
    return String(decoding: try readBytes(wanted.utf8.count), as: UTF8.self)
  }

  /// Reads as many bytes as `wanted` has.
  func next(_ wanted: String) throws -> String {
    String(decoding: try readBytes(wanted.utf8.count), as: UTF8.self)
  }
}

extension [UInt8] {
  fileprivate func hasSuffix(_ suffix: [UInt8]) -> Bool { self.suffix(suffix.count).elementsEqual(suffix) }
}
