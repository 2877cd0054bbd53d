internal import RESP

/// The line that shows a command to clients that monitor, as a server words it:
/// `+1700000000.123456 [0 127.0.0.1:53211] "SET" "k" "v"`.
///
/// Passwords are replaced, as a server does it. Of a long command only the beginning is shown, since all other clients
/// wait while it is written.
struct MonitorLine {
  /// The most bytes of arguments that one line shows.
  static let mostShownBytes = 256 << 10

  /// The wall clock in microseconds since the Unix epoch.
  let microseconds: Int64
  /// The number of the client's database.
  let database: Int
  /// The client's address, or `unix:` and the path of the listener's socket.
  let client: String

  /// Appends the line of `command`, one of the table's line `spec`.
  func append(_ command: Span<UInt8>, _ spec: CommandSpec, to output: inout ByteBuffer) {
    let (seconds, fraction) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
    output.append("+")
    output.append(decimal: Int(seconds))
    output.append(".")
    var unit: Int64 = 100_000
    while unit > 0 {
      output.append(UInt8(ascii: "0") + UInt8(fraction / unit % 10))
      unit /= 10
    }
    output.append(" [")
    output.append(decimal: database)
    output.append(" ")
    output.append(utf8Of: client)
    output.append("]")
    var arguments = ArgumentCursor(command)
    var secrets = SecretArguments(spec)
    var room = Self.mostShownBytes
    while let argument = arguments.next() {
      output.append(" \"")
      if secrets.isSecret(argument) {
        output.append("(redacted)")
      } else {
        Self.append(escaped: argument.extracting(first: room), to: &output)
        if argument.count > room {
          output.append("... (")
          output.append(decimal: argument.count - room)
          output.append(" more bytes)")
        }
        room -= min(room, argument.count)
      }
      output.append("\"")
      // Each argument costs its quotes even if it is empty.
      room -= min(room, 3)
      if room == 0, arguments.index < arguments.count {
        output.append(" \"... (")
        output.append(decimal: arguments.count - arguments.index)
        output.append(" more arguments)\"")
        break
      }
    }
    output.append("\r\n")
  }

  private static func append(escaped bytes: Span<UInt8>, to output: inout ByteBuffer) {
    // Most bytes are shown as they are: they are copied in runs.
    var start = 0
    for index in bytes.indices {
      let byte = bytes[index]
      if byte >= 0x20, byte < 0x7f, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { continue }
      output.append(bytes.extracting(start..<index))
      start = index + 1
      output.append(UInt8(ascii: "\\"))
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(byte)
      case UInt8(ascii: "\n"): output.append(UInt8(ascii: "n"))
      case UInt8(ascii: "\r"): output.append(UInt8(ascii: "r"))
      case UInt8(ascii: "\t"): output.append(UInt8(ascii: "t"))
      case 0x07: output.append(UInt8(ascii: "a"))
      case 0x08: output.append(UInt8(ascii: "b"))
      default:
        output.append(UInt8(ascii: "x"))
        output.append(hexDigit(byte >> 4))
        output.append(hexDigit(byte & 0x0f))
      }
    }
    output.append(bytes.extracting(start...))
  }

  private static func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }
}
