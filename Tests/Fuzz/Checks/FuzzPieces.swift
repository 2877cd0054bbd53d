/// Random inputs made of the protocol's own pieces, for runs without libFuzzer.
public enum FuzzPieces {
  private static let pieces = [
    "*1\r\n", "*2\r\n", "*3\r\n", "*-1\r\n", "*0\r\n", "$0\r\n", "$1\r\n", "$3\r\n", "$-1\r\n", "\r\n", "\n", "\r",
    "GET", "SORT", "EVAL", "XREAD", "STREAMS", "BLOCK", "STORE", "KEYS", "MIGRATE", "+OK\r\n", "-ERR no\r\n",
    ":1\r\n", ":", "\"", "'", "\\x41", " ", "0", "1", "99999999999999999999", "a",
  ].map { Array($0.utf8) }

  /// The next input.
  public static func input(_ random: inout FuzzGenerator) -> [UInt8] {
    var input = [UInt8.random(in: 0...3, using: &random), UInt8.random(in: 0...255, using: &random)]
    for _ in 0..<Int.random(in: 1...24, using: &random) {
      if Int.random(in: 0..<8, using: &random) == 0 {
        input.append(UInt8.random(in: 0...255, using: &random))
      } else {
        input += pieces[Int.random(in: 0..<pieces.count, using: &random)]
      }
    }
    return input
  }
}
