internal import Foundation

/// A connection with TLS that is kept open over several HTTP requests, by openssl's own client, which verifies nothing.
public final class TLSConnection {
  private let process: ChildProcess
  private let input: FileHandle
  private let output: FileHandle

  /// Connects to a port of 127.0.0.1.
  ///
  /// - Parameter certificate: The client's certificate; none if nil.
  public init(to port: UInt16, as certificate: CertificateAuthority.Certificate? = nil) throws {
    let (requests, answers) = (Pipe(), Pipe())
    let own = certificate.map { ["-cert", $0.certificate, "-key", $0.key] } ?? []
    process = try ChildProcess(
      "openssl",
      ["s_client", "-quiet", "-connect", "127.0.0.1:\(port)"] + own,
      input: requests.fileHandleForReading.fileDescriptor,
      output: answers.fileHandleForWriting.fileDescriptor
    )
    try requests.fileHandleForReading.close()
    try answers.fileHandleForWriting.close()
    (input, output) = (requests.fileHandleForWriting, answers.fileHandleForReading)
  }

  /// Returns the answer to a GET, with its head.
  ///
  /// - Throws: ``TestSupportError`` with code `closed` if the connection ends before.
  public func get(_ path: String) throws -> String {
    try input.write(contentsOf: Data("GET \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
    var bytes: [UInt8] = []
    while !Self.isWhole(bytes) {
      let more = output.availableData
      guard !more.isEmpty else {
        throw TestSupportError(.closed, "the connection ended after: \(String(decoding: bytes, as: UTF8.self))")
      }
      bytes += more
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func isWhole(_ bytes: [UInt8]) -> Bool {
    guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return false }
    let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
    let length = head.firstMatch(of: /(?i)\r\ncontent-length: *([0-9]+)/).flatMap { Int($0.1) }
    return bytes.count - end.upperBound >= length ?? 0
  }
}
