public import TestSupport

/// A response as curl saw it.
public struct CurlResult {
  /// How curl ended.
  public let exit: ChildProcess.Exit
  /// The status code; 0 without a response.
  public let status: Int
  /// The header fields, in their order.
  public let headers: [(name: String, value: String)]
  /// The body, as it was sent unless curl was told to decompress it.
  public let body: [UInt8]

  /// The body as text.
  public var text: String { String(decoding: body, as: UTF8.self) }

  /// The first value of a header field, whatever the case of its name.
  public func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }
}
