internal import EventLoop
internal import Hiredis
internal import RESP

/// The replies and messages of sentinels, as their documentation and their source word them.
enum SentinelReply {
  /// One of the others that a sentinel knows.
  struct Sentinel: Equatable {
    let address: SocketAddress
    /// The name that it gave itself, as SENTINEL MYID says.
    var id: String?
  }

  /// SENTINEL GET-MASTER-ADDR-BY-NAME: host and port, or nil for a name that is not known.
  static func master(_ reply: borrowing Reply) -> SentinelDirectory.Answer {
    switch reply.kind {
    case .nil: .unknownMaster
    case .error: .failure(text(reply))
    case .array where reply.count == 2:
      address(host: text(reply[0]), port: text(reply[1])).map { .master($0) } ?? .nonsense
    default: .nonsense
    }
  }

  /// SENTINEL SENTINELS: an array of fields and values for each of the others; nil if it is something else.
  static func sentinels(_ reply: borrowing Reply) -> [Sentinel]? {
    guard reply.kind == .array else { return nil }
    var sentinels: [Sentinel] = []
    for index in 0..<reply.count {
      let fields = reply[index]
      var (host, port, id) = ("", "", String?.none)
      for name in stride(from: 0, to: fields.count - 1, by: 2) {
        switch text(fields[name]) {
        case "ip": host = text(fields[name + 1])
        case "port": port = text(fields[name + 1])
        case "runid": id = text(fields[name + 1])
        default: break
        }
      }
      if let address = address(host: host, port: port) { sentinels.append(Sentinel(address: address, id: id)) }
    }
    return sentinels
  }

  /// SENTINEL MYID, since Redis 6.2: the name; nil for other replies.
  static func id(_ reply: borrowing Reply) -> String? { reply.kind == .string ? text(reply) : nil }

  /// A message of the channel `+switch-master`: `NAME OLD-HOST OLD-PORT HOST PORT`; nil for other messages and names.
  static func switchMessage(_ reply: borrowing Reply, master: String) -> (from: SocketAddress, to: SocketAddress)? {
    guard reply.kind == .array, reply.count == 3, text(reply[0]) == "message" else { return nil }
    let words = text(reply[2]).split(separator: " ").map(String.init)
    guard words.count == 5, words[0] == master, let former = address(host: words[1], port: words[2]),
      let present = address(host: words[3], port: words[4])
    else { return nil }
    return (former, present)
  }

  private static func address(host: String, port: String) -> SocketAddress? {
    guard !host.isEmpty, let port = Int(port), (1...65535).contains(port) else { return nil }
    return .tcp(host: host, port: port)
  }

  private static func text(_ reply: borrowing Reply) -> String {
    String(decoding: reply.bytes.array, as: UTF8.self)
  }
}

extension SentinelDirectory.Answer {
  static let nonsense = failure("sent something that is no reply of a sentinel")
}
